//! Putting models and versions into the bin, after a page that says what this does.
//!
//! The page is one of its own because what is freed takes a look at every file: no other page waits for that.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::ids::{ModelId, ProjectId};
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Path;
use modelry_server::purge::BIN_DAYS;
use modelry_server::registry::{self, mover};
use modelry_store::models;
use modelry_store::purge::{self, Thing};
use modelry_store::versions;

use super::files::VersionFiles;
use super::version::Seen;
use super::{About, list_href, model_href, version_href};
use crate::answer::{Answer, Page, Shown};
use crate::form::Form;
use crate::format::counted;
use crate::pages::model_tree::Amount;
use crate::pages::shown::summary;
use crate::pages::sign_in::ButtonForm;
use crate::pages::{shown_count, typed_wrong};
use crate::shell::Crumb;
use crate::views::models::delete::{DeletePage, amount_freed};
use crate::visit::Visit;

/// What is to be deleted.
#[derive(Clone, Copy)]
enum What {
    Model(ModelId),
    Version(ModelId, i64),
}

/// Asks before a model goes to the bin.
pub(crate) async fn ask_about_model(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
) -> Answer<Page<DeletePage>> {
    Ok(Page(question(&app, &granted, &visit, What::Model(ModelId(id))).await?))
}

/// Asks before a version goes to the bin.
pub(crate) async fn ask_about_version(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, number))): Shown<Path<(String, i64, i64)>>,
) -> Answer<Page<DeletePage>> {
    Ok(Page(question(&app, &granted, &visit, What::Version(ModelId(id), number)).await?))
}

/// Puts a model with its versions into the bin and goes to the other models, or says why not.
pub(crate) async fn delete_model(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Response> {
    let (project, mover) = (granted.project(), mover(&app, &granted, String::new())?);
    let deleted = app.db.write(move |tx| {
        let About { model, .. } = About::read(tx, project, ModelId(id))?;
        registry::delete_model(tx, project, &model, &mover)
    });
    match deleted.await {
        Ok(()) => Ok(Redirect::to(&list_href(&granted)).into_response()),
        Err(error) => refuse(&app, &granted, &visit, What::Model(ModelId(id)), error).await,
    }
}

/// Puts a version into the bin and goes to the other versions, or says why not.
pub(crate) async fn delete_version(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, number))): Shown<Path<(String, i64, i64)>>,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Response> {
    let (project, model, mover) = (granted.project(), ModelId(id), mover(&app, &granted, String::new())?);
    let deleted = app.db.write(move |tx| {
        let version = About::read(tx, project, model)?.version(tx, project, number)?;
        versions::delete(tx, project, &version, &mover)
    });
    match deleted.await {
        Ok(()) => {
            let others = format!("{}?tab=versions", model_href(&granted, model));
            Ok(Redirect::to(&others).into_response())
        }
        Err(error) => refuse(&app, &granted, &visit, What::Version(model, number), error).await,
    }
}

async fn refuse(app: &App, granted: &Granted, visit: &Visit, what: What, error: Error) -> Answer<Response> {
    let problem = typed_wrong(error)?;
    let page = DeletePage { problem: Some(problem), ..question(app, granted, visit, what).await? };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
}

async fn question(app: &App, granted: &Granted, visit: &Visit, what: What) -> Result<DeletePage> {
    match what {
        What::Model(id) => about_model(app, granted, visit, id).await,
        What::Version(id, number) => about_version(app, granted, visit, (id, number)).await,
    }
}

async fn about_model(app: &App, granted: &Granted, visit: &Visit, id: ModelId) -> Result<DeletePage> {
    let project = granted.project();
    let read = app.db.read(move |tx| {
        let about = About::read(tx, project, id)?;
        let consequences = of_model(tx, project, &about)?;
        Ok((about, consequences))
    });
    let (about, consequences) = read.await?;
    let href = about.href(granted);
    Ok(DeletePage {
        shell: about.shell(granted, visit, vec![Crumb::here("Delete")]),
        what: about.model.name,
        problem: None,
        consequences,
        action: format!("{href}/delete"),
        cancel_href: href,
    })
}

/// What deleting a model does.
fn of_model(tx: &mut Tx<'_>, project: ProjectId, about: &About) -> Result<Vec<String>> {
    let model = &about.model;
    let mut sentences = Vec::new();
    match shown_count(models::count_versions(tx, project, model.id)?) {
        0 => {}
        1 => sentences.push("Its version goes with it.".to_owned()),
        versions => sentences.push(format!("Its {} go with it.", counted(versions.into(), "version"))),
    }
    if let Some(experiment) = model.experiment_id.filter(|_| model.made_experiment) {
        let candidates = shown_count(models::count_candidates(tx, project, experiment)?);
        let candidates = counted(candidates.into(), "candidate");
        sentences.push(format!("The experiment that was made with it goes, too: {candidates}."));
    }
    sentences.push("Its name is free at once.".to_owned());
    let freed = match purge::frees(tx, project, Thing::Model(model.id))? {
        0 => "nothing: what files it has, others have too".to_owned(),
        size_bytes => amount_freed(size_bytes),
    };
    sentences.push(bin_sentence(Some(freed)));
    Ok(sentences)
}

async fn about_version(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    (id, number): (ModelId, i64),
) -> Result<DeletePage> {
    let project = granted.project();
    let read = app.db.read(move |tx| {
        let seen = Seen::read(tx, project, id, number)?;
        let consequences = of_version(tx, project, &seen)?;
        Ok((seen, consequences))
    });
    let (seen, consequences) = read.await?;
    let (href, label) = (version_href(granted, &seen.version), seen.version.label());
    let way = vec![Crumb::link(label.clone(), href.clone()), Crumb::here("Delete")];
    Ok(DeletePage {
        shell: seen.about.shell(granted, visit, way),
        what: format!("{} {label}", seen.version.model),
        problem: None,
        consequences,
        action: format!("{href}/delete"),
        cancel_href: href,
    })
}

/// What deleting a version does.
fn of_version(tx: &mut Tx<'_>, project: ProjectId, seen: &Seen) -> Result<Vec<String>> {
    let version = &seen.version;
    let mut sentences = Vec::new();
    let aliases: Vec<String> = seen.aliases().iter().map(|alias| format!("@{alias}")).collect();
    if !aliases.is_empty() {
        sentences.push(format!("Nothing is found by {} any more.", aliases.join(", ")));
    }
    if version.is_draft() {
        sentences.push("It is a draft: its files stay with its candidate.".to_owned());
        sentences.push(bin_sentence(None));
        return Ok(sentences);
    }
    let amount = match VersionFiles::of(project, version)? {
        Some(files) => files.amount(tx, None)?,
        None => Amount::default(),
    };
    if amount.files == 0 {
        sentences.push(bin_sentence(None));
        return Ok(sentences);
    }
    sentences.push(format!("Its files go with it: {}.", summary(amount)));
    let freed = amount_freed(purge::frees(tx, project, Thing::Version(version.id))?);
    sentences.push(bin_sentence(Some(freed)));
    Ok(sentences)
}

/// What becomes of a thing that is deleted, and what it frees at the end.
fn bin_sentence(freed: Option<String>) -> String {
    let freed = freed.map(|freed| format!(", which frees {freed}")).unwrap_or_default();
    format!(
        "It goes to the bin for {BIN_DAYS} days, from where it can be restored. \
         Then it is removed for good{freed}."
    )
}
