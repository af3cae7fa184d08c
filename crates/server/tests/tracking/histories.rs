//! The calls that read metrics.

use serde_json::{Value, json};

use crate::given::{Given, invalid, missing, text};

/// Logs one point for each of these steps, at the time of the step.
async fn log(given: &Given, run: &str, steps: std::ops::Range<i64>) {
    let steps: Vec<i64> = steps.collect();
    for some in steps.chunks(1_000) {
        let point = |step: &i64| json!({"key": "loss", "value": 0.5, "timestamp": step, "step": step});
        let metrics: Vec<Value> = some.iter().map(point).collect();
        given.post("runs/log-batch", &json!({"run_id": run, "metrics": metrics})).await.expect_json();
    }
}

fn steps(metrics: &Value) -> Vec<i64> {
    let step = |point: &Value| point["step"].as_i64().expect("a step");
    metrics.as_array().expect("points").iter().map(step).collect()
}

async fn page(given: &Given, query: &str) -> Value {
    given.get(&format!("metrics/get-history?run_id={}&metric_key=loss{query}", given.run)).await.expect_json()
}

#[tokio::test]
async fn a_history_is_ordered_by_time_step_and_value_and_has_each_point_once() {
    let given = Given::new().await;
    for (timestamp, step, value) in
        [(3, 1, 5.0), (1, 9, 2.0), (2, 4, 7.0), (2, 4, 6.0), (2, 3, 8.0), (1, 9, 2.0)]
    {
        let metric = json!({"key": "loss", "value": value, "timestamp": timestamp, "step": step});
        given.on_run("runs/log-metric", metric).await.expect_json();
    }
    let expected: Vec<Value> = [(1, 9, 2.0), (2, 3, 8.0), (2, 4, 6.0), (2, 4, 7.0), (3, 1, 5.0)]
        .iter()
        .map(|(timestamp, step, value)| json!({"key": "loss", "value": value, "timestamp": timestamp, "step": step}))
        .collect();
    assert_eq!(page(&given, "").await, json!({ "metrics": expected }));
    let latest = given.read_run().await["data"]["metrics"].clone();
    assert_eq!(latest, json!([{"key": "loss", "value": 2.0, "timestamp": 1, "step": 9}]));
    given.finish().await;
}

#[tokio::test]
async fn a_history_comes_in_pages() {
    let given = Given::new().await;
    log(&given, &given.run, 0..5).await;
    let first = page(&given, "&max_results=3").await;
    let token = text(&first["next_page_token"]);
    let last = page(&given, &format!("&max_results=3&page_token={token}")).await;
    assert_eq!((steps(&first["metrics"]), steps(&last["metrics"])), (vec![0, 1, 2], vec![3, 4]));
    assert_eq!(last["next_page_token"], Value::Null);
    let exact = page(&given, "&max_results=5").await;
    assert_eq!(exact["next_page_token"], Value::Null, "a page that ends with the history is the last");
    given.finish().await;
}

#[tokio::test]
async fn a_history_longer_than_what_is_held_in_memory_is_whole() {
    let given = Given::new().await;
    log(&given, &given.run, 0..52_000).await;
    let all = page(&given, "").await;
    assert_eq!(steps(&all["metrics"]), (0..52_000).collect::<Vec<_>>());
    assert_eq!(all["next_page_token"], Value::Null);
    let most = page(&given, "&max_results=51000").await;
    assert_eq!(steps(&most["metrics"]), (0..51_000).collect::<Vec<_>>());
    let token = text(&most["next_page_token"]);
    let rest = page(&given, &format!("&page_token={token}")).await;
    assert_eq!(steps(&rest["metrics"]), (51_000..52_000).collect::<Vec<_>>());
    given.finish().await;
}

#[tokio::test]
async fn a_history_that_is_not_there_is_empty() {
    let given = Given::new().await;
    let log = json!({"key": "depth", "value": "3"});
    given.on_run("runs/log-parameter", log).await.expect_json();
    for query in [
        format!("run_id={}&metric_key=never%20logged", given.run),
        format!("run_id={}&metric_key=depth", given.run),
        "run_id=00000000000000000000000000000000&metric_key=loss".to_owned(),
        "run_id=not/an%20id&metric_key=loss".to_owned(),
    ] {
        assert_eq!(
            given.get(&format!("metrics/get-history?{query}")).await.expect_json(),
            json!({}),
            "{query}"
        );
    }
    given.finish().await;
}

#[tokio::test]
async fn what_a_history_needs_is_checked() {
    let given = Given::new().await;
    let get = async |query: &str| given.get(&format!("metrics/get-history?run_id=a&{query}")).await;
    assert_eq!(invalid(&get("").await), missing("metric_key"));
    assert_eq!(invalid(&given.get("metrics/get-history?metric_key=a").await), missing("run_id"));
    for asked in ["0", "-1"] {
        let words = format!(
            "Invalid value {asked} for parameter 'max_results' supplied. It must be a positive integer."
        );
        assert_eq!(invalid(&get(&format!("metric_key=a&max_results={asked}")).await), words);
    }
    let token = get("metric_key=a&page_token=!!!").await;
    assert_eq!(invalid(&token), "Invalid page token, could not base64-decode");
    assert_eq!(invalid(&get("metric_key=a&page_token=bm90IGpzb24").await), "Invalid page token");
    given.finish().await;
}

#[tokio::test]
async fn histories_of_several_runs_come_at_once_sorted_by_run() {
    let given = Given::new().await;
    let mut runs = [given.new_run("0").await, given.new_run("0").await];
    for run in &runs {
        log(&given, run, 0..3).await;
    }
    runs.reverse();
    let query = format!("run_id={}&run_id={}&run_id=nobody&metric_key=loss", runs[0], runs[1]);
    let bulk = async |more: &str| {
        given.get(&format!("metrics/get-history-bulk?{query}{more}")).await.expect_json()["metrics"].clone()
    };
    runs.sort();
    let all = bulk("").await;
    assert_eq!(all[0], json!({"key": "loss", "value": 0.5, "timestamp": 0, "step": 0, "run_id": runs[0]}));
    let whose = |metrics: &Value| -> Vec<String> {
        metrics.as_array().expect("points").iter().map(|point| text(&point["run_id"])).collect()
    };
    let (first, second) = (&runs[0], &runs[1]);
    assert_eq!(whose(&all), [first, first, first, second, second, second].map(Clone::clone));
    assert_eq!(whose(&bulk("&max_results=4").await).len(), 4);
    given.finish().await;
}

#[tokio::test]
async fn an_interval_is_sampled_with_the_first_and_the_last_point_of_each_run() {
    let given = Given::new().await;
    log(&given, &given.run, 0..1_000).await;
    let other = given.new_run("0").await;
    log(&given, &other, 5..7).await;
    let query = format!("run_ids={}&run_ids={other}&metric_key=loss", given.run);
    let bulk = async |more: &str| {
        let call = format!("metrics/get-history-bulk-interval?{query}{more}");
        given.get(&call).await.expect_json()["metrics"].as_array().expect("points").clone()
    };
    let of = |points: &[Value], run: &str| -> Vec<i64> {
        let points: Vec<Value> = points.iter().filter(|point| point["run_id"] == run).cloned().collect();
        steps(&points.into())
    };
    let sampled = bulk("&max_results=10").await;
    let of_run = of(&sampled, &given.run);
    assert_eq!((of_run.len(), of_run[0], of_run[9]), (10, 0, 999));
    assert_eq!(of(&sampled, &other), [5, 6]);
    let part = bulk("&start_step=6&end_step=8").await;
    assert_eq!((of(&part, &given.run), of(&part, &other)), (vec![6, 7, 8], vec![6]));
    given.finish().await;
}

#[tokio::test]
async fn what_a_bulk_request_needs_is_checked() {
    let given = Given::new().await;
    let bulk = async |query: &str| given.get(&format!("metrics/get-history-bulk{query}")).await;
    let many = |name: &str| vec![format!("{name}=a"); 101].join("&");
    for (query, words) in [
        ("?metric_key=a".to_owned(), missing("run_id")),
        ("?run_id=a".to_owned(), missing("metric_key")),
        ("-interval?metric_key=a".to_owned(), missing("run_ids")),
        ("-interval?run_ids=a".to_owned(), missing("metric_key")),
        (
            format!("?metric_key=a&{}", many("run_id")),
            "The request must specify at most 100 run_ids. Received 101 run_ids.".to_owned(),
        ),
        (
            format!("-interval?metric_key=a&{}", many("run_ids")),
            "The request must specify at most 100 run_ids. Received 101 run_ids.".to_owned(),
        ),
        (
            "-interval?run_ids=a&metric_key=a&start_step=1".to_owned(),
            "If either start step or end step are specified, both must be specified.".to_owned(),
        ),
        (
            "-interval?run_ids=a&metric_key=a&start_step=2&end_step=1".to_owned(),
            "end_step must be greater than start_step. Found start_step=2 and end_step=1.".to_owned(),
        ),
        (
            "-interval?run_ids=a&metric_key=a&max_results=2501".to_owned(),
            "Invalid value 2501 for parameter 'max_results' supplied: It must be a positive integer, at most 2500"
                .to_owned(),
        ),
    ] {
        assert_eq!(invalid(&bulk(&query).await), words, "{query}");
    }
    given.finish().await;
}
