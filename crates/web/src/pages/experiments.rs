//! The list of a project's experiments.

use axum::extract::State;
use modelry_core::ids::ExperimentId;
use modelry_core::time::Timestamp;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Query;
use modelry_store::experiments::{self, Summary};
use modelry_store::projects;
use serde::Deserialize;

use super::{ROWS_TO_READ, page, shown_count, start};
use crate::answer::{Answer, Page, Shown};
use crate::shell::{Crumb, Section};
use crate::views::connect::Connect;
use crate::views::experiments::{ExperimentRow, ExperimentsPage};
use crate::views::first_candidate;
use crate::visit::{Visit, href};

/// What the list's address says.
#[derive(Deserialize)]
pub(crate) struct ListQuery {
    #[serde(default)]
    search: String,
    #[serde(default)]
    page_token: String,
}

/// The experiments whose names contain what is searched for, the newest first.
pub(crate) async fn list_experiments(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Query(query)): Shown<Query<ListQuery>>,
) -> Answer<Page<ExperimentsPage>> {
    let before: Option<ExperimentId> = start(&query.page_token)?;
    let (id, search) = (granted.project(), query.search.clone());
    let read = app.db.read(move |tx| {
        Ok((projects::get(tx, id)?, experiments::list_summaries(tx, id, &search, before, ROWS_TO_READ)?))
    });
    let (project, mut found) = read.await?;
    let list = list_href(&granted);
    let pager =
        page(&mut found, &list, &[("search", &query.search)], &query.page_token, |row| row.experiment.id);
    if found.iter().all(is_untouched) && query.search.is_empty() {
        found.clear();
    }
    let way = vec![Crumb::here("Model experiments")];
    Ok(Page(ExperimentsPage {
        shell: visit.project_shell(&granted, &project.name, Section::Experiments, way),
        project_href: href(&granted),
        search: query.search,
        experiments: found.into_iter().map(|summary| row(&granted, &visit, summary)).collect(),
        pager,
        create: first_candidate("My first experiment"),
        connect: Connect::without_token(&visit.tracking_uri(id), visit.is_signed_in()),
    }))
}

/// The page that lists a project's experiments.
pub(super) fn list_href(granted: &Granted) -> String {
    format!("{}/-/ml/experiments", href(granted))
}

/// When something was last made or changed in an experiment.
pub(super) fn last_activity(summary: &Summary) -> Timestamp {
    summary
        .last_candidate_at
        .map_or(summary.experiment.updated_at, |at| at.max(summary.experiment.updated_at))
}

/// Whether this is the experiment that every project has from the start, and nothing was done with it yet: where there
/// is no other one, how to begin says more.
pub(super) fn is_untouched(summary: &Summary) -> bool {
    summary.experiment.id == experiments::DEFAULT && summary.candidates == 0
}

fn row(granted: &Granted, visit: &Visit, summary: Summary) -> ExperimentRow {
    ExperimentRow {
        href: format!("{}/{}", list_href(granted), summary.experiment.id),
        candidates: shown_count(summary.candidates),
        active: visit.moment(last_activity(&summary)),
        creator: summary.creator,
        name: summary.experiment.name,
    }
}
