use insta::assert_json_snapshot;
use modelry_core::policy::{Role, Scope, Visibility};
use modelry_testkit::server::{Answer, TestServer};
use serde_json::json;

use crate::problem;

fn paths(answer: &Answer) -> Vec<String> {
    let listed = answer.expect_json();
    let listed = listed.as_array().expect("a list").clone();
    listed.iter().map(|project| project["path"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_project_is_made_in_ones_own_namespace() {
    let server = TestServer::sqlite().await;
    let ann = server.user("Ann").await;
    let body = json!({"name": "Churn Model", "description": "who leaves", "visibility": "internal"});
    let made = ann.post("/api/v4/projects", &body).await;
    assert_eq!(made.status, 201);
    assert_json_snapshot!(made.json(), @r#"
    {
      "created_at": 1700000000000,
      "creator_id": 1,
      "description": "who leaves",
      "id": 1,
      "mlflow_tracking_uri": "http://modelry.test/api/v4/projects/1/ml/mlflow",
      "name": "Churn Model",
      "path": "churn-model",
      "path_with_namespace": "Ann/churn-model",
      "refuses_wrong_steps": false,
      "updated_at": 1700000000000,
      "visibility": "internal",
      "web_url": "http://modelry.test/Ann/churn-model"
    }
    "#);
    server.finish().await;
}

#[tokio::test]
async fn a_project_is_private_unless_its_maker_says_otherwise() {
    let server = TestServer::sqlite().await;
    let made = server.user("ann").await.post("/api/v4/projects", &json!({"name": "Churn"})).await;
    assert_eq!(made.expect_json()["visibility"], "private");
    server.finish().await;
}

#[tokio::test]
async fn a_taken_path_is_a_conflict() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    ann.post("/api/v4/projects", &json!({"name": "Churn"})).await.expect_json();
    let again = ann.post("/api/v4/projects", &json!({"name": "Other", "path": "CHURN"})).await;
    assert_eq!(problem(&again), "409 already-exists");
    server.finish().await;
}

#[tokio::test]
async fn what_does_not_make_a_project_is_refused() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    for body in [
        json!({}),
        json!({"name": ""}),
        json!({"name": 7}),
        json!({"name": "???"}),
        json!({"name": "Churn", "path": "a/b"}),
        json!({"name": "Churn", "visibility": "secret"}),
        json!({"name": "Churn", "description": "x".repeat(2_001)}),
        json!({"name": "Churn", "colour": "red"}),
        json!([]),
    ] {
        assert_eq!(problem(&ann.post("/api/v4/projects", &body).await), "400 invalid", "{body}");
    }
    assert!(paths(&ann.get("/api/v4/projects").await).is_empty());
    server.finish().await;
}

#[tokio::test]
async fn a_project_is_found_by_number_and_by_encoded_path() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let id = server.project(&ann, "Churn", Visibility::Private).await;
    for path in [format!("/api/v4/projects/{id}"), "/api/v4/projects/ANN%2Fchurn".to_owned()] {
        assert_eq!(ann.get(&path).await.expect_json()["id"], id.0, "{path}");
    }
    server.finish().await;
}

#[tokio::test]
async fn a_hidden_project_answers_exactly_like_none() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let bob = server.user("bob").await;
    let id = server.project(&ann, "Churn", Visibility::Private).await;
    for actor in [&bob, &server.anonymous()] {
        let hidden = actor.get(&format!("/api/v4/projects/{id}")).await;
        let none = actor.get("/api/v4/projects/999").await;
        assert_eq!((hidden.status, hidden.text()), (none.status, none.text()));
        assert!(!hidden.status.is_success());
    }
    server.finish().await;
}

#[tokio::test]
async fn the_list_shows_what_one_may_see_and_goes_on_at_the_link() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let root = server.administrator("root2").await;
    for (name, visibility) in [
        ("one", Visibility::Public),
        ("two", Visibility::Private),
        ("three", Visibility::Internal),
        ("four", Visibility::Public),
    ] {
        server.project(&ann, name, visibility).await;
    }
    assert_eq!(paths(&server.anonymous().get("/api/v4/projects").await), ["four", "one"]);
    assert_eq!(paths(&server.user("bob").await.get("/api/v4/projects").await), ["four", "three", "one"]);
    let first = root.get("/api/v4/projects?per_page=3&search=o").await;
    assert_eq!(paths(&first), ["four", "two", "one"]);
    assert_eq!(first.header("link"), "");
    let first = root.get("/api/v4/projects?per_page=2&search=o").await;
    assert_eq!(paths(&first), ["four", "two"]);
    let next = "/api/v4/projects?per_page=2&search=o&after=2";
    assert_eq!(first.header("link"), format!("<http://modelry.test{next}>; rel=\"next\""));
    let last = root.get(next).await;
    assert_eq!((paths(&last), last.header("link")), (vec!["one".to_owned()], ""));
    server.finish().await;
}

#[tokio::test]
async fn a_page_has_1_to_100_projects() {
    let server = TestServer::sqlite().await;
    for per_page in ["0", "101", "-1", "many"] {
        let answer = server.anonymous().get(&format!("/api/v4/projects?per_page={per_page}")).await;
        assert_eq!(problem(&answer), "400 invalid", "{per_page}");
    }
    server.finish().await;
}

#[tokio::test]
async fn settings_change_what_they_name_and_who_sees_the_project_at_once() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let bob = server.user("bob").await;
    let path = format!("/api/v4/projects/{}", server.project(&ann, "Churn", Visibility::Internal).await);
    bob.get(&path).await.expect_json();
    let changed = ann.put(&path, &json!({"visibility": "private"})).await.expect_json();
    assert_eq!((&changed["visibility"], &changed["name"]), (&json!("private"), &json!("Churn")));
    assert_eq!(problem(&bob.get(&path).await), "404 not-found");
    server.finish().await;
}

#[tokio::test]
async fn an_update_that_says_nothing_or_something_else_is_refused() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let path = format!("/api/v4/projects/{}", server.project(&ann, "Churn", Visibility::Internal).await);
    for body in [json!({}), json!({"path": "other"}), json!({"name": " "})] {
        assert_eq!(problem(&ann.put(&path, &body).await), "400 invalid", "{body}");
    }
    server.finish().await;
}

#[tokio::test]
async fn settings_are_for_maintainers() {
    let server = TestServer::sqlite().await;
    let ann = server.user("ann").await;
    let bob = server.user("bob").await;
    let id = server.project(&ann, "Churn", Visibility::Private).await;
    let path = format!("/api/v4/projects/{id}");
    server.member(id, &bob, Role::Developer).await;
    assert_eq!(problem(&bob.put(&path, &json!({"name": "Bob's"})).await), "403 forbidden");
    server.member(id, &bob, Role::Maintainer).await;
    assert_eq!(bob.put(&path, &json!({"name": "Bob's"})).await.expect_json()["name"], "Bob's");
    let reader = server.token(bob.user(), Scope::ReadApi).await;
    assert_eq!(problem(&reader.put(&path, &json!({"name": "x"})).await), "403 forbidden");
    server.finish().await;
}
