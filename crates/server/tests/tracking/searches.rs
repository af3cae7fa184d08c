//! The calls that search for runs and experiments.

use modelry_core::ids::{CandidateId, ExperimentId};
use modelry_core::time::Timestamp;
use modelry_store::candidates::{self, NewCandidate};
use serde_json::{Value, json};

use crate::given::{Given, invalid, missing, text};

/// More than are read, and sent, at a time.
const MANY: i64 = 1_100;

async fn search(given: &Given, body: Value) -> Value {
    given.post("runs/search", &body).await.expect_json()
}

/// The public ids of the runs that are found.
fn ids(answer: &Value) -> Vec<String> {
    let runs = answer["runs"].as_array().map(Vec::as_slice).unwrap_or_default();
    runs.iter().map(|run| text(&run["info"]["run_id"])).collect()
}

fn names(answer: &Value) -> Vec<String> {
    let experiments = answer["experiments"].as_array().map(Vec::as_slice).unwrap_or_default();
    experiments.iter().map(|experiment| text(&experiment["name"])).collect()
}

/// Another run, with a loss.
async fn run_with_loss(given: &Given, loss: f64) -> String {
    let run = given.new_run("0").await;
    let metric = json!({"run_id": run, "key": "loss", "value": loss, "timestamp": 1});
    given.post("runs/log-metric", &metric).await.expect_json();
    run
}

/// Inserts runs into experiment 0 that start one after the other, number 1,000 first.
async fn insert_many(given: &Given) {
    let project = given.project;
    let insert = move |number| NewCandidate {
        id: CandidateId(number),
        eid: format!("{number:032x}").parse().expect("a public id"),
        experiment_id: ExperimentId(0),
        name: "calm-fox-1".to_owned(),
        user_name: String::new(),
        creator_id: None,
        start_time: number,
        created_at: Timestamp(0),
    };
    let written = given.server.app().db.write(move |tx| {
        (1_000..1_000 + MANY)
            .try_for_each(|number| candidates::insert(tx, project, &insert(number)).map(drop))
    });
    written.await.expect("runs can be inserted");
}

#[tokio::test]
async fn a_run_is_found_as_it_is_read() {
    let given = Given::new().await;
    let batch = json!({
        "metrics": [{"key": "loss", "value": "NaN", "timestamp": 1, "step": 2}],
        "params": [{"key": "lr", "value": "0.1"}],
        "tags": [{"key": "team", "value": "a"}],
    });
    given.on_run("runs/log-batch", batch).await.expect_json();
    let found = search(&given, json!({"experiment_ids": ["0"]})).await;
    assert_eq!(found, json!({ "runs": [given.read_run().await] }));
    given.finish().await;
}

#[tokio::test]
async fn runs_are_filtered_and_ordered() {
    let given = Given::new().await;
    let (high, low) = (run_with_loss(&given, 0.9).await, run_with_loss(&given, 0.1).await);
    run_with_loss(&given, 2.0).await;
    let body =
        json!({"experiment_ids": ["0"], "filter": "metrics.loss < 1", "order_by": ["metrics.loss DESC"]});
    assert_eq!(ids(&search(&given, body).await), [high, low]);
    given.finish().await;
}

#[tokio::test]
async fn pages_follow_each_other_to_the_last() {
    let given = Given::new().await;
    for loss in [1.0, 2.0, 3.0] {
        run_with_loss(&given, loss).await;
    }
    let body = json!({"experimentIds": ["0"], "orderBy": ["metrics.loss"], "maxResults": "3"});
    let first = search(&given, body.clone()).await;
    let mut body = body;
    body["page_token"] = first["next_page_token"].clone();
    let second = search(&given, body).await;
    assert_eq!((ids(&first).len(), ids(&second)), (3, vec![given.run.clone()]));
    assert_eq!(second.get("next_page_token"), None, "{second}");
    given.finish().await;
}

#[tokio::test]
async fn a_page_that_is_sent_in_pieces_is_one_answer() {
    let given = Given::new().await;
    insert_many(&given).await;
    let body =
        |more: Value| json!({"experiment_ids": ["0"], "order_by": ["start_time"], "max_results": more});
    let expected: Vec<String> = (1_000..1_000 + MANY).map(|number| format!("{number:032x}")).collect();
    // The run that each test starts with started at 0.
    let all = search(&given, body(json!(MANY + 1))).await;
    assert_eq!(ids(&all)[1..], expected);
    assert_eq!(all.get("next_page_token"), None);
    let most = search(&given, body(json!(MANY))).await;
    assert_eq!(ids(&most)[1..], expected[..expected.len() - 1]);
    assert!(most["next_page_token"].is_string());
    given.finish().await;
}

#[tokio::test]
async fn a_search_that_does_not_say_finds_a_thousand() {
    let given = Given::new().await;
    insert_many(&given).await;
    let found = search(&given, json!({"experiment_ids": ["0"]})).await;
    assert_eq!(ids(&found).len(), 1_000);
    given.finish().await;
}

#[tokio::test]
async fn the_view_says_whether_deleted_runs_are_found() {
    let given = Given::new().await;
    let active = given.new_run("0").await;
    given.on_run("runs/delete", json!({})).await.expect_json();
    let view = |view: Value| json!({"experiment_ids": ["0"], "run_view_type": view});
    assert_eq!(ids(&search(&given, view(json!("ACTIVE_ONLY"))).await), [active]);
    assert_eq!(ids(&search(&given, view(json!(2))).await), [given.run.as_str()]);
    assert_eq!(ids(&search(&given, view(json!("ALL"))).await).len(), 2);
    given.finish().await;
}

#[tokio::test]
async fn a_search_in_no_experiment_finds_nothing() {
    let given = Given::new().await;
    for body in [json!({}), json!({"experiment_ids": []}), json!({"experiment_ids": ["99"]})] {
        assert_eq!(search(&given, body).await, json!({}));
    }
    given.finish().await;
}

#[tokio::test]
async fn a_search_that_does_not_fit_is_refused_in_mlflows_words() {
    let given = Given::new().await;
    let refused = [
        (json!({"experiment_ids": ["x"]}), "Invalid experiment ID"),
        (json!({"max_results": 0}), "Invalid value 0 for parameter 'max_results' supplied"),
        (json!({"max_results": 50_001}), "Invalid value 50001 for parameter 'max_results' supplied"),
        (json!({"run_view_type": "SOME"}), "Invalid value"),
        (json!({"page_token": "%%%"}), "Invalid page token, could not base64-decode"),
        (json!({"order_by": ["metrics.loss", "metrics.loss DESC"]}), "order_by contains the field"),
    ];
    for (body, start) in refused {
        let message = invalid(&given.post("runs/search", &body).await);
        assert!(message.starts_with(start), "{body}: {message}");
    }
    given.finish().await;
}

#[tokio::test]
async fn a_filter_that_is_none_is_told_where_it_ends_to_be_one() {
    let given = Given::new().await;
    let message = invalid(&given.post("runs/search", &json!({"filter": "metrics.loss >< 1"})).await);
    assert!(message.contains("column 15"), "{message}");
    given.finish().await;
}

#[tokio::test]
async fn experiments_are_found_by_post_and_by_get() {
    let given = Given::new().await;
    for name in ["vision", "Vision 2", "speech"] {
        given.new_experiment(name).await;
    }
    let body =
        json!({"max_results": 10, "filter": "name ILIKE 'vision%'", "order_by": ["name", "creation_time"]});
    let by_post = given.post("experiments/search", &body).await.expect_json();
    let call = "experiments/search?max_results=10&filter=name+ILIKE+'vision%25'&order_by=name&order_by=creation_time";
    let by_get = given.get(call).await.expect_json();
    assert_eq!(names(&by_post), ["Vision 2", "vision"]);
    assert_eq!(by_post, by_get);
    given.finish().await;
}

#[tokio::test]
async fn an_experiment_is_found_as_it_is_read() {
    let given = Given::new().await;
    let made = json!({"name": "vision", "tags": [{"key": "team", "value": "a"}]});
    let id = text(&given.post("experiments/create", &made).await.expect_json()["experiment_id"]);
    let read = given.get(&format!("experiments/get?experiment_id={id}")).await.expect_json();
    let body = json!({"max_results": 1, "filter": "tags.team = 'a'"});
    let found = given.post("experiments/search", &body).await.expect_json();
    assert_eq!(found, json!({ "experiments": [read["experiment"]] }));
    given.finish().await;
}

#[tokio::test]
async fn a_search_for_experiments_says_how_many() {
    let given = Given::new().await;
    assert_eq!(invalid(&given.post("experiments/search", &json!({})).await), missing("max_results"));
    given.finish().await;
}

#[tokio::test]
async fn pages_of_experiments_follow_each_other() {
    let given = Given::new().await;
    given.new_experiment("vision").await;
    let first = given.post("experiments/search", &json!({"max_results": 1})).await.expect_json();
    let body = json!({"max_results": 1, "page_token": first["next_page_token"]});
    let second = given.post("experiments/search", &body).await.expect_json();
    let mut both = [names(&first), names(&second)].concat();
    both.sort();
    assert_eq!(both, ["Default", "vision"]);
    assert_eq!(second.get("next_page_token"), None);
    given.finish().await;
}
