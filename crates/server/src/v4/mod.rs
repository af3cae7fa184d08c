//! The native REST API under `/api/v4`.

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use modelry_core::Error;

use crate::App;
use crate::error::Problem;
use crate::table::{Csrf, Table};

/// The native API's part of the URL table.
pub fn table(app: &App) -> Table {
    Table::new(app.clone(), render, Csrf::Header)
}

/// Tells an error that a guard found.
pub(crate) fn render(_: &App, _: &HeaderMap, error: Error) -> Response {
    Problem(error).into_response()
}

/// The answer to a path that the API does not have.
pub(crate) fn not_found(path: &str) -> Response {
    Problem(Error::not_found(format!("there is nothing at {path}"))).into_response()
}
