//! Lists, page by page.

use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use modelry_core::{Error, Result};
use serde::Serialize;

use crate::App;
use crate::extract::{Json, base_url, read_query};

/// How many things a page has when the request does not say.
const USUAL: i64 = 20;
/// How many things a page has at most.
const MOST: i64 = 100;

/// How many things a page is to have. Fails with `Invalid` unless there are 1 to 100.
pub(super) fn size(per_page: Option<i64>) -> Result<i64> {
    size_within(per_page, (USUAL, MOST))
}

/// As [`size`], as a count.
pub(super) fn count(per_page: Option<i64>) -> Result<usize> {
    count_within(per_page, (USUAL, MOST))
}

/// As [`count`], where `usual` and `most` are other than for most lists.
pub(super) fn count_within(per_page: Option<i64>, limits: (i64, i64)) -> Result<usize> {
    let size = size_within(per_page, limits)?;
    Ok(usize::try_from(size).expect("a page has at least one thing"))
}

fn size_within(per_page: Option<i64>, (usual, most): (i64, i64)) -> Result<i64> {
    let size = per_page.unwrap_or(usual);
    if (1..=most).contains(&size) {
        return Ok(size);
    }
    Err(Error::invalid(format!("`per_page` is {size}: it has to be 1 to {most}")))
}

/// A page of a list: a JSON array, and a header that names the next page if there is one.
pub(super) struct Page<T> {
    items: Vec<T>,
    next: Option<HeaderValue>,
}

/// What a request for a page says about where the next one is.
pub(super) struct Place<'r> {
    pub(super) app: &'r App,
    pub(super) headers: &'r HeaderMap,
    pub(super) uri: &'r Uri,
}

impl<T> Page<T> {
    /// Makes a page of `size` things from rows of which one more was asked for, so that it is known whether there is a
    /// next page. `key` is what the next page is to come after.
    pub(super) fn new<R, K: ToString>(
        place: &Place<'_>,
        mut rows: Vec<R>,
        size: i64,
        key: impl Fn(&R) -> K,
        view: impl Fn(R) -> T,
    ) -> Result<Self> {
        let size = length(size);
        let has_next = rows.len() > size;
        rows.truncate(size);
        let next = rows.last().filter(|_| has_next).map(|last| key(last).to_string());
        Self::with_next(place, rows.into_iter().map(view).collect(), next)
    }

    /// Makes a page of these things, after which comes what follows on `next`, if that is said.
    pub(super) fn with_next(place: &Place<'_>, items: Vec<T>, next: Option<String>) -> Result<Self> {
        let next = next.map(|after| next_link(place, after)).transpose()?;
        Ok(Self { items, next })
    }
}

/// The size of a page, as lists have it.
pub(super) fn length(size: i64) -> usize {
    usize::try_from(size).expect("a page's size is 1 to 100")
}

/// The header that names the page after `after`.
pub(super) fn next_link(place: &Place<'_>, after: String) -> Result<HeaderValue> {
    let mut query: Vec<(String, String)> = read_query(place.uri.query().unwrap_or_default())?;
    query.retain(|(name, _)| name != "after");
    query.push(("after".to_owned(), after));
    let query = serde_html_form::to_string(&query)
        .map_err(|error| Error::internal("a query string could not be written").with_source(error))?;
    let link = format!("<{}{}?{query}>; rel=\"next\"", base_url(place.app, place.headers), place.uri.path());
    HeaderValue::try_from(link).map_err(|error| Error::internal("a link is no header").with_source(error))
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.items).into_response();
        if let Some(next) = self.next {
            response.headers_mut().insert(LINK, next);
        }
        response
    }
}
