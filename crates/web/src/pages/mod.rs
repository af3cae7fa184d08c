//! The handlers of the pages: who, what, may they, do it, answer.

use modelry_core::paging::{decode_token, encode_token};
use modelry_core::{Error, Kind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::links;
use crate::parts::Pager;

pub(crate) mod artifacts;
pub(crate) mod candidate;
pub(crate) mod charts;
mod columns;
pub(crate) mod compare;
mod datasets;
pub(crate) mod experiment;
pub(crate) mod experiments;
mod facts;
pub(crate) mod members;
pub(crate) mod mlflow_links;
mod model_tree;
pub(crate) mod models;
pub(crate) mod packages;
pub(crate) mod password;
mod preview;
pub(crate) mod project;
pub(crate) mod projects;
pub(crate) mod settings;
mod shown;
pub(crate) mod sign_in;
mod table;
pub(crate) mod tokens;
mod tree;
pub(crate) mod users;
pub(crate) mod words;

/// Rows of a page of a list.
const PAGE_ROWS: usize = 30;

/// How many rows to read for a page: one more than it shows tells whether there is a next one.
const ROWS_TO_READ: i64 = 31;

/// Where a page of a list starts: `page_token` of its address.
fn start<T: DeserializeOwned>(token: &str) -> Result<Option<T>> {
    if token.is_empty() { Ok(None) } else { decode_token(token).map(Some) }
}

/// Cuts `rows` to a page, and makes the links to the first page and to the one after it.
///
/// `query` is what else stands in the address of every page of this list.
fn page<T, K: Serialize>(
    rows: &mut Vec<T>,
    href: &str,
    query: &[(&str, &str)],
    token: &str,
    key: impl Fn(&T) -> K,
) -> Pager {
    let is_last = rows.len() <= PAGE_ROWS;
    rows.truncate(PAGE_ROWS);
    let next = if is_last { None } else { rows.last().map(|row| encode_token(&key(row))) };
    Pager {
        first: (!token.is_empty()).then(|| links::with_query(href, query.iter().copied())),
        next: next.map(|next| {
            let pairs = query.iter().copied().chain([("page_token", next.as_str())]);
            links::with_query(href, pairs)
        }),
    }
}

/// The message of an error that is about what somebody typed, to be shown beside the form; any other is passed on.
fn typed_wrong(error: Error) -> Result<String> {
    match error.kind() {
        Kind::Invalid | Kind::Exists | Kind::Conflict | Kind::Forbidden | Kind::NotFound | Kind::TooLarge => {
            Ok(crate::answer::sentence(error.message()))
        }
        Kind::Unauthenticated | Kind::RateLimited | Kind::NotOffered | Kind::Unavailable | Kind::Internal => {
            Err(error)
        }
    }
}

/// Counts for people: what is negative or too large to be true is shown as the nearest number that is.
fn shown_count(count: i64) -> u32 {
    u32::try_from(count.max(0)).unwrap_or(u32::MAX)
}
