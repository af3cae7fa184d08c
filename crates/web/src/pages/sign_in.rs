//! Signing in and out.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::{Error, Kind};
use modelry_server::App;
use modelry_server::access::{Credential, SESSION_COOKIE};
use modelry_server::accounts::sign_in::{self, SESSION_MS, Started};
use modelry_server::error::{add_headers, status};
use modelry_server::extract::{Path, Query};
use serde::Deserialize;

use crate::answer::{Answer, Page, Shown, sentence};
use crate::form::Form;
use crate::links::{safe_back, segment};
use crate::views::sign_in::{SignInLinkPage, SignInPage};
use crate::visit::Visit;

/// Where to go after signing in.
#[derive(Deserialize)]
pub(crate) struct BackQuery {
    #[serde(default)]
    back: String,
}

/// What the sign-in form sends.
#[derive(Deserialize)]
pub(crate) struct SignInForm {
    username: String,
    password: String,
    back: String,
}

/// What a form sends that has nothing but a button.
#[derive(Deserialize)]
pub(crate) struct ButtonForm {}

/// The sign-in form; whoever is signed in goes on.
pub(crate) async fn show_sign_in(visit: Visit, Shown(Query(query)): Shown<Query<BackQuery>>) -> Response {
    let back = safe_back(&query.back).to_owned();
    if visit.is_signed_in() {
        return Redirect::to(&back).into_response();
    }
    let shell = visit.shell("Sign in");
    Page(SignInPage { shell, username: String::new(), problem: None, back }).into_response()
}

/// Signs in by password, or shows the form again.
pub(crate) async fn sign_in(
    State(app): State<App>,
    visit: Visit,
    connection: Option<Extension<ConnectInfo<SocketAddr>>>,
    Form(form): Form<SignInForm>,
) -> Answer<Response> {
    let address = connection.map(|Extension(ConnectInfo(address))| address.ip());
    let back = safe_back(&form.back).to_owned();
    match sign_in::by_password(&app, &form.username, &form.password, address).await {
        Ok(started) => Ok(go_on(&visit, &started, &back)),
        Err(error) => refuse(&visit, form.username, error, back),
    }
}

/// Asks before the link is used up.
pub(crate) async fn show_link(
    visit: Visit,
    Shown(Path(secret)): Shown<Path<String>>,
) -> Page<SignInLinkPage> {
    let action = format!("/users/sign_in/link/{}", segment(&secret));
    Page(SignInLinkPage { shell: visit.shell("Sign in with a link"), action })
}

/// Signs in by a link, or shows the form for a password.
pub(crate) async fn follow_link(
    State(app): State<App>,
    visit: Visit,
    Shown(Path(secret)): Shown<Path<String>>,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Response> {
    match sign_in::by_link(&app, &secret).await {
        Ok(started) => Ok(go_on(&visit, &started, "/")),
        Err(error) => refuse(&visit, String::new(), error, "/".to_owned()),
    }
}

/// Ends the session.
pub(crate) async fn sign_out(
    State(app): State<App>,
    headers: HeaderMap,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Response> {
    if let Credential::Session(secret) = Credential::from_headers(&headers)? {
        sign_in::out(&app, &secret).await?;
    }
    let cookie = format!("{SESSION_COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    Ok(with_cookie(Redirect::to("/users/sign_in").into_response(), &cookie))
}

fn go_on(visit: &Visit, started: &Started, back: &str) -> Response {
    let max_age_secs = SESSION_MS / 1_000;
    let secure = if visit.base_url.starts_with("https:") { "; Secure" } else { "" };
    let cookie = format!(
        "{SESSION_COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_secs}{secure}",
        started.secret
    );
    with_cookie(Redirect::to(back).into_response(), &cookie)
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    let value = HeaderValue::from_str(cookie).expect("secrets are safe in headers");
    response.headers_mut().insert(SET_COOKIE, value);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refuse(visit: &Visit, username: String, error: Error, back: String) -> Answer<Response> {
    let kind = error.kind();
    if !matches!(kind, Kind::Unauthenticated | Kind::RateLimited) {
        return Err(error.into());
    }
    let problem = Some(sentence(error.message()));
    let page = SignInPage { shell: visit.shell("Sign in"), username, problem, back };
    let mut response = (status(kind), Page(page)).into_response();
    add_headers(kind, &mut response);
    Ok(response)
}
