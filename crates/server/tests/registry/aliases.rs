use axum::http::Method;
use serde_json::json;

use crate::given::{Given, refusal, text};

#[tokio::test]
async fn an_alias_that_is_not_there_is_400_as_mlflow_has_it() {
    let given = Given::new().await;
    let answer = given.get("registered-models/alias", &json!({"name": "churn", "alias": "nobody"})).await;
    assert_eq!(refusal(&answer), "400 INVALID_PARAMETER_VALUE: Registered model alias nobody not found.");
    let answer = given.get("registered-models/alias", &json!({"name": "churn", "alias": "^7"})).await;
    assert!(
        refusal(&answer).starts_with("404 RESOURCE_DOES_NOT_EXIST: no version of model churn matches ^7")
    );
    given.finish().await;
}

#[tokio::test]
async fn what_selects_by_itself_is_no_alias() {
    let given = Given::new().await;
    for alias in
        ["1", "v1", "V12", "latest", "LATEST", "1.0.0", "v1.0.0", "^1", "~1.2", "*", "x.y", "a b", "ä/b"]
    {
        let body = json!({"name": "churn", "alias": alias, "version": "1"});
        let refusal = refusal(&given.post("registered-models/alias", &body).await);
        assert!(refusal.starts_with("400 INVALID_PARAMETER_VALUE: "), "{alias}: {refusal}");
    }
    for alias in ["champion", "Ünïcode", "a-b_c", "v", "v1a", "production"] {
        let body = json!({"name": "churn", "alias": alias, "version": "1.0.0"});
        given.post("registered-models/alias", &body).await.expect_json();
        let query = json!({"name": "churn", "alias": alias});
        let found = given.get("registered-models/alias", &query).await.expect_json();
        assert_eq!(text(&found["model_version"]["version"]), "1", "{alias}");
    }
    given.finish().await;
}

#[tokio::test]
async fn aliases_are_told_of_one_and_not_of_many() {
    let given = Given::new().await;
    for alias in ["b", "a"] {
        let body = json!({"name": "churn", "alias": alias, "version": "1"});
        given.post("registered-models/alias", &body).await.expect_json();
    }
    assert_eq!(given.read("1").await["aliases"], json!(["a", "b"]));
    let model = given.get("registered-models/get", &json!({"name": "churn"})).await.expect_json();
    let aliases = json!([{"alias": "a", "version": "1"}, {"alias": "b", "version": "1"}]);
    assert_eq!(model["registered_model"]["aliases"], aliases);
    for (call, list) in
        [("registered-models/search", "registered_models"), ("model-versions/search", "model_versions")]
    {
        let found = given.get(call, &json!({})).await.expect_json();
        assert_eq!(found[list][0].get("aliases"), None, "{call}");
    }
    given
        .call(&Method::DELETE, "model-versions/delete", &json!({"name": "churn", "version": "1"}))
        .await
        .expect_json();
    let model = given.get("registered-models/get", &json!({"name": "churn"})).await.expect_json();
    assert_eq!(model["registered_model"].get("aliases"), None);
    given.finish().await;
}
