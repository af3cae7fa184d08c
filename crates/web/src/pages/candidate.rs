//! One candidate: its overview and its metadata, and the way to it by run id.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::ids::{CandidateId, ProjectId};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::{Path, Query};
use modelry_store::candidates::{self, Candidate, LatestMetric, Logged};
use modelry_store::datasets::{self, DatasetInput, Inputs};
use modelry_store::experiments;
use modelry_store::logged_models::{self, LoggedModel};
use modelry_store::projects;
use modelry_store::versions::{self, ModelVersion};
use serde::Deserialize;

use super::charts::{ChartQuery, charts_page};
use super::datasets::dataset_row;
use super::experiments::list_href;
use super::models;
use crate::answer::{Answer, Page, Shown};
use crate::format;
use crate::parts::Status;
use crate::shell::{Crumb, Section, Shell};
use crate::views::Pair;
use crate::views::candidate::{
    CandidateHead, MetadataPage, MetricRow, ModelBrief, OverviewPage, Parent, Tab, VersionBrief, read_back,
};
use crate::visit::{Visit, href};

/// Metadata that clients set by themselves starts with this.
const CLIENT_PREFIX: &str = "mlflow.";

/// How many logged models a page shows at most.
pub(super) const MOST_MODELS: i64 = 100;

/// What the address of a candidate's page says.
#[derive(Deserialize)]
pub(crate) struct CandidateQuery {
    #[serde(default)]
    tab: String,
}

/// A candidate with what every part of its page shows.
pub(super) struct Seen {
    /// The project's name.
    pub(super) project: String,
    /// The experiment's name.
    pub(super) experiment: String,
    /// The candidate.
    pub(super) candidate: Candidate,
}

impl Seen {
    /// Reads the candidate `id`. Fails with `NotFound`.
    pub(super) fn read(tx: &mut Tx<'_>, project: ProjectId, id: CandidateId) -> Result<Self> {
        let candidate = candidates::find(tx, project, id)?
            .ok_or_else(|| Error::not_found(format!("there is no candidate {id} in this project")))?;
        Ok(Self {
            project: projects::get(tx, project)?.name,
            experiment: experiments::get(tx, project, candidate.experiment_id)?.name,
            candidate,
        })
    }

    /// What surrounds every part of the candidate's page.
    pub(super) fn shell(&self, granted: &Granted, visit: &Visit) -> Shell {
        let way = vec![
            Crumb::link("Model experiments", list_href(granted)),
            Crumb::link(&self.experiment, self.experiment_href(granted)),
            Crumb::here(&self.candidate.name),
        ];
        visit.project_shell(granted, &self.project, Section::Experiments, way)
    }

    /// What stands above every part of the candidate's page.
    pub(super) fn head(&self, granted: &Granted, visit: &Visit, tab: Tab) -> CandidateHead {
        let candidate = &self.candidate;
        let can_promote = models::can_write(granted) && candidate.deleted_at.is_none();
        CandidateHead {
            name: candidate.name.clone(),
            iid: candidate.id.0,
            href: candidate_href(granted, candidate.id),
            status: Status(candidate.status),
            is_deleted: candidate.deleted_at.is_some(),
            experiment: self.experiment.clone(),
            experiment_href: self.experiment_href(granted),
            started: visit.moment(Timestamp(candidate.start_time)),
            user: Some(candidate.user_name.clone()).filter(|name| !name.is_empty()),
            promote_href: can_promote.then(|| format!("{}/promote", candidate_href(granted, candidate.id))),
            tab,
        }
    }

    fn experiment_href(&self, granted: &Granted) -> String {
        format!("{}/{}", list_href(granted), self.candidate.experiment_id)
    }
}

/// The page of a candidate.
pub(super) fn candidate_href(granted: &Granted, id: CandidateId) -> String {
    format!("{}/-/ml/candidates/{id}", href(granted))
}

/// How long a candidate ran, or has been running.
pub(super) fn duration(candidate: &Candidate, now: Timestamp) -> Option<String> {
    let is_live = Status(candidate.status).is_live();
    let end = candidate.end_time.or(is_live.then_some(now.ms()))?;
    let ms = end.saturating_sub(candidate.start_time);
    (candidate.start_time > 0 && ms >= 0).then(|| format::duration(ms))
}

/// A part of a candidate's page, as its address names it.
pub(crate) async fn show_candidate(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Shown(Query(query)): Shown<Query<CandidateQuery>>,
    Shown(Query(charts)): Shown<Query<ChartQuery>>,
) -> Answer<Response> {
    let id = CandidateId(id);
    Ok(match query.tab.as_str() {
        "charts" => charts_page(&app, &granted, &visit, id, &charts).await?,
        "metadata" => Page(metadata_page(&app, &granted, &visit, id).await?).into_response(),
        _ => Page(overview_page(&app, &granted, &visit, id).await?).into_response(),
    })
}

/// Leads from the id that clients know to the candidate's page.
pub(crate) async fn find_run(
    State(app): State<App>,
    granted: Granted,
    Shown(Path((_, eid))): Shown<Path<(String, String)>>,
) -> Answer<Redirect> {
    let project = granted.project();
    let found = app.db.read(move |tx| candidates::find_by_eid(tx, project, &eid)).await?;
    let found = found.ok_or_else(|| Error::not_found("there is no candidate with this run id"))?;
    Ok(Redirect::to(&candidate_href(&granted, found.id)))
}

/// What the overview reads at once.
struct Overview {
    seen: Seen,
    logged: Logged,
    inputs: Inputs,
    models: Vec<LoggedModel>,
    versions: Vec<ModelVersion>,
    parent: Option<Candidate>,
}

async fn overview_page(app: &App, granted: &Granted, visit: &Visit, id: CandidateId) -> Result<OverviewPage> {
    let (project, keys) = (granted.project(), app.keys.clone());
    let read = app.db.read(move |tx| {
        let seen = Seen::read(tx, project, id)?;
        let logged = candidates::logged(tx, &keys, project, &[id])?.remove(&id).unwrap_or_default();
        let parent = match metadata(&logged, "mlflow.parentRunId") {
            Some(eid) => candidates::find_by_eid(tx, project, &eid)?,
            None => None,
        };
        Ok(Overview {
            inputs: datasets::inputs(tx, project, &[id])?.remove(&id).unwrap_or_default(),
            models: logged_models::list_of_candidate(tx, project, &seen.candidate, MOST_MODELS)?,
            versions: versions::list_of_candidate(tx, project, id, MOST_MODELS)?,
            seen,
            logged,
            parent,
        })
    });
    Ok(overview(granted, visit, read.await?))
}

fn overview(granted: &Granted, visit: &Visit, read: Overview) -> OverviewPage {
    let Overview { seen, logged, inputs, models, versions, parent } = read;
    let candidate = &seen.candidate;
    OverviewPage {
        shell: seen.shell(granted, visit),
        head: seen.head(granted, visit, Tab::Overview),
        description: metadata(&logged, "mlflow.note.content").unwrap_or_default(),
        run_id: candidate.eid.clone(),
        ended: candidate.end_time.map(|end| visit.moment(Timestamp(end))),
        duration: duration(candidate, visit.now),
        source: metadata(&logged, "mlflow.source.name"),
        commit: metadata(&logged, "mlflow.source.git.commit"),
        parent: parent.map(|parent| Parent { href: candidate_href(granted, parent.id), name: parent.name }),
        metrics: logged.metrics.iter().map(metric_row).collect(),
        params: pairs(&logged.params),
        models: models.iter().map(|model| model_brief(granted, model)).collect(),
        versions: versions.iter().map(|version| version_brief(granted, version)).collect(),
        datasets: inputs.datasets.iter().map(|input: &DatasetInput| dataset_row(input)).collect(),
        read_back: read_back(&candidate.eid),
    }
}

fn metric_row(metric: &LatestMetric) -> MetricRow {
    MetricRow {
        key: metric.key.to_string(),
        latest: metric.value.into(),
        min: metric.minimum.unwrap_or(f64::NAN).into(),
        max: metric.maximum.unwrap_or(f64::NAN).into(),
        step: metric.step,
    }
}

fn model_brief(granted: &Granted, model: &LoggedModel) -> ModelBrief {
    ModelBrief {
        name: model.name.clone(),
        href: format!("{}/-/ml/logged_models/{}", href(granted), model.eid),
        note: format!("models:/{}", model.eid),
    }
}

fn version_brief(granted: &Granted, version: &ModelVersion) -> VersionBrief {
    VersionBrief {
        label: format!("{} {}", version.model, version.label()),
        href: models::version_href(granted, version),
        state: models::model::state(version),
    }
}

async fn metadata_page(app: &App, granted: &Granted, visit: &Visit, id: CandidateId) -> Result<MetadataPage> {
    let (project, keys) = (granted.project(), app.keys.clone());
    let read = app.db.read(move |tx| {
        let mut logged: HashMap<_, _> = candidates::logged(tx, &keys, project, &[id])?;
        Ok((Seen::read(tx, project, id)?, logged.remove(&id).unwrap_or_default()))
    });
    let (seen, logged) = read.await?;
    let (client, own) =
        pairs(&logged.metadata).into_iter().partition(|pair| pair.key.starts_with(CLIENT_PREFIX));
    Ok(MetadataPage {
        shell: seen.shell(granted, visit),
        head: seen.head(granted, visit, Tab::Metadata),
        own,
        client,
    })
}

fn metadata(logged: &Logged, key: &str) -> Option<String> {
    logged.metadata.iter().find(|(name, _)| &**name == key).map(|(_, value)| value.clone())
}

fn pairs(entries: &[(std::sync::Arc<str>, String)]) -> Vec<Pair> {
    entries.iter().map(|(key, value)| Pair { key: key.to_string(), value: value.clone() }).collect()
}
