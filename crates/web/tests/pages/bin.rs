//! Deleting models and versions, and the bin.

use axum::http::StatusCode;
use modelry_core::policy::Role;
use serde_json::json;

use crate::given::{MODELS, browser, create, page, register, register_alone};
use crate::site::{Browser, Site};

#[tokio::test]
async fn a_deleted_model_is_restored_from_the_bin() {
    let site = Site::new().await;
    create(&site, "churn").await;
    let browser = browser(&site).await;
    let delete = format!("{MODELS}/1/delete");
    browser.post(&delete, &delete, "").await;
    assert_eq!(site.page("/-/ml/models/1").await.status, StatusCode::NOT_FOUND);
    assert!(page(&site, "").await.contains("In the bin"));
    browser.post(&format!("{MODELS}/bin"), &format!("{MODELS}/1/restore"), "").await;
    assert!(page(&site, "/1").await.contains("<h1>churn</h1>"));
}

#[tokio::test]
async fn a_version_whose_bytes_its_candidate_has_too_frees_nothing() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register(&site, "churn", &[("a", b"12345")]).await;
    let html = page(&site, "/1/versions/1/delete").await;
    assert!(html.contains("Its files go with it: 1 file, 5 B."), "{html}");
    assert!(html.contains("goes to the bin for 7 days"), "{html}");
    assert!(html.contains("frees nothing: other versions or candidates have the same bytes."), "{html}");
}

#[tokio::test]
async fn a_version_and_its_model_free_the_bytes_that_only_they_have() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register_alone(&site, "churn", b"12345").await;
    for below in ["/1/versions/1/delete", "/1/delete"] {
        let html = page(&site, below).await;
        assert!(html.contains("removed for good, which frees 5 B."), "{below}: {html}");
    }
}

#[tokio::test]
async fn a_model_says_what_is_deleted_with_it() {
    let site = Site::new().await;
    create(&site, "churn").await;
    for _ in 0..2 {
        register(&site, "churn", &[("a", b"1")]).await;
    }
    site.call("runs/create", json!({"experiment_id": "1", "run_name": "r"})).await;
    let html = page(&site, "/1/delete").await;
    assert!(html.contains("Its 2 versions go with it."), "{html}");
    assert!(html.contains("The experiment that was made with it goes, too: 1 candidate."), "{html}");
}

#[tokio::test]
async fn a_protected_alias_keeps_its_version_and_its_model_from_reporters() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register(&site, "churn", &[("a", b"1")]).await;
    let alias = format!("/api/v4/projects/{}/models/churn/aliases/champion", site.project);
    site.ann.put(&alias, &json!({"version": "1", "protected": true})).await.expect_json();
    let rita = site.server.user("rita").await;
    site.server.member(site.project, &rita, Role::Reporter).await;
    let rita = Browser::by_link(&site.server, &rita).await;
    for delete in [format!("{MODELS}/1/versions/1/delete"), format!("{MODELS}/1/delete")] {
        let refused = rita.post(&delete, &delete, "").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("The alias champion is protected"), "{}", refused.text());
    }
}

#[tokio::test]
async fn a_deleted_version_is_restored_from_the_bin() {
    let site = Site::new().await;
    create(&site, "churn").await;
    register(&site, "churn", &[("a", b"12345")]).await;
    let browser = browser(&site).await;
    let one = format!("{MODELS}/1/versions/1");
    let delete = format!("{one}/delete");
    let gone = browser.post(&delete, &delete, "").await;
    assert_eq!(gone.header("location"), format!("{MODELS}/1?tab=versions"));
    assert_eq!(site.page("/-/ml/models/1/versions/1").await.status, StatusCode::NOT_FOUND);
    assert!(page(&site, "/1?tab=versions").await.contains("In the bin"));
    browser.post(&format!("{MODELS}/1/versions/bin"), &format!("{one}/restore"), "").await;
    assert!(page(&site, "/1/versions/1").await.contains("1.0.0"));
}

#[tokio::test]
async fn what_is_on_no_first_page_of_the_bin_is_found_by_a_link_and_restored() {
    let site = Site::new().await;
    let browser = browser(&site).await;
    for number in 1..=31 {
        create(&site, &format!("model-{number}")).await;
        let delete = format!("{MODELS}/{number}/delete");
        browser.post(&delete, &delete, "").await;
    }

    let first = page(&site, "/bin").await;
    assert!(first.contains("model-31") && !first.contains(">model-1<"), "{first}");
    let (_, rest) = first.split_once("/-/ml/models/bin?page_token=").expect("a link to the next page");
    let token = rest.split('"').next().expect("the link ends");
    let second = page(&site, &format!("/bin?page_token={token}")).await;
    assert!(second.contains(">model-1<") && !second.contains("model-31"), "{second}");
    browser.post(&format!("{MODELS}/bin"), &format!("{MODELS}/1/restore"), "").await;
    assert!(page(&site, "/1").await.contains("<h1>model-1</h1>"));
}

/// Registers a file that only its version has, and deletes the version, or its model.
async fn delete_alone(site: &Site, owner: &Browser, below: &str) {
    create(site, "churn").await;
    register_alone(site, "churn", b"12345").await;
    let delete = format!("{MODELS}{below}/delete");
    owner.post(&delete, &delete, "").await;
}

#[tokio::test]
async fn the_bin_says_how_long_things_stay_and_what_they_free() {
    for (below, bin) in [("/1/versions/1", "/1/versions/bin"), ("/1", "/bin")] {
        let site = Site::new().await;
        delete_alone(&site, &browser(&site).await, below).await;
        let html = page(&site, bin).await;
        assert!(html.contains(r#"<td class="number">7 days</td>"#), "{bin}: {html}");
        assert!(html.contains(r#"<td class="number">5 B</td>"#), "{bin}: {html}");
    }
}

#[tokio::test]
async fn what_is_removed_for_good_is_gone_and_its_bytes_are_told() {
    for (below, bin) in [("/1/versions/1", "/1/versions/bin"), ("/1", "/bin")] {
        let site = Site::new().await;
        let owner = browser(&site).await;
        delete_alone(&site, &owner, below).await;
        let bin = format!("{MODELS}{bin}");
        let purged = owner.post(&bin, &format!("{MODELS}{below}/purge"), "").await;
        assert!(purged.text().contains("is removed for good. This freed 5 B."), "{}", purged.text());
        assert!(purged.text().contains("Nothing is in the bin"), "{}", purged.text());
    }
}

#[tokio::test]
async fn what_is_not_in_the_bin_is_not_removed() {
    let site = Site::new().await;
    let owner = browser(&site).await;
    create(&site, "churn").await;
    register(&site, "churn", &[("a", b"1")]).await;
    for below in ["/1/versions/1", "/1"] {
        let edit = format!("{MODELS}/1/edit");
        let refused = owner.post(&edit, &format!("{MODELS}{below}/purge"), "").await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{below}");
        page(&site, below).await;
    }
}

#[tokio::test]
async fn only_maintainers_are_offered_to_remove_for_good_and_may() {
    let site = Site::new().await;
    delete_alone(&site, &browser(&site).await, "/1/versions/1").await;
    let bin = format!("{MODELS}/1/versions/bin");
    for (role, may) in [(Role::Maintainer, true), (Role::Developer, false), (Role::Reporter, false)] {
        let member = site.server.user(&role.to_string()).await;
        site.server.member(site.project, &member, role).await;
        let member = Browser::by_link(&site.server, &member).await;
        assert_eq!(member.get(&bin).await.text().contains("/purge"), may, "{role}");
        if !may {
            let refused = member.post(&bin, &format!("{MODELS}/1/versions/1/purge"), "").await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{role}");
        }
    }
}

#[tokio::test]
async fn a_model_whose_name_is_taken_stays_in_the_bin_and_says_so() {
    let site = Site::new().await;
    delete_alone(&site, &browser(&site).await, "/1").await;
    create(&site, "churn").await;
    let bin = format!("{MODELS}/bin");
    let refused = browser(&site).await.post(&bin, &format!("{MODELS}/1/restore"), "").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("has that name by now"), "{}", refused.text());
}

#[tokio::test]
async fn a_form_without_the_secret_removes_nothing() {
    let site = Site::new().await;
    let owner = browser(&site).await;
    delete_alone(&site, &owner, "/1").await;
    let refused = owner.post_without_secret(&format!("{MODELS}/1/purge"), "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(page(&site, "/bin").await.contains(r#"<th scope="row">churn</th>"#));
}
