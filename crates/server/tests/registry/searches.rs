//! The searches for models and versions, as they are asked for on the wire.

use serde_json::{Value, json};

use crate::given::{Given, refusal, text};

const CALLS: [(&str, &str); 2] =
    [("registered-models/search", "registered_models"), ("model-versions/search", "model_versions")];

fn names(answer: &Value) -> Vec<String> {
    let found = answer["registered_models"].as_array().cloned().unwrap_or_default();
    found.iter().map(|model| text(&model["name"])).collect()
}

#[tokio::test]
async fn a_search_that_does_not_fit_is_refused_in_mlflows_words() {
    let given = Given::new().await;
    for (call, _) in CALLS {
        for (query, start) in [
            (json!({"max_results": 0}), "Invalid value 0 for parameter 'max_results' supplied"),
            (json!({"max_results": -1}), "Invalid value -1 for parameter 'max_results' supplied"),
            (json!({"max_results": 200_001}), "Invalid value 200001 for parameter 'max_results' supplied"),
            (json!({"max_results": "many"}), "Invalid value \"many\" for parameter 'max_results' supplied"),
            (
                json!({"filter": "nonsense = 'x'"}),
                "Invalid filter. Could not be parsed at column 1: Invalid attribute key 'nonsense'",
            ),
            (json!({"filter": "name >< 'x'"}), "Invalid filter. Could not be parsed at column 6"),
            (json!({"filter": "name = x"}), "Invalid filter. Could not be parsed at column 8"),
            (json!({"filter": "metrics.a > 1"}), "Invalid filter. Could not be parsed at column 1"),
            (json!({"order_by": "tags.a"}), "Invalid order_by"),
            (json!({"order_by": "nonsense"}), "Invalid order_by"),
            (json!({"order_by": "name SIDEWAYS"}), "Invalid order_by"),
            (json!({"page_token": "%%%"}), "Invalid page token"),
            (json!({"page_token": "eyJvZmZzZXQiOiAxfQ=="}), "Invalid page token"),
        ] {
            let refusal = refusal(&given.get(call, &query).await);
            let start = format!("400 INVALID_PARAMETER_VALUE: {start}");
            assert!(refusal.starts_with(&start), "{call} {query}: {refusal}");
        }
    }
    let too_many = given.get("registered-models/search", &json!({"max_results": 1_001})).await;
    assert!(refusal(&too_many).starts_with("400 INVALID_PARAMETER_VALUE: Invalid value 1001"));
    given.get("model-versions/search", &json!({"max_results": 200_000})).await.expect_json();
    given.finish().await;
}

#[tokio::test]
async fn what_is_found_is_as_it_is_read() {
    let given = Given::new().await;
    let found = given.get("model-versions/search", &json!({"filter": "name = 'churn'"})).await.expect_json();
    assert_eq!(found, json!({ "model_versions": [given.read("1").await] }));
    let found = given.get("registered-models/search", &json!({})).await.expect_json();
    let read = given.get("registered-models/get", &json!({"name": "churn"})).await.expect_json();
    assert_eq!(found, json!({ "registered_models": [read["registered_model"]] }));
    given.finish().await;
}

#[tokio::test]
async fn nothing_found_is_an_empty_answer() {
    let given = Given::empty().await;
    for (call, _) in CALLS {
        assert_eq!(given.get(call, &json!({})).await.expect_json(), json!({}));
    }
    given.finish().await;
}

#[tokio::test]
async fn pages_of_models_follow_each_other_and_a_token_goes_with_its_search() {
    let given = Given::empty().await;
    for name in ["b", "c", "a"] {
        given.model(name).await;
    }
    let asked = |token: &Value| json!({"max_results": 2, "order_by": "name DESC", "page_token": token});
    let first = given.get("registered-models/search", &asked(&json!(""))).await.expect_json();
    let second = given.get("registered-models/search", &asked(&first["next_page_token"])).await.expect_json();
    assert_eq!((names(&first), names(&second)), (vec!["c".to_owned(), "b".to_owned()], vec!["a".to_owned()]));
    assert_eq!(second.get("next_page_token"), None);
    for (call, _) in CALLS {
        let other = json!({"max_results": 2, "page_token": first["next_page_token"]});
        let refusal = refusal(&given.get(call, &other).await);
        assert!(refusal.starts_with("400 INVALID_PARAMETER_VALUE: Invalid page token"), "{call}: {refusal}");
    }
    given.finish().await;
}

#[tokio::test]
async fn an_order_of_several_keys_is_sent_as_several_parameters() {
    let given = Given::empty().await;
    for name in ["b", "a"] {
        given.model(name).await;
    }
    let query = "order_by=last_updated_timestamp+DESC&order_by=name+DESC";
    let url = given.url(&format!("api/2.0/mlflow/registered-models/search?{query}"));
    assert_eq!(names(&given.actor.get(&url).await.expect_json()), ["b", "a"]);
    given.finish().await;
}

#[tokio::test]
async fn prompts_are_models_only_to_who_asks_for_them() {
    let given = Given::new().await;
    let tags = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}]);
    given.post("registered-models/create", &json!({"name": "greeting", "tags": tags})).await.expect_json();
    let version = json!({"name": "greeting", "source": "prompt-template", "tags": tags});
    given.post("model-versions/create", &version).await.expect_json();
    for (call, list) in CALLS {
        for (filter, expected) in [("", "churn"), ("tags.`mlflow.prompt.is_prompt` = 'true'", "greeting")] {
            let found = given.get(call, &json!({"filter": filter})).await.expect_json();
            let found: Vec<String> =
                found[list].as_array().unwrap().iter().map(|one| text(&one["name"])).collect();
            assert_eq!(found, [expected], "{call} {filter}");
        }
    }
    let uri = json!({"name": "greeting", "version": "1"});
    let uri = given.get("model-versions/get-download-uri", &uri).await.expect_json();
    assert_eq!(uri["artifact_uri"], "prompt-template");
    given.finish().await;
}
