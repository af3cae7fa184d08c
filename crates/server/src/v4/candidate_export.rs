//! The candidates of an experiment as CSV, streamed page by page.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use modelry_core::csv;
use modelry_core::ids::ProjectId;
use modelry_core::search::column::KeyKind;
use modelry_core::search::entity::CANDIDATES;
use modelry_core::search::{parse_column, parse_filter, parse_order_by};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::columns::{Cell, KeyPlace, MOST_KEYS, Selection, TableRow, UsedKeys};
use modelry_store::search::{View, candidates as search};
use serde::Deserialize;
use utoipa::IntoParams;

use super::candidate_search::read_columns;
use super::experiments::{get as get_experiment, id as experiment_id};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Path, Query};
use crate::transfer::attachment;

/// How many values are read, and held, at a time.
const VALUES_AT_A_TIME: usize = 10_000;

/// How many candidates are read at a time, whatever they have.
const MOST_AT_A_TIME: usize = 1_000;

/// The columns in front of those asked for.
const ALWAYS: [&str; 2] = ["iid", "run_id"];

/// The attributes in front of all keys, where no columns are asked for.
const USUAL: [&str; 5] = ["name", "status", "user", "start_time", "end_time"];

/// Which candidates to export.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportCandidates {
    /// Which ones, in the grammar of searches, such as `metrics.auc > 0.9 AND params.depth = '5'`.
    filter: Option<String>,
    /// In which order, such as `metrics.auc DESC`; may be repeated. What it leaves open is decided by the start, the newest
    /// first.
    #[serde(default)]
    order_by: Vec<String>,
    /// A column, as searches name it, such as `params.depth` or `min(metrics.loss)`; may be repeated. When none is said: name,
    /// status, user, times, and all that any candidate of the experiment has.
    #[serde(default)]
    column: Vec<String>,
}

/// Export the candidates of an experiment as CSV, however many there are.
///
/// The first line has the names of the columns. It is sent while it is read, a page at a time, so what changes meanwhile
/// may or may not be in it. A text that a spreadsheet would take for a formula has a `'` in front.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/experiments/{experiment}/candidates.csv", tag = "search",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("experiment" = i64, Path, description = "Number of the experiment"), ExportCandidates,
    ),
    responses((status = 200, description = "The candidates", body = String, content_type = "text/csv"))
)]
pub(super) async fn export_candidates(
    State(app): State<App>,
    granted: Granted,
    Path((_, experiment)): Path<(String, String)>,
    Query(query): Query<ExportCandidates>,
) -> Result<Response, Problem> {
    let place = KeyPlace { project: granted.project(), experiment: experiment_id(&experiment)? };
    let filter = parse_filter(&CANDIDATES, &query.filter.unwrap_or_default())?;
    let order = parse_order_by(&CANDIDATES, &query.order_by)?;
    read_columns(&query.column)?;
    let (used, now) = (app.used_keys.clone(), app.clock.now());
    let begun = app.db.read(move |tx| {
        let experiment = get_experiment(tx, place.project, place.experiment)?;
        let names = if query.column.is_empty() { all(tx, &used, place, now)? } else { query.column.clone() };
        let columns = names.iter().map(|name| parse_column(name)).collect::<Result<Vec<_>>>()?;
        Ok((experiment, names, Selection::resolve(tx, place.project, &columns)?))
    });
    let (experiment, names, selection) = begun.await?;
    let query = search::Query {
        experiments: vec![experiment.id],
        filter,
        order,
        // The candidates of an experiment in the bin count as deleted; whoever asks for them wants to have them.
        view: if experiment.deleted_at.is_some() { View::All } else { View::Active },
        limit: (VALUES_AT_A_TIME / names.len()).clamp(1, MOST_AT_A_TIME),
        page_token: None,
    };
    let export = Export { app, project: place.project, selection: Arc::new(selection), query };
    Ok(export.answer(&names, &experiment.name).await?)
}

/// The names of the usual attributes and of all keys of an experiment.
fn all(tx: &mut Tx<'_>, used: &UsedKeys, place: KeyPlace, now: Timestamp) -> Result<Vec<String>> {
    let mut names = USUAL.map(str::to_owned).to_vec();
    for kind in KeyKind::ALL {
        let keys = used.all(tx, place, kind, now)?;
        if keys.len() >= MOST_KEYS {
            let kind = kind.as_str();
            return Err(Error::invalid(format!(
                "candidates of this experiment have {MOST_KEYS} {kind} or more: say which with `column`"
            )));
        }
        names.extend(keys.iter().map(|key| kind.column(&key.name).to_string()));
    }
    Ok(names)
}

/// What is left to be exported.
struct Export {
    app: App,
    project: ProjectId,
    selection: Arc<Selection>,
    query: search::Query,
}

impl Export {
    /// Answers the header and the first page with what follows behind them: what fails until then is no answer at all.
    async fn answer(self, names: &[String], experiment: &str) -> Result<Response> {
        let mut text = String::new();
        csv::write_line(&mut text, ALWAYS.into_iter().chain(names.iter().map(String::as_str)));
        let (page, rest) = self.next_page().await?;
        text.push_str(&page);
        let start = stream::iter([Ok::<_, Error>(Bytes::from(text))]);
        let rest = stream::try_unfold(rest, |rest| async move {
            let Some(rest) = rest else { return Ok(None) };
            let (page, rest) = rest.next_page().await?;
            Ok(Some((Bytes::from(page), rest)))
        });
        let rest = rest.inspect_err(|error| tracing::error!(%error, "an export broke off"));
        let headers = [
            (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (CONTENT_DISPOSITION, attachment(&format!("{experiment}.csv"))),
            (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        ];
        Ok((headers, Body::from_stream(start.chain(rest))).into_response())
    }

    /// The lines of a page, and what is left behind it. Each page is a read of its own: no transaction is held while
    /// bytes are on their way, and a client that leaves ends it.
    async fn next_page(mut self) -> Result<(String, Option<Self>)> {
        let (project, query, selection) = (self.project, self.query.clone(), self.selection.clone());
        let known = self.app.findings.known();
        let read = self.app.db.read_on(known.connections(&query), move |tx| {
            let page = search::page(tx, &known, project, &query)?;
            Ok((selection.read(tx, project, &page.candidates)?, page.next_page_token))
        });
        let (rows, next) = read.await?;
        let mut text = String::new();
        for row in rows {
            write_row(&mut text, row);
        }
        self.query.page_token = next;
        let is_last = self.query.page_token.is_none();
        Ok((text, (!is_last).then_some(self)))
    }
}

fn write_row(out: &mut String, row: TableRow) {
    let always = [row.candidate.id.to_string(), row.candidate.eid];
    let cells: Vec<String> = always.into_iter().chain(row.cells.into_iter().map(written)).collect();
    csv::write_line(out, cells.iter().map(String::as_str));
}

fn written(cell: Cell) -> String {
    match cell {
        Cell::Missing => String::new(),
        Cell::Integer(value) => value.to_string(),
        Cell::Number(value) => csv::number(value),
        Cell::Text(value) => csv::harmless(&value).into_owned(),
    }
}
