//! A project's first page.

use axum::extract::State;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_store::experiments::{self, Summary};
use modelry_store::{models, projects};

use super::{models as model_pages, shown_count};
use crate::answer::{Answer, Page};
use crate::parts::Seen;
use crate::shell::Section;
use crate::views::connect::Connect;
use crate::views::project::{ProjectPage, RecentExperiment};
use crate::visit::{Visit, href};

/// How many experiments the page shows.
const NEWEST: i64 = 5;

/// What the project is, how to connect, and its newest experiments.
pub(crate) async fn show_project(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
) -> Answer<Page<ProjectPage>> {
    let id = granted.project();
    let read = app.db.read(move |tx| {
        let models = models::list_summaries(tx, id, "", None, NEWEST)?;
        Ok((projects::get(tx, id)?, experiments::list_summaries(tx, id, "", None, NEWEST)?, models))
    });
    let (project, newest, models) = read.await?;
    Ok(Page(ProjectPage {
        shell: visit.project_shell(&granted, &project.name, Section::Overview, Vec::new()),
        href: href(&granted),
        number: project.id.0,
        description: project.description,
        visibility: Seen(project.visibility),
        created: visit.moment(project.created_at),
        connect: Connect::without_token(&visit.tracking_uri(id), visit.is_signed_in()),
        models: models.into_iter().map(|summary| model_pages::list::row(&granted, &visit, summary)).collect(),
        experiments: newest
            .into_iter()
            .filter(|summary| !super::experiments::is_untouched(summary))
            .map(|summary| recent(&granted, &visit, summary))
            .collect(),
        name: project.name,
    }))
}

fn recent(granted: &Granted, visit: &Visit, summary: Summary) -> RecentExperiment {
    RecentExperiment {
        href: format!("{}/-/ml/experiments/{}", href(granted), summary.experiment.id),
        candidates: shown_count(summary.candidates),
        active: visit.moment(super::experiments::last_activity(&summary)),
        name: summary.experiment.name,
    }
}
