//! Searches for candidates that answer the columns asked for and nothing else.

use std::borrow::Cow;

use axum::extract::State;
use modelry_core::ids::{ExperimentId, ProjectId};
use modelry_core::search::column::Column;
use modelry_core::search::entity::CANDIDATES;
use modelry_core::search::{parse_column, parse_filter, parse_order_by};
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::columns::{Cell, Selection, TableRow};
use modelry_store::experiments;
use modelry_store::search::{View, candidates as search};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::experiments::get as get_experiment;
use super::words::MetricValue;
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path};
use crate::tracking::limits::check_count;

/// How many candidates a page has when the request does not say, and at most.
const RESULTS: (i64, i64) = (100, 1_000);

/// How many columns one request asks for at most.
pub(super) const MOST_COLUMNS: usize = 1_000;

/// How many values a page has at most: with many columns it has fewer candidates than asked for.
const MOST_VALUES: usize = 50_000;

/// How many experiments are searched at most.
const MOST_EXPERIMENTS: usize = 1_000;

/// What is searched for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchCandidates {
    /// Numbers of the experiments to search, at most 1,000; all that are not in the bin when it is not said.
    experiments: Option<Vec<i64>>,
    /// Which candidates, in the grammar of searches, such as `metrics.auc > 0.9 AND params.depth = '5'`.
    filter: Option<String>,
    /// In which order, such as `metrics.auc DESC`. What it leaves open is decided by the start, the newest first.
    #[serde(default)]
    order_by: Vec<String>,
    /// What to tell of each candidate, at most 1,000 columns: a field as in filters (`metrics.loss`, `params.lr`,
    /// ``metadata.`my team` ``, `start_time`), `min(metrics.loss)` or `max(metrics.loss)`. `name` and `user` are known too.
    #[serde(default)]
    columns: Vec<String>,
    /// How many candidates a page has, 1 to 1,000; 100 when it is not said. With more than 50 columns it may have fewer: a
    /// page has at most 50,000 values.
    max_results: Option<i64>,
    /// Where the page starts: `next_page_token` of the page before.
    page_token: Option<String>,
}

/// A page of what was found.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundCandidates {
    /// The columns, as they were asked for.
    columns: Vec<String>,
    /// The candidates, in order.
    candidates: Vec<FoundCandidate>,
    /// What asks for the next page, if there is one.
    next_page_token: Option<String>,
}

/// A candidate and what it has in the columns.
#[derive(Serialize, ToSchema)]
struct FoundCandidate {
    /// Its number in the project.
    iid: i64,
    /// Its public id, which is MLflow's run id.
    run_id: String,
    /// The number of its experiment.
    experiment_id: i64,
    /// One value for each column, in their order.
    values: Vec<CellView>,
}

impl From<TableRow> for FoundCandidate {
    fn from(row: TableRow) -> Self {
        Self {
            iid: row.candidate.id.0,
            run_id: row.candidate.eid,
            experiment_id: row.candidate.experiment_id.0,
            values: row.cells.into_iter().map(CellView).collect(),
        }
    }
}

/// What a candidate has in a column.
struct CellView(Cell);

impl Serialize for CellView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Cell::Missing => serializer.serialize_unit(),
            Cell::Integer(value) => serializer.serialize_i64(*value),
            Cell::Number(value) => MetricValue(*value).serialize(serializer),
            Cell::Text(value) => serializer.serialize_str(value),
        }
    }
}

impl PartialSchema for CellView {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Number, Type::String, Type::Null]))
            .description(Some(
                "A metric is a number or one of the texts `NaN`, `Infinity` and `-Infinity`; a time is in milliseconds \
                 since 1970; anything else is a text. Null where the candidate has none.",
            ))
            .into()
    }
}

impl ToSchema for CellView {
    fn name() -> Cow<'static, str> {
        "CandidateValue".into()
    }
}

/// Search candidates in some or all experiments, and tell the columns asked for alone.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/candidates/search", tag = "search",
    request_body = SearchCandidates,
    params(("project" = String, Path, description = "Number, or URL-encoded full path")),
    responses((status = 200, description = "A page of candidates", body = FoundCandidates))
)]
pub(super) async fn search_candidates(
    State(app): State<App>,
    granted: Granted,
    Path(_): Path<String>,
    Json(body): Json<SearchCandidates>,
) -> Result<Json<FoundCandidates>, Problem> {
    let (project, asked) = (granted.project(), body.experiments.clone());
    let columns = read_columns(&body.columns)?;
    let (names, query) = body.query()?;
    let known = app.findings.known();
    let found = app.db.read_on(known.connections(&query), move |tx| {
        let query = search::Query { experiments: to_search(tx, project, asked.as_deref())?, ..query.clone() };
        let page = search::page(tx, &known, project, &query)?;
        let rows = Selection::resolve(tx, project, &columns)?.read(tx, project, &page.candidates)?;
        Ok((rows, page.next_page_token))
    });
    let (rows, next_page_token) = found.await?;
    let candidates = rows.into_iter().map(FoundCandidate::from).collect();
    Ok(Json(FoundCandidates { columns: names, candidates, next_page_token }))
}

impl SearchCandidates {
    /// The names of the columns, and the search in no experiment yet.
    fn query(self) -> Result<(Vec<String>, search::Query)> {
        let query = search::Query {
            experiments: Vec::new(),
            filter: parse_filter(&CANDIDATES, &self.filter.unwrap_or_default())?,
            order: parse_order_by(&CANDIDATES, &self.order_by)?,
            view: View::Active,
            limit: results(self.max_results)?.min(MOST_VALUES / self.columns.len().max(1)),
            page_token: self.page_token.filter(|token| !token.is_empty()),
        };
        Ok((self.columns, query))
    }
}

/// Reads the names of columns.
pub(super) fn read_columns(names: &[String]) -> Result<Vec<Column>> {
    check_count("columns", names.len(), MOST_COLUMNS)?;
    names.iter().map(|name| parse_column(name)).collect()
}

fn results(asked: Option<i64>) -> Result<usize> {
    let (usual, most) = RESULTS;
    let count = asked.unwrap_or(usual);
    usize::try_from(count)
        .ok()
        .filter(|_| (1..=most).contains(&count))
        .ok_or_else(|| Error::invalid(format!("`max_results` is {count}: it has to be 1 to {most}")))
}

/// The experiments that are named, each of which has to be there; or all that are not in the bin.
fn to_search(tx: &mut Tx<'_>, project: ProjectId, asked: Option<&[i64]>) -> Result<Vec<ExperimentId>> {
    if let Some(numbers) = asked {
        check_count("experiments", numbers.len(), MOST_EXPERIMENTS)?;
        let found = numbers.iter().map(|number| get_experiment(tx, project, ExperimentId(*number)));
        return found.map(|experiment| experiment.map(|experiment| experiment.id)).collect();
    }
    let limit = i64::try_from(MOST_EXPERIMENTS + 1).expect("a small number");
    let all = experiments::list(tx, project, ("", View::Active), None, limit)?;
    if all.len() > MOST_EXPERIMENTS {
        return Err(Error::invalid(format!(
            "the project has more than {MOST_EXPERIMENTS} experiments: name those to search in `experiments`"
        )));
    }
    Ok(all.into_iter().map(|(experiment, _)| experiment.id).collect())
}
