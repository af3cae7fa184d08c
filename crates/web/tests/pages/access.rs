//! Who may open which page.

use axum::http::{Method, StatusCode};
use modelry_core::policy::{Role, Visibility};
use modelry_server::table::{Guard, Route};
use modelry_testkit::server::{Actor, Answer};

use crate::site::{Site, post_form, server};

/// The route's address for the project `ann/<path>`, with something in the place of each parameter.
fn fill(route: &Route, path: &str) -> String {
    let filled = route.path.replace("{project}", if is_api(route) { "1" } else { path });
    let segments = filled.split('/').map(|segment| if segment.starts_with('{') { "0" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

fn is_api(route: &Route) -> bool {
    route.path.starts_with("/api/")
}

/// Asks for a page, or sends an empty form.
async fn ask(actor: &Actor, route: &Route, path: &str) -> Answer {
    let address = fill(route, path);
    match route.method {
        Method::GET => actor.get(&address).await,
        _ => post_form(actor, &address, "", "").await,
    }
}

/// Whether the answer is a way to sign in, for a page or for a form.
fn asks_to_sign_in(answer: &Answer) -> bool {
    let leads_there = answer.header("location").starts_with("/users/sign_in?back=");
    (answer.status == StatusCode::SEE_OTHER && leads_there) || answer.status == StatusCode::UNAUTHORIZED
}

#[tokio::test]
async fn nobody_opens_a_page_of_a_private_project_without_signing_in() {
    let site = Site::new().await;
    let routes = modelry_web::router::routes(site.server.app());
    let guarded = routes.iter().filter(|route| !matches!(route.guard, Guard::Public | Guard::Anyone));
    for route in guarded {
        let answer = ask(&site.server.anonymous(), route, "ann/churn").await;
        assert!(asks_to_sign_in(&answer), "{} {}: {}", route.method, route.path, answer.status);
    }
}

#[tokio::test]
async fn a_private_project_and_none_at_all_look_the_same_to_a_stranger() {
    let site = Site::new().await;
    let stranger = site.server.user("stranger").await;
    let routes = modelry_web::router::routes(site.server.app());
    for route in routes.iter().filter(|route| route.guard.is_of_project() && !is_api(route)) {
        let hidden = ask(&stranger, route, "ann/churn").await;
        let missing = ask(&stranger, route, "ann/other").await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{} {}", route.method, route.path);
        assert_eq!(
            hidden.text().replace("churn", "other"),
            missing.text(),
            "{} {}",
            route.method,
            route.path
        );
    }
}

#[tokio::test]
async fn a_guest_reads_but_changes_nothing() {
    let site = Site::new().await;
    let guest = site.server.user("guest").await;
    site.server.member(site.project, &guest, Role::Guest).await;
    let mut refused = Vec::new();
    for route in modelry_web::router::routes(site.server.app()) {
        if route.guard.is_of_project()
            && ask(&guest, &route, "ann/churn").await.status == StatusCode::FORBIDDEN
        {
            refused.push(format!("{} {}", route.method, route.path));
        }
    }
    let expected = [
        "GET /{project}/edit",
        "POST /{project}/edit",
        "POST /{project}/-/project_members",
        "POST /{project}/-/project_members/{user}",
        "POST /{project}/-/project_members/{user}/delete",
        "POST /{project}/-/ml/models",
        "GET /{project}/-/ml/models/new",
        "GET /{project}/-/ml/models/{model}/edit",
        "POST /{project}/-/ml/models/{model}/edit",
        "GET /{project}/-/ml/models/{model}/delete",
        "POST /{project}/-/ml/models/{model}/delete",
        "GET /{project}/-/ml/models/bin",
        "POST /{project}/-/ml/models/{model}/restore",
        "POST /{project}/-/ml/models/{model}/purge",
        "POST /{project}/-/ml/models/{model}/aliases/protect",
        "POST /{project}/-/ml/models/{model}/aliases/roll_back",
        "GET /{project}/-/ml/models/{model}/versions/new",
        "POST /{project}/-/ml/models/{model}/versions",
        "GET /{project}/-/ml/models/{model}/versions/{version}/edit",
        "POST /{project}/-/ml/models/{model}/versions/{version}/edit",
        "POST /{project}/-/ml/models/{model}/versions/{version}/publish",
        "POST /{project}/-/ml/models/{model}/versions/{version}/alias",
        "POST /{project}/-/ml/models/{model}/versions/{version}/alias/delete",
        "POST /{project}/-/ml/models/{model}/versions/{version}/stage",
        "POST /{project}/-/ml/models/{model}/versions/{version}/advice",
        "GET /{project}/-/ml/models/{model}/versions/{version}/delete",
        "POST /{project}/-/ml/models/{model}/versions/{version}/delete",
        "GET /{project}/-/ml/models/{model}/versions/bin",
        "POST /{project}/-/ml/models/{model}/versions/{version}/restore",
        "POST /{project}/-/ml/models/{model}/versions/{version}/purge",
        "GET /{project}/-/ml/candidates/{candidate}/promote",
        "POST /{project}/-/ml/candidates/{candidate}/promote",
    ];
    assert_eq!(refused, expected);
}

#[tokio::test]
async fn what_needs_no_sign_in_is_listed_here() {
    let site = Site::new().await;
    let routes = modelry_web::router::routes(site.server.app());
    let open = routes.iter().filter(|route| matches!(route.guard, Guard::Public | Guard::Anyone));
    let open: Vec<_> = open.map(|route| format!("{} {}", route.method, route.path)).collect();
    let expected = [
        "GET /",
        "GET /users/sign_in",
        "POST /users/sign_in",
        "GET /users/sign_in/link/{secret}",
        "POST /users/sign_in/link/{secret}",
        "GET /help/words",
    ];
    assert_eq!(open, expected);
}

#[tokio::test]
async fn only_administrators_open_the_page_of_users() {
    let server = server().await;
    let ann = server.user("ann").await;
    let root = server.administrator("root").await;
    assert_eq!(ann.get("/admin/users").await.status, StatusCode::FORBIDDEN);
    assert_eq!(root.get("/admin/users").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_public_project_is_read_without_signing_in() {
    let server = server().await;
    let ann = server.user("ann").await;
    server.project(&ann, "Open", Visibility::Public).await;
    let anonymous = server.anonymous();
    for path in ["/", "/ann/open", "/ann/open/-/ml/experiments", "/ann/open/-/ml/experiments/0"] {
        let answer = anonymous.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(!answer.text().contains("/-/project_members"), "{path} links to a page for members");
    }
}

#[tokio::test]
async fn a_page_that_is_not_there_has_a_way_out() {
    let site = Site::new().await;
    for path in [
        "/no/such/page",
        "/nothing",
        "/ann/churn/-/nothing",
        "/ann/churn/-/ml/candidates/99",
        "/ann/churn/-/ml/candidates/x",
    ] {
        let answer = site.ann.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.text().contains(r#"<a class="button primary" href="/">All projects</a>"#), "{path}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_strict_policy() {
    let site = Site::new().await;
    for path in ["/", "/users/sign_in", "/ann/churn", "/no/such/page", "/ann/churn/-/ml/experiments/0"] {
        let answer = site.ann.get(path).await;
        assert!(
            answer.header("content-security-policy").starts_with("default-src 'none'; script-src 'self';"),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn an_asset_is_kept_for_ever_and_needs_no_sign_in() {
    let server = server().await;
    let answer = server.anonymous().get(&modelry_web::assets::url("modelry.css")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(answer.header("content-type"), "text/css; charset=utf-8");
}

#[tokio::test]
async fn what_lies_below_api_is_answered_by_the_api() {
    let site = Site::new().await;
    let answer = site.ann.get("/api/v4/nothing").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(
        answer.header("content-type").starts_with("application/problem+json"),
        "{}",
        answer.header("content-type")
    );
}
