use serde_json::{Value, json};

use crate::given::{Given, assert_invalid, text};

const SEARCH: &str = "logged-models/search";

/// Models `a`, `b` and `c`, where `a` has an accuracy of 0.9 on `eval` and `b` one of 0.8 on `test`.
async fn models(given: &Given) {
    for (name, measured) in [("a", Some((0.9, "eval"))), ("b", Some((0.8, "test"))), ("c", None)] {
        let id = given.model(name).await;
        let Some((value, dataset)) = measured else { continue };
        let metric = json!({"run_id": given.run, "key": "accuracy", "value": value, "timestamp": 1,
                            "model_id": id, "dataset_name": dataset, "dataset_digest": "d"});
        given.post("runs/log-metric", &metric).await.expect_json();
    }
}

/// The names of what a search finds; the experiment is 0.
async fn found(given: &Given, mut body: Value) -> Vec<String> {
    body["experiment_ids"] = json!(["0"]);
    names(&given.post(SEARCH, &body).await.expect_json())
}

fn names(answer: &Value) -> Vec<String> {
    let models = answer["models"].as_array().map(Vec::as_slice).unwrap_or_default();
    models.iter().map(|model| text(&model["info"]["name"])).collect()
}

#[tokio::test]
async fn models_are_found_with_what_was_logged_to_them() {
    let given = Given::new().await;
    models(&given).await;
    let answer = given.post(SEARCH, &json!({"experiment_ids": ["0"]})).await.expect_json();
    assert_eq!(names(&answer), ["c", "b", "a"]);
    assert_eq!(answer["models"][2]["data"]["metrics"][0]["value"], 0.9);
    assert_eq!(answer["next_page_token"], Value::Null);
    given.finish().await;
}

#[tokio::test]
async fn a_filter_names_what_is_looked_for() {
    let given = Given::new().await;
    models(&given).await;
    assert_eq!(found(&given, json!({"filter": "name = 'a' OR metrics.accuracy < 0.85"})).await, ["b", "a"]);
    assert_eq!(found(&given, json!({"filter": "name = 'none'"})).await, [""; 0]);
    given.finish().await;
}

#[tokio::test]
async fn an_order_is_a_list_of_fields() {
    let given = Given::new().await;
    models(&given).await;
    let by_name = json!([{"field_name": "name"}]);
    assert_eq!(found(&given, json!({"order_by": by_name})).await, ["a", "b", "c"]);
    let by_metric = json!([{"fieldName": "metrics.accuracy", "ascending": true}]);
    assert_eq!(found(&given, json!({"orderBy": by_metric})).await, ["b", "a", "c"]);
    let on_eval = json!([{"field_name": "metrics.accuracy", "ascending": false, "dataset_name": "test"}]);
    assert_eq!(found(&given, json!({"order_by": on_eval})).await, ["b", "c", "a"]);
    given.finish().await;
}

#[tokio::test]
async fn a_search_can_be_narrowed_to_datasets() {
    let given = Given::new().await;
    models(&given).await;
    let datasets = json!([{"dataset_name": "eval", "dataset_digest": "d"}]);
    assert_eq!(found(&given, json!({"datasets": datasets})).await, ["a"]);
    given.finish().await;
}

#[tokio::test]
async fn a_long_answer_goes_on_where_its_token_says() {
    let given = Given::new().await;
    models(&given).await;
    let mut all = Vec::new();
    let mut body = json!({"experiment_ids": ["0"], "max_results": 1});
    for _ in 0..=3 {
        let answer = given.post(SEARCH, &body).await.expect_json();
        all.extend(names(&answer));
        if answer["next_page_token"].is_null() {
            break;
        }
        body["page_token"] = answer["next_page_token"].clone();
    }
    assert_eq!(all, ["c", "b", "a"]);
    given.finish().await;
}

#[tokio::test]
async fn experiments_must_be_named_but_may_be_none() {
    let given = Given::new().await;
    models(&given).await;
    assert_invalid(&given.post(SEARCH, &json!({})).await);
    assert_eq!(given.post(SEARCH, &json!({"experiment_ids": []})).await.expect_json(), json!({}));
    given.finish().await;
}

#[tokio::test]
async fn a_search_that_does_not_fit_is_refused() {
    let given = Given::new().await;
    for part in [
        json!({"experiment_ids": ["x"]}),
        json!({"experiment_ids": ["0"], "filter": "name ="}),
        json!({"experiment_ids": ["0"], "filter": " "}),
        json!({"experiment_ids": ["0"], "max_results": 0}),
        json!({"experiment_ids": ["0"], "page_token": "%%%"}),
        json!({"experiment_ids": ["0"], "order_by": [{"field_name": "params.a"}]}),
        json!({"experiment_ids": ["0"], "order_by": [{"ascending": true}]}),
        json!({"experiment_ids": ["0"], "order_by": [{"field_name": "name", "dataset_name": "eval"}]}),
        json!({"experiment_ids": ["0"], "order_by": [{"field_name": "metrics.a", "dataset_digest": "d"}]}),
        json!({"experiment_ids": ["0"], "datasets": [{"dataset_digest": "d"}]}),
        json!({"experiment_ids": ["0"], "datasets": [{}]}),
    ] {
        assert_invalid(&given.post(SEARCH, &part).await);
    }
    given.finish().await;
}
