//! The protocol's searches: for runs and for experiments.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use modelry_core::ids::{CandidateId, ExperimentId, ProjectId};
use modelry_core::search::entity::{CANDIDATES, EXPERIMENTS, ExperimentAttribute};
use modelry_core::search::{parse_filter, parse_order_by};
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::experiments::Experiment;
use modelry_store::keys::Keys;
use modelry_store::search::{View, candidates, rows};
use serde::{Deserialize, Serialize};

use super::Calls;
use super::lineage::Lineage;
use super::views::{ExperimentView, RunView};
use super::wire::{Answer, EnumValue, Int64, Message, Reply, ViewType, experiment_id, max_results, required};
use crate::App;
use crate::access::Granted;
use crate::error::MlflowFailure;

/// The most results of one page.
const MOST_RESULTS: usize = 50_000;

/// The results of one page of runs where the client does not say.
const DEFAULT_RUNS: usize = 1_000;

/// How many runs are read, and held, at a time.
const RUNS_AT_A_TIME: usize = 500;

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    calls
        .read(Method::POST, "mlflow/runs/search", search_runs)
        .read(Method::POST, "mlflow/experiments/search", search_experiments)
        .read(Method::GET, "mlflow/experiments/search", search_experiments)
}

impl From<ViewType> for View {
    fn from(view: ViewType) -> Self {
        match view {
            ViewType::ActiveOnly => Self::Active,
            ViewType::DeletedOnly => Self::Deleted,
            ViewType::All => Self::All,
        }
    }
}

#[derive(Deserialize)]
struct SearchRuns {
    #[serde(alias = "experimentIds")]
    experiment_ids: Option<Vec<String>>,
    filter: Option<String>,
    #[serde(alias = "runViewType")]
    run_view_type: Option<EnumValue>,
    #[serde(alias = "maxResults")]
    max_results: Option<Int64>,
    #[serde(alias = "orderBy")]
    order_by: Option<Vec<String>>,
    #[serde(alias = "pageToken")]
    page_token: Option<String>,
}

impl SearchRuns {
    fn query(self) -> Result<candidates::Query> {
        let experiments = self.experiment_ids.unwrap_or_default();
        Ok(candidates::Query {
            experiments: experiments.iter().map(|id| experiment_id(id)).collect::<Result<_>>()?,
            filter: parse_filter(&CANDIDATES, &self.filter.unwrap_or_default())?,
            order: parse_order_by(&CANDIDATES, &self.order_by.unwrap_or_default())?,
            view: ViewType::read(self.run_view_type.as_ref())?.into(),
            limit: max_results(self.max_results, DEFAULT_RUNS, MOST_RESULTS)?,
            page_token: self.page_token.filter(|token| !token.is_empty()),
        })
    }
}

#[derive(Serialize)]
struct Runs {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    runs: Vec<RunView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

async fn search_runs(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<SearchRuns>,
) -> Result<Response, MlflowFailure> {
    let (project, query) = (granted.project(), body.query()?);
    let (keys, known) = (app.keys.clone(), app.findings.known());
    let (runs, page) = app
        .db
        .read_on(known.connections(&query), move |tx| {
            let page = candidates::page(tx, &known, project, &query)?;
            let first = page.candidates.iter().take(RUNS_AT_A_TIME).copied().collect::<Vec<_>>();
            Ok((read_runs(tx, &keys, project, &first)?, page))
        })
        .await?;
    let next_page_token = page.next_page_token;
    let mut left = page.candidates;
    if left.len() <= RUNS_AT_A_TIME {
        return Ok(Reply(Runs { runs, next_page_token }).into_response());
    }
    left.drain(..RUNS_AT_A_TIME);
    let rest = Rest { app, project, left, next_page_token };
    Ok(rest.stream(write_runs("{\"runs\":[", &runs)?))
}

/// The runs of these numbers with what was logged to them, in their order. One that is gone by now is left out.
fn read_runs(tx: &mut Tx<'_>, keys: &Keys, project: ProjectId, ids: &[CandidateId]) -> Result<Vec<RunView>> {
    let found = modelry_store::candidates::list(tx, project, ids)?;
    let mut logged = modelry_store::candidates::logged(tx, keys, project, ids)?;
    let mut lineage = Lineage::read(tx, project, ids)?;
    let view = |candidate: modelry_store::candidates::Candidate| {
        let logged = logged.remove(&candidate.id).unwrap_or_default();
        let lineage = lineage.remove(&candidate.id).unwrap_or_default();
        RunView::new(candidate, logged, lineage)
    };
    Ok(found.into_iter().map(view).collect())
}

/// What of a long page is not sent yet.
struct Rest {
    app: App,
    project: ProjectId,
    left: Vec<CandidateId>,
    next_page_token: Option<String>,
}

impl Rest {
    /// Answers a long page piece by piece, so that memory does not grow with it. Each piece is a read of its own: which
    /// runs there are is settled before, what is logged to them meanwhile may or may not be in the answer.
    fn stream(self, first: Bytes) -> Response {
        let start = futures_util::stream::iter([Ok::<_, Error>(first)]);
        let rest = futures_util::stream::try_unfold(Some(self), |rest| async move {
            match rest {
                None => Ok(None),
                Some(rest) => rest.next_piece().await.map(Some),
            }
        });
        let body = Body::from_stream(futures_util::StreamExt::chain(start, rest));
        ([(CONTENT_TYPE, "application/json")], body).into_response()
    }

    async fn next_piece(mut self) -> Result<(Bytes, Option<Self>)> {
        if self.left.is_empty() {
            let end = match self.next_page_token {
                Some(token) => format!("],\"next_page_token\":\"{token}\"}}"),
                None => "]}".to_owned(),
            };
            return Ok((end.into(), None));
        }
        let now = self.left.drain(..RUNS_AT_A_TIME.min(self.left.len())).collect::<Vec<_>>();
        let (project, keys) = (self.project, self.app.keys.clone());
        let runs = self.app.db.read(move |tx| read_runs(tx, &keys, project, &now)).await?;
        Ok((write_runs(",", &runs)?, Some(self)))
    }
}

/// The runs as JSON with commas between them, behind `start`; nothing if there are none.
fn write_runs(start: &str, runs: &[RunView]) -> Result<Bytes> {
    let mut text = Vec::with_capacity(runs.len() * 4_096);
    for (index, run) in runs.iter().enumerate() {
        text.extend_from_slice(if index == 0 { start.as_bytes() } else { b"," });
        serde_json::to_writer(&mut text, run)
            .map_err(|error| Error::internal("a run could not be written as JSON").with_source(error))?;
    }
    Ok(text.into())
}

#[derive(Deserialize)]
struct SearchExperiments {
    filter: Option<String>,
    #[serde(alias = "viewType")]
    view_type: Option<EnumValue>,
    #[serde(alias = "maxResults")]
    max_results: Option<Int64>,
    #[serde(default, alias = "orderBy")]
    order_by: Option<Vec<String>>,
    #[serde(alias = "pageToken")]
    page_token: Option<String>,
}

impl SearchExperiments {
    fn query(self) -> Result<rows::Query<ExperimentAttribute>> {
        let asked = required(self.max_results, "max_results")?;
        Ok(rows::Query {
            filter: parse_filter(&EXPERIMENTS, &self.filter.unwrap_or_default())?,
            order: parse_order_by(&EXPERIMENTS, &self.order_by.unwrap_or_default())?,
            view: ViewType::read(self.view_type.as_ref())?.into(),
            limit: max_results(Some(asked), MOST_RESULTS, MOST_RESULTS)?,
            page_token: self.page_token.filter(|token| !token.is_empty()),
        })
    }
}

#[derive(Serialize)]
struct Experiments {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    experiments: Vec<ExperimentView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

async fn search_experiments(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<SearchExperiments>,
) -> Answer<Experiments> {
    let (project, query) = (granted.project(), body.query()?);
    let answer = app
        .db
        .read(move |tx| {
            let page = rows::page::<Experiment>(tx, project, &query)?;
            let ids: Vec<ExperimentId> = page.rows.iter().map(|experiment| experiment.id).collect();
            let mut metadata = modelry_store::experiments::metadata(tx, project, ids)?;
            let experiments = page.rows.into_iter().map(|experiment| {
                let metadata = metadata.remove(&experiment.id).unwrap_or_default();
                ExperimentView::new(experiment, metadata)
            });
            Ok(Experiments { experiments: experiments.collect(), next_page_token: page.next_page_token })
        })
        .await?;
    Ok(Reply(answer))
}
