//! One experiment: its candidates, its metadata.

use axum::extract::State;
use modelry_core::ids::{ExperimentId, ProjectId};
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::{Path, Query};
use modelry_store::experiments::{self, Experiment};
use modelry_store::search::View;
use modelry_store::{projects, users};
use serde::Deserialize;

use super::experiments::list_href;
use super::table::{self, Wish};
use crate::answer::{Answer, Page, Shown};
use crate::shell::{Crumb, Section};
use crate::views::experiment::{ExperimentHead, ExperimentPage, Tab};
use crate::views::table::TableBody;
use crate::views::{Pair, first_candidate};
use crate::visit::Visit;

/// The metadata that holds an experiment's description.
const NOTE: &str = "mlflow.note.content";

/// What the address of an experiment's page says.
#[derive(Deserialize)]
pub(crate) struct ExperimentQuery {
    #[serde(default)]
    tab: String,
    #[serde(default)]
    filter: String,
    #[serde(default)]
    order_by: String,
    #[serde(default)]
    column: Vec<String>,
    #[serde(default)]
    page_token: String,
}

/// What the page says of the experiment itself.
struct About {
    project: String,
    experiment: Experiment,
    creator: Option<String>,
    metadata: Vec<(String, String)>,
}

impl About {
    fn read(tx: &mut Tx<'_>, project: ProjectId, id: ExperimentId) -> Result<Self> {
        let experiment = experiments::find(tx, project, id)?
            .ok_or_else(|| Error::not_found(format!("there is no experiment {id} in this project")))?;
        let creator = match experiment.creator_id {
            Some(user) => users::find(tx, user)?.map(|user| user.username),
            None => None,
        };
        Ok(Self {
            project: projects::get(tx, project)?.name,
            creator,
            metadata: experiments::metadata(tx, project, [id])?.remove(&id).unwrap_or_default(),
            experiment,
        })
    }

    fn view(&self) -> View {
        // The candidates of a deleted experiment count as deleted; whoever comes here wants to see them.
        if self.experiment.deleted_at.is_some() { View::All } else { View::Active }
    }
}

/// The experiment's candidates or its metadata.
pub(crate) async fn show_experiment(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Shown(Query(query)): Shown<Query<ExperimentQuery>>,
) -> Answer<Page<ExperimentPage>> {
    let (project, id) = (granted.project(), ExperimentId(id));
    let about = app.db.read(move |tx| About::read(tx, project, id)).await?;
    let tab = match query.tab.as_str() {
        "metadata" => Tab::Metadata(pairs(&about.metadata)),
        _ => candidates_tab(&app, &granted, &visit, &about, query).await?,
    };
    let way =
        vec![Crumb::link("Model experiments", list_href(&granted)), Crumb::here(&about.experiment.name)];
    let shell = visit.project_shell(&granted, &about.project, Section::Experiments, way);
    Ok(Page(ExperimentPage { shell, head: head(&granted, &visit, about), tab }))
}

/// The part of the table of candidates that changes while they run, for a page that shows it already.
pub(crate) async fn show_table(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Shown(Query(query)): Shown<Query<ExperimentQuery>>,
) -> Answer<Page<TableBody>> {
    let (project, id) = (granted.project(), ExperimentId(id));
    let about = app.db.read(move |tx| About::read(tx, project, id)).await?;
    let table = table::read(&app, &granted, &visit, wish(&about, query)).await?;
    Ok(Page(table.body))
}

fn wish(about: &About, query: ExperimentQuery) -> Wish {
    Wish {
        experiment: about.experiment.id,
        view: about.view(),
        filter: query.filter.trim().to_owned(),
        order_by: query.order_by,
        columns: query.column,
        page_token: query.page_token,
    }
}

async fn candidates_tab(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    about: &About,
    query: ExperimentQuery,
) -> Result<Tab> {
    let wish = wish(about, query);
    let is_plain = wish.filter.is_empty() && wish.page_token.is_empty();
    let table = table::read(app, granted, visit, wish).await?;
    Ok(if is_plain && table.body.rows.is_empty() && table.problem.is_none() {
        Tab::Empty(first_candidate(&about.experiment.name))
    } else {
        Tab::Candidates(Box::new(table))
    })
}

fn head(granted: &Granted, visit: &Visit, about: About) -> ExperimentHead {
    let description = about.metadata.iter().find(|(name, _)| name == NOTE).map(|(_, value)| value.clone());
    ExperimentHead {
        iid: about.experiment.id.to_string(),
        href: format!("{}/{}", list_href(granted), about.experiment.id),
        description: description.unwrap_or_default(),
        created: visit.moment(about.experiment.created_at),
        creator: about.creator,
        is_deleted: about.experiment.deleted_at.is_some(),
        name: about.experiment.name,
    }
}

fn pairs(metadata: &[(String, String)]) -> Vec<Pair> {
    metadata.iter().map(|(key, value)| Pair { key: key.clone(), value: value.clone() }).collect()
}
