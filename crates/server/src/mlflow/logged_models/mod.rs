//! The protocol's calls on logged models, but for their files.

mod search;
mod view;

use axum::extract::State;
use axum::http::Method;
use modelry_core::ids::{LoggedModelEid, LoggedModelId, ProjectId};
use modelry_core::names::{LoggedModelName, check_length};
use modelry_core::run_name::random_run_name;
use modelry_core::status::LoggedModelStatus;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::ids::Series;
use modelry_store::logged_models::{self, Deleted, LoggedModel, NewLoggedModel};
use modelry_store::models;
use serde::{Deserialize, Serialize};

use self::view::LoggedModelView;
use super::Calls;
use super::wire::{
    Answer, Empty, EnumValue, Message, Pair, Reply, done, experiment_id, required, required_text,
};
use crate::App;
use crate::access::Granted;
use crate::extract::Path;
use crate::tracking::limits::{LOGGED_TEXTS, check_count, check_logged_text};

/// Characters of the kind of a model, and of the id of a run.
const WORD: usize = 500;

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    calls
        .write(Method::POST, "mlflow/logged-models", create)
        .read(Method::POST, "mlflow/logged-models/search", search::search)
        .read(Method::GET, "mlflow/logged-models/{model_id}", get)
        .write(Method::PATCH, "mlflow/logged-models/{model_id}", finalize)
        .write(Method::DELETE, "mlflow/logged-models/{model_id}", delete)
        .write(Method::POST, "mlflow/logged-models/{model_id}/params", log_params)
        .write(Method::PATCH, "mlflow/logged-models/{model_id}/tags", set_tags)
        .write(Method::DELETE, "mlflow/logged-models/{model_id}/tags/{*tag_key}", delete_tag)
}

/// The logged model that a URL names.
#[derive(Deserialize)]
struct ModelInPath {
    model_id: String,
}

impl ModelInPath {
    /// Its public id. Clients name the model in the body of some calls too; it must be the same one there.
    fn eid(&self, in_body: Option<&str>) -> Result<LoggedModelEid> {
        match in_body {
            Some(other) if other != self.model_id => Err(Error::invalid(format!(
                "Invalid value \"{other}\" for parameter 'model_id' supplied: the URL names the model {}",
                self.model_id
            ))),
            _ => self.model_id.parse(),
        }
    }
}

#[derive(Serialize)]
struct Found {
    model: LoggedModelView,
}

impl Found {
    /// The model with what was logged to it, as the answer of a call.
    fn read(tx: &mut Tx<'_>, project: ProjectId, model: LoggedModel) -> Result<Self> {
        let view = LoggedModelView::read_all(tx, project, vec![model])?.pop();
        Ok(Self { model: view.expect("there is a view of each model") })
    }
}

#[derive(Deserialize)]
struct Create {
    #[serde(alias = "experimentId")]
    experiment_id: Option<String>,
    name: Option<String>,
    #[serde(alias = "modelType")]
    model_type: Option<String>,
    #[serde(alias = "sourceRunId")]
    source_run_id: Option<String>,
    params: Option<Vec<Pair>>,
    tags: Option<Vec<Pair>>,
}

async fn create(State(app): State<App>, granted: Granted, Message(body): Message<Create>) -> Answer<Found> {
    let project = granted.project();
    let experiment = experiment_id(&required_text(body.experiment_id, "experiment_id")?)?;
    let name = body.name.filter(|name| !name.is_empty());
    let name: LoggedModelName = name.unwrap_or_else(|| random_run_name(app.random.bytes())).parse()?;
    let model_type = body.model_type.unwrap_or_default();
    check_length("model_type", &model_type, WORD)?;
    let source_eid = body.source_run_id.filter(|id| !id.is_empty());
    check_length("source_run_id", source_eid.as_deref().unwrap_or_default(), WORD)?;
    let now = app.clock.now();
    let new = NewLoggedModel {
        id: LoggedModelId(app.ids.next(project, Series::LoggedModel).await?),
        eid: LoggedModelEid::new(now, app.random.bytes()),
        experiment_id: experiment,
        name,
        model_type,
        source_eid,
        creator_id: granted.access.user(),
        params: read_texts(body.params, "params")?,
        metadata: read_texts(body.tags, "tags")?,
        created_at: now,
    };
    let found = app.db.write(move |tx| {
        let model = logged_models::insert(tx, project, &new)?;
        Found::read(tx, project, model)
    });
    Ok(Reply(found.await?))
}

/// Checked params or tags.
fn read_texts(texts: Option<Vec<Pair>>, of: &str) -> Result<Vec<(String, String)>> {
    let texts = texts.unwrap_or_default();
    check_count(of, texts.len(), LOGGED_TEXTS)?;
    let read = |text: Pair| {
        let (key, value) = text.read(of)?;
        check_logged_text(of, &key, &value)?;
        Ok((key, value))
    };
    texts.into_iter().map(read).collect()
}

#[derive(Deserialize)]
struct Get {
    #[serde(alias = "allowDeleted")]
    allow_deleted: Option<String>,
}

async fn get(
    State(app): State<App>,
    granted: Granted,
    Path(path): Path<ModelInPath>,
    Message(query): Message<Get>,
) -> Answer<Found> {
    let project = granted.project();
    let eid = match path.eid(None) {
        Ok(eid) => eid,
        Err(error) => return Err(explain_name(&app, project, path.model_id, error).await?.into()),
    };
    let allowed = query.allow_deleted.is_some_and(|allow| allow.eq_ignore_ascii_case("true"));
    let deleted = if allowed { Deleted::Shown } else { Deleted::Hidden };
    let found = app.db.read(move |tx| {
        let model = logged_models::get(tx, project, &eid, deleted)?;
        Found::read(tx, project, model)
    });
    Ok(Reply(found.await?))
}

/// Says so where what is no id of a logged model is the name of a registered model, which `models:/name` means to 2.x
/// clients and to people.
async fn explain_name(app: &App, project: ProjectId, name: String, error: Error) -> Result<Error> {
    app.db
        .read(move |tx| {
            Ok(match models::find_by_name(tx, project, &name)? {
                Some(_) => Error::not_found(format!(
                    "{name} is a registered model; say models:/{name}/latest or models:/{name}/^1"
                )),
                None => Error::not_found(error.message().to_owned()),
            })
        })
        .await
}

#[derive(Deserialize)]
struct Finalize {
    #[serde(alias = "modelId")]
    model_id: Option<String>,
    status: Option<EnumValue>,
}

async fn finalize(
    State(app): State<App>,
    granted: Granted,
    Path(path): Path<ModelInPath>,
    Message(body): Message<Finalize>,
) -> Answer<Found> {
    let (project, now) = (granted.project(), app.clock.now());
    let eid = path.eid(body.model_id.as_deref())?;
    let status = required(body.status, "status")?.read(LoggedModelStatus::from_number, str::parse)?;
    let found = app.db.write(move |tx| {
        let model = logged_models::finalize(tx, project, &eid, status, now)?;
        Found::read(tx, project, model)
    });
    Ok(Reply(found.await?))
}

async fn delete(State(app): State<App>, granted: Granted, Path(path): Path<ModelInPath>) -> Answer<Empty> {
    let (project, now, eid) = (granted.project(), app.clock.now(), path.eid(None)?);
    app.db.write(move |tx| logged_models::delete(tx, project, &eid, now)).await?;
    done()
}

#[derive(Deserialize)]
struct LogParams {
    #[serde(alias = "modelId")]
    model_id: Option<String>,
    params: Option<Vec<Pair>>,
}

async fn log_params(
    State(app): State<App>,
    granted: Granted,
    Path(path): Path<ModelInPath>,
    Message(body): Message<LogParams>,
) -> Answer<Empty> {
    let (project, now) = (granted.project(), app.clock.now());
    let eid = path.eid(body.model_id.as_deref())?;
    let params = read_texts(body.params, "params")?;
    app.db.write(move |tx| logged_models::log_params(tx, project, &eid, &params, now)).await?;
    done()
}

#[derive(Deserialize)]
struct SetTags {
    #[serde(alias = "modelId")]
    model_id: Option<String>,
    tags: Option<Vec<Pair>>,
}

async fn set_tags(
    State(app): State<App>,
    granted: Granted,
    Path(path): Path<ModelInPath>,
    Message(body): Message<SetTags>,
) -> Answer<Found> {
    let (project, now) = (granted.project(), app.clock.now());
    let eid = path.eid(body.model_id.as_deref())?;
    let tags = read_texts(body.tags, "tags")?;
    let found = app.db.write(move |tx| {
        let model = logged_models::set_metadata(tx, project, &eid, &tags, now)?;
        Found::read(tx, project, model)
    });
    Ok(Reply(found.await?))
}

/// A tag of the logged model that a URL names.
#[derive(Deserialize)]
struct TagInPath {
    tag_key: String,
}

async fn delete_tag(
    State(app): State<App>,
    granted: Granted,
    Path(path): Path<ModelInPath>,
    Path(TagInPath { tag_key }): Path<TagInPath>,
) -> Answer<Empty> {
    let (project, now, eid) = (granted.project(), app.clock.now(), path.eid(None)?);
    app.db
        .write(move |tx| {
            if logged_models::delete_metadata(tx, project, &eid, &tag_key, now)? {
                return Ok(());
            }
            Err(Error::not_found(format!("No tag with key '{tag_key}' found for model with ID '{eid}'.")))
        })
        .await?;
    done()
}
