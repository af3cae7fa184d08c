//! What handlers answer: pages, or failures that are shown as pages; and the headers that every answer carries.

use askama::Template;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use modelry_core::{Error, Kind};
use modelry_server::App;
use modelry_server::access;
use modelry_server::error::{Problem, add_headers, public_message, status};

use crate::links;
use crate::shell::Shell;
use crate::views::failure::{FailurePage, Way};
use crate::visit::{Here, theme};

/// Only our own files, and nothing inline: what a client logs can never become script or style.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What a handler of a page returns.
pub(crate) type Answer<T> = Result<T, Failure>;

/// A page as an answer.
pub(crate) struct Page<T>(pub(crate) T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => Html(html).into_response(),
            Err(error) => {
                Failure(Error::internal("a page could not be printed").with_source(error)).into_response()
            }
        }
    }
}

/// An error on its way to [`surround`], which alone knows what the page around it looks like.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// What [`surround`] finds in the response of a [`Failure`].
#[derive(Clone)]
struct Failed {
    kind: Kind,
    message: String,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let kind = self.0.kind();
        let mut response = status(kind).into_response();
        add_headers(kind, &mut response);
        response.extensions_mut().insert(Failed { kind, message: public_message(&self.0) });
        response
    }
}

/// Another extractor, whose refusal is shown as a page.
pub(crate) struct Shown<E>(pub(crate) E);

impl<E: FromRequestParts<App, Rejection = Problem>> FromRequestParts<App> for Shown<E> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        E::from_request_parts(parts, app).await.map(Self).map_err(|Problem(error)| Failure(error))
    }
}

/// Tells an error that a guard found.
pub(crate) fn render(_: &App, _: &HeaderMap, error: Error) -> Response {
    Failure(error).into_response()
}

/// The answer to an address that is no page.
pub(crate) fn no_such_page() -> Failure {
    Failure(Error::not_found("there is nothing at this address"))
}

/// Around every page: remembers where the reader is, shows failures as pages, asks who is not signed in to do so, and
/// sets the headers.
pub(crate) async fn surround(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let here = Here::of(request.uri());
    let headers = request.headers().clone();
    let is_get = request.method() == Method::GET;
    request.extensions_mut().insert(here.clone());
    let response = next.run(request).await;
    let mut response = match response.extensions().get::<Failed>().cloned() {
        None => response,
        Some(failed) => {
            let caller = access::identify(&app, &headers).await.unwrap_or_default();
            if failed.kind == Kind::Unauthenticated && is_get && caller.user().is_none() {
                Redirect::to(&sign_in(&here.0)).into_response()
            } else {
                let page = failure_page(&headers, &here, &failed, caller.user().is_some());
                (response.status(), Page(page)).into_response()
            }
        }
    };
    set_headers(response.headers_mut());
    response
}

/// The sign-in page that leads back to `here`.
fn sign_in(here: &str) -> String {
    links::with_query("/users/sign_in", [("back", here)])
}

fn failure_page(headers: &HeaderMap, here: &Here, failed: &Failed, is_signed_in: bool) -> FailurePage {
    let way = |label: &str, href: String| Way { label: label.to_owned(), href };
    let mut ways = Vec::new();
    if !is_signed_in {
        ways.push(way("Sign in", sign_in(&here.0)));
    }
    if failed.kind != Kind::NotFound
        && let Some((project, _)) = here.0.split_once("/-/")
        && !project.is_empty()
    {
        ways.push(way("Back to the project", project.to_owned()));
    }
    ways.push(way("All projects", "/".to_owned()));
    let title = title(failed.kind);
    let shell = Shell {
        title: title.to_owned(),
        theme: theme(headers),
        user: None,
        project: None,
        crumbs: Vec::new(),
        notice: None,
        here: here.0.clone(),
    };
    FailurePage {
        shell,
        code: status(failed.kind).as_u16(),
        title: title.to_owned(),
        explanation: explanation(failed),
        ways,
    }
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid => "This cannot be done",
        Kind::Unauthenticated => "Sign in to see this",
        Kind::Forbidden => "You may not do this",
        Kind::NotFound => "Page not found",
        Kind::Exists | Kind::Conflict => "This is in the way",
        Kind::TooLarge => "This is too large",
        Kind::RateLimited => "Too many attempts",
        Kind::NotOffered => "Not offered here",
        Kind::Unavailable => "Not available now",
        Kind::Internal => "Something broke on our side",
    }
}

fn explanation(failed: &Failed) -> String {
    match failed.kind {
        Kind::NotFound => "It does not exist, or you may not see it.".to_owned(),
        _ => sentence(&failed.message),
    }
}

/// A message as a sentence: with a capital and a full stop.
pub(crate) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let Some(first) = chars.next() else { return String::new() };
    let capital: String = first.to_uppercase().chain(chars).collect();
    if capital.ends_with(['.', '!', '?']) { capital } else { format!("{capital}.") }
}

fn set_headers(headers: &mut HeaderMap) {
    let defaults: [(HeaderName, &'static str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        // Pages show what only their reader may see: after signing out, the way back must not lead to them.
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_sentence() {
        assert_eq!(sentence("a project `a/b` exists already"), "A project `a/b` exists already.");
        assert_eq!(sentence("Done."), "Done.");
        assert_eq!(sentence(""), "");
    }
}
