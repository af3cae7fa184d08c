//! Versions of models.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{Eid, LoggedModelEid, ProjectId, VersionId};
use modelry_core::names::check_length;
use modelry_core::time::Timestamp;
use modelry_core::version::Version;
use modelry_core::version::bump::Step;
use modelry_core::version::selector::{Selector, Target};
use modelry_core::version::stage::Stage;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::files::{Owner, Tree};
use modelry_store::logged_models::Deleted;
use modelry_store::versions::{self, Advice, ModelVersion, Record, Source};
use modelry_store::{candidates, logged_models};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::models::get as get_model;
use super::number;
use super::page::{self, Page, Place};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query};
use crate::registry::{check_all_metadata, check_description, check_metadata, mover, new_version};

/// Characters of a warning.
const WARNING: usize = 1_000;

/// How a version is called.
#[derive(Serialize, ToSchema)]
pub(super) struct VersionName {
    /// Its semantic version.
    version: String,
    /// Its sequence number in the model, which is MLflow's version.
    number: i64,
}

impl From<&ModelVersion> for VersionName {
    fn from(version: &ModelVersion) -> Self {
        Self { version: version.version.to_string(), number: version.number }
    }
}

/// A version of a model.
#[derive(Serialize, ToSchema)]
#[schema(as = ModelVersion)]
pub(super) struct VersionView {
    /// Its number in the project, from 1,000,001.
    id: i64,
    /// The model's name.
    model: String,
    /// Its semantic version.
    version: String,
    /// Its sequence number in the model, which is MLflow's version.
    number: i64,
    /// `draft` while its files may change, else `published`.
    state: &'static str,
    /// Since when it should not be used any more, in milliseconds since 1970.
    deprecated_at: Option<i64>,
    /// Since when only who names it exactly finds it, in milliseconds since 1970.
    yanked_at: Option<i64>,
    /// Why it is deprecated or yanked.
    warning: Option<String>,
    /// Where the model's signature changed by more than the step from the version before says: what changed. Only told of a
    /// single version.
    step_warning: Option<String>,
    /// What its run held when it was published: what is logged later changes no version. Only told of a single version.
    at_publication: Option<RecordView>,
    /// Its stage: `None`, `Staging`, `Production` or `Archived`.
    stage: &'static str,
    /// What its maker says of it.
    description: String,
    /// Metadata (MLflow's tags).
    metadata: BTreeMap<String, String>,
    /// The aliases that point at it.
    aliases: Vec<String>,
    /// Where its files came from, as it was sent.
    source: String,
    /// The run that its params and metrics were logged to.
    run_id: Option<String>,
    /// The logged model that it was made from.
    logged_model_id: Option<String>,
    /// When it was made, in milliseconds since 1970.
    created_at: i64,
    /// When it changed last, in milliseconds since 1970.
    updated_at: i64,
    /// When it was published, in milliseconds since 1970.
    published_at: Option<i64>,
}

/// What a run held.
#[derive(Serialize, ToSchema)]
#[schema(as = Record)]
struct RecordView {
    /// Params by key.
    params: BTreeMap<String, String>,
    /// The latest values of metrics by key, as text: also `NaN`, `inf` and `-inf`.
    metrics: BTreeMap<String, String>,
    /// Metadata by key.
    metadata: BTreeMap<String, String>,
}

impl From<Record> for RecordView {
    fn from(record: Record) -> Self {
        Self { params: record.params, metrics: record.metrics, metadata: record.metadata }
    }
}

impl VersionView {
    fn read(tx: &mut Tx<'_>, project: ProjectId, version: ModelVersion) -> Result<Self> {
        Ok(Self::read_all(tx, project, vec![version])?.pop().expect("there is a view of each version"))
    }

    /// As [`VersionView::read`], with what is only told of a single version.
    fn read_whole(tx: &mut Tx<'_>, project: ProjectId, version: ModelVersion) -> Result<Self> {
        let step_warning = versions::check_step(tx, project, &version)?;
        let at_publication = versions::record(tx, project, version.id)?.map(RecordView::from);
        Ok(Self { step_warning, at_publication, ..Self::read(tx, project, version)? })
    }

    fn read_all(tx: &mut Tx<'_>, project: ProjectId, found: Vec<ModelVersion>) -> Result<Vec<Self>> {
        let ids: Vec<VersionId> = found.iter().map(|version| version.id).collect();
        let mut details = versions::details(tx, project, &ids)?;
        let view = |version: ModelVersion| {
            let details = details.remove(&version.id).unwrap_or_default();
            Self {
                id: version.id.0,
                state: if version.is_draft() { "draft" } else { "published" },
                deprecated_at: version.deprecated_at.map(Timestamp::ms),
                yanked_at: version.yanked_at.map(Timestamp::ms),
                warning: Some(version.warning).filter(|warning| !warning.is_empty()),
                step_warning: None,
                at_publication: None,
                version: version.version.to_string(),
                number: version.number,
                stage: version.stage.as_str(),
                metadata: details.metadata.into_iter().collect(),
                aliases: details.aliases,
                model: version.model,
                description: version.description,
                source: version.source,
                run_id: version.run_eid,
                logged_model_id: version.logged_model_eid,
                created_at: version.created_at.ms(),
                updated_at: version.updated_at.ms(),
                published_at: version.published_at.map(Timestamp::ms),
            }
        };
        Ok(found.into_iter().map(view).collect())
    }
}

/// Which versions to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListVersions {
    /// How many versions a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The sequence number of the version after which the page starts.
    after: Option<i64>,
}

/// List a model's versions, the last made first.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models/{model}/versions", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"), ListVersions,
    ),
    responses(
        (
            status = 200, description = "A page of versions", body = [VersionView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_versions(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, model)): Path<(String, String)>,
    Query(query): Query<ListVersions>,
) -> Result<Page<VersionView>, Problem> {
    let (project, size) = (granted.project(), page::size(query.per_page)?);
    let rows = app.db.read(move |tx| {
        let model = get_model(tx, project, &model)?;
        let rows = versions::list_newest(tx, project, &model, query.after, size + 1)?;
        VersionView::read_all(tx, project, rows)
    });
    let place = Place { app: &app, headers: &headers, uri: &uri };
    Ok(Page::new(&place, rows.await?, size, |row| row.number, |row| row)?)
}

/// A version to be made. Its files are those of `run_id`, `logged_model_id` or `copy_of` at this moment; without any of
/// them it is a draft, and what is logged to its run are its files.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateVersion {
    /// Its semantic version; the next one where it is not said.
    version: Option<String>,
    /// Which part of the number rises where no version is said: `major`, `minor` or `patch`.
    bump: Option<String>,
    /// What is to be said of it.
    description: Option<String>,
    /// Metadata to start with.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    /// The public id of the candidate (MLflow's run) whose artifacts are its files.
    run_id: Option<String>,
    /// A directory among the candidate's artifacts, where not all of them are meant.
    path: Option<String>,
    /// The public id of the logged model whose files are its files.
    logged_model_id: Option<String>,
    /// Another version to copy, as `model@selector` or `model/selector`.
    copy_of: Option<String>,
}

impl CreateVersion {
    /// The wish as metadata, which every protocol understands; it is not kept.
    fn wish(&self) -> Result<Option<versions::Wish>> {
        match (&self.version, &self.bump) {
            (Some(_), Some(_)) => Err(Error::invalid("say either `version` or `bump`")),
            (Some(version), None) => Ok(Some(versions::Wish::Exactly(version.parse::<Version>()?))),
            (None, Some(step)) => Ok(Some(versions::Wish::Next(Some(step.parse::<Step>()?)))),
            (None, None) => Ok(None),
        }
    }

    /// Where the files come from, as MLflow would say it.
    fn source(&self) -> Result<Origin> {
        match (&self.run_id, &self.logged_model_id, &self.copy_of) {
            (None, None, None) => Ok(Origin::Nothing),
            (Some(run), None, None) => {
                Ok(Origin::Run(run.parse()?, ArtifactPath::parse_dir(self.path.as_deref())?))
            }
            (None, Some(model), None) => Ok(Origin::LoggedModel(model.parse()?)),
            (None, None, Some(version)) => Origin::copy(version),
            _ => Err(Error::invalid("say one of `run_id`, `logged_model_id` and `copy_of`")),
        }
    }
}

/// Where the files of a new version come from.
#[derive(Clone)]
enum Origin {
    Nothing,
    Run(Eid, Option<ArtifactPath>),
    LoggedModel(LoggedModelEid),
    Copy(String, Selector),
}

impl Origin {
    fn copy(text: &str) -> Result<Self> {
        let (model, selector) = match (text.split_once('/'), text.split_once('@')) {
            (Some((model, selector)), _) => (model, Selector::after_slash(selector)?),
            (None, Some((model, selector))) => (model, Selector::after_at(selector)?),
            (None, None) => return Err(Error::invalid("`copy_of` is `model@selector` or `model/selector`")),
        };
        Ok(Self::Copy(model.to_owned(), selector))
    }

    /// The source as MLflow's clients would write it.
    fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Run(eid, None) => format!("runs:/{eid}/"),
            Self::Run(eid, Some(dir)) => format!("runs:/{eid}/{dir}"),
            Self::LoggedModel(eid) => format!("models:/{eid}"),
            Self::Copy(model, selector) => format!("models:/{model}/{selector}"),
        }
    }

    fn look_up(&self, tx: &mut Tx<'_>, project: ProjectId) -> Result<Source> {
        Ok(match self {
            Self::Nothing => Source::Nothing,
            Self::Run(eid, dir) => {
                let run = candidates::get_by_eid(tx, project, eid)?;
                Source::Files(Tree { project, owner: Owner::Candidate(run.id) }, dir.clone())
            }
            Self::LoggedModel(eid) => {
                let model = logged_models::get(tx, project, eid, Deleted::Hidden)?;
                Source::Files(Tree { project, owner: Owner::LoggedModel(model.id) }, None)
            }
            Self::Copy(model, selector) => {
                let model = get_model(tx, project, model)?;
                Source::Copy(Box::new(versions::resolve(tx, project, &model, selector)?))
            }
        })
    }
}

/// Make a version.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/models/{model}/versions", tag = "models",
    request_body = CreateVersion,
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
    ),
    responses((status = 201, description = "The version", body = VersionView))
)]
pub(super) async fn create_version(
    State(app): State<App>,
    granted: Granted,
    Path((_, model)): Path<(String, String)>,
    Json(body): Json<CreateVersion>,
) -> Result<(StatusCode, Json<VersionView>), Problem> {
    let project = granted.project();
    let (wish, origin) = (body.wish()?, body.source()?);
    let description = body.description.unwrap_or_default();
    check_description(&description)?;
    let metadata: Vec<(String, String)> = body.metadata.into_iter().collect();
    check_all_metadata(&metadata)?;
    let new = versions::NewVersion {
        description,
        wish,
        source: origin.text(),
        run_eid: body.run_id,
        logged_model_eid: body.logged_model_id,
        metadata,
        ..new_version(&app, &granted, model).await?
    };
    let made = app.db.write(move |tx| {
        get_model(tx, project, &new.model)?;
        let source = origin.look_up(tx, project)?;
        let version = versions::register(tx, project, &new, &source)?;
        VersionView::read_whole(tx, project, version)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Tell a version.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models/{model}/versions/{version}", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        (
            "version" = String, Path,
            description = "Sequence number, semantic version, `latest`, requirement such as `^1`, stage or alias",
        ),
    ),
    responses((status = 200, description = "The version", body = VersionView))
)]
pub(super) async fn get_version(
    State(app): State<App>,
    granted: Granted,
    Path((_, model, version)): Path<(String, String, String)>,
) -> Result<Json<VersionView>, Problem> {
    let project = granted.project();
    let selector = Selector::after_slash(&version)?;
    let found = app.db.read(move |tx| {
        let model = get_model(tx, project, &model)?;
        let version = versions::resolve(tx, project, &model, &selector)?;
        VersionView::read_whole(tx, project, version)
    });
    Ok(Json(found.await?))
}

/// What is to change of a version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateVersion {
    /// What is to be said of it.
    description: Option<String>,
    /// Its new stage: `None`, `Staging`, `Production` or `Archived`.
    stage: Option<String>,
    /// Metadata to set; `null` removes a key.
    #[serde(default)]
    metadata: BTreeMap<String, Option<String>>,
    /// `published` publishes a draft: its files do not change any more.
    state: Option<String>,
    /// `deprecated`, `yanked` (only who names it exactly finds it), or `fine`.
    advice: Option<String>,
    /// Why it is deprecated or yanked.
    warning: Option<String>,
}

/// Change a version.
#[utoipa::path(
    patch, path = "/api/v4/projects/{project}/models/{model}/versions/{version}", tag = "models",
    request_body = UpdateVersion,
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("version" = String, Path, description = "Sequence number, or semantic version"),
    ),
    responses((status = 200, description = "The version", body = VersionView))
)]
pub(super) async fn update_version(
    State(app): State<App>,
    granted: Granted,
    Path((_, model, version)): Path<(String, String, String)>,
    Json(body): Json<UpdateVersion>,
) -> Result<Json<VersionView>, Problem> {
    let (project, now) = (granted.project(), app.clock.now());
    let target: Target = version.parse()?;
    check_description(body.description.as_deref().unwrap_or_default())?;
    for (key, value) in &body.metadata {
        check_metadata(key, value.as_deref().unwrap_or_default())?;
    }
    let stage: Option<Stage> = body.stage.map(|stage| stage.parse()).transpose()?;
    let advice = body.advice.as_deref().map(read_advice).transpose()?;
    let warning = body.warning.unwrap_or_default();
    check_length("warning", &warning, WARNING)?;
    if advice.is_none() && !warning.is_empty() {
        return Err(Error::invalid("`warning` goes with `advice`").into());
    }
    let publish = match body.state.as_deref() {
        None => false,
        Some("published") => true,
        Some(other) => {
            return Err(Error::invalid(format!("`state` is `published` or left out, not `{other}`")).into());
        }
    };
    let view = app.db.write(move |tx| {
        let model = get_model(tx, project, &model)?;
        let mut version = versions::get_target(tx, project, &model, &target)?;
        if let Some(description) = &body.description {
            version = versions::set_description(tx, project, version, description, now)?;
        }
        for (key, value) in &body.metadata {
            match value {
                Some(value) => versions::set_metadata(tx, project, &version, (key, value), now)?,
                None => versions::delete_metadata(tx, project, version.id, key, now).map(drop)?,
            }
        }
        if let Some(stage) = stage {
            version = versions::set_stage(tx, project, version, (stage, false), now)?;
        }
        if let Some(advice) = advice {
            version = versions::set_advice(tx, project, version, (advice, &warning), now)?;
        }
        if publish {
            version = versions::publish(tx, project, version, now)?;
        }
        VersionView::read(tx, project, version)
    });
    Ok(Json(view.await?))
}

fn read_advice(text: &str) -> Result<Advice> {
    match text {
        "fine" => Ok(Advice::Fine),
        "deprecated" => Ok(Advice::Deprecated),
        "yanked" => Ok(Advice::Yanked),
        other => Err(Error::invalid(format!("`advice` is `fine`, `deprecated` or `yanked`, not `{other}`"))),
    }
}

/// Put a version into the bin, from which it can be restored. Aliases that point at it are removed.
#[utoipa::path(
    delete, path = "/api/v4/projects/{project}/models/{model}/versions/{version}", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("version" = String, Path, description = "Sequence number, or semantic version"),
    ),
    responses((status = 200, description = "The version that is in the bin now", body = VersionView))
)]
pub(super) async fn delete_version(
    State(app): State<App>,
    granted: Granted,
    Path((_, model, version)): Path<(String, String, String)>,
) -> Result<Json<VersionView>, Problem> {
    let (project, mover) = (granted.project(), mover(&app, &granted, "the version was deleted".into())?);
    let target: Target = version.parse()?;
    let view = app.db.write(move |tx| {
        let model = get_model(tx, project, &model)?;
        let version = versions::get_target(tx, project, &model, &target)?;
        let view = VersionView::read(tx, project, version.clone())?;
        versions::delete(tx, project, &version, &mover)?;
        Ok(VersionView { aliases: Vec::new(), updated_at: mover.now.ms(), ..view })
    });
    Ok(Json(view.await?))
}

/// Take a version out of the bin.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/deleted_versions/{version_id}/restore", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("version_id" = i64, Path, description = "Number of the version in the project"),
    ),
    responses((status = 200, description = "The version", body = VersionView))
)]
pub(super) async fn restore_version(
    State(app): State<App>,
    granted: Granted,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<VersionView>, Problem> {
    let (project, now) = (granted.project(), app.clock.now());
    let id = VersionId(number(&id)?);
    let view = app.db.write(move |tx| {
        let version = versions::restore(tx, project, id, now)?;
        VersionView::read(tx, project, version)
    });
    Ok(Json(view.await?))
}
