//! Aliases on the page of a model: protected, and taken back.

use axum::http::StatusCode;
use modelry_core::policy::Role;
use serde_json::json;

use crate::given::{MODELS, browser, create, page, register};
use crate::site::{Browser, Site};

/// A model with two versions; `champion` pointed at the first and points at the second.
async fn moved_alias() -> Site {
    let site = Site::new().await;
    create(&site, "churn").await;
    for number in ["1", "2"] {
        register(&site, "churn", &[("a", b"1")]).await;
        set(&site, number).await;
    }
    site
}

/// Points `champion` at a version by the API.
async fn set(site: &Site, number: &str) {
    let alias = format!("/api/v4/projects/{}/models/churn/aliases/champion", site.project);
    site.ann.put(&alias, &json!({"version": number})).await.expect_json();
}

async fn member(site: &Site, role: Role) -> Browser {
    let member = site.server.user(&role.to_string()).await;
    site.server.member(site.project, &member, role).await;
    Browser::by_link(&site.server, &member).await
}

async fn protect(browser: &Browser, protected: bool) -> StatusCode {
    let form = format!("alias=champion&protected={protected}");
    browser.post(&model(), &format!("{MODELS}/1/aliases/protect"), &form).await.status
}

fn model() -> String {
    format!("{MODELS}/1")
}

/// The fields of the form that takes the alias back to the first version.
fn roll_back_form(html: &str) -> String {
    let (_, rest) = html.split_once(r#"name="back_to" value=""#).expect("there is a way back");
    let (id, _) = rest.split_once('"').expect("the value ends");
    format!("alias=champion&back_to={id}&reason=it+was+better")
}

#[tokio::test]
async fn an_alias_is_taken_back_to_where_it_pointed_and_the_reason_is_kept() {
    let site = moved_alias().await;
    let ann = browser(&site).await;
    let html = ann.get(&model()).await.text();
    assert_eq!(html.matches(r#"name="back_to""#).count(), 1, "where it points now is no way back: {html}");
    let done = ann.post(&model(), &format!("{MODELS}/1/aliases/roll_back"), &roll_back_form(&html)).await;
    assert_eq!(done.header("location"), model());
    let html = page(&site, "/1").await;
    assert!(html.contains("1.0.1 (#2) → 1.0.0 (#1)") && html.contains("it was better"), "{html}");
}

#[tokio::test]
async fn a_way_back_to_a_deleted_version_says_so() {
    let site = moved_alias().await;
    let ann = browser(&site).await;
    let form = roll_back_form(&ann.get(&model()).await.text());
    let delete = format!("{MODELS}/1/versions/1/delete");
    ann.post(&delete, &delete, "").await;
    let refused = ann.post(&model(), &format!("{MODELS}/1/aliases/roll_back"), &form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("or its version is deleted"), "{}", refused.text());
}

#[tokio::test]
async fn maintainers_protect_an_alias_and_end_that() {
    let site = moved_alias().await;
    let maintainer = member(&site, Role::Maintainer).await;
    assert_eq!(protect(&maintainer, true).await, StatusCode::SEE_OTHER);
    assert!(page(&site, "/1").await.contains(">Protected</span>"));
    assert_eq!(protect(&maintainer, false).await, StatusCode::SEE_OTHER);
    assert!(!page(&site, "/1").await.contains(">Protected</span>"));
}

#[tokio::test]
async fn who_may_not_protect_aliases_is_not_offered_it() {
    let site = moved_alias().await;
    let developer = member(&site, Role::Developer).await;
    assert!(!developer.get(&model()).await.text().contains("/aliases/protect"));
    let edit = format!("{MODELS}/1/edit");
    let form = "alias=champion&protected=true";
    let refused = developer.post(&edit, &format!("{MODELS}/1/aliases/protect"), form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn who_may_not_move_a_protected_alias_is_offered_no_way_back() {
    let site = moved_alias().await;
    let developer = member(&site, Role::Developer).await;
    let form = roll_back_form(&developer.get(&model()).await.text());
    protect(&browser(&site).await, true).await;
    assert!(!developer.get(&model()).await.text().contains("back_to"));
    let edit = format!("{MODELS}/1/edit");
    let refused = developer.post(&edit, &format!("{MODELS}/1/aliases/roll_back"), &form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("only maintainers may move it"), "{}", refused.text());
}

#[tokio::test]
async fn an_alias_that_is_none_is_not_protected() {
    let site = moved_alias().await;
    let path = format!("{MODELS}/1/aliases/protect");
    let refused = browser(&site).await.post(&model(), &path, "alias=other&protected=true").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("Model churn has no alias other."), "{}", refused.text());
}
