//! Candidates with the columns asked for, as JSON and as CSV, and the keys that can be asked for.

use axum::body::{Body, BodyDataStream};
use axum::http::Method;
use futures_util::{StreamExt as _, TryStreamExt as _};
use modelry_core::policy::{Scope, Visibility};
use modelry_testkit::server::Answer;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::problem;
use crate::scene::{Scene, described};

const CANDIDATES: &str = "/experiments/{experiment}/candidates";
const SEARCH: &str = "/candidates/search";
const COLUMNS: &str = "/experiments/{experiment}/columns";
const EXPORT: &str = "/experiments/{experiment}/candidates.csv";

/// Makes a candidate of an experiment; a later one started later.
async fn candidate(
    scene: &Scene,
    (experiment, start_time): (&str, i64),
    params: Value,
    metrics: Value,
) -> Value {
    let new = json!({"name": format!("run {start_time}"), "start_time": start_time, "params": params});
    let made = scene.call(&scene.bob, Method::POST, CANDIDATES, &[("experiment", experiment)], &new).await;
    let made = made.expect_json();
    let run = made["iid"].to_string();
    let names = [("candidate", run.as_str())];
    let body = json!({ "metrics": metrics });
    let logged = scene.call(&scene.bob, Method::POST, "/candidates/{candidate}/log", &names, &body).await;
    assert_eq!(logged.status, 204, "{}", logged.text());
    made
}

fn metric(key: &str, step: i64, value: &Value) -> Value {
    json!({"key": key, "value": value, "step": step, "timestamp": 1_000 + step})
}

/// A scene with three candidates of the experiment `Default`.
async fn three() -> Scene {
    let scene = Scene::new().await;
    let metrics = json!([metric("loss", 0, &json!(0.5)), metric("loss", 1, &json!(0.25))]);
    candidate(&scene, ("0", 1), json!({"lr": "0.1", "a b": "x"}), metrics).await;
    let metrics = json!([metric("loss", 0, &json!("NaN")), metric("acc", 0, &json!("Infinity"))]);
    candidate(&scene, ("0", 2), json!({"lr": "=1+1"}), metrics).await;
    candidate(&scene, ("0", 3), json!({}), json!([])).await;
    scene.called.borrow_mut().clear();
    scene
}

async fn search(scene: &Scene, body: Value) -> Answer {
    scene.call(&scene.bob, Method::POST, SEARCH, &[], &body).await
}

async fn get(scene: &Scene, route: &str) -> Answer {
    scene.call(&scene.bob, Method::GET, route, &[("experiment", "0")], &Value::Null).await
}

/// The numbers of what was found.
fn numbers(found: &Value) -> Vec<i64> {
    let candidates = found["candidates"].as_array().expect("a list");
    candidates.iter().map(|one| one["iid"].as_i64().expect("a number")).collect()
}

/// The values of what was found.
fn values(found: &Value) -> Vec<Value> {
    found["candidates"].as_array().expect("a list").iter().map(|one| one["values"].clone()).collect()
}

#[tokio::test]
async fn every_route_of_searches_is_called_and_does_what_it_says() {
    let scene = three().await;
    let columns =
        json!(["metrics.loss", "min(metrics.loss)", "params.`a b`", "name", "status", "start_time"]);
    let found =
        search(&scene, json!({"experiments": [0], "columns": columns, "max_results": 2})).await.expect_json();
    assert_eq!(found["columns"], columns);
    assert_eq!(numbers(&found), [3, 2]);
    let expected =
        [json!([null, null, null, "run 3", "running", 3]), json!(["NaN", null, null, "run 2", "running", 2])];
    assert_eq!(values(&found), expected);
    let next = json!({"experiments": [0], "columns": columns, "page_token": found["next_page_token"]});
    let rest = search(&scene, next).await.expect_json();
    assert_eq!(values(&rest), [json!([0.25, 0.25, "x", "run 1", "running", 1])]);
    assert_eq!(rest["next_page_token"], Value::Null);
    let listed = get(&scene, COLUMNS).await.expect_json();
    let expected = json!([
        {"column": "metrics.acc", "kind": "metrics", "key": "acc", "candidates": 1, "is_capped": false},
        {"column": "metrics.loss", "kind": "metrics", "key": "loss", "candidates": 2, "is_capped": false},
        {"column": "params.`a b`", "kind": "params", "key": "a b", "candidates": 1, "is_capped": false},
        {"column": "params.lr", "kind": "params", "key": "lr", "candidates": 2, "is_capped": false},
        {"column": "tags.mlflow.runName", "kind": "metadata", "key": "mlflow.runName", "candidates": 3, "is_capped": false},
    ]);
    assert_eq!(listed, expected);
    let csv =
        get(&scene, &format!("{EXPORT}?column=params.lr&column=metrics.loss&order_by=start_time")).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"Default.csv\"");
    let run = |number: usize| rest_run_id(&found, &rest, number);
    let expected = format!(
        "iid,run_id,params.lr,metrics.loss\r\n1,{},0.1,0.25\r\n2,{},'=1+1,NaN\r\n3,{},,\r\n",
        run(1),
        run(2),
        run(3)
    );
    assert_eq!(csv.text(), expected);
    assert_eq!(*scene.called.borrow(), described("search"));
    scene.server.finish().await;
}

/// The public id of a candidate in one of two pages.
fn rest_run_id(first: &Value, second: &Value, number: usize) -> String {
    let both = [first, second].into_iter().flat_map(|page| page["candidates"].as_array().expect("a list"));
    let found = both.into_iter().find(|one| one["iid"] == number).expect("it was found");
    found["run_id"].as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn a_search_filters_and_orders_and_tells_no_more_than_asked() {
    let scene = three().await;
    let body = json!({"filter": "params.lr IS NOT NULL", "order_by": ["metrics.loss DESC"]});
    let found = search(&scene, body).await.expect_json();
    assert_eq!(numbers(&found), [1, 2]);
    let one = found["candidates"][0].as_object().expect("an object");
    assert_eq!(one.keys().collect::<Vec<_>>(), ["experiment_id", "iid", "run_id", "values"]);
    assert_eq!(one["values"], json!([]));
    scene.server.finish().await;
}

#[tokio::test]
async fn without_experiments_all_that_are_not_in_the_bin_are_searched() {
    let scene = three().await;
    for name in ["second", "third"] {
        let made = scene.call(&scene.bob, Method::POST, "/experiments", &[], &json!({"name": name})).await;
        let number = made.expect_json()["id"].to_string();
        candidate(&scene, (number.as_str(), 10), json!({}), json!([])).await;
    }
    let gone = [("experiment", "2")];
    scene
        .call(&scene.bob, Method::DELETE, "/experiments/{experiment}", &gone, &Value::Null)
        .await
        .expect_json();
    assert_eq!(numbers(&search(&scene, json!({})).await.expect_json()), [4, 3, 2, 1]);
    assert_eq!(numbers(&search(&scene, json!({"experiments": [1]})).await.expect_json()), [4]);
    assert_eq!(numbers(&search(&scene, json!({"experiments": []})).await.expect_json()), [0; 0]);
    scene.server.finish().await;
}

#[tokio::test]
async fn a_page_with_many_columns_has_fewer_candidates() {
    let scene = Scene::new().await;
    for start in 0..60 {
        candidate(&scene, ("0", start), json!({}), json!([])).await;
    }
    let found = search(&scene, json!({"columns": vec!["metrics.loss"; 1_000]})).await.expect_json();
    assert_eq!(found["candidates"].as_array().map(Vec::len), Some(50));
    assert!(found["next_page_token"].is_string());
    scene.server.finish().await;
}

#[tokio::test]
async fn a_search_that_cannot_be_is_refused() {
    let scene = three().await;
    for (body, expected) in [
        (json!({"columns": ["loss"]}), "400 invalid"),
        (json!({"columns": ["metrics.loss.min)"]}), "400 invalid"),
        (json!({"columns": vec!["name"; 1_001]}), "400 invalid"),
        (json!({"filter": "metrics.loss ~ 1"}), "400 invalid"),
        (json!({"order_by": ["datasets.name"]}), "400 invalid"),
        (json!({"max_results": 0}), "400 invalid"),
        (json!({"max_results": 1_001}), "400 invalid"),
        (json!({"page_token": "%%"}), "400 invalid"),
        (json!({"experiments": [7]}), "404 not-found"),
        (json!({"fields": ["name"]}), "400 invalid"),
    ] {
        let refused = search(&scene, body.clone()).await;
        assert_eq!(problem(&refused), expected, "{body}: {}", refused.text());
    }
    let message = search(&scene, json!({"columns": ["min(params.lr)"]})).await.json();
    assert_eq!(
        message["detail"],
        "Invalid column name. Could not be parsed at column 5: only a metric has a least and a greatest value, not \
         `params.lr`"
    );
    scene.server.finish().await;
}

#[tokio::test]
async fn a_token_that_only_reads_may_search() {
    let scene = three().await;
    let reader = scene.server.token(scene.bob.user(), Scope::ReadApi).await;
    let found = scene.call(&reader, Method::POST, SEARCH, &[], &json!({})).await.expect_json();
    assert_eq!(numbers(&found), [3, 2, 1]);
    scene.server.finish().await;
}

#[tokio::test]
async fn an_experiment_of_another_project_is_not_there() {
    let scene = three().await;
    let other = scene.server.project(&scene.ann, "Other", Visibility::Private).await;
    for path in ["experiments/1/columns", "experiments/1/candidates.csv"] {
        let answer = scene.ann.get(&format!("/api/v4/projects/{other}/{path}")).await;
        assert_eq!(problem(&answer), "404 not-found", "{path}");
    }
    let hidden = scene.bob.post(&format!("/api/v4/projects/{other}/candidates/search"), &json!({})).await;
    assert_eq!(problem(&hidden), "404 not-found");
    scene.server.finish().await;
}

#[tokio::test]
async fn keys_are_found_by_kind_prefix_and_part_and_paged() {
    let scene = three().await;
    let keys = |answer: &Answer| -> Vec<String> {
        let found = answer.json();
        let keys = found
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["key"].as_str().expect("a key").to_owned());
        keys.collect()
    };
    assert_eq!(keys(&get(&scene, &format!("{COLUMNS}?kind=params")).await), ["a b", "lr"]);
    assert_eq!(keys(&get(&scene, &format!("{COLUMNS}?prefix=l")).await), ["loss", "lr"]);
    assert_eq!(keys(&get(&scene, &format!("{COLUMNS}?search=RUNN")).await), ["mlflow.runName"]);
    let mut found = Vec::new();
    let mut page = get(&scene, &format!("{COLUMNS}?per_page=2")).await;
    loop {
        found.extend(keys(&page));
        let link = page.header("link").to_owned();
        let Some(next) = link.strip_prefix("<http://modelry.test").and_then(|link| link.split_once('>'))
        else {
            break;
        };
        page = scene.bob.get(next.0).await;
    }
    assert_eq!(found, ["acc", "loss", "a b", "lr", "mlflow.runName"]);
    for wrong in ["kind=tags", "per_page=101", "after=x"] {
        assert_eq!(problem(&get(&scene, &format!("{COLUMNS}?{wrong}")).await), "400 invalid", "{wrong}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn an_export_without_columns_has_all_that_was_logged() {
    let scene = three().await;
    let csv = get(&scene, EXPORT).await.text();
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    let header = "iid,run_id,name,status,user,start_time,end_time,metrics.acc,metrics.loss,params.`a b`,params.lr,\
                  tags.mlflow.runName";
    assert_eq!(lines[0], header);
    assert_eq!(lines.len(), 4);
    assert!(lines[2].ends_with(",run 2,running,bob,2,,Infinity,NaN,,'=1+1,run 2"), "{}", lines[2]);
    scene.server.finish().await;
}

#[tokio::test]
async fn an_export_goes_on_for_as_many_pages_as_there_are() {
    let scene = Scene::new().await;
    for start in 0..25 {
        candidate(&scene, ("0", start), json!({}), json!([])).await;
    }
    // 1,000 columns are read ten candidates at a time.
    let columns = "&column=name".repeat(1_000);
    let csv = get(&scene, &format!("{EXPORT}?order_by=start_time{columns}")).await.text();
    let numbers: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let expected: Vec<String> = (1..=25).map(|number: i32| number.to_string()).collect();
    assert_eq!(numbers, expected);
    scene.server.finish().await;
}

/// The body of a `GET` by Bob, to be read piece by piece.
async fn stream(scene: &Scene, path: &str) -> BodyDataStream {
    let app = scene.server.app();
    let router = modelry_server::router::api(app).0.with_state(app.clone());
    let request = scene.bob.request(Method::GET, path).body(Body::empty()).expect("a request");
    router.oneshot(request).await.expect("a router always answers").into_body().into_data_stream()
}

#[tokio::test]
async fn an_export_is_read_while_it_is_sent_and_not_before() {
    let scene = Scene::new().await;
    for start in 0..15 {
        candidate(&scene, ("0", start), json!({}), json!([])).await;
    }
    // 1,000 columns are read ten candidates at a time.
    let columns = "&column=name".repeat(1_000);
    let path = format!(
        "/api/v4/projects/{}/experiments/0/candidates.csv?order_by=start_time{columns}",
        scene.project
    );
    let mut body = stream(&scene, &path).await;
    let first = body.next().await.expect("there is a first piece").expect("it can be read");
    assert_eq!(
        first.split(|byte| *byte == b'\n').count() - 1,
        11,
        "the names of the columns and ten candidates"
    );
    candidate(&scene, ("0", 100), json!({}), json!([])).await;
    let rest: Vec<_> = body.try_collect().await.expect("the rest can be read");
    let rest = rest.concat();
    assert_eq!(rest.split(|byte| *byte == b'\n').count() - 1, 6, "what was made meanwhile is there");
    scene.server.finish().await;
}

#[tokio::test]
async fn an_export_that_cannot_be_is_refused_before_it_begins() {
    let scene = three().await;
    for wrong in ["filter=x", "order_by=x", "column=x"] {
        assert_eq!(problem(&get(&scene, &format!("{EXPORT}?{wrong}")).await), "400 invalid", "{wrong}");
    }
    scene.server.finish().await;
}
