//! Uploads that are gone on with where they broke off.

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use axum::http::{HeaderMap, StatusCode};
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::digest::Sha256;
use modelry_core::{Error, Result};
use modelry_store::uploads::Upload;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::place::Address;
use crate::App;
use crate::access::{Granted, Undecided};
use crate::error::Problem;
use crate::extract::{Json, Path, base_url};
use crate::naming;
use crate::transfer::Incoming;
use crate::uploads::{self, Announcement, Span};

/// An upload.
#[derive(Serialize, ToSchema)]
#[schema(as = Upload)]
pub(super) struct UploadView {
    /// Its id.
    id: String,
    /// The package that the file is of.
    package: String,
    /// The path of the file.
    path: String,
    /// How many bytes the file has.
    size: u64,
    /// The SHA-256 of its bytes, in hex, as it was announced.
    sha256: Option<String>,
    /// How many bytes have arrived: where to go on.
    received: u64,
    /// Whether the file is there.
    done: bool,
}

impl From<Upload> for UploadView {
    fn from(upload: Upload) -> Self {
        Self {
            id: upload.id,
            package: upload.target,
            path: upload.path,
            size: upload.size_bytes.unwrap_or(upload.received_bytes),
            sha256: upload.sha256.map(|digest| digest.to_string()),
            received: upload.received_bytes,
            done: upload.is_done,
        }
    }
}

/// A file that is about to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUpload {
    /// The package: the number of a draft in the project, or `candidate:` and a number.
    package: String,
    /// The path of the file.
    path: String,
    /// How many bytes it has.
    size: u64,
    /// The SHA-256 of its bytes, in hex. Bytes that a project has which you may read are not sent again.
    sha256: Option<String>,
}

/// Begin an upload, or find the one that you began of the same file. It is `done` where nothing has to be sent.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/uploads", tag = "uploads", request_body = NewUpload,
    params(("project" = String, Path, description = "Number, or URL-encoded full path")),
    responses((status = 201, description = "The upload", body = UploadView))
)]
pub(super) async fn begin_upload(
    State(app): State<App>,
    undecided: Undecided,
    headers: HeaderMap,
    Json(body): Json<NewUpload>,
) -> Result<(StatusCode, Json<UploadView>), Problem> {
    let granted = undecided.about(naming::of_package(&body.package))?;
    let path: ArtifactPath = body.path.parse()?;
    let sha256 = body.sha256.as_deref().map(read_digest).transpose()?;
    let place = Address::Package(body.package.clone()).place_of(
        granted.project(),
        base_url(&app, &headers),
        path.clone(),
    );
    let announced = Announcement { target: body.package, path, size_bytes: body.size, sha256 };
    let upload = uploads::begin(&app, &granted, announced, place).await?;
    Ok((StatusCode::CREATED, Json(upload.into())))
}

fn read_digest(text: &str) -> Result<Sha256> {
    text.parse().map_err(|_| Error::invalid(format!("`sha256` is `{text}`: it has to be 64 hex digits")))
}

/// See how far an upload is.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/uploads/{upload}", tag = "uploads",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("upload" = String, Path, description = "Id of an upload that you began"),
    ),
    responses((status = 200, description = "The upload", body = UploadView))
)]
pub(super) async fn get_upload(
    State(app): State<App>,
    undecided: Undecided,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<UploadView>, Problem> {
    let (_, upload) = find(&app, &undecided, id).await?;
    Ok(Json(upload.into()))
}

/// Send bytes of an upload: those that the header `Content-Range` names (`bytes 0-99/1234`), else all. What arrives is
/// kept; after a break, ask how many bytes have arrived, and go on from there.
#[utoipa::path(
    put, path = "/api/v4/projects/{project}/uploads/{upload}", tag = "uploads",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("upload" = String, Path, description = "Id of an upload that you began"),
    ),
    responses((status = 200, description = "The upload; `done` with the last byte", body = UploadView))
)]
pub(super) async fn put_upload(
    State(app): State<App>,
    undecided: Undecided,
    Path((_, id)): Path<(String, String)>,
    request: Request,
) -> Result<Json<UploadView>, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = Incoming::new(&parts.headers, body);
    let (granted, upload) = find(&app, &undecided, id).await?;
    let span = read_span(&parts.headers, upload.size_bytes.unwrap_or(0))?;
    let path: ArtifactPath = upload.path.parse()?;
    let base = base_url(&app, &parts.headers);
    let place = Address::Package(upload.target.clone()).place_of(granted.project(), base, path);
    Ok(Json(uploads::receive(&app, &granted, upload, span, (bytes, place)).await?.into()))
}

/// Give an upload up.
#[utoipa::path(
    delete, path = "/api/v4/projects/{project}/uploads/{upload}", tag = "uploads",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("upload" = String, Path, description = "Id of an upload that you began"),
    ),
    responses((status = 204, description = "It is given up"))
)]
pub(super) async fn delete_upload(
    State(app): State<App>,
    undecided: Undecided,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (granted, upload) = find(&app, &undecided, id).await?;
    uploads::give_up(&app, granted.project(), &upload).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An upload of the caller's, who may write to what it is for.
async fn find(app: &App, undecided: &Undecided, id: String) -> Result<(Granted, Upload)> {
    let upload = uploads::find(app, (undecided.project(), undecided.user()), id).await?;
    Ok((undecided.about(naming::of_package(&upload.target))?, upload))
}

/// Which bytes of a file of `size` bytes a request sends, by RFC 9110's `Content-Range`.
fn read_span(headers: &HeaderMap, size: u64) -> Result<Span> {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let Some(value) = headers.get(CONTENT_RANGE) else {
        return check_length(Span { start: 0, end: size }, length);
    };
    let text = value.to_str().unwrap_or_default();
    let malformed = || {
        Error::invalid(format!(
            "the header Content-Range is `{text}`: it has the form `bytes 0-99/{size}`, with the first and last byte that \
             is sent and the file's size"
        ))
    };
    let rest = text.trim().strip_prefix("bytes ").ok_or_else(malformed)?;
    let (range, total) = rest.split_once('/').ok_or_else(malformed)?;
    let (first, last) = range.split_once('-').ok_or_else(malformed)?;
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| malformed());
    let (first, last) = (number(first)?, number(last)?);
    if total.trim() != "*" && number(total)? != size {
        return Err(malformed());
    }
    if first > last || last >= size {
        return Err(malformed());
    }
    check_length(Span { start: first, end: last + 1 }, length)
}

fn check_length(span: Span, length: Option<u64>) -> Result<Span> {
    let expected = span.end - span.start;
    match length {
        Some(length) if length != expected => Err(Error::invalid(format!(
            "the body has {length} bytes, but {expected} were to be sent: say in the header Content-Range which part it is"
        ))),
        _ => Ok(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(range: &str) -> Result<Span> {
        read_span(&HeaderMap::from_iter([(CONTENT_RANGE, range.parse().unwrap())]), 100)
    }

    #[test]
    fn a_range_names_its_first_and_last_byte() {
        for (text, start, end) in
            [("bytes 0-99/100", 0, 100), ("bytes 10-10/*", 10, 11), (" bytes 1-2/100 ", 1, 3)]
        {
            assert_eq!(span(text).unwrap(), Span { start, end }, "{text}");
        }
    }

    #[test]
    fn what_is_no_range_of_the_file_is_refused() {
        for text in [
            "",
            "0-99/100",
            "bytes 0-99",
            "bytes 0-99/101",
            "bytes 0-100/100",
            "bytes 5-4/100",
            "bytes */100",
            "bytes -5/100",
        ] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_body_of_another_length_than_the_range_is_refused() {
        let headers = HeaderMap::from_iter([
            (CONTENT_RANGE, "bytes 0-9/100".parse().unwrap()),
            (CONTENT_LENGTH, "11".parse().unwrap()),
        ]);
        assert!(read_span(&headers, 100).is_err());
        let headers = HeaderMap::from_iter([(CONTENT_LENGTH, "99".parse().unwrap())]);
        assert!(read_span(&headers, 100).is_err());
    }
}
