//! Signing in, and what forms do.

use axum::http::StatusCode;
use axum::http::header::{LOCATION, SET_COOKIE};
use modelry_core::policy::Role;
use modelry_server::accounts::sign_in;

use crate::site::{Browser, Site, post_form, server};

const PASSWORD: &str = "correct-horse-battery";
const TOKENS: &str = "/-/user_settings/personal_access_tokens";

#[tokio::test]
async fn a_password_signs_in_and_leads_back() {
    let server = server().await;
    Browser::of_new_user(&server, "ann", PASSWORD).await;
    let form = format!("username=ann&password={PASSWORD}&back=%2Fann%2Fchurn%3Fx%3D1");
    let answer = post_form(&server.anonymous(), "/users/sign_in", "", &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header(LOCATION.as_str()), "/ann/churn?x=1");
    let cookie = answer.header(SET_COOKIE.as_str());
    assert!(cookie.contains("; HttpOnly; SameSite=Lax;"), "{cookie}");
}

#[tokio::test]
async fn signing_in_never_leads_to_another_site() {
    let server = server().await;
    Browser::of_new_user(&server, "ann", PASSWORD).await;
    let form = format!("username=ann&password={PASSWORD}&back=%2F%2Fevil.example");
    let answer = post_form(&server.anonymous(), "/users/sign_in", "", &form).await;
    assert_eq!(answer.header(LOCATION.as_str()), "/");
}

#[tokio::test]
async fn a_wrong_password_shows_the_form_again_with_the_name() {
    let server = server().await;
    let answer =
        post_form(&server.anonymous(), "/users/sign_in", "", "username=%3Cann&password=wrong&back=/").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.text().contains(r#"role="alert""#));
    assert!(answer.text().contains(r#"value="&#60;ann""#));
}

#[tokio::test]
async fn opening_a_link_does_not_use_it_up_and_following_it_does() {
    let server = server().await;
    let ann = server.user("ann").await;
    let secret = sign_in::new_link(server.app(), ann.user()).await.unwrap();
    let path = format!("/users/sign_in/link/{secret}");
    for _ in 0..2 {
        assert_eq!(server.anonymous().get(&path).await.status, StatusCode::OK);
    }
    let first = post_form(&server.anonymous(), &path, "", "").await;
    assert_eq!(first.status, StatusCode::SEE_OTHER);
    let second = post_form(&server.anonymous(), &path, "", "").await;
    assert_eq!(second.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_sign_in_form_of_another_site_is_refused() {
    let server = server().await;
    let request = server.anonymous();
    let request = request
        .request(axum::http::Method::POST, "/users/sign_in")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site");
    let answer = server.anonymous().send(request, "username=a&password=b&back=/").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let site = Site::new().await;
    let browser = Browser::by_link(&site.server, &site.ann).await;
    assert_eq!(browser.get("/ann/churn").await.status, StatusCode::OK);
    let out = browser.post("/", "/users/sign_out", "").await;
    assert_eq!(out.header(LOCATION.as_str()), "/users/sign_in");
    assert_eq!(browser.get("/ann/churn").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_form_without_the_sessions_secret_changes_nothing() {
    let site = Site::new().await;
    let browser = Browser::by_link(&site.server, &site.ann).await;
    for form in [
        "name=evil&path=evil&description=&visibility=public",
        "csrf=wrong&name=evil&path=evil&description=&visibility=public",
    ] {
        let answer = browser.post_without_secret("/projects", form).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{form}");
    }
    assert_eq!(browser.get("/ann/evil").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_project_is_made_by_form_and_a_taken_address_is_said() {
    let site = Site::new().await;
    let browser = Browser::by_link(&site.server, &site.ann).await;
    let made = browser
        .post("/projects/new", "/projects", "name=Demand&path=demand&description=&visibility=public")
        .await;
    assert_eq!(made.header(LOCATION.as_str()), "/ann/demand");
    let again = browser
        .post("/projects/new", "/projects", "name=Demand+2&path=demand&description=&visibility=public")
        .await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.text().contains(r#"value="Demand 2""#));
    assert!(again.text().contains(r#"value="public" checked"#));
}

#[tokio::test]
async fn settings_are_changed_by_form() {
    let site = Site::new().await;
    let browser = Browser::by_link(&site.server, &site.ann).await;
    let form = "name=Leavers&description=Who+leaves&visibility=internal";
    let saved = browser.post("/ann/churn/edit", "/ann/churn/edit", form).await;
    assert!(saved.text().contains("The settings are saved."));
    let page = browser.get("/ann/churn").await.text();
    assert!(
        page.contains("<h1>Leavers</h1>") && page.contains("Who leaves") && page.contains("Internal"),
        "{page}"
    );
}

#[tokio::test]
async fn a_token_is_shown_once_with_the_lines_that_use_it() {
    let site = Site::new().await;
    let browser = Browser::by_link(&site.server, &site.ann).await;
    let made = browser.post(TOKENS, TOKENS, "name=laptop&scope=read_api&expires_at=2030-01-31").await.text();
    let secret = made.split(r#"<p class="secret"><code>"#).nth(1).and_then(|rest| rest.split('<').next());
    let secret = secret.expect("the secret is shown");
    let uri = format!("http://modelry.test/api/v4/projects/{}/ml/mlflow", site.project);
    assert!(made.contains(&format!(
        "export MLFLOW_TRACKING_URI={uri}\nexport MLFLOW_TRACKING_TOKEN=&#39;{secret}&#39;"
    )));

    let bearer = site.server.bearer(site.ann.user(), secret);
    assert_eq!(bearer.get("/ann/churn").await.status, StatusCode::OK);
    let later = browser.get(TOKENS).await.text();
    assert!(!later.contains(secret));
    assert!(later.contains("<td>2030-01-31</td>"), "the last day on which it works");
}

#[tokio::test]
async fn a_token_that_would_have_expired_is_refused() {
    let site = Site::new().await;
    let browser = Browser::by_link(&site.server, &site.ann).await;
    let answer = browser.post(TOKENS, TOKENS, "name=laptop&scope=api&expires_at=2001-01-01").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("cannot expire in the past"));
}

#[tokio::test]
async fn a_member_is_added_changed_and_removed() {
    let site = Site::new().await;
    let bob = site.server.user("bob").await;
    let browser = Browser::by_link(&site.server, &site.ann).await;
    let members = "/ann/churn/-/project_members";
    let of_bob = format!("{members}/{}", bob.user());

    browser.post(members, members, "username=bob&role=guest").await;
    assert_eq!(bob.get("/ann/churn").await.status, StatusCode::OK);
    assert_eq!(bob.get("/ann/churn/edit").await.status, StatusCode::FORBIDDEN);
    browser.post(members, &of_bob, "role=maintainer").await;
    assert_eq!(bob.get("/ann/churn/edit").await.status, StatusCode::OK);
    browser.post(members, &format!("{of_bob}/delete"), "").await;
    assert_eq!(bob.get("/ann/churn").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_member_that_does_not_exist_is_said_beside_the_form() {
    let site = Site::new().await;
    let browser = Browser::by_link(&site.server, &site.ann).await;
    let members = "/ann/churn/-/project_members";
    let answer = browser.post(members, members, "username=nobody&role=guest").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("There is no user `nobody`."));
    assert!(answer.text().contains(r#"value="nobody""#));
}

#[tokio::test]
async fn a_maintainer_gives_no_role_above_the_own() {
    let site = Site::new().await;
    let bob = site.server.user("bob").await;
    site.server.member(site.project, &bob, Role::Maintainer).await;
    site.server.user("carl").await;
    let browser = Browser::by_link(&site.server, &bob).await;
    let members = "/ann/churn/-/project_members";
    let answer = browser.post(members, members, "username=carl&role=owner").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_administrator_blocks_a_user() {
    let site = Site::new().await;
    let root = site.server.administrator("root").await;
    let browser = Browser::by_link(&site.server, &root).await;
    let made =
        browser.post("/admin/users", "/admin/users", &format!("username=eve&password={PASSWORD}")).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER);
    browser.post("/admin/users", &format!("/admin/users/{}/block", site.ann.user()), "").await;
    assert_eq!(site.ann.get("/ann/churn").await.status, StatusCode::SEE_OTHER, "ann has to sign in");
    assert!(browser.get("/admin/users").await.text().contains("Blocked"));
}

const PASSWORD_PAGE: &str = "/-/user_settings/password";

#[tokio::test]
async fn a_new_password_takes_the_place_of_the_one_that_was_proved() {
    let server = server().await;
    let ann = Browser::of_new_user(&server, "ann", PASSWORD).await;
    let wrong = ann.post(PASSWORD_PAGE, PASSWORD_PAGE, "current=not-it-at-all&new=another-password").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = format!("current={PASSWORD}&new=another-password");
    assert_eq!(ann.post(PASSWORD_PAGE, PASSWORD_PAGE, &form).await.status, StatusCode::OK);
    assert_eq!(ann.get(PASSWORD_PAGE).await.status, StatusCode::OK, "the browser that asked stays signed in");
    let sign_in = |password: &str| format!("username=ann&password={password}&back=/");
    let old = post_form(&server.anonymous(), "/users/sign_in", "", &sign_in(PASSWORD)).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
    let new = post_form(&server.anonymous(), "/users/sign_in", "", &sign_in("another-password")).await;
    assert_eq!(new.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_token_does_not_set_a_password() {
    let server = server().await;
    let ann = server.user("ann").await;
    let answer = post_form(&ann, PASSWORD_PAGE, "", "new=another-password").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("in a browser"), "{}", answer.text());
}
