//! The keys of an experiment: what its candidates can be shown, filtered and ordered by.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use modelry_core::Result;
use modelry_core::paging::{decode_token, encode_token};
use modelry_store::columns::{Count, KeyPlace, KeyQuery, UsedKey};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::experiments::{get as get_experiment, id as experiment_id};
use super::page::{self, Page, Place};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Path, Query};

/// How many keys a page has when the request does not say, and at most.
const KEYS: (i64, i64) = (20, 100);

/// Which keys to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListColumns {
    /// What the key starts with.
    #[serde(default)]
    prefix: String,
    /// A part of the key, in any case.
    #[serde(default)]
    search: String,
    /// `metrics`, `params` or `metadata`; all of them, one after the other, when it is not said.
    kind: Option<String>,
    /// How many keys a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// Where the page starts, as `Link` said.
    after: Option<String>,
}

impl ListColumns {
    fn query(self) -> Result<KeyQuery> {
        let after: Option<(String, String)> = self.after.as_deref().map(decode_token).transpose()?;
        let after =
            after.map(|(kind, name)| Ok::<_, modelry_core::Error>((kind.parse()?, name))).transpose()?;
        Ok(KeyQuery {
            kind: self.kind.as_deref().map(str::parse).transpose()?,
            prefix: self.prefix,
            part: self.search,
            after,
            limit: page::count_within(self.per_page, KEYS)?,
        })
    }
}

/// A key that candidates of the experiment have.
#[derive(Serialize, ToSchema)]
#[schema(as = Column)]
pub(super) struct ColumnView {
    /// What names it in filters, orders and searches, such as ``metrics.`val loss` ``.
    column: String,
    /// `metrics`, `params` or `metadata`.
    kind: &'static str,
    /// The key alone.
    key: String,
    /// How many candidates have it, those in the bin included; at most a minute old, and at most 100,000.
    candidates: i64,
    /// Whether there are more than that.
    is_capped: bool,
}

impl ColumnView {
    fn new(key: &UsedKey, count: Count) -> Self {
        Self {
            column: key.kind.column(&key.name).to_string(),
            kind: key.kind.as_str(),
            key: key.name.to_string(),
            candidates: count.candidates,
            is_capped: count.is_capped,
        }
    }
}

/// List the keys of metrics, params and metadata that candidates of an experiment have, by kind and name.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/experiments/{experiment}/columns", tag = "search",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("experiment" = i64, Path, description = "Number of the experiment"), ListColumns,
    ),
    responses(
        (
            status = 200, description = "A page of keys", body = [ColumnView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_columns(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, experiment)): Path<(String, String)>,
    Query(query): Query<ListColumns>,
) -> Result<Page<ColumnView>, Problem> {
    let place = KeyPlace { project: granted.project(), experiment: experiment_id(&experiment)? };
    let (query, used, now) = (query.query()?, app.used_keys.clone(), app.clock.now());
    let listed = app.db.read(move |tx| {
        get_experiment(tx, place.project, place.experiment)?;
        let page = used.page(tx, place, &query, now)?;
        let view = |key: &UsedKey| Ok(ColumnView::new(key, used.count(tx, place, key, now)?));
        let views = page.keys.iter().map(view).collect::<Result<Vec<_>>>()?;
        let last = page.keys.last().filter(|_| page.has_more);
        Ok((views, last.map(|last| encode_token(&(last.kind.as_str(), &last.name)))))
    });
    let (views, next) = listed.await?;
    Ok(Page::with_next(&Place { app: &app, headers: &headers, uri: &uri }, views, next)?)
}
