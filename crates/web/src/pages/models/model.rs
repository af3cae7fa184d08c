//! One model: its overview, its versions, and what may be changed of it.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::formats::front_matter::{self, FrontMatter};
use modelry_core::ids::{ExperimentId, ModelId, ProjectId, VersionId};
use modelry_core::version::stage::Stage;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::{Path, Query};
use modelry_store::candidates::Candidate;
use modelry_store::experiments::{self, Experiment};
use modelry_store::models::{self, ModelKind};
use modelry_store::search::candidates::Known;
use modelry_store::versions::{self, Details, ModelVersion, Position};
use serde::Deserialize;

use super::aliases::WithMoves;
use super::version::Promising;
use super::{About, bin, can_write, creator_name, model_href, version_href, version_link};
use crate::answer::{Answer, Page, Shown};
use crate::markdown::Markdown;
use crate::pages::{ROWS_TO_READ, experiments as experiment_pages, page, shown_count, start, table};
use crate::parts::Snippet;
use crate::shell::Crumb;
use crate::views::Pair;
use crate::views::models::model::{ExperimentBrief, ModelHead, ModelPage, VersionRow, VersionsPage};
use crate::views::models::{
    Address, Standing, State as VersionState, Usage, register, register_later, use_model,
};
use crate::visit::Visit;

/// How many versions the overview shows.
const NEWEST: i64 = 5;

/// How many candidates the overview shows.
const NEWEST_CANDIDATES: usize = 5;

/// What the address of a model's page says.
#[derive(Deserialize)]
pub(crate) struct ModelQuery {
    #[serde(default)]
    tab: String,
    #[serde(default)]
    page_token: String,
}

/// Some versions with what a table shows of them.
struct Rows {
    versions: Vec<(ModelVersion, Details)>,
}

impl Rows {
    fn read(
        tx: &mut Tx<'_>,
        project: ProjectId,
        model: ModelId,
        after: Option<&Position>,
        limit: i64,
    ) -> Result<Self> {
        let found = versions::list(tx, project, model, after, limit)?;
        let ids: Vec<VersionId> = found.iter().map(|version| version.id).collect();
        let mut details = versions::details(tx, project, &ids)?;
        let with_details = |version: ModelVersion| {
            let details = details.remove(&version.id).unwrap_or_default();
            (version, details)
        };
        Ok(Self { versions: found.into_iter().map(with_details).collect() })
    }

    fn view(self, granted: &Granted, visit: &Visit) -> Vec<VersionRow> {
        let row = |(version, details): (ModelVersion, Details)| VersionRow {
            version: version.version.to_string(),
            number: version.number,
            href: version_href(granted, &version),
            state: state(&version),
            standing: standing(&version),
            stage: stage(&version),
            aliases: details.aliases,
            created: visit.moment(version.created_at),
        };
        self.versions.into_iter().map(row).collect()
    }
}

/// Draft or published.
pub(in crate::pages) fn state(version: &ModelVersion) -> VersionState {
    if version.is_draft() { VersionState::Draft } else { VersionState::Published }
}

/// What speaks against a version.
pub(super) fn standing(version: &ModelVersion) -> Standing {
    match (version.yanked_at, version.deprecated_at) {
        (Some(_), _) => Standing::Yanked,
        (None, Some(_)) => Standing::Deprecated,
        (None, None) => Standing::Fine,
    }
}

/// The stage of a version, where it is in one.
pub(super) fn stage(version: &ModelVersion) -> Option<&'static str> {
    (version.stage != Stage::None).then(|| version.stage.as_str())
}

/// What every part of a model's page reads.
struct Top {
    about: About,
    owner: Option<String>,
    versions: i64,
}

impl Top {
    fn read(tx: &mut Tx<'_>, project: ProjectId, id: ModelId) -> Result<Self> {
        let about = About::read(tx, project, id)?;
        Ok(Self {
            owner: creator_name(tx, about.model.creator_id)?,
            versions: models::count_versions(tx, project, id)?,
            about,
        })
    }

    fn head(&self, granted: &Granted, visit: &Visit) -> ModelHead {
        let model = &self.about.model;
        ModelHead {
            name: model.name.clone(),
            number: model.id.0,
            href: self.about.href(granted),
            created: visit.moment(model.created_at),
            owner: self.owner.clone(),
            versions: shown_count(self.versions),
            can_write: can_write(granted),
        }
    }
}

/// A part of a model's page. An address with the model's name in place of its number leads there, too.
pub(crate) async fn show_model(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, model))): Shown<Path<(String, String)>>,
    Shown(Query(query)): Shown<Query<ModelQuery>>,
) -> Answer<Response> {
    let Ok(number) = model.parse() else {
        let project = granted.project();
        let found = app.db.read(move |tx| models::find_by_name(tx, project, &model)).await?;
        let found = found.filter(|model| model.kind == ModelKind::Model);
        let found = found.ok_or_else(|| Error::not_found("there is no model of this name"))?;
        return Ok(Redirect::to(&model_href(&granted, found.id)).into_response());
    };
    let id = ModelId(number);
    Ok(match query.tab.as_str() {
        "versions" => {
            Page(versions_page(&app, &granted, &visit, id, &query.page_token).await?).into_response()
        }
        _ => Page(overview_page(&app, &granted, &visit, id).await?).into_response(),
    })
}

/// The experiment whose candidates are the model's.
struct DefaultExperiment {
    experiment: Experiment,
    candidates: i64,
    newest: Vec<Candidate>,
}

impl DefaultExperiment {
    fn read(tx: &mut Tx<'_>, known: &Known, project: ProjectId, id: ExperimentId) -> Result<Self> {
        Ok(Self {
            experiment: experiments::get(tx, project, id)?,
            candidates: models::count_candidates(tx, project, id)?,
            newest: table::newest(tx, known, project, id, NEWEST_CANDIDATES)?,
        })
    }

    fn view(self, granted: &Granted, visit: &Visit) -> ExperimentBrief {
        let row = |candidate: &Candidate| table::plain_row(granted, visit, candidate);
        ExperimentBrief {
            href: format!("{}/{}", experiment_pages::list_href(granted), self.experiment.id),
            name: self.experiment.name,
            candidates: shown_count(self.candidates),
            newest: self.newest.iter().map(row).collect(),
        }
    }
}

/// What the overview reads at once.
struct Overview {
    top: Top,
    newest: Rows,
    latest: Option<ModelVersion>,
    experiment: Option<DefaultExperiment>,
    metadata: Vec<(String, String)>,
    aliases: Vec<WithMoves>,
    has_mlmodel: bool,
}

impl Overview {
    fn read(tx: &mut Tx<'_>, known: &Known, project: ProjectId, id: ModelId) -> Result<Self> {
        let top = Top::read(tx, project, id)?;
        let experiment = match top.about.model.experiment_id {
            Some(id) => Some(DefaultExperiment::read(tx, known, project, id)?),
            None => None,
        };
        let model = &top.about.model;
        let latest = models::find_latest(tx, project, model)?;
        Ok(Self {
            newest: Rows::read(tx, project, id, None, NEWEST)?,
            has_mlmodel: match &latest {
                Some(latest) => Promising::read_all(tx, project, latest)?.iter().any(Promising::is_mlmodel),
                None => false,
            },
            latest,
            experiment,
            metadata: models::metadata(tx, project, &[id])?.remove(&id).unwrap_or_default(),
            aliases: WithMoves::read_all(tx, project, model)?,
            top,
        })
    }
}

/// The overview of a model.
pub(super) async fn overview_page(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    id: ModelId,
) -> Result<ModelPage> {
    let project = granted.project();
    let known = app.findings.known();
    let read = app.db.read(move |tx| Overview::read(tx, &known, project, id)).await?;
    let href = read.top.about.href(granted);
    let model = &read.top.about.model;
    let card = front_matter::read(&model.description);
    Ok(ModelPage {
        shell: read.top.about.shell(granted, visit, Vec::new()),
        head: read.top.head(granted, visit),
        problem: None,
        card: Markdown::render(card.markdown),
        card_problem: card.problem.map(|problem| problem.to_string()),
        front_matter: card.front_matter.map(front_matter_pairs).unwrap_or_default(),
        usage: usage(&read),
        aliases: read.aliases.into_iter().map(|alias| alias.row(granted, visit, &href)).collect(),
        latest: read.latest.map(|version| version_link(granted, &version)),
        experiment: read.experiment.map(|experiment| experiment.view(granted, visit)),
        changed: visit.moment(model.updated_at),
        metadata: read.metadata.into_iter().map(|(key, value)| Pair { key, value }).collect(),
        newest: read.newest.view(granted, visit),
    })
}

fn front_matter_pairs(says: FrontMatter) -> Vec<Pair> {
    let pairs = [
        ("Licence", says.licences.join(", ")),
        ("Made for", says.pipeline_tag.unwrap_or_default()),
        ("Library", says.library_name.unwrap_or_default()),
        ("Base model", says.base_models.join(", ")),
        ("Datasets", says.datasets.join(", ")),
        ("Language", says.languages.join(", ")),
        ("Tags", says.tags.join(", ")),
    ];
    let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    pairs.map(|(key, value)| Pair { key: key.to_owned(), value }).collect()
}

/// Code that gets at the model, or that makes its first version.
fn usage(read: &Overview) -> Vec<Snippet> {
    let name = &read.top.about.model.name;
    let Some(latest) = &read.latest else { return vec![register(name), register_later(name)] };
    let mut addresses = Vec::new();
    if !latest.is_draft() {
        let compatible = Address::compatible(name, &latest.version);
        addresses.push(("the newest that is compatible with this one", compatible));
    }
    if let Some(WithMoves { alias, .. }) = read.aliases.first() {
        addresses.push(("whatever the alias points at", Address::alias(name, &alias.name)));
    }
    addresses.push(("just this version", Address::exact(name, &latest.version)));
    let usage = if read.has_mlmodel { Usage::Load } else { Usage::Download };
    vec![use_model(usage, &addresses)]
}

async fn versions_page(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    id: ModelId,
    token: &str,
) -> Result<VersionsPage> {
    let (project, can_write) = (granted.project(), can_write(granted));
    let after: Option<Position> = start(token)?;
    let read = app.db.read(move |tx| {
        let top = Top::read(tx, project, id)?;
        let in_bin = if can_write { bin::count_versions(tx, project, id)? } else { 0 };
        Ok((top, Rows::read(tx, project, id, after.as_ref(), ROWS_TO_READ)?, in_bin))
    });
    let (top, mut rows, in_bin) = read.await?;
    let href = top.about.href(granted);
    let key = |(version, _): &(ModelVersion, Details)| (version.version.precedence(), version.number);
    let pager = page(&mut rows.versions, &href, &[("tab", "versions")], token, key);
    Ok(VersionsPage {
        shell: top.about.shell(granted, visit, vec![Crumb::here("Versions")]),
        head: top.head(granted, visit),
        problem: None,
        versions: rows.view(granted, visit),
        pager,
        in_bin,
    })
}
