//! From a candidate to a version.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::ids::{CandidateId, ProjectId};
use modelry_core::version::Version;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Path;
use modelry_server::registry::new_version;
use modelry_store::candidates::Candidate;
use modelry_store::files::{Owner, Tree};
use modelry_store::logged_models::{self, LoggedModel};
use modelry_store::models;
use modelry_store::versions::{self, ModelVersion, NewVersion, Source};
use serde::Deserialize;

use super::new_version::read_wish;
use super::{read_description, version_href};
use crate::answer::{Answer, Page, Shown};
use crate::form::Form;
use crate::pages::candidate::{MOST_MODELS, Seen, candidate_href};
use crate::pages::model_tree::{Amount, amount};
use crate::pages::shown::summary;
use crate::pages::typed_wrong;
use crate::shell::Crumb;
use crate::views::models::promote::{PromotePage, SourceChoice};
use crate::visit::Visit;

/// How many names of models the form offers.
const MOST_NAMES: i64 = 200;

/// What the form sends.
#[derive(Default, Deserialize)]
pub(crate) struct PromoteForm {
    model: String,
    version: String,
    #[serde(default)]
    source: String,
    description: String,
}

/// Something of a candidate whose files may become a version's.
#[derive(Clone)]
struct Part {
    uri: String,
    label: String,
    tree: Tree,
    logged_model: Option<String>,
    amount: Amount,
}

impl Part {
    /// The models that the candidate logged, and all of its own artifacts.
    fn read_all(tx: &mut Tx<'_>, project: ProjectId, candidate: &Candidate) -> Result<Vec<Self>> {
        let own = Tree { project, owner: Owner::Candidate(candidate.id) };
        let mut parts = Vec::new();
        for model in logged_models::list_of_candidate(tx, project, candidate, MOST_MODELS)? {
            parts.push(Self::of_logged_model(tx, project, model)?);
        }
        parts.push(Self {
            uri: format!("runs:/{}/", candidate.eid),
            label: "All of the candidate's artifacts".to_owned(),
            tree: own,
            logged_model: None,
            amount: amount(tx, own, None)?,
        });
        Ok(parts)
    }

    fn of_logged_model(tx: &mut Tx<'_>, project: ProjectId, model: LoggedModel) -> Result<Self> {
        let tree = Tree { project, owner: Owner::LoggedModel(model.id) };
        Ok(Self {
            uri: format!("models:/{}", model.eid),
            label: format!("The logged model “{}”", model.name),
            tree,
            amount: amount(tx, tree, None)?,
            logged_model: Some(model.eid),
        })
    }
}

/// What the page reads at once.
struct Choices {
    seen: Seen,
    parts: Vec<Part>,
    names: Vec<String>,
    of_experiment: Option<String>,
    next: Option<Version>,
}

impl Choices {
    fn read(tx: &mut Tx<'_>, project: ProjectId, id: CandidateId, typed: &str) -> Result<Self> {
        let seen = Seen::read(tx, project, id)?;
        let of_experiment = models::of_experiment(tx, project, seen.candidate.experiment_id)?;
        let wanted = if typed.is_empty() { of_experiment.as_deref().unwrap_or_default() } else { typed };
        let next = match models::find_by_name(tx, project, wanted)? {
            Some(model) => Some(versions::next_version(tx, project, model.id)?),
            None => None,
        };
        Ok(Self {
            parts: Part::read_all(tx, project, &seen.candidate)?,
            names: models::list_names(tx, project, MOST_NAMES)?,
            of_experiment,
            next,
            seen,
        })
    }
}

/// The form, with the model chosen whose experiment the candidate is of.
pub(crate) async fn show_form(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
) -> Answer<Page<PromotePage>> {
    let form = PromoteForm::default();
    Ok(Page(form_page(&app, &granted, &visit, CandidateId(id), (form, None)).await?))
}

/// Makes the version and goes to it, or shows the form again.
pub(crate) async fn promote(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Form(form): Form<PromoteForm>,
) -> Answer<Response> {
    let id = CandidateId(id);
    let error = match register(&app, &granted, id, &form).await {
        Ok(version) => return Ok(Redirect::to(&version_href(&granted, &version)).into_response()),
        Err(error) => error,
    };
    let problem = typed_wrong(error)?;
    let page = form_page(&app, &granted, &visit, id, (form, Some(problem))).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
}

async fn register(app: &App, granted: &Granted, id: CandidateId, form: &PromoteForm) -> Result<ModelVersion> {
    let (project, chosen) = (granted.project(), form.source.clone());
    let (wish, description) = (read_wish(&form.version)?, read_description(&form.description)?);
    let read = app.db.read(move |tx| {
        let Seen { candidate, .. } = Seen::read(tx, project, id)?;
        let parts = Part::read_all(tx, project, &candidate)?;
        Ok((candidate.eid, parts.into_iter().find(|part| part.uri == chosen)))
    });
    let (eid, part) = read.await?;
    let part = part.ok_or_else(|| Error::invalid("choose which files the version is to have"))?;
    let new = NewVersion {
        wish,
        description,
        source: part.uri,
        run_eid: Some(eid),
        logged_model_eid: part.logged_model,
        ..new_version(app, granted, form.model.trim().to_owned()).await?
    };
    let source = Source::Files(part.tree, None);
    app.db.write(move |tx| versions::register(tx, project, &new, &source)).await
}

async fn form_page(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    id: CandidateId,
    (form, problem): (PromoteForm, Option<String>),
) -> Result<PromotePage> {
    let (project, typed) = (granted.project(), form.model.trim().to_owned());
    let read = app.db.read(move |tx| Choices::read(tx, project, id, &typed)).await?;
    let href = candidate_href(granted, id);
    let mut shell = read.seen.shell(granted, visit);
    if let Some(last) = shell.crumbs.last_mut() {
        last.href = Some(href.clone());
    }
    shell.crumbs.push(Crumb::here("Promote"));
    let with_files = read.parts.iter().find(|part| part.amount.files > 0).map(|part| part.uri.clone());
    let chosen = if form.source.is_empty() { with_files.unwrap_or_default() } else { form.source };
    Ok(PromotePage {
        shell,
        candidate: read.seen.candidate.name,
        action: format!("{href}/promote"),
        candidate_href: href,
        model: if form.model.is_empty() { read.of_experiment.unwrap_or_default() } else { form.model },
        models: read.names,
        version: form.version,
        next: read.next.map(|next| next.to_string()),
        sources: read.parts.into_iter().map(|part| choice(part, &chosen)).collect(),
        description: form.description,
        problem,
    })
}

fn choice(part: Part, chosen: &str) -> SourceChoice {
    SourceChoice {
        is_chosen: part.uri == chosen,
        note: if part.amount.files == 0 {
            "no files yet: the version begins as a draft".to_owned()
        } else {
            summary(part.amount)
        },
        label: part.label,
        value: part.uri,
    }
}
