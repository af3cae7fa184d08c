//! How errors become HTTP answers: the only file that maps kinds to status codes.
//!
//! An internal error is logged here, once, with its causes; its text never reaches a client.

use std::error::Error as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use modelry_core::{Error, Kind};
use serde::Serialize;

/// What a client reads instead of the text of an internal error.
const INTERNAL: &str = "internal error; the server's log says more";

/// The status of a kind in the native API and on pages.
pub fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Exists | Kind::Conflict => StatusCode::CONFLICT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Kind::NotOffered => StatusCode::NOT_IMPLEMENTED,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The status and `error_code` of a kind on MLflow's wire, where what exists already is 400.
fn mlflow_code(kind: Kind) -> (StatusCode, &'static str) {
    match kind {
        Kind::Invalid => (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE"),
        Kind::Unauthenticated => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
        Kind::Forbidden => (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
        Kind::NotFound => (StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST"),
        Kind::Exists => (StatusCode::BAD_REQUEST, "RESOURCE_ALREADY_EXISTS"),
        Kind::Conflict => (StatusCode::CONFLICT, "RESOURCE_CONFLICT"),
        Kind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "INVALID_PARAMETER_VALUE"),
        Kind::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "REQUEST_LIMIT_EXCEEDED"),
        Kind::NotOffered => (StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED"),
        Kind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE"),
        Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR"),
    }
}

/// The stable `type` slug of a kind in the native API.
fn slug(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid => "invalid",
        Kind::Unauthenticated => "unauthenticated",
        Kind::Forbidden => "forbidden",
        Kind::NotFound => "not-found",
        Kind::Exists => "already-exists",
        Kind::Conflict => "conflict",
        Kind::TooLarge => "too-large",
        Kind::RateLimited => "rate-limited",
        Kind::NotOffered => "not-offered",
        Kind::Unavailable => "unavailable",
        Kind::Internal => "internal",
    }
}

/// What the client may read of an error; an internal one is logged on the way.
pub fn public_message(error: &Error) -> String {
    if error.kind() != Kind::Internal {
        return error.message().to_owned();
    }
    let mut causes = String::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        causes.push_str(": ");
        causes.push_str(&inner.to_string());
        cause = inner.source();
    }
    tracing::error!(error = %error, causes, "internal error");
    INTERNAL.to_owned()
}

/// Headers that go with an error, whatever the protocol.
pub fn add_headers(kind: Kind, response: &mut Response) {
    let headers = response.headers_mut();
    match kind {
        Kind::Unauthenticated => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"modelry\""));
        }
        Kind::Unavailable => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        Kind::RateLimited => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
        }
        _ => {}
    }
}

/// An error in the form of the native API: RFC 9457 problem details.
#[derive(Debug)]
pub struct Problem(pub Error);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// The body of a [`Problem`].
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// What kind of problem it is; this never changes.
    r#type: &'static str,
    /// The phrase of the status.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What went wrong, for people.
    detail: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = self.0.kind();
        let status = status(kind);
        let body = ProblemBody {
            r#type: slug(kind),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: public_message(&self.0),
        };
        let mut response = json_response(status, "application/problem+json", &body);
        add_headers(kind, &mut response);
        response
    }
}

/// An error in MLflow's form.
#[derive(Debug)]
pub struct MlflowFailure(pub Error);

impl From<Error> for MlflowFailure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

#[derive(Serialize)]
struct MlflowBody<'a> {
    error_code: &'a str,
    message: String,
}

impl IntoResponse for MlflowFailure {
    fn into_response(self) -> Response {
        let kind = self.0.kind();
        let (status, error_code) = mlflow_code(kind);
        let body = MlflowBody { error_code, message: public_message(&self.0) };
        let mut response = json_response(status, "application/json", &body);
        add_headers(kind, &mut response);
        response
    }
}

/// The answer to a route of the protocol that this server does not have: clients fall back on this code.
pub fn mlflow_endpoint_not_found(path: &str) -> Response {
    let message = format!("{path} is not offered by this server");
    let body = MlflowBody { error_code: "ENDPOINT_NOT_FOUND", message };
    json_response(StatusCode::NOT_FOUND, "application/json", &body)
}

/// The answer to a method that a route of the protocol does not have.
pub fn mlflow_method_not_allowed(path: &str) -> Response {
    let message = format!("{path} does not answer this method");
    let body = MlflowBody { error_code: "ENDPOINT_NOT_FOUND", message };
    json_response(StatusCode::METHOD_NOT_ALLOWED, "application/json", &body)
}

fn json_response(status: StatusCode, content_type: &'static str, body: &impl Serialize) -> Response {
    let text = serde_json::to_vec(body).expect("an error body is plain JSON");
    (status, [(header::CONTENT_TYPE, content_type)], text).into_response()
}
