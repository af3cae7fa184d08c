//! Experiments, candidates, logged models and datasets through the native API.

use axum::http::Method;
use modelry_core::policy::{Role, Scope, Visibility};
use modelry_testkit::server::Answer;
use serde_json::{Value, json};

use crate::problem;
use crate::scene::{Scene, described};

const EXPERIMENT: &str = "/experiments/{experiment}";
const CANDIDATES: &str = "/experiments/{experiment}/candidates";
const CANDIDATE: &str = "/candidates/{candidate}";
const LOG: &str = "/candidates/{candidate}/log";
const HISTORY: &str = "/candidates/{candidate}/metrics/{key}/history";
const LOGGED_MODEL: &str = "/logged_models/{model_id}";

/// A request of Bob's with a body, as [`Scene::call`].
async fn send(scene: &Scene, method: Method, route: &str, names: &[(&str, &str)], body: Value) -> Answer {
    scene.call(&scene.bob, method, route, names, &body).await
}

/// Makes an experiment, and answers its number.
async fn experiment(scene: &Scene, name: &str) -> String {
    let made = send(scene, Method::POST, "/experiments", &[], json!({ "name": name })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].to_string()
}

/// Makes a candidate of the experiment `Default`, and answers it.
async fn candidate(scene: &Scene, body: Value) -> Value {
    let made = send(scene, Method::POST, CANDIDATES, &[("experiment", "0")], body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

/// Logs to the candidate 1.
async fn log(scene: &Scene, body: Value) -> Answer {
    send(scene, Method::POST, LOG, &[("candidate", "1")], body).await
}

/// A call of the MLflow protocol that has to succeed.
async fn mlflow(scene: &Scene, call: &str, body: Value) -> Value {
    let path = format!("/api/v4/projects/{}/ml/mlflow/api/2.0/mlflow/{call}", scene.project);
    scene.bob.post(&path, &body).await.expect_json()
}

/// Makes a logged model of the experiment `Default`, and answers its public id.
async fn logged_model(scene: &Scene, run: &Value) -> String {
    let new = json!({
        "experiment_id": "0", "name": "tree", "source_run_id": run, "params": [{"key": "depth", "value": "5"}],
        "tags": [{"key": "team", "value": "a"}],
    });
    let made = mlflow(scene, "logged-models", new).await;
    made["model"]["info"]["model_id"].as_str().expect("an id").to_owned()
}

/// Notes that the candidate used a dataset of this digest to train.
async fn uses(scene: &Scene, run: &Value, digest: &str) {
    let dataset =
        json!({"name": "iris", "digest": digest, "source_type": "local", "source": "{}", "schema": "{}"});
    let tags = json!([{"key": "mlflow.data.context", "value": "training"}]);
    let body = json!({"run_id": run, "datasets": [{"dataset": dataset, "tags": tags}]});
    mlflow(scene, "runs/log-inputs", body).await;
}

/// Follows the link to the next page.
async fn next_page(scene: &Scene, answer: &Answer) -> Answer {
    let link = answer.header("link").strip_prefix("<http://modelry.test").expect("there is a next page");
    scene.bob.get(link.split_once('>').expect("a link").0).await
}

/// What is at `field` in each of a list.
fn each(list: &Value, field: &str) -> Vec<Value> {
    list.as_array().expect("a list").iter().map(|one| one[field].clone()).collect()
}

#[tokio::test]
async fn every_route_of_experiments_is_called_and_does_what_it_says() {
    let scene = Scene::new().await;
    let new = json!({"name": "first", "metadata": {"team": "a", "note": "x"}});
    let made = send(&scene, Method::POST, "/experiments", &[], new).await;
    assert_eq!(made.status, 201);
    let expected = json!({
        "id": 1, "name": "first", "metadata": {"note": "x", "team": "a"}, "model": null,
        "created_at": 1_700_000_000_000_i64, "updated_at": 1_700_000_000_000_i64, "deleted_at": null,
    });
    assert_eq!(made.json(), expected);
    let first = [("experiment", "1")];
    assert_eq!(scene.get(EXPERIMENT, &first).await, expected);
    let change = json!({"name": "renamed", "metadata": {"team": "b", "note": null, "gone": null}});
    let changed = send(&scene, Method::PATCH, EXPERIMENT, &first, change).await.expect_json();
    assert_eq!((&changed["name"], &changed["metadata"]), (&json!("renamed"), &json!({"team": "b"})));
    assert_eq!(each(&scene.get("/experiments", &[]).await, "id"), [1, 0]);
    let deleted = send(&scene, Method::DELETE, EXPERIMENT, &first, Value::Null).await.expect_json();
    assert!(deleted["deleted_at"].is_number());
    assert_eq!(each(&scene.get("/experiments", &[]).await, "id"), [0]);
    assert_eq!(each(&scene.get("/deleted_experiments", &[]).await, "name"), ["renamed"]);
    let restore = "/deleted_experiments/{experiment}/restore";
    let restored = send(&scene, Method::POST, restore, &first, Value::Null).await.expect_json();
    assert_eq!((&restored["name"], &restored["deleted_at"]), (&json!("renamed"), &Value::Null));
    assert_eq!(*scene.called.borrow(), described("experiments"));
    scene.server.finish().await;
}

#[tokio::test]
async fn experiments_are_found_by_a_part_of_the_name_and_paged() {
    let scene = Scene::new().await;
    for name in ["alpha one", "beta", "Alpha two", "alpha three"] {
        experiment(&scene, name).await;
    }
    let first = send(&scene, Method::GET, "/experiments?search=ALPHA&per_page=2", &[], Value::Null).await;
    assert_eq!(each(&first.json(), "id"), [4, 3]);
    let second = next_page(&scene, &first).await;
    assert_eq!((each(&second.json(), "id"), second.header("link")), (vec![json!(1)], ""));
    scene.server.finish().await;
}

#[tokio::test]
async fn an_experiment_that_cannot_be_is_refused() {
    let scene = Scene::new().await;
    experiment(&scene, "taken").await;
    for (body, expected) in [
        (json!({"name": ""}), "400 invalid"),
        (json!({"name": "x".repeat(501)}), "400 invalid"),
        (json!({"name": 5}), "400 invalid"),
        (json!({}), "400 invalid"),
        (json!({"name": "a", "colour": "red"}), "400 invalid"),
        (json!({"name": "a", "metadata": {"k": 5}}), "400 invalid"),
        (json!({"name": "a", "metadata": {"": "v"}}), "400 invalid"),
        (json!({"name": "a", "metadata": {"k": "v".repeat(20_001)}}), "400 invalid"),
        (json!({"name": "taken"}), "409 already-exists"),
    ] {
        let refused = send(&scene, Method::POST, "/experiments", &[], body.clone()).await;
        assert_eq!(problem(&refused), expected, "{}", refused.text());
    }
    let many: serde_json::Map<String, Value> = (0..101).map(|key| (format!("k{key}"), json!("v"))).collect();
    let refused =
        send(&scene, Method::POST, "/experiments", &[], json!({"name": "a", "metadata": many})).await;
    assert_eq!(problem(&refused), "400 invalid");
    scene.server.finish().await;
}

#[tokio::test]
async fn the_experiment_of_a_model_is_renamed_and_deleted_with_the_model_alone() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let of_model = [("experiment", "1")];
    assert_eq!(scene.get(EXPERIMENT, &of_model).await["model"], "churn");
    let renamed = send(&scene, Method::PATCH, EXPERIMENT, &of_model, json!({"name": "other"})).await;
    assert_eq!(problem(&renamed), "409 conflict");
    let deleted = send(&scene, Method::DELETE, EXPERIMENT, &of_model, Value::Null).await;
    assert_eq!(problem(&deleted), "409 conflict");
    scene.server.finish().await;
}

#[tokio::test]
async fn every_route_of_candidates_is_called_and_does_what_it_says() {
    let scene = Scene::new().await;
    let new = json!({
        "name": "quick", "params": {"depth": "5"}, "metadata": {"team": "a"}, "start_time": 1_000,
    });
    let made = candidate(&scene, new).await;
    let run = made["run_id"].as_str().expect("a public id").to_owned();
    let names =
        [("candidate", run.as_str()), ("experiment", "0"), ("key", "auc%2Fval"), ("path", "dir/a.txt")];
    let body = json!({
        "metrics": [
            {"key": "auc/val", "value": 0.5, "timestamp": 10, "step": 1},
            {"key": "auc/val", "value": "NaN", "timestamp": 20, "step": 2},
        ],
        "params": {"width": "3"}, "metadata": {"note": "x"},
    });
    assert_eq!(send(&scene, Method::POST, LOG, &names, body).await.status, 204);
    uses(&scene, &made["run_id"], "d1").await;
    let model = logged_model(&scene, &made["run_id"]).await;
    mlflow(&scene, "runs/outputs", json!({"run_id": run, "models": [{"model_id": model, "step": 7}]})).await;
    let told = json!({
        "iid": 1, "run_id": run, "experiment_id": 0, "name": "quick", "status": "running", "user": "bob",
        "start_time": 1_000, "end_time": null, "params": {"depth": "5", "width": "3"},
        "metrics": [{"key": "auc/val", "value": "NaN", "step": 2, "timestamp": 20, "minimum": 0.5, "maximum": 0.5}],
        "metadata": {"mlflow.runName": "quick", "note": "x", "team": "a"},
        "datasets": [{"id": 1, "name": "iris", "digest": "d1", "metadata": {"mlflow.data.context": "training"}}],
        "models_used": [], "models_made": [{"model_id": model, "step": 7}], "deleted_at": null,
    });
    assert_eq!(scene.get(CANDIDATE, &names).await, told);
    assert_eq!(scene.get(CANDIDATE, &[("candidate", "1")]).await, told);
    assert_eq!(scene.get(CANDIDATES, &names).await, json!([told]));
    let points = json!([
        {"value": 0.5, "step": 1, "timestamp": 10}, {"value": "NaN", "step": 2, "timestamp": 20},
    ]);
    assert_eq!(scene.get(HISTORY, &names).await, points);
    let file = format!("/api/v4/projects/{}/packages/ml_models/candidate:1/files/dir/a.txt", scene.project);
    assert_eq!(scene.bob.send(scene.bob.request(Method::PUT, &file), "text").await.status, 201);
    assert_eq!(each(&scene.get("/candidates/{candidate}/files", &names).await, "path"), ["dir/a.txt"]);
    let read = send(&scene, Method::GET, "/candidates/{candidate}/files/{path}", &names, Value::Null).await;
    assert_eq!(read.text(), "text");
    let change = json!({"name": "slow", "status": "failed", "end_time": 2_000, "metadata": {"note": null, "team": "b"}});
    let changed = send(&scene, Method::PATCH, CANDIDATE, &names, change).await.expect_json();
    assert_eq!(
        [&changed["name"], &changed["status"], &changed["end_time"], &changed["metadata"]],
        [&json!("slow"), &json!("failed"), &json!(2_000), &json!({"mlflow.runName": "slow", "team": "b"})]
    );
    let deleted = send(&scene, Method::DELETE, CANDIDATE, &names, Value::Null).await.expect_json();
    assert!(deleted["deleted_at"].is_number());
    assert_eq!(scene.get(CANDIDATES, &names).await, json!([]));
    let restore = "/deleted_candidates/{candidate}/restore";
    let restored = send(&scene, Method::POST, restore, &names, Value::Null).await.expect_json();
    assert_eq!((&restored["iid"], &restored["deleted_at"]), (&json!(1), &Value::Null));
    assert_eq!(*scene.called.borrow(), described("candidates"));
    scene.server.finish().await;
}

#[tokio::test]
async fn candidates_are_listed_by_their_start_filtered_ordered_and_paged() {
    let scene = Scene::new().await;
    for (start_time, depth) in [(10, "1"), (30, "2"), (20, "2")] {
        candidate(&scene, json!({"start_time": start_time, "params": {"depth": depth}})).await;
    }
    let list = |query: &str| {
        let route = format!("{CANDIDATES}{query}");
        let scene = &scene;
        async move { send(scene, Method::GET, &route, &[("experiment", "0")], Value::Null).await }
    };
    let first = list("?per_page=2").await;
    assert_eq!(each(&first.json(), "iid"), [2, 3]);
    assert_eq!(each(&next_page(&scene, &first).await.json(), "iid"), [1]);
    assert_eq!(each(&list("?filter=params.depth%20%3D%20'1'").await.json(), "iid"), [1]);
    assert_eq!(each(&list("?order_by=start_time%20ASC").await.json(), "iid"), [1, 3, 2]);
    for query in ["?filter=params.depth%20%3D", "?order_by=colour", "?after=x", "?per_page=0"] {
        assert_eq!(problem(&list(query).await), "400 invalid", "{query}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn a_candidate_gets_a_name_and_a_start_where_none_is_said() {
    let scene = Scene::new().await;
    let made = candidate(&scene, json!({})).await;
    assert_eq!(made["start_time"], 1_700_000_000_000_i64);
    assert_eq!(made["metadata"]["mlflow.runName"], made["name"]);
    let named = candidate(&scene, json!({"metadata": {"mlflow.runName": "mine"}})).await;
    assert_eq!(named["name"], "mine");
    let renamed = json!({"metadata": {"mlflow.runName": "yours"}});
    let renamed = send(&scene, Method::PATCH, CANDIDATE, &[("candidate", "2")], renamed).await.expect_json();
    assert_eq!(renamed["name"], "yours");
    scene.server.finish().await;
}

#[tokio::test]
async fn a_candidate_that_cannot_be_is_refused() {
    let scene = Scene::new().await;
    for body in [
        json!({"name": 5}),
        json!({"start_time": -1}),
        json!({"start_time": "soon"}),
        json!({"params": {"depth": 5}}),
        json!({"params": {"a\u{7}": "v"}}),
        json!({"metadata": {"k".repeat(251): "v"}}),
        json!({"name": "a", "metadata": {"mlflow.runName": "b"}}),
        json!({"colour": "red"}),
    ] {
        let refused = send(&scene, Method::POST, CANDIDATES, &[("experiment", "0")], body.clone()).await;
        assert_eq!(problem(&refused), "400 invalid", "{body}");
    }
    let nowhere = send(&scene, Method::POST, CANDIDATES, &[("experiment", "77")], json!({})).await;
    assert_eq!(problem(&nowhere), "404 not-found");
    candidate(&scene, json!({})).await;
    for body in [json!({"status": "tired"}), json!({"end_time": -1}), json!({"metadata": {"k": 5}})] {
        let refused = send(&scene, Method::PATCH, CANDIDATE, &[("candidate", "1")], body.clone()).await;
        assert_eq!(problem(&refused), "400 invalid", "{body}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn logging_the_same_again_changes_nothing() {
    let scene = Scene::new().await;
    candidate(&scene, json!({})).await;
    let metric = json!({"key": "auc", "value": 1, "timestamp": 10});
    let batch = json!({"metrics": [metric, metric], "params": {"a": "1"}, "metadata": {"b": "2"}});
    let mut told = Vec::new();
    for _ in 0..2 {
        assert_eq!(log(&scene, batch.clone()).await.status, 204);
        let names = [("candidate", "1"), ("key", "auc")];
        told.push((scene.get(CANDIDATE, &names).await, scene.get(HISTORY, &names).await));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].1, json!([{"value": 1.0, "step": 0, "timestamp": 10}]));
    scene.server.finish().await;
}

#[tokio::test]
async fn what_cannot_be_logged_is_refused_whole() {
    let scene = Scene::new().await;
    candidate(&scene, json!({"params": {"depth": "5"}})).await;
    let metric = |key: &str, value: Value, timestamp: Value| json!({"key": key, "value": value, "timestamp": timestamp});
    let metrics = |metrics: Vec<Value>| json!({"metadata": {"seen": "yes"}, "metrics": metrics});
    let many: Vec<Value> = (0..1_001).map(|at| metric("auc", json!(1), json!(at))).collect();
    let texts: serde_json::Map<String, Value> = (0..101).map(|key| (format!("k{key}"), json!("v"))).collect();
    for body in [
        metrics(vec![metric("", json!(1), json!(1))]),
        metrics(vec![metric("a#b", json!(1), json!(1))]),
        metrics(vec![metric("auc", json!("high"), json!(1))]),
        metrics(vec![metric("auc", Value::Null, json!(1))]),
        metrics(vec![metric("auc", json!(1), json!(-1))]),
        metrics(vec![metric("auc", json!(1), json!("now"))]),
        metrics(vec![json!({"key": "auc", "value": 1})]),
        metrics(vec![json!({"key": "auc", "value": 1, "timestamp": 1, "colour": "red"})]),
        metrics(many),
        json!({"metadata": {"seen": "yes"}, "params": {"depth": "6"}}),
        json!({"metadata": {"seen": "yes"}, "params": texts}),
        json!({"metadata": texts}),
        json!({"metadata": {"seen": "yes"}, "tags": {}}),
    ] {
        let refused = log(&scene, body).await;
        assert_eq!(problem(&refused), "400 invalid", "{}", refused.text());
    }
    let told = scene.get(CANDIDATE, &[("candidate", "1")]).await;
    assert_eq!((&told["metadata"]["seen"], &told["metrics"]), (&Value::Null, &json!([])));
    scene.server.finish().await;
}

#[tokio::test]
async fn a_long_value_is_cut_as_it_is_for_mlflow_clients() {
    let scene = Scene::new().await;
    candidate(&scene, json!({})).await;
    let batch = json!({"params": {"p": "v".repeat(7_000)}, "metadata": {"m": "v".repeat(9_000)}});
    assert_eq!(log(&scene, batch).await.status, 204);
    let told = scene.get(CANDIDATE, &[("candidate", "1")]).await;
    let lengths = [&told["params"]["p"], &told["metadata"]["m"]].map(|value| value.as_str().map(str::len));
    assert_eq!(lengths, [Some(6_000), Some(8_000)]);
    scene.server.finish().await;
}

#[tokio::test]
async fn a_metric_of_a_logged_model_is_the_models_too() {
    let scene = Scene::new().await;
    let made = candidate(&scene, json!({})).await;
    let model = logged_model(&scene, &made["run_id"]).await;
    let metric = json!({
        "key": "auc", "value": 0.5, "timestamp": 10, "step": 3, "model_id": model, "dataset_name": "iris",
        "dataset_digest": "d1",
    });
    assert_eq!(log(&scene, json!({"metrics": [metric]})).await.status, 204);
    let told = scene.get(LOGGED_MODEL, &[("model_id", &model)]).await;
    let measured = json!([{
        "key": "auc", "value": 0.5, "step": 3, "timestamp": 10, "run_id": made["run_id"], "dataset_name": "iris",
        "dataset_digest": "d1",
    }]);
    assert_eq!(told["metrics"], measured);
    scene.server.finish().await;
}

#[tokio::test]
async fn a_history_is_paged_and_one_that_is_not_there_is_not_found() {
    let scene = Scene::new().await;
    candidate(&scene, json!({})).await;
    let metrics: Vec<Value> =
        (0..5).map(|at| json!({"key": "loss", "value": at, "timestamp": 10 + at, "step": at})).collect();
    assert_eq!(log(&scene, json!({"metrics": metrics})).await.status, 204);
    let names = [("candidate", "1"), ("key", "loss")];
    let mut page = send(&scene, Method::GET, &format!("{HISTORY}?per_page=2"), &names, Value::Null).await;
    let mut steps = each(&page.expect_json(), "step");
    while !page.header("link").is_empty() {
        page = next_page(&scene, &page).await;
        steps.extend(each(&page.expect_json(), "step"));
    }
    assert_eq!(steps, [0, 1, 2, 3, 4]);
    let unknown =
        send(&scene, Method::GET, HISTORY, &[("candidate", "1"), ("key", "other")], Value::Null).await;
    assert_eq!(problem(&unknown), "404 not-found");
    for query in ["per_page=0", "per_page=10001", "after=x"] {
        let refused = send(&scene, Method::GET, &format!("{HISTORY}?{query}"), &names, Value::Null).await;
        assert_eq!(problem(&refused), "400 invalid", "{query}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn a_candidate_in_the_bin_takes_nothing() {
    let scene = Scene::new().await;
    candidate(&scene, json!({})).await;
    let names = [("candidate", "1")];
    send(&scene, Method::DELETE, CANDIDATE, &names, Value::Null).await.expect_json();
    for (method, route) in [
        (Method::PATCH, CANDIDATE),
        (Method::DELETE, CANDIDATE),
        (Method::POST, LOG),
        (Method::GET, "/candidates/{candidate}/files"),
    ] {
        let refused = send(&scene, method.clone(), route, &names, json!({})).await;
        assert_eq!(problem(&refused), "400 invalid", "{method} {route}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn a_candidate_that_has_finished_publishes_the_version_it_was_made_for() {
    let scene = Scene::new().await;
    scene.model("churn").await;
    let names = [("model", "churn"), ("version", "1.0.0"), ("path", "w.txt"), ("candidate", "1")];
    let new = json!({"version": "1.0.0"});
    send(&scene, Method::POST, "/models/{model}/versions", &names, new).await.expect_json();
    scene.upload("/models/{model}/versions/{version}/files/{path}", &names, "weights").await;
    send(&scene, Method::PATCH, CANDIDATE, &names, json!({"status": "finished"})).await.expect_json();
    assert_eq!(scene.get("/models/{model}/versions/{version}", &names).await["state"], "published");
    scene.server.finish().await;
}

#[tokio::test]
async fn every_route_of_logged_models_is_called_and_does_what_it_says() {
    let scene = Scene::new().await;
    let made = candidate(&scene, json!({})).await;
    let first = logged_model(&scene, &made["run_id"]).await;
    let second = logged_model(&scene, &made["run_id"]).await;
    scene.called.borrow_mut().clear();
    let names = [("model_id", first.as_str()), ("experiment", "0")];
    let told = scene.get(LOGGED_MODEL, &names).await;
    let expected = json!({
        "model_id": first, "name": "tree", "experiment_id": 0, "status": "pending", "model_type": "",
        "run_id": made["run_id"], "params": {"depth": "5"}, "metrics": [], "metadata": {"team": "a"}, "versions": [],
        "created_at": 1_700_000_000_000_i64, "updated_at": 1_700_000_000_000_i64, "deleted_at": null,
    });
    assert_eq!(told, expected);
    let change = json!({"metadata": {"team": null, "note": "x", "gone": null}});
    let changed = send(&scene, Method::PATCH, LOGGED_MODEL, &names, change).await.expect_json();
    assert_eq!(changed["metadata"], json!({"note": "x"}));
    let list = "/experiments/{experiment}/logged_models?per_page=1";
    let page = send(&scene, Method::GET, list, &names, Value::Null).await;
    let pages =
        [each(&page.expect_json(), "model_id"), each(&next_page(&scene, &page).await.json(), "model_id")];
    assert_eq!(pages.concat().len(), 2);
    assert!(pages.concat().contains(&json!(second)));
    let deleted = send(&scene, Method::DELETE, LOGGED_MODEL, &names, Value::Null).await.expect_json();
    assert!(deleted["deleted_at"].is_number());
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        let gone = send(&scene, method.clone(), LOGGED_MODEL, &names, json!({})).await;
        assert_eq!(problem(&gone), "404 not-found", "{method}");
    }
    assert_eq!(
        each(&scene.get("/experiments/{experiment}/logged_models", &names).await, "model_id"),
        [json!(second)]
    );
    assert_eq!(*scene.called.borrow(), described("logged models"));
    scene.server.finish().await;
}

#[tokio::test]
async fn metadata_of_a_logged_model_that_cannot_be_is_refused() {
    let scene = Scene::new().await;
    let made = candidate(&scene, json!({})).await;
    let model = logged_model(&scene, &made["run_id"]).await;
    for metadata in
        [json!({"": "v"}), json!({"k".repeat(256): "v"}), json!({"k": "v".repeat(100_001)}), json!({"k": 5})]
    {
        let body = json!({ "metadata": metadata });
        let refused = send(&scene, Method::PATCH, LOGGED_MODEL, &[("model_id", &model)], body).await;
        assert_eq!(problem(&refused), "400 invalid");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn every_route_of_datasets_is_called_and_does_what_it_says() {
    let scene = Scene::new().await;
    let mut runs = Vec::new();
    for name in ["one", "two"] {
        let made = candidate(&scene, json!({ "name": name })).await;
        for digest in ["d1", "d2"] {
            uses(&scene, &made["run_id"], digest).await;
        }
        runs.push(made["run_id"].clone());
    }
    scene.called.borrow_mut().clear();
    let names = [("experiment", "0"), ("dataset", "1")];
    let page =
        send(&scene, Method::GET, "/experiments/{experiment}/datasets?per_page=1", &names, Value::Null).await;
    let first = json!([{"id": 1, "name": "iris", "digest": "d1", "source_type": "local"}]);
    assert_eq!(page.expect_json(), first);
    assert_eq!(each(&next_page(&scene, &page).await.json(), "digest"), ["d2"]);
    let told = scene.get("/datasets/{dataset}", &names).await;
    let expected = json!({
        "id": 1, "experiment_id": 0, "name": "iris", "digest": "d1", "source_type": "local", "source": "{}",
        "schema": "{}", "profile": null,
    });
    assert_eq!(told, expected);
    let page =
        send(&scene, Method::GET, "/datasets/{dataset}/candidates?per_page=1", &names, Value::Null).await;
    let newest = json!([{"iid": 2, "run_id": runs[1], "name": "two", "context": "training"}]);
    assert_eq!(page.expect_json(), newest);
    assert_eq!(each(&next_page(&scene, &page).await.json(), "iid"), [1]);
    assert_eq!(*scene.called.borrow(), described("datasets"));
    scene.server.finish().await;
}

/// Every route of this kind that reads or changes one thing, with names for things that there are not.
const ROUTES_OF_ONE: [(&str, &str); 17] = [
    ("GET", EXPERIMENT),
    ("PATCH", EXPERIMENT),
    ("DELETE", EXPERIMENT),
    ("POST", "/deleted_experiments/{experiment}/restore"),
    ("GET", CANDIDATES),
    ("POST", CANDIDATES),
    ("GET", CANDIDATE),
    ("PATCH", CANDIDATE),
    ("DELETE", CANDIDATE),
    ("POST", "/deleted_candidates/{candidate}/restore"),
    ("POST", LOG),
    ("GET", HISTORY),
    ("GET", "/candidates/{candidate}/files"),
    ("GET", "/experiments/{experiment}/logged_models"),
    ("GET", "/experiments/{experiment}/datasets"),
    ("GET", "/datasets/{dataset}"),
    ("GET", "/datasets/{dataset}/candidates"),
];

#[tokio::test]
async fn what_does_not_exist_is_not_found_by_any_route() {
    let scene = Scene::new().await;
    for number in ["77", "x", "-1", "99999999999999999999", "%00"] {
        let names = [("experiment", number), ("candidate", number), ("dataset", number), ("key", "auc")];
        for (method, route) in ROUTES_OF_ONE {
            let method: Method = method.parse().expect("a method");
            let missing = send(&scene, method.clone(), route, &names, json!({})).await;
            assert_eq!(problem(&missing), "404 not-found", "{method} {route} {number}");
        }
    }
    let missing = send(&scene, Method::GET, LOGGED_MODEL, &[("model_id", "m-1")], Value::Null).await;
    assert_eq!(problem(&missing), "404 not-found");
    scene.server.finish().await;
}

#[tokio::test]
async fn things_of_another_project_are_not_there() {
    let scene = Scene::new().await;
    let made = candidate(&scene, json!({})).await;
    let run = made["run_id"].as_str().expect("a public id");
    experiment(&scene, "first").await;
    uses(&scene, &made["run_id"], "d1").await;
    let model = logged_model(&scene, &made["run_id"]).await;
    let other = scene.server.project(&scene.ann, "Other", Visibility::Private).await;
    scene.server.member(other, &scene.bob, Role::Reporter).await;
    let paths = [
        "experiments/1".to_owned(),
        "candidates/1".to_owned(),
        format!("candidates/{run}"),
        "datasets/1".to_owned(),
        format!("logged_models/{model}"),
    ];
    for path in paths {
        let there = scene.bob.get(&format!("/api/v4/projects/{}/{path}", scene.project)).await;
        assert_eq!(there.status, 200, "{path}");
        let elsewhere = scene.bob.get(&format!("/api/v4/projects/{other}/{path}")).await;
        assert_eq!(problem(&elsewhere), "404 not-found", "{path}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn a_token_that_only_reads_changes_nothing() {
    let scene = Scene::new().await;
    candidate(&scene, json!({})).await;
    let reader = scene.server.token(scene.bob.user(), Scope::ReadApi).await;
    let names = [("experiment", "0"), ("candidate", "1"), ("model_id", "m-1")];
    for (method, route) in [
        (Method::POST, "/experiments"),
        (Method::PATCH, EXPERIMENT),
        (Method::DELETE, EXPERIMENT),
        (Method::POST, CANDIDATES),
        (Method::PATCH, CANDIDATE),
        (Method::DELETE, CANDIDATE),
        (Method::POST, LOG),
        (Method::PATCH, LOGGED_MODEL),
        (Method::DELETE, LOGGED_MODEL),
    ] {
        let refused = scene.call(&reader, method.clone(), route, &names, &json!({"name": "x"})).await;
        assert_eq!(problem(&refused), "403 forbidden", "{method} {route}");
    }
    scene.call(&reader, Method::GET, CANDIDATE, &names, &Value::Null).await.expect_json();
    scene.server.finish().await;
}
