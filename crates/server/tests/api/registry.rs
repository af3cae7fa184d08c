//! Models, versions and aliases through the native API.

use axum::http::Method;
use modelry_testkit::server::Answer;
use serde_json::{Value, json};

use crate::problem;
use crate::scene::{Scene, described};

#[tokio::test]
async fn every_route_of_models_is_called_and_does_what_it_says() {
    let scene = Scene::new().await;
    let (bob, none) = (&scene.bob, Value::Null);
    let model = [("model", "churn")];
    scene.model("churn").await;
    let listed = scene.call(bob, Method::GET, "/models", &[], &none).await.expect_json();
    assert_eq!(listed[0]["name"], "churn");
    let change = json!({"description": "# Card", "metadata": {"team": "a"}});
    let changed = scene.call(bob, Method::PATCH, "/models/{model}", &model, &change).await.expect_json();
    assert_eq!((&changed["description"], &changed["metadata"]["team"]), (&json!("# Card"), &json!("a")));
    let first = scene.version("churn", json!({"description": "one"})).await;
    assert_eq!((&first["version"], &first["number"]), (&json!("1.0.0"), &json!(1)));
    let minor = scene.version("churn", json!({"bump": "minor", "copy_of": "churn/1.0.0"})).await;
    assert_eq!(minor["version"], "1.1.0");
    let listed = scene.call(bob, Method::GET, "/models/{model}/versions", &model, &none).await.expect_json();
    assert_eq!((&listed[0]["version"], &listed[1]["version"]), (&json!("1.1.0"), &json!("1.0.0")));
    let wanted = [("model", "churn"), ("version", "%5E1")];
    let route = "/models/{model}/versions/{version}";
    assert_eq!(scene.call(bob, Method::GET, route, &wanted, &none).await.expect_json()["number"], 2);
    assert_eq!(scene.alias(bob, "champion", json!({"version": "1.0.0"})).await.expect_json()[0]["number"], 1);
    let aliases = scene.call(bob, Method::GET, "/models/{model}/aliases", &model, &none).await.expect_json();
    assert_eq!(aliases[0]["name"], "champion");
    assert_eq!(scene.history("champion").await.len(), 1);
    let alias = [("model", "churn"), ("alias", "champion")];
    let removed = scene.call(bob, Method::DELETE, "/models/{model}/aliases/{alias}", &alias, &none).await;
    assert_eq!(removed.status, 204);
    let two = [("model", "churn"), ("version", "1.1.0")];
    let deleted = scene.call(bob, Method::DELETE, route, &two, &none).await.expect_json();
    let id = deleted["id"].to_string();
    assert_eq!(scene.call(bob, Method::GET, route, &wanted, &none).await.expect_json()["number"], 1);
    let restore = "/deleted_versions/{version_id}/restore";
    scene.call(bob, Method::POST, restore, &[("version_id", &id)], &none).await.expect_json();
    assert_eq!(scene.call(bob, Method::GET, route, &wanted, &none).await.expect_json()["number"], 2);
    let deleted = scene.call(bob, Method::DELETE, "/models/{model}", &model, &none).await.expect_json();
    let id = deleted["id"].to_string();
    let gone = scene.call(bob, Method::GET, "/models/{model}", &model, &none).await;
    assert_eq!(problem(&gone), "404 not-found");
    let restore = "/deleted_models/{model_id}/restore";
    scene.call(bob, Method::POST, restore, &[("model_id", &id)], &none).await.expect_json();
    let found = scene.call(bob, Method::GET, "/models/{model}", &model, &none).await.expect_json();
    assert_eq!((&found["versions"], &found["latest"]["version"]), (&json!(2), &json!("1.1.0")));
    assert_eq!(*scene.called.borrow(), described("models"));
    scene.server.finish().await;
}

#[tokio::test]
async fn an_alias_moved_three_times_is_rolled_back_and_its_history_told() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    for _ in 0..3 {
        scene.version("churn", json!({})).await;
    }
    for (version, reason) in [("1.0.0", "first"), ("1.0.1", "better"), ("1.0.2", "best")] {
        scene
            .alias(&scene.bob, "champion", json!({"version": version, "reason": reason}))
            .await
            .expect_json();
    }
    let names = [("model", "churn"), ("alias", "champion")];
    let route = "/models/{model}/aliases/{alias}/history";
    let moves = scene.call(&scene.bob, Method::GET, route, &names, &Value::Null).await.expect_json();
    let second = &moves[1]["id"];
    let rolled_back = json!({"back_to": second, "reason": "it drifts"});
    let aliases = scene.alias(&scene.bob, "champion", rolled_back).await.expect_json();
    assert_eq!(aliases[0]["version"], "1.0.1");
    let texts = |from: Value, to: &str, reason: &str| (from, json!(to), json!(reason));
    let expected = [
        texts(json!("1.0.2"), "1.0.1", "it drifts"),
        texts(json!("1.0.1"), "1.0.2", "best"),
        texts(json!("1.0.0"), "1.0.1", "better"),
        texts(Value::Null, "1.0.0", "first"),
    ];
    assert_eq!(scene.history("champion").await, expected);
    scene.server.finish().await;
}

#[tokio::test]
async fn a_protected_alias_is_moved_by_maintainers_only() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    for _ in 0..2 {
        scene.version("churn", json!({})).await;
    }
    let protect = json!({"version": "1.0.0", "protected": true});
    assert_eq!(problem(&scene.alias(&scene.bob, "champion", protect.clone()).await), "403 forbidden");
    assert_eq!(scene.alias(&scene.ann, "champion", protect).await.expect_json()[0]["protected"], true);
    let moved = json!({"version": "1.0.1"});
    assert_eq!(problem(&scene.alias(&scene.bob, "champion", moved.clone()).await), "403 forbidden");
    let version = [("model", "churn"), ("version", "1.0.0")];
    let route = "/models/{model}/versions/{version}";
    let deleted = scene.call(&scene.bob, Method::DELETE, route, &version, &Value::Null).await;
    assert_eq!(problem(&deleted), "403 forbidden");
    let model = [("model", "churn")];
    let deleted = scene.call(&scene.bob, Method::DELETE, "/models/{model}", &model, &Value::Null).await;
    assert_eq!(problem(&deleted), "403 forbidden");
    let through_mlflow =
        format!("/api/v4/projects/{}/ml/mlflow/api/2.0/mlflow/registered-models/alias", scene.project);
    let body = json!({"name": "churn", "alias": "champion", "version": "2"});
    assert_eq!(scene.bob.post(&through_mlflow, &body).await.status, 403);
    assert_eq!(scene.alias(&scene.ann, "champion", moved).await.expect_json()[0]["version"], "1.0.1");
    scene.server.finish().await;
}

#[tokio::test]
async fn a_version_that_says_what_cannot_be_is_refused() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let refusals = [
        (json!({"version": "v1.2"}), "did you mean 1.2.0"),
        (json!({"version": "1.0.0", "bump": "minor"}), "say either `version` or `bump`"),
        (json!({"bump": "huge"}), "huge"),
        (json!({"run_id": "a", "copy_of": "b/1"}), "say one of"),
        (json!({"copy_of": "churn"}), "`copy_of` is"),
        (json!({"colour": "red"}), "colour"),
    ];
    for (body, message) in refusals {
        let model = [("model", "churn")];
        let refused = scene.call(&scene.bob, Method::POST, "/models/{model}/versions", &model, &body).await;
        assert_eq!(problem(&refused), "400 invalid", "{body}");
        assert!(refused.text().contains(message), "{body}: {}", refused.text());
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn every_route_of_packages_is_called_and_does_what_it_says() {
    let scene = Scene::new().await;
    let none = Value::Null;
    scene.model("churn").await;
    let new = [("model", "churn")];
    let draft = scene
        .call(&scene.bob, Method::POST, "/models/{model}/versions", &new, &json!({"version": "1.2.0"}))
        .await
        .json();
    scene.called.borrow_mut().clear();
    let id = draft["id"].to_string();
    let file = "/packages/ml_models/{package}/files/{path}";
    let uploaded = scene.upload(file, &[("package", &id), ("path", "model/MLmodel")], "flavors: {}").await;
    assert_eq!(uploaded.status, 201, "{}", uploaded.text());
    let told = uploaded.json();
    assert_eq!(
        (&told["model"], &told["version"], &told["path"], &told["size"]),
        (&json!("churn"), &json!("1.2.0"), &json!("model/MLmodel"), &json!(11))
    );
    // Of the text, by sha256sum.
    let sha256 = "84c4260ca2ef268d64f9efccdb00a17c38149773436b0f1c19efcafc2eb01220";
    assert_eq!(told["sha256"], json!(sha256));
    // GitLab's flat names are whole paths, percent-encoded.
    scene.upload(file, &[("package", &id), ("path", "model%2Fdeep%2Fweights.bin")], "weights").await;
    let by_version = [("model", "churn"), ("version", "1.2.0"), ("path", "notes.txt")];
    let own = "/models/{model}/versions/{version}/files/{path}";
    assert_eq!(scene.upload(own, &by_version, "notes").await.status, 201);
    let listed = "/packages/ml_models/{package}/files";
    let paths = |answer: Answer| {
        let files = answer.expect_json();
        let files = files.as_array().expect("a list").iter();
        files.map(|file| file["path"].as_str().expect("a path").to_owned()).collect::<Vec<_>>()
    };
    let found = scene.call(&scene.bob, Method::GET, listed, &[("package", &id)], &none).await;
    assert_eq!(paths(found), ["model/MLmodel", "model/deep/weights.bin", "notes.txt"]);
    let deleted = scene.call(&scene.bob, Method::DELETE, own, &by_version, &none).await;
    assert_eq!(deleted.status, 204);
    let found = scene
        .call(&scene.bob, Method::GET, "/models/{model}/versions/{version}/files", &by_version, &none)
        .await;
    assert_eq!(paths(found), ["model/MLmodel", "model/deep/weights.bin"]);
    let weights = [("package", id.as_str()), ("path", "model/deep/weights.bin")];
    assert_eq!(scene.call(&scene.bob, Method::GET, file, &weights, &none).await.text(), "weights");
    let weights = [("model", "churn"), ("version", "1"), ("path", "model/deep/weights.bin")];
    assert_eq!(scene.call(&scene.bob, Method::GET, own, &weights, &none).await.text(), "weights");
    let version = [("model", "churn"), ("version", "1")];
    let manifest = "/models/{model}/versions/{version}/manifest";
    let manifest = scene.call(&scene.bob, Method::GET, manifest, &version, &none).await.expect_json();
    assert_eq!((&manifest["files"], &manifest["size"]), (&json!(2), &json!(18)));
    let archive = "/models/{model}/versions/{version}/archive.tar";
    let archive = scene.call(&scene.bob, Method::GET, archive, &version, &none).await;
    assert_eq!(json!(archive.header("x-manifest-sha256")), manifest["sha256"]);
    let archive = "/models/{model}/versions/{version}/archive.zip";
    let archive = scene.call(&scene.bob, Method::GET, archive, &version, &none).await;
    assert_eq!(json!(archive.header("x-manifest-sha256")), manifest["sha256"]);
    assert_eq!(scene.get("/packages", &[]).await[0]["id"], json!(id));
    let package = [("package", id.as_str())];
    assert_eq!(scene.get("/packages/ml_models/{package}", &package).await["files"], 2);
    let delete = "/packages/ml_models/{package}";
    assert_eq!(scene.call(&scene.bob, Method::DELETE, delete, &package, &none).await.status, 204);
    assert_eq!(*scene.called.borrow(), described("packages"));
    scene.server.finish().await;
}

#[tokio::test]
async fn a_sequence_number_is_no_package_and_the_answer_says_which_one_is_meant() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let version = scene.version("churn", json!({"version": "1.2.0"})).await;
    let file = "/packages/ml_models/{package}/files/{path}";
    let refused = scene.upload(file, &[("package", "1"), ("path", "x")], "x").await;
    assert_eq!(problem(&refused), "404 not-found");
    let url = format!("/api/v4/projects/{}/packages/ml_models/{}/files/", scene.project, version["id"]);
    let text = refused.text();
    assert!(text.contains("1 is a version number within a model; upload URL of churn 1.2.0: "), "{text}");
    assert!(text.contains(&url), "{text}");
    for package in ["999", "1999999", "x", "candidate:77", "candidate:x"] {
        let refused = scene.upload(file, &[("package", package), ("path", "x")], "x").await;
        assert_eq!(problem(&refused), "404 not-found", "{package}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn files_of_a_published_version_stay_as_they_are() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let version = scene.version("churn", json!({})).await;
    let id = version["id"].to_string();
    let names = [("package", id.as_str()), ("path", "w.txt")];
    let file = "/packages/ml_models/{package}/files/{path}";
    let refused = scene.upload(file, &names, "other").await;
    assert_eq!(problem(&refused), "409 conflict");
    assert!(refused.text().contains("The next free version is 1.0.1"), "{}", refused.text());
    assert_eq!(scene.call(&scene.bob, Method::GET, file, &names, &Value::Null).await.text(), "weights");
    scene.server.finish().await;
}

#[tokio::test]
async fn a_candidates_package_is_named_as_gitlab_does() {
    let scene = Scene::new().await;
    let runs = format!("/api/v4/projects/{}/ml/mlflow/api/2.0/mlflow/runs/create", scene.project);
    scene.bob.post(&runs, &json!({"experiment_id": "0"})).await.expect_json();
    let file = "/packages/ml_models/{package}/files/{path}";
    let told = scene.upload(file, &[("package", "candidate:1"), ("path", "a.txt")], "a").await.expect_json();
    assert_eq!((&told["model"], &told["version"]), (&json!("ml_experiment_0"), &json!("candidate_1")));
    scene.server.finish().await;
}

#[tokio::test]
async fn a_yanked_version_is_found_only_by_who_names_it() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    for _ in 0..2 {
        scene.version("churn", json!({})).await;
    }
    let route = "/models/{model}/versions/{version}";
    let second = [("model", "churn"), ("version", "1.0.1")];
    let stage = json!({"stage": "Production"});
    scene.call(&scene.bob, Method::PATCH, route, &second, &stage).await.expect_json();
    let yank = json!({"advice": "yanked", "warning": "learned from the test set"});
    let yanked = scene.call(&scene.bob, Method::PATCH, route, &second, &yank).await.expect_json();
    assert_eq!(yanked["warning"], "learned from the test set");
    let number = async |version: &str| {
        let names = [("model", "churn"), ("version", version)];
        let found = scene.call(&scene.bob, Method::GET, route, &names, &Value::Null).await;
        if found.status == 200 { found.json()["number"].clone() } else { json!(problem(&found)) }
    };
    for selector in ["latest", "%5E1", "*", "~1.0"] {
        assert_eq!(number(selector).await, 1, "{selector}");
    }
    assert_eq!(number("Production").await, "404 not-found");
    for selector in ["1.0.1", "2"] {
        assert_eq!(number(selector).await, 2, "{selector}");
    }
    assert_eq!(scene.version("churn", json!({})).await["version"], "1.0.2");
    let fine = json!({"advice": "fine"});
    let fine = scene.call(&scene.bob, Method::PATCH, route, &second, &fine).await.expect_json();
    assert_eq!((&fine["yanked_at"], &fine["warning"]), (&Value::Null, &Value::Null));
    assert_eq!(number("Production").await, 2);
    scene.server.finish().await;
}

/// What is in a tar archive: paths and texts.
fn unpack(archive: &[u8]) -> Vec<(String, String)> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().expect("an archive");
    let read = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").to_str().expect("UTF-8").to_owned();
        (path, std::io::read_to_string(&mut entry).expect("a text"))
    };
    entries.map(read).collect()
}

/// What the directory at the end of a zip archive names: paths and texts. Nothing in it is compressed.
fn unzip(archive: &[u8]) -> Vec<(String, String)> {
    let number = |at: usize, length: usize| {
        archive[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let text =
        |at: usize, length: usize| String::from_utf8(archive[at..at + length].to_vec()).expect("UTF-8");
    let end = archive.len() - 22;
    assert_eq!(&archive[end..end + 4], b"PK\x05\x06");
    let mut at = number(end + 16, 4);
    let mut found = Vec::new();
    for _ in 0..number(end + 10, 2) {
        assert_eq!(&archive[at..at + 4], b"PK\x01\x02");
        let (checksum, size, name) = (number(at + 16, 4), number(at + 24, 4), number(at + 28, 2));
        let header = number(at + 42, 4);
        assert_eq!(&archive[header..header + 4], b"PK\x03\x04");
        let bytes = header + 30 + number(header + 26, 2) + number(header + 28, 2);
        assert_eq!([4, 8, 12].map(|part| number(bytes + size + part, 4)), [checksum, size, size]);
        found.push((text(at + 46, name), text(bytes, size)));
        at += 46 + name + number(at + 30, 2);
    }
    assert_eq!(at, end);
    found
}

#[tokio::test]
async fn an_archive_has_all_files_and_is_the_same_each_time() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let long = format!("{}/{}.txt", "d".repeat(120), "f".repeat(200));
    // In the order of paths.
    let files = [("a.txt", "a"), (&long, "long"), ("dir/empty", ""), ("dir/é.txt", "accent")];
    let (mut archives, mut zips) = (Vec::new(), Vec::new());
    for version in ["1.0.0", "1.0.1"] {
        let (new, body) = ([("model", "churn")], json!({ "version": version }));
        scene.call(&scene.bob, Method::POST, "/models/{model}/versions", &new, &body).await.expect_json();
        for (path, text) in files {
            let path = path.replace('é', "%C3%A9");
            let names = [("model", "churn"), ("version", version), ("path", path.as_str())];
            let put = "/models/{model}/versions/{version}/files/{path}";
            assert_eq!(scene.upload(put, &names, text).await.status, 201);
        }
        let names = [("model", "churn"), ("version", version)];
        let route = "/models/{model}/versions/{version}/archive.tar";
        archives.push(scene.call(&scene.bob, Method::GET, route, &names, &Value::Null).await);
        let route = "/models/{model}/versions/{version}/archive.zip";
        zips.push(scene.call(&scene.bob, Method::GET, route, &names, &Value::Null).await);
    }
    let [first, second] = archives.as_slice() else { panic!("there are two") };
    assert_eq!(unpack(&first.body), files.map(|(path, text)| (path.to_owned(), text.to_owned())));
    assert_eq!(first.header("content-length"), first.body.len().to_string());
    assert_eq!(first.body, second.body);
    let [first, second] = zips.as_slice() else { panic!("there are two") };
    assert_eq!(unzip(&first.body), files.map(|(path, text)| (path.to_owned(), text.to_owned())));
    assert_eq!(first.header("content-length"), first.body.len().to_string());
    assert_eq!(first.header("content-type"), "application/zip");
    assert_eq!(first.header("content-disposition"), "attachment; filename=\"churn-1.0.0.zip\"");
    assert_eq!(first.body, second.body);
    scene.server.finish().await;
}

/// An `MLmodel` whose model takes these columns.
fn mlmodel(columns: &[(&str, bool)]) -> &'static str {
    let columns: Vec<Value> = columns
        .iter()
        .map(|(name, required)| json!({"name": name, "type": "double", "required": required}))
        .collect();
    let inputs = serde_json::to_string(&Value::from(columns)).expect("JSON");
    let text =
        format!("flavors:\n  python_function: {{}}\nsignature:\n  inputs: '{inputs}'\n  outputs: null\n");
    Box::leak(text.into_boxed_str())
}

#[tokio::test]
async fn a_step_that_is_too_small_for_what_changed_is_said_to_be() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let route = "/models/{model}/versions/{version}";
    let versions = [
        ("1.0.0", mlmodel(&[("income", true)]), Value::Null),
        ("1.0.1", mlmodel(&[("income", true)]), Value::Null),
        ("1.0.2", mlmodel(&[("income", true), ("city", false)]), json!("declared patch, looks like minor: ")),
        ("1.1.0", mlmodel(&[("income", true), ("age", true)]), json!("declared minor, looks like major: ")),
        ("2.0.0", mlmodel(&[("income", true)]), Value::Null),
    ];
    for (version, text, warning) in versions {
        let names = [("model", "churn"), ("version", version), ("path", "MLmodel")];
        let new = json!({ "version": version });
        scene.call(&scene.bob, Method::POST, "/models/{model}/versions", &names, &new).await.expect_json();
        assert_eq!(scene.upload(&format!("{route}/files/{{path}}"), &names, text).await.status, 201);
        let published = json!({"state": "published"});
        scene.call(&scene.bob, Method::PATCH, route, &names, &published).await.expect_json();
        let told = scene.call(&scene.bob, Method::GET, route, &names, &Value::Null).await.expect_json();
        let told = told["step_warning"].as_str().unwrap_or_default();
        assert!(told.starts_with(warning.as_str().unwrap_or_default()), "{version}: {told}");
        assert_eq!(told.is_empty(), warning.is_null(), "{version}: {told}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn a_project_may_refuse_a_step_that_is_too_small() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let project = format!("/api/v4/projects/{}", scene.project);
    let strict = scene.ann.put(&project, &json!({ "refuses_wrong_steps": true })).await.expect_json();
    assert_eq!(strict["refuses_wrong_steps"], true);
    let route = "/models/{model}/versions/{version}";
    let published = json!({ "state": "published" });
    let publish = async |version: &str, columns: &[(&str, bool)]| {
        let names = [("model", "churn"), ("version", version), ("path", "MLmodel")];
        let new = json!({ "version": version });
        scene.call(&scene.bob, Method::POST, "/models/{model}/versions", &names, &new).await.expect_json();
        scene.upload(&format!("{route}/files/{{path}}"), &names, mlmodel(columns)).await;
        scene.call(&scene.bob, Method::PATCH, route, &names, &published).await
    };
    publish("1.0.0", &[("income", true)]).await.expect_json();

    let refused = publish("1.0.1", &[("age", true)]).await;

    assert_eq!(problem(&refused), "409 conflict");
    assert!(refused.text().contains("looks like major"), "{}", refused.text());
    assert!(refused.text().contains("This project refuses such a step"), "{}", refused.text());
    publish("2.0.0", &[("age", true)]).await.expect_json();
    scene.server.finish().await;
}

#[tokio::test]
async fn what_the_run_held_when_the_version_was_published_stays_with_it() {
    let scene = Scene::new().await;
    let made = scene.draft().await;
    let one = [("package", made.as_str()), ("path", "w"), ("model", "churn"), ("version", "1")];
    scene.upload("/packages/ml_models/{package}/files/{path}", &one, "w").await;
    let run = scene.get("/models/{model}/versions/{version}", &one).await["run_id"].clone();
    let log = async |key: &str, value: Value| {
        let path = format!("/api/v4/projects/{}/ml/mlflow/api/2.0/mlflow/runs/log-batch", scene.project);
        let body = json!({
            "run_id": run,
            "metrics": [{ "key": key, "value": value, "timestamp": 1, "step": 0 }],
            "params": [{ "key": format!("param of {key}"), "value": "6" }],
        });
        scene.bob.post(&path, &body).await.expect_json();
    };
    log("auc", json!(0.5)).await;
    log("loss", json!("NaN")).await;
    let published = json!({ "state": "published" });
    scene
        .call(&scene.bob, Method::PATCH, "/models/{model}/versions/{version}", &one, &published)
        .await
        .expect_json();

    log("later", json!(1)).await;

    let told = scene.get("/models/{model}/versions/{version}", &one).await["at_publication"].clone();
    assert_eq!(told["metrics"], json!({ "auc": "0.5", "loss": "NaN" }));
    assert_eq!(told["params"], json!({ "param of auc": "6", "param of loss": "6" }));
    scene.server.finish().await;
}
