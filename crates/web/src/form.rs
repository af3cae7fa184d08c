//! Reading forms, and only those that our own pages sent.

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use modelry_core::{Error, Kind, Result};
use modelry_server::App;
use modelry_server::access::{Caller, check_csrf};
use modelry_server::extract::read_body;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::answer::Failure;

/// A form that a page of the caller's own session sent.
///
/// Refused as `Forbidden` without the session's secret, and from a page of another site even where nobody is signed
/// in: else a foreign page could sign its visitors in as somebody of its choice.
pub(crate) struct Form<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Self::Rejection> {
        refuse_other_sites(request.headers())?;
        require_form(request.headers())?;
        let caller = request.extensions().get::<Caller>().cloned().unwrap_or_default();
        let body = read_body(request, app).await?;
        let secret: Secret = read(&body)?;
        check_csrf(&caller, secret.csrf.as_deref())?;
        Ok(Self(read(&body)?))
    }
}

#[derive(Deserialize)]
struct Secret {
    csrf: Option<String>,
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_html_form::from_bytes(body)
        .map_err(|error| Error::invalid(format!("the form does not fit: {error}")))
}

fn refuse_other_sites(headers: &HeaderMap) -> Result<()> {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    match site {
        Some("cross-site") => {
            Err(Error::new(Kind::Forbidden, "this form was sent by a page of another site"))
        }
        _ => Ok(()),
    }
}

fn require_form(headers: &HeaderMap) -> Result<()> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(());
    }
    Err(Error::invalid("a form of the type application/x-www-form-urlencoded is expected"))
}
