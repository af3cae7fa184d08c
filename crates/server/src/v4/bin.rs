//! What is in the bin, and removing it for good.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use modelry_core::policy::Doing;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_store::purge::{self as store, InBin};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::number;
use super::page::{self, Page, Place};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query};
use crate::naming;
use crate::purge::{self, BIN_MS};

/// Something in the bin.
#[derive(Serialize, ToSchema)]
#[schema(as = InBin)]
pub(super) struct InBinView {
    /// Its number in the project.
    id: i64,
    /// Its name; of a version the model's name and the version.
    name: String,
    /// When it was put into the bin, in milliseconds since 1970.
    deleted_at: i64,
    /// When it is removed for good, in milliseconds since 1970.
    expires_at: i64,
    /// How many bytes are freed then.
    frees: u64,
}

/// What was freed.
#[derive(Serialize, ToSchema)]
pub(super) struct Purged {
    /// How many bytes the project refers to no longer.
    freed: u64,
}

/// Which page to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListBin {
    /// How many things a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The thing after which the page starts: its `deleted_at`, `:` and its number.
    after: Option<String>,
}

/// List what is in the bin, the last deleted first.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/bin/{kind}", tag = "bin",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        (
            "kind" = String, Path,
            description = "`models`, `versions`, `experiments`, `candidates` or `logged_models`",
        ),
        ListBin,
    ),
    responses(
        (
            status = 200, description = "A page of what is in the bin", body = [InBinView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_bin(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, kind)): Path<(String, String)>,
    Query(query): Query<ListBin>,
) -> Result<Page<InBinView>, Problem> {
    let (project, size) = (granted.project(), page::size(query.per_page)?);
    let after = query.after.as_deref().map(read_after).transpose()?;
    let rows = app.db.read(move |tx| {
        let found = store::list(tx, project, &kind, after, size + 1)?;
        found.into_iter().map(|found| Ok((store::frees(tx, project, found.thing)?, found))).collect()
    });
    let rows: Vec<(u64, InBin)> = rows.await?;
    let place = Place { app: &app, headers: &headers, uri: &uri };
    let key = |(_, found): &(u64, InBin)| format!("{}:{}", found.deleted_at.ms(), found.thing.id());
    let view = |(frees, found): (u64, InBin)| InBinView {
        id: found.thing.id(),
        name: found.name,
        deleted_at: found.deleted_at.ms(),
        expires_at: found.deleted_at.plus_ms(BIN_MS).ms(),
        frees,
    };
    Ok(Page::new(&place, rows, size, key, view)?)
}

fn read_after(text: &str) -> Result<(Timestamp, i64)> {
    let parsed =
        text.split_once(':').and_then(|(time, id)| Some((Timestamp(time.parse().ok()?), id.parse().ok()?)));
    parsed.ok_or_else(|| Error::invalid(format!("`after` is `{text}`: it is `deleted_at`, `:` and a number")))
}

/// Remove something in the bin for good, with all that belongs to it. Bytes that nothing else refers to are freed.
#[utoipa::path(
    delete, path = "/api/v4/projects/{project}/bin/{kind}/{id}", tag = "bin",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        (
            "kind" = String, Path,
            description = "`models`, `versions`, `experiments`, `candidates` or `logged_models`",
        ),
        ("id" = i64, Path, description = "Number in the project"),
    ),
    responses((status = 200, description = "What was freed", body = Purged))
)]
pub(super) async fn purge_from_bin(
    State(app): State<App>,
    granted: Granted,
    Path((_, kind, id)): Path<(String, String, String)>,
) -> Result<Json<Purged>, Problem> {
    granted.access.require(naming::of_kind(&kind).action(Doing::Reading))?;
    let thing = store::thing(&kind, number(&id)?)?;
    Ok(Json(Purged { freed: purge::now(&app, granted.project(), thing).await? }))
}
