//! The package registry's page.

use axum::http::StatusCode;
use modelry_core::policy::Role;

use crate::given::{MODELS, create, register};
use crate::site::Site;

/// The page at this query.
async fn list(site: &Site, query: &str) -> String {
    let answer = site.page(&format!("/-/packages{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
    answer.text()
}

/// A version of `churn` made from candidate 1, which is in no model's experiment.
async fn two_packages(site: &Site) {
    create(site, "churn").await;
    register(site, "churn", &[("a", b"12345"), ("b/c", b"1")]).await;
}

#[tokio::test]
async fn packages_of_versions_and_candidates_lead_to_their_files() {
    let site = Site::new().await;
    two_packages(&site).await;
    let html = list(&site, "").await;
    let version = format!(r#"<a href="{MODELS}/1/versions/1/artifacts">churn<"#);
    let candidate = r#"<a href="/ann/churn/-/ml/candidates/1/artifacts">ml_experiment_0<"#;
    assert!(html.contains(&version) && html.contains(candidate), "{html}");
    assert!(html.contains("<td>1.0.0</td>") && html.contains("<td>candidate_1</td>"));
    assert_eq!(html.matches(r#"<td class="number">6 B</td>"#).count(), 2, "{html}");
}

#[tokio::test]
async fn the_package_registry_is_in_the_sidebar() {
    let site = Site::new().await;
    assert!(site.page("").await.text().contains(r#"<a href="/ann/churn/-/packages">"#));
    assert!(list(&site, "").await.contains(r#"<a href="/ann/churn/-/packages" aria-current="page">"#));
}

#[tokio::test]
async fn packages_are_narrowed_down_by_type_and_name() {
    let site = Site::new().await;
    two_packages(&site).await;
    for (query, version, candidate) in [
        ("?type=version", true, false),
        ("?type=candidate", false, true),
        ("?search=CHUR", true, false),
        ("?type=candidate&search=churn", false, false),
    ] {
        let html = list(&site, query).await;
        assert_eq!(html.contains("<td>1.0.0</td>"), version, "{query}");
        assert_eq!(html.contains("<td>candidate_1</td>"), candidate, "{query}");
    }
    assert!(list(&site, "?search=nothing").await.contains("No package matches"));
}

#[tokio::test]
async fn a_long_list_of_packages_goes_on_by_a_link() {
    let site = Site::new().await;
    create(&site, "churn").await;
    for _ in 0..31 {
        register(&site, "churn", &[]).await;
    }
    let first = list(&site, "?type=version&search=churn").await;
    assert!(first.contains("<td>1.0.30</td>") && !first.contains("<td>1.0.0</td>"));
    let (_, next) =
        first.split_once("?type=version&#38;search=churn&#38;after=").expect("there is a next page");
    let (after, _) = next.split_once('"').expect("the address ends");
    let last = list(&site, &format!("?type=version&search=churn&after={after}")).await;
    assert!(last.contains("<td>1.0.0</td>") && last.contains("First page") && !last.contains("Next page"));
}

#[tokio::test]
async fn a_type_that_is_none_is_refused() {
    let site = Site::new().await;
    let answer = site.page("/-/packages?type=npm").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("is `version` or `candidate`, not `npm`"), "{}", answer.text());
}

#[tokio::test]
async fn a_project_without_packages_shows_how_to_upload_to_this_server() {
    let site = Site::new().await;
    let html = list(&site, "").await;
    let curl = format!("http://modelry.test/api/v4/projects/{}/packages/ml_models/", site.project);
    assert!(html.contains(&curl) && html.contains("--upload-file"), "{html}");
    assert!(html.contains("modelry login http://modelry.test/ann/churn"));
    assert!(html.contains(&format!(r#"<a href="{MODELS}/new">create a model</a>"#)));
}

#[tokio::test]
async fn a_guest_reads_packages_and_is_not_told_to_make_models() {
    let site = Site::new().await;
    let guest = site.server.user("guest").await;
    site.server.member(site.project, &guest, Role::Guest).await;
    let html = guest.get("/ann/churn/-/packages").await;
    assert_eq!(html.status, StatusCode::OK);
    assert!(!html.text().contains("/-/ml/models/new"));
}
