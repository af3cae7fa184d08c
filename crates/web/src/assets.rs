//! Style sheet, scripts and pictures: embedded in the binary, served under names that carry a content hash.
//!
//! A page names `modelry.css`; its URL is `/assets/modelry.<hash>.css`. The hash makes the answer immutable, so a
//! browser asks once per release and never shows a new page with an old style.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use modelry_core::Error;
use modelry_server::error::Problem;
use modelry_server::extract::Path;
use rust_embed::RustEmbed;

/// Everything under `assets/`: embedded in release builds, read from disk in debug builds.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets"]
struct Embedded;

/// Hex digits of the content hash in a URL: enough to tell releases apart.
const HASH_DIGITS: usize = 12;

/// One static file, ready to be served.
pub struct Asset {
    /// The bytes.
    pub bytes: std::borrow::Cow<'static, [u8]>,
    /// The `Content-Type`.
    pub content_type: &'static str,
}

/// The URL of the asset called `name`, for example `vendor/echarts.common.min.js`.
///
/// A name that does not exist is a defect in a template: the URL then leads to a 404, and the test that follows
/// every URL of every page fails.
pub fn url(name: &str) -> String {
    let hash = Embedded::get(name).map(|file| short_hash(&file.metadata.sha256_hash())).unwrap_or_default();
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("/assets/{stem}.{hash}.{extension}"),
        None => format!("/assets/{name}.{hash}"),
    }
}

/// The asset at `path`, which is what follows `/assets/` in a URL made by [`url`].
///
/// `None` when there is no such file or when its content has another hash: an immutable URL never changes content.
pub fn find(path: &str) -> Option<Asset> {
    let (stem_and_hash, extension) = path.rsplit_once('.')?;
    let (stem, hash) = stem_and_hash.rsplit_once('.')?;
    let file = Embedded::get(&format!("{stem}.{extension}"))?;
    let current = short_hash(&file.metadata.sha256_hash()) == hash;
    current.then(|| Asset { bytes: file.data, content_type: content_type(extension) })
}

/// Answers an asset, to be kept for ever; anything else is 404.
pub(crate) async fn serve(Path(path): Path<String>) -> Result<Response, Problem> {
    let asset = find(&path).ok_or_else(|| Error::not_found(format!("there is no asset {path}")))?;
    let headers = [
        (CONTENT_TYPE, asset.content_type),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, asset.bytes).into_response())
}

fn short_hash(sha256: &[u8; 32]) -> String {
    use std::fmt::Write;

    sha256[..HASH_DIGITS / 2].iter().fold(String::with_capacity(HASH_DIGITS), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes every write");
        text
    })
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_an_asset_leads_to_its_bytes() {
        let url = url("vendor/echarts.common.min.js");
        let asset = find(url.strip_prefix("/assets/").unwrap()).expect("the URL is known");
        assert_eq!(asset.content_type, "text/javascript; charset=utf-8");
        assert!(asset.bytes.len() > 100_000);
    }

    #[test]
    fn a_url_with_another_hash_is_unknown() {
        assert!(find("modelry.000000000000.css").is_none());
    }

    #[test]
    fn a_url_without_a_hash_is_unknown() {
        assert!(find("modelry.css").is_none());
    }

    #[test]
    fn a_path_out_of_the_folder_is_unknown() {
        assert!(find("../Cargo.000000000000.toml").is_none());
    }
}
