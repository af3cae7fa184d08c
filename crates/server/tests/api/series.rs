//! Metrics of candidates in buckets.

use axum::http::Method;
use modelry_core::policy::{Scope, Visibility};
use modelry_testkit::server::Answer;
use serde_json::{Value, json};

use crate::problem;
use crate::scene::{Scene, described};

const SERIES: &str = "/series";

/// Makes a candidate that logged `points`: key, step, time, value; answers its public id.
async fn candidate(scene: &Scene, points: impl IntoIterator<Item = (&str, i64, i64, Value)>) -> String {
    let route = "/experiments/{experiment}/candidates";
    let made = scene.call(&scene.bob, Method::POST, route, &[("experiment", "0")], &json!({})).await.json();
    let run = made["run_id"].as_str().expect("a public id").to_owned();
    let metrics: Vec<Value> = points
        .into_iter()
        .map(|(key, step, time, value)| json!({"key": key, "step": step, "timestamp": time, "value": value}))
        .collect();
    for some in metrics.chunks(1_000) {
        let route = "/candidates/{candidate}/log";
        let names = [("candidate", run.as_str())];
        let logged = scene.call(&scene.bob, Method::POST, route, &names, &json!({"metrics": some})).await;
        assert_eq!(logged.status, 204, "{}", logged.text());
    }
    run
}

async fn ask(scene: &Scene, body: Value) -> Answer {
    scene.call(&scene.bob, Method::POST, SERIES, &[], &body).await
}

/// The buckets of the only series asked for.
async fn buckets(scene: &Scene, body: Value) -> Value {
    let answer = ask(scene, body).await.expect_json();
    assert_eq!(answer["series"].as_array().map(Vec::len), Some(1));
    answer["series"][0]["buckets"].clone()
}

fn length(buckets: &Value) -> usize {
    buckets["from"].as_array().expect("a column").len()
}

#[tokio::test]
async fn a_series_tells_each_candidate_and_key_column_by_column() {
    let scene = Scene::new().await;
    let odd = [json!(0.5), json!("NaN"), json!("Infinity"), json!("-Infinity"), json!(0.25)];
    let points = (0..).zip(odd).map(|(n, value)| ("loss", n / 4, 1_000 + n, value));
    let run = candidate(&scene, points).await;
    candidate(&scene, [("auc", -3, 7, json!(0.9))]).await;
    scene.called.borrow_mut().clear();
    let body = json!({"candidates": [run, 2], "keys": ["loss", "auc"], "buckets": 9});
    let answer = ask(&scene, body).await.expect_json();
    let told = json!({
        "from": [0, 1], "to": [0, 1], "count": [1, 1], "min": [0.5, 0.25], "max": [0.5, 0.25],
        "first": [0.5, 0.25], "last": [0.5, 0.25],
        "nan": [1, 0], "positive_infinity": [1, 0], "negative_infinity": [1, 0],
    });
    assert_eq!(answer["series"][0], json!({"candidate": 1, "run_id": run, "key": "loss", "buckets": told}));
    let names: Vec<_> =
        (0..4).map(|n| (&answer["series"][n]["candidate"], &answer["series"][n]["key"])).collect();
    let (one, two, loss, auc) = (json!(1), json!(2), json!("loss"), json!("auc"));
    assert_eq!(names, [(&one, &loss), (&one, &auc), (&two, &loss), (&two, &auc)]);
    assert_eq!((length(&answer["series"][1]["buckets"]), length(&answer["series"][2]["buckets"])), (0, 0));
    assert_eq!(answer["series"][3]["buckets"]["from"], json!([-3]));
    assert_eq!(*scene.called.borrow(), described("series"));
    scene.server.finish().await;
}

#[tokio::test]
async fn a_finer_look_at_a_spike_keeps_it() {
    let scene = Scene::new().await;
    let spike = |n: i64| json!(if n == 5_432 { 9.0 } else { 0.5 });
    candidate(&scene, (0..9_000).map(|n| ("loss", n, n, spike(n)))).await;
    let ask = |range: Value| json!({"candidates": [1], "keys": ["loss"], "range": range, "buckets": 100});
    let greatest = |buckets: &Value| {
        let max = buckets["max"].as_array().expect("a column").iter().position(|max| max == 9.0);
        let index = max.expect("the spike is there");
        (buckets["from"][index].clone(), buckets["to"][index].clone())
    };
    let whole = buckets(&scene, ask(Value::Null)).await;
    assert_eq!(greatest(&whole), (json!(5_376), json!(5_503)));
    let part = buckets(&scene, ask(json!({"from": 5_400, "to": 5_499}))).await;
    assert_eq!((length(&part), greatest(&part)), (100, (json!(5_432), json!(5_432))));
    scene.server.finish().await;
}

#[tokio::test]
async fn a_series_runs_over_what_is_asked_for() {
    let scene = Scene::new().await;
    let epochs =
        (0..6).map(|n| ("epoch", n, 10 * n, json!(f64::from(i32::try_from(n).expect("small")) / 4.0)));
    let losses = (0..6).map(|n| ("loss", n, 5_000 + 10 * n, json!(0.5)));
    candidate(&scene, epochs.chain(losses)).await;
    let over = async |x: Value| {
        buckets(
            &scene,
            json!({"candidates": [1], "keys": ["loss"], "x": x, "range": {"from": 0.5, "to": 5_020}}),
        )
        .await["from"]
            .clone()
    };
    assert_eq!(over(json!("step")).await, json!([1, 2, 3, 4, 5]));
    assert_eq!(over(json!("time")).await, json!([5_000, 5_010, 5_020]));
    assert_eq!(over(json!("relative_time")).await, json!([10, 20, 30, 40, 50]));
    assert_eq!(over(json!({"metric": "epoch"})).await, json!([0.5, 0.75, 1.0, 1.25]));
    assert_eq!(over(json!({"metric": "nobody logged this"})).await, json!([]));
    scene.server.finish().await;
}

#[tokio::test]
async fn what_cannot_be_a_series_is_refused() {
    let scene = Scene::new().await;
    candidate(&scene, []).await;
    let many = |count: usize| vec![json!(1); count];
    for (body, expected) in [
        (json!({"candidates": [], "keys": ["a"]}), "a series needs at least one candidate and one key"),
        (json!({"candidates": [1], "keys": []}), "a series needs at least one candidate and one key"),
        (
            json!({"candidates": many(67), "keys": ["a", "b", "c"]}),
            "67 candidates with 3 keys are 201 series: at most 200 are read at once",
        ),
        (
            json!({"candidates": many(51), "keys": ["a"], "buckets": 4_000}),
            "51 series of 4000 buckets are 204000: at most 200000 are read at once",
        ),
        (json!({"candidates": [1], "keys": ["a"], "buckets": 0}), "buckets is 0: it must be 1 to 4000"),
        (
            json!({"candidates": [1], "keys": ["a"], "buckets": 4_001}),
            "buckets is 4001: it must be 1 to 4000",
        ),
        (
            json!({"candidates": [1], "keys": ["a"], "range": {"from": 2, "to": 1}}),
            "the range ends at 1, before it begins at 2",
        ),
        (
            json!({"candidates": [1.5], "keys": ["a"]}),
            "the request body does not fit at `candidates[0]`: invalid type: floating point `1.5`, expected the number of a candidate, or its public id at line 1 column 18",
        ),
    ] {
        let refused = ask(&scene, body).await;
        assert_eq!(
            (problem(&refused).as_str(), refused.json()["detail"].as_str()),
            ("400 invalid", Some(expected))
        );
    }
    let unknown = ask(&scene, json!({"candidates": [1], "keys": ["a"], "x": "colour"})).await;
    assert_eq!(problem(&unknown), "400 invalid");
    scene.server.finish().await;
}

#[tokio::test]
async fn a_candidate_of_another_project_is_not_there() {
    let scene = Scene::new().await;
    let run = candidate(&scene, [("loss", 0, 0, json!(0.5))]).await;
    let other = scene.server.project(&scene.bob, "Other", Visibility::Private).await;
    let path = format!("/api/v4/projects/{other}/series");
    for name in [json!(1), json!(run)] {
        let refused = scene.bob.post(&path, &json!({"candidates": [name], "keys": ["loss"]})).await;
        assert_eq!(problem(&refused), "404 not-found");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn a_token_that_may_only_read_reads_series() {
    let scene = Scene::new().await;
    candidate(&scene, [("loss", 0, 0, json!(0.5))]).await;
    let reader = scene.server.token(scene.bob.user(), Scope::ReadApi).await;
    let body = json!({"candidates": [1], "keys": ["loss"]});
    let answer = scene.call(&reader, Method::POST, SERIES, &[], &body).await;
    assert_eq!(length(&answer.expect_json()["series"][0]["buckets"]), 1);
    scene.server.finish().await;
}
