//! The calls on model versions.

use axum::extract::State;
use modelry_core::names::check_length;
use modelry_core::version::selector::{Selector, Target};
use modelry_core::version::stage::Stage;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::models::{self, Model, ModelKind};
use modelry_store::versions::{self, ModelVersion, NewVersion};
use serde::{Deserialize, Serialize};

use super::super::wire::{Answer, Empty, Message, Pair, Reply, done, required, required_text};
use super::models::kind_by;
use super::source::{Reference, download_uri as uri_of};
use super::view::{VersionView, latest_versions};
use super::{read_description, read_tag, read_tags, read_target};
use crate::App;
use crate::access::Granted;
use crate::registry::{mover, new_version};

/// Characters of the id of a run or logged model, and of a link.
const WORD: usize = 500;

/// The tag by which a stock client publishes a draft.
const PUBLISHED: &str = "modelry.published";

#[derive(Serialize)]
pub(super) struct Found {
    pub(super) model_version: VersionView,
}

#[derive(Serialize)]
pub(super) struct FoundAll {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_versions: Vec<VersionView>,
}

#[derive(Deserialize)]
pub(super) struct Create {
    name: Option<String>,
    source: Option<String>,
    #[serde(alias = "runId")]
    run_id: Option<String>,
    tags: Option<Vec<Pair>>,
    #[serde(alias = "runLink")]
    run_link: Option<String>,
    description: Option<String>,
    #[serde(alias = "modelId")]
    model_id: Option<String>,
}

pub(super) async fn create(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Create>,
) -> Answer<Found> {
    let project = granted.project();
    let metadata = read_tags(body.tags)?;
    let source = body.source.unwrap_or_default();
    let reference = match kind_by(&metadata) {
        // Prompts have no files; clients send a word in place of a source.
        ModelKind::Prompt => Reference::Nothing,
        ModelKind::Model => Reference::read(&source)?,
    };
    let new = NewVersion {
        description: read_description(body.description)?,
        run_eid: read_word(body.run_id, "run_id")?,
        run_link: read_word(body.run_link, "run_link")?.unwrap_or_default(),
        logged_model_eid: logged_model(body.model_id, &reference)?,
        source,
        metadata,
        ..new_version(&app, &granted, required_text(body.name, "name")?).await?
    };
    let model_version = app.db.write(move |tx| {
        let source = reference.clone().look_up(tx, project)?;
        let version = versions::register(tx, project, &new, &source)?;
        VersionView::read(tx, project, version)
    });
    Ok(Reply(Found { model_version: model_version.await? }))
}

fn read_word(word: Option<String>, name: &str) -> Result<Option<String>> {
    let word = word.filter(|word| !word.is_empty());
    check_length(name, word.as_deref().unwrap_or_default(), WORD)?;
    Ok(word)
}

/// The logged model that a version is made from: as sent, else the source's. The two must not differ, as MLflow has it.
fn logged_model(sent: Option<String>, reference: &Reference) -> Result<Option<String>> {
    let sent = read_word(sent, "model_id")?;
    match (sent, reference) {
        (Some(sent), Reference::LoggedModel(eid)) if sent != eid.as_str() => Err(Error::invalid(format!(
            "Invalid value \"{sent}\" for parameter 'model_id' supplied: the source names the model {eid}"
        ))),
        (None, Reference::LoggedModel(eid)) => Ok(Some(eid.to_string())),
        (sent, _) => Ok(sent),
    }
}

/// A version as a call names it.
#[derive(Deserialize)]
pub(super) struct Named {
    name: Option<String>,
    version: Option<String>,
}

impl Named {
    /// For a call that reads: anything that selects a version.
    fn selector(self) -> Result<(String, Selector)> {
        let selector = Selector::after_slash(&required_text(self.version, "version")?)?;
        Ok((required_text(self.name, "name")?, selector))
    }
}

/// The version that a call which writes names: by a number or a full version.
fn target(name: Option<String>, version: Option<String>) -> Result<(String, Target)> {
    Ok((required_text(name, "name")?, read_target(version)?))
}

pub(super) async fn get(
    State(app): State<App>,
    granted: Granted,
    Message(query): Message<Named>,
) -> Answer<Found> {
    let project = granted.project();
    let (name, selector) = query.selector()?;
    let model_version = app.db.read(move |tx| {
        let model = models::get_by_name(tx, project, &name)?;
        let version = versions::resolve(tx, project, &model, &selector)?;
        VersionView::read(tx, project, version)
    });
    Ok(Reply(Found { model_version: model_version.await? }))
}

#[derive(Serialize)]
pub(super) struct DownloadUri {
    artifact_uri: String,
}

pub(super) async fn download_uri(
    State(app): State<App>,
    granted: Granted,
    Message(query): Message<Named>,
) -> Answer<DownloadUri> {
    let project = granted.project();
    let (name, selector) = query.selector()?;
    let artifact_uri = app.db.read(move |tx| {
        let model = models::get_by_name(tx, project, &name)?;
        let version = versions::resolve(tx, project, &model, &selector)?;
        uri_of(tx, project, &version, model.kind == ModelKind::Prompt)
    });
    Ok(Reply(DownloadUri { artifact_uri: artifact_uri.await? }))
}

#[derive(Deserialize)]
pub(super) struct Latest {
    name: Option<String>,
    stages: Option<Vec<String>>,
}

/// The versions that stand after `/` in a client's `models:/name/...`: of each stage, or of whatever else selects one;
/// without any, the greatest of each stage in use.
pub(super) async fn latest(
    State(app): State<App>,
    granted: Granted,
    Message(query): Message<Latest>,
) -> Answer<FoundAll> {
    let project = granted.project();
    let name = required_text(query.name, "name")?;
    let stages = query.stages.unwrap_or_default();
    let selectors = stages.iter().map(|stage| Selector::after_slash(stage)).collect::<Result<Vec<_>>>()?;
    let model_versions = app.db.read(move |tx| {
        let model = models::get_by_name(tx, project, &name)?;
        let found = if selectors.is_empty() {
            latest_versions(tx, project, &model)?
        } else {
            select_all(tx, &model, project, &selectors)?
        };
        VersionView::read_all(tx, project, found)
    });
    Ok(Reply(FoundAll { model_versions: model_versions.await? }))
}

/// A version for each selector, each version once. A stage that nothing is in is passed over, as MLflow does.
fn select_all(
    tx: &mut Tx<'_>,
    model: &Model,
    project: modelry_core::ids::ProjectId,
    selectors: &[Selector],
) -> Result<Vec<ModelVersion>> {
    let mut found: Vec<ModelVersion> = Vec::new();
    for selector in selectors {
        let version = match selector {
            Selector::Stage(stage) => versions::by_stage(tx, project, model, *stage)?,
            selector => Some(versions::resolve(tx, project, model, selector)?),
        };
        found.extend(version.filter(|version| found.iter().all(|other| other.id != version.id)));
    }
    Ok(found)
}

#[derive(Deserialize)]
pub(super) struct Update {
    name: Option<String>,
    version: Option<String>,
    description: Option<String>,
}

/// Sets the description; without one it is cleared, as MLflow does.
pub(super) async fn update(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Update>,
) -> Answer<Found> {
    let (project, now) = (granted.project(), app.clock.now());
    let (name, target) = target(body.name, body.version)?;
    let description = read_description(body.description)?;
    let model_version = app.db.write(move |tx| {
        let version = get_target(tx, project, &name, &target)?;
        let version = versions::set_description(tx, project, version, &description, now)?;
        VersionView::read(tx, project, version)
    });
    Ok(Reply(Found { model_version: model_version.await? }))
}

fn get_target(
    tx: &mut Tx<'_>,
    project: modelry_core::ids::ProjectId,
    name: &str,
    target: &Target,
) -> Result<ModelVersion> {
    let model = models::get_by_name(tx, project, name)?;
    versions::get_target(tx, project, &model, target)
}

#[derive(Deserialize)]
pub(super) struct Transition {
    name: Option<String>,
    version: Option<String>,
    stage: Option<String>,
    #[serde(alias = "archiveExistingVersions")]
    archive_existing_versions: Option<bool>,
}

pub(super) async fn transition(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Transition>,
) -> Answer<Found> {
    let (project, now) = (granted.project(), app.clock.now());
    let (name, target) = target(body.name, body.version)?;
    let stage: Stage = required_text(body.stage, "stage")?.parse()?;
    let archive_others = required(body.archive_existing_versions, "archive_existing_versions")?;
    if archive_others && matches!(stage, Stage::None | Stage::Archived) {
        return Err(Error::invalid(format!(
            "Model version transition cannot archive existing model versions because '{stage}' is not an Active \
             stage. Valid stages are Staging, Production"
        ))
        .into());
    }
    let model_version = app.db.write(move |tx| {
        let version = get_target(tx, project, &name, &target)?;
        let version = versions::set_stage(tx, project, version, (stage, archive_others), now)?;
        VersionView::read(tx, project, version)
    });
    Ok(Reply(Found { model_version: model_version.await? }))
}

pub(super) async fn delete(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Named>,
) -> Answer<Empty> {
    let (project, mover) = (granted.project(), mover(&app, &granted, String::new())?);
    let (name, target) = target(body.name, body.version)?;
    app.db
        .write(move |tx| {
            let version = get_target(tx, project, &name, &target)?;
            versions::delete(tx, project, &version, &mover)
        })
        .await?;
    done()
}

#[derive(Deserialize)]
pub(super) struct Tag {
    name: Option<String>,
    version: Option<String>,
    key: Option<String>,
    value: Option<String>,
}

/// Sets a tag; `modelry.published` = `true` publishes the version.
pub(super) async fn set_tag(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Tag>,
) -> Answer<Empty> {
    let (project, now) = (granted.project(), app.clock.now());
    let (name, target) = target(body.name, body.version)?;
    let (key, value) = read_tag(body.key, body.value)?;
    app.db
        .write(move |tx| {
            let version = get_target(tx, project, &name, &target)?;
            versions::set_metadata(tx, project, &version, (&key, &value), now)?;
            if key == PUBLISHED && value.eq_ignore_ascii_case("true") {
                versions::publish(tx, project, version, now)?;
            }
            Ok(())
        })
        .await?;
    done()
}

/// Removes a tag; one that is not there is removed already, as MLflow has it.
pub(super) async fn delete_tag(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Tag>,
) -> Answer<Empty> {
    let (project, now) = (granted.project(), app.clock.now());
    let (name, target) = target(body.name, body.version)?;
    let key = required_text(body.key, "key")?;
    app.db
        .write(move |tx| {
            let version = get_target(tx, project, &name, &target)?;
            versions::delete_metadata(tx, project, version.id, &key, now)
        })
        .await?;
    done()
}
