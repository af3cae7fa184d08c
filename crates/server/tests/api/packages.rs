//! Packages through GitLab's routes.

use axum::http::Method;
use modelry_core::policy::{Role, Scope, Visibility};
use serde_json::{Value, json};

use crate::problem;
use crate::scene::Scene;

const FILE: &str = "/packages/ml_models/{package}/files/{path}";
const PACKAGE: &str = "/packages/ml_models/{package}";

/// Makes a candidate of the experiment `Default`, the first of which has the number 1.
async fn candidate(scene: &Scene) {
    let runs = format!("/api/v4/projects/{}/ml/mlflow/api/2.0/mlflow/runs/create", scene.project);
    scene.bob.post(&runs, &json!({"experiment_id": "0"})).await.expect_json();
}

/// `name version` of each package of a list.
fn called(list: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let packages = list.as_array().expect("a list").iter();
    packages.map(|package| format!("{} {}", text(&package["name"]), text(&package["version"]))).collect()
}

#[tokio::test]
async fn a_package_says_whose_files_it_has_and_who_made_it() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let version = scene.version("churn", json!({"version": "1.2.0"})).await;
    candidate(&scene).await;
    scene.upload(FILE, &[("package", "candidate:2"), ("path", "a.txt")], "a").await.expect_json();
    let packages = scene.get("/packages", &[]).await;
    let expected = json!([
        {
            "id": version["id"].to_string(), "name": "churn", "version": "1.2.0", "package_type": "ml_model",
            "status": "published", "files": 1, "size": 7, "frees": null, "model": "churn", "number": 1,
            "candidate_id": null, "run_id": version["run_id"], "created_by": "bob",
            "created_at": 1_700_000_000_000_i64,
        },
        {
            "id": "candidate:2", "name": "ml_experiment_0", "version": "candidate_2", "package_type": "ml_model",
            "status": "draft", "files": 1, "size": 1, "frees": null, "model": null, "number": null,
            "candidate_id": 2, "run_id": packages[1]["run_id"], "created_by": "bob",
            "created_at": 1_700_000_000_000_i64,
        },
        {
            "id": "candidate:1", "name": "churn", "version": "candidate_1", "package_type": "ml_model",
            "status": "draft", "files": 1, "size": 7, "frees": null, "model": "churn", "number": null,
            "candidate_id": 1, "run_id": version["run_id"], "created_by": "bob",
            "created_at": 1_700_000_000_000_i64,
        },
    ]);
    assert_eq!(packages, expected);
    scene.server.finish().await;
}

#[tokio::test]
async fn the_list_of_packages_is_paged_and_searched() {
    let scene = Scene::new().await;
    for model in ["churn", "fraud"] {
        scene.model(model).await;
        scene.version(model, json!({})).await;
    }
    let first =
        scene.call(&scene.bob, Method::GET, "/packages?type=version&per_page=1", &[], &Value::Null).await;
    let link = first.header("link").to_owned();
    assert_eq!(called(&first.json()), ["fraud 1.0.0"]);
    let next = link.strip_prefix("<http://modelry.test").and_then(|link| link.split_once('>'));
    let second = scene.bob.get(next.expect("a link").0).await;
    assert_eq!((called(&second.json()), second.header("link")), (vec!["churn 1.0.0".to_owned()], ""));
    let found = scene.get("/packages?search=CHU", &[]).await;
    assert_eq!(called(&found), ["churn 1.0.0", "churn candidate_1"]);
    let found = scene.get("/packages?search=fraud&type=candidate", &[]).await;
    assert_eq!(called(&found), ["fraud candidate_2"]);
    scene.server.finish().await;
}

#[tokio::test]
async fn a_list_of_packages_that_cannot_be_is_refused() {
    let scene = Scene::new().await;
    for query in ["type=blob", "after=x", "after=1", "per_page=0", "per_page=101", "per_page=x"] {
        let route = format!("/packages?{query}");
        let refused = scene.call(&scene.bob, Method::GET, &route, &[], &Value::Null).await;
        assert_eq!(problem(&refused), "400 invalid", "{query}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn deleting_a_versions_package_puts_the_version_into_the_bin() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let version = scene.version("churn", json!({})).await;
    let id = version["id"].to_string();
    let names =
        [("package", id.as_str()), ("version_id", id.as_str()), ("model", "churn"), ("version", "1.0.0")];
    assert_eq!(scene.get(PACKAGE, &names).await["frees"], 0, "its candidate has the same bytes");
    assert_eq!(scene.call(&scene.bob, Method::DELETE, PACKAGE, &names, &Value::Null).await.status, 204);
    for (method, route) in [
        (Method::GET, PACKAGE),
        (Method::DELETE, PACKAGE),
        (Method::GET, "/packages/ml_models/{package}/files"),
        (Method::GET, "/models/{model}/versions/{version}"),
    ] {
        let gone = scene.call(&scene.bob, method.clone(), route, &names, &Value::Null).await;
        assert_eq!(problem(&gone), "404 not-found", "{method} {route}");
    }
    let restore = "/deleted_versions/{version_id}/restore";
    scene.call(&scene.bob, Method::POST, restore, &names, &Value::Null).await.expect_json();
    assert_eq!(scene.get(PACKAGE, &names).await["files"], 1);
    scene.server.finish().await;
}

#[tokio::test]
async fn a_version_with_a_protected_alias_is_not_deleted_through_its_package() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let version = scene.version("churn", json!({})).await;
    let protect = json!({"version": "1.0.0", "protected": true});
    scene.alias(&scene.ann, "champion", protect).await.expect_json();
    let id = version["id"].to_string();
    let refused = scene.call(&scene.bob, Method::DELETE, PACKAGE, &[("package", &id)], &Value::Null).await;
    assert_eq!(problem(&refused), "403 forbidden");
    assert_eq!(scene.get(PACKAGE, &[("package", &id)]).await["version"], "1.0.0");
    scene.server.finish().await;
}

#[tokio::test]
async fn deleting_a_candidates_package_deletes_its_files() {
    let scene = Scene::new().await;
    candidate(&scene).await;
    for number in 0..5 {
        let path = format!("dir/{number}");
        let text = ["a", "a", "b", "c", "d"][number];
        scene.upload(FILE, &[("package", "candidate:1"), ("path", &path)], text).await.expect_json();
    }
    let package = [("package", "candidate:1")];
    let told = scene.get(PACKAGE, &package).await;
    assert_eq!((&told["files"], &told["size"], &told["frees"]), (&json!(5), &json!(5), &json!(4)));
    assert_eq!(scene.call(&scene.bob, Method::DELETE, PACKAGE, &package, &Value::Null).await.status, 204);
    assert_eq!(scene.get(PACKAGE, &package).await["files"], 0);
    assert_eq!(scene.get("/packages", &[]).await, json!([]));
    scene.server.finish().await;
}

#[tokio::test]
async fn packages_of_prompts_of_other_projects_and_of_nothing_are_not_there() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let version = scene.version("churn", json!({})).await;
    let other = scene.server.project(&scene.ann, "Other", Visibility::Private).await;
    scene.server.member(other, &scene.bob, Role::Reporter).await;
    let id = version["id"].to_string();
    for package in [&id, "candidate:1", "candidate:x", "candidate:", "x", "0", "99999999999999999999"] {
        for method in [Method::GET, Method::DELETE] {
            let path = format!("/api/v4/projects/{other}/packages/ml_models/{package}");
            let missing = scene.bob.json(method.clone(), &path, &Value::Null).await;
            assert_eq!(problem(&missing), "404 not-found", "{method} {package}");
        }
    }
    let mlflow = format!("/api/v4/projects/{}/ml/mlflow/api/2.0/mlflow", scene.project);
    let tags = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}]);
    let prompt = json!({"name": "hello", "tags": tags});
    scene.bob.post(&format!("{mlflow}/registered-models/create"), &prompt).await.expect_json();
    let of_prompt = json!({"name": "hello", "source": "prompt-template", "tags": tags});
    scene.bob.post(&format!("{mlflow}/model-versions/create"), &of_prompt).await.expect_json();
    let missing = scene.call(&scene.bob, Method::GET, PACKAGE, &[("package", "1000002")], &Value::Null).await;
    assert_eq!(problem(&missing), "404 not-found");
    scene.server.finish().await;
}

#[tokio::test]
async fn a_token_that_only_reads_sees_packages_and_deletes_none() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let id = scene.version("churn", json!({})).await["id"].to_string();
    let reader = scene.server.token(scene.bob.user(), Scope::ReadApi).await;
    let package = [("package", id.as_str())];
    scene.call(&reader, Method::GET, PACKAGE, &package, &Value::Null).await.expect_json();
    let refused = scene.call(&reader, Method::DELETE, PACKAGE, &package, &Value::Null).await;
    assert_eq!(problem(&refused), "403 forbidden");
    scene.server.finish().await;
}

#[tokio::test]
async fn a_flat_name_of_gitlab_is_a_whole_path_when_files_are_read_too() {
    let scene = Scene::new().await;
    candidate(&scene).await;
    let flat = [("package", "candidate:1"), ("path", "model%2FMLmodel")];
    let told = scene.upload(FILE, &flat, "flavors: {}").await.expect_json();
    assert_eq!(told["path"], "model/MLmodel");
    for path in ["model%2FMLmodel", "model/MLmodel", "model%2fMLmodel"] {
        let names = [("package", "candidate:1"), ("path", path)];
        let read = scene.call(&scene.bob, Method::GET, FILE, &names, &Value::Null).await;
        assert_eq!(read.text(), "flavors: {}", "{path}");
    }
    for path in ["..%2Fsecret", "model%2F..%2F..%2Fsecret", "%2Fetc%2Fpasswd", "model%252F..%252F..%252Fx"] {
        let names = [("package", "candidate:1"), ("path", path)];
        assert_eq!(problem(&scene.upload(FILE, &names, "x").await), "400 invalid", "{path}");
    }
    scene.server.finish().await;
}
