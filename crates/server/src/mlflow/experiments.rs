//! The protocol's calls on experiments.

use axum::extract::State;
use axum::http::Method;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{ExperimentId, ProjectId};
use modelry_core::names::ExperimentName;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::experiments::{self, Experiment};
use modelry_store::ids::Series;
use modelry_store::models;
use serde::{Deserialize, Serialize};

use super::Calls;
use super::views::ExperimentView;
use super::wire::{Answer, Empty, Message, Pair, Reply, done, experiment_id, required, required_text};
use crate::App;
use crate::access::Granted;
use crate::naming;
use crate::tracking::limits::check_experiment_tag;

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    calls
        .write(Method::POST, "mlflow/experiments/create", create)
        .read(Method::GET, "mlflow/experiments/get", get)
        .read(Method::GET, "mlflow/experiments/get-by-name", get_by_name)
        .write(Method::POST, "mlflow/experiments/update", update)
        .write(Method::POST, "mlflow/experiments/delete", delete)
        .write(Method::POST, "mlflow/experiments/restore", restore)
        .write(Method::POST, "mlflow/experiments/set-experiment-tag", set_tag)
        .write(Method::POST, "mlflow/experiments/delete-experiment-tag", delete_tag)
}

#[derive(Deserialize)]
struct Create {
    name: Option<String>,
    #[serde(alias = "artifactLocation")]
    artifact_location: Option<String>,
    tags: Option<Vec<Pair>>,
}

#[derive(Serialize)]
struct Created {
    experiment_id: String,
}

async fn create(State(app): State<App>, granted: Granted, Message(body): Message<Create>) -> Answer<Created> {
    let name: ExperimentName = required_text(body.name, "name")?.parse()?;
    let location = body.artifact_location.as_deref().map(artifact_location).transpose()?.flatten();
    let tags = body.tags.into_iter().flatten().map(|tag| tag.read("tags")).collect::<Result<Vec<_>>>()?;
    tags.iter().try_for_each(|(key, value)| check_experiment_tag(key, value))?;
    let project = granted.project();
    let now = app.clock.now();
    let experiment = Experiment {
        id: ExperimentId(app.ids.next(project, Series::Experiment).await?),
        name: name.to_string(),
        artifact_location: location.map(|path| path.to_string()),
        creator_id: granted.access.user(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let id = experiment.id;
    app.db.write(move |tx| experiments::insert(tx, project, &experiment, &tags)).await?;
    Ok(Reply(Created { experiment_id: id.to_string() }))
}

/// The path of a location that a client may choose: below `mlflow-artifacts:/`, without a host, because stock clients
/// send their token to whatever host a location names.
fn artifact_location(text: &str) -> Result<Option<ArtifactPath>> {
    if text.is_empty() {
        return Ok(None);
    }
    let path = text.strip_prefix("mlflow-artifacts:/").filter(|rest| !rest.starts_with('/'));
    let Some(path) = path.map(|path| path.trim_end_matches('/')) else {
        return Err(Error::invalid(format!(
            "Invalid value \"{text}\" for parameter 'artifact_location' supplied: artifacts are kept by this server, \
             so a location is left out or has the form mlflow-artifacts:/<path>, without a host"
        )));
    };
    let path = ArtifactPath::parse_dir(Some(path))?;
    if path.as_ref().is_some_and(|path| naming::version_in(path).is_some()) {
        return Err(Error::invalid(format!(
            "Invalid value \"{text}\" for parameter 'artifact_location' supplied: the files of model versions are there"
        )));
    }
    Ok(path)
}

#[derive(Deserialize)]
struct Get {
    #[serde(alias = "experimentId")]
    experiment_id: Option<String>,
}

impl Get {
    fn id(self) -> Result<ExperimentId> {
        experiment_id(&required_text(self.experiment_id, "experiment_id")?)
    }
}

#[derive(Serialize)]
struct Found {
    experiment: ExperimentView,
}

async fn get(State(app): State<App>, granted: Granted, Message(query): Message<Get>) -> Answer<Found> {
    let (project, id) = (granted.project(), query.id()?);
    let experiment = app
        .db
        .read(move |tx| {
            let experiment = experiments::get(tx, project, id)?;
            let mut metadata = experiments::metadata(tx, project, [id])?;
            Ok(ExperimentView::new(experiment, metadata.remove(&id).unwrap_or_default()))
        })
        .await?;
    Ok(Reply(Found { experiment }))
}

#[derive(Deserialize)]
struct GetByName {
    #[serde(alias = "experimentName")]
    experiment_name: Option<String>,
}

async fn get_by_name(
    State(app): State<App>,
    granted: Granted,
    Message(query): Message<GetByName>,
) -> Answer<Found> {
    let project = granted.project();
    let name = required_text(query.experiment_name, "experiment_name")?;
    let experiment = app
        .db
        .read(move |tx| {
            let found = match experiments::find_by_name(tx, project, &name)? {
                None => default_of_model(tx, project, &name)?,
                found => found,
            };
            let experiment = found
                .ok_or_else(|| Error::not_found(format!("Could not find experiment with name '{name}'")))?;
            let id = experiment.id;
            let mut metadata = experiments::metadata(tx, project, [id])?;
            Ok(ExperimentView::new(experiment, metadata.remove(&id).unwrap_or_default()))
        })
        .await?;
    Ok(Reply(Found { experiment }))
}

/// The default experiment of a model by GitLab's name for it, `[model]` and the model's name.
fn default_of_model(tx: &mut Tx<'_>, project: ProjectId, name: &str) -> Result<Option<Experiment>> {
    let Some(model) = name.strip_prefix("[model]") else { return Ok(None) };
    match models::find_by_name(tx, project, model)?.and_then(|model| model.experiment_id) {
        Some(id) => experiments::find(tx, project, id),
        None => Ok(None),
    }
}

#[derive(Deserialize)]
struct Update {
    #[serde(alias = "experimentId")]
    experiment_id: Option<String>,
    #[serde(alias = "newName")]
    new_name: Option<String>,
}

async fn update(State(app): State<App>, granted: Granted, Message(body): Message<Update>) -> Answer<Empty> {
    let project = granted.project();
    let id = experiment_id(&required_text(body.experiment_id, "experiment_id")?)?;
    let name: ExperimentName = required_text(body.new_name, "new_name")?.parse()?;
    let now = app.clock.now();
    app.db.write(move |tx| experiments::rename(tx, project, id, name.as_str(), now)).await?;
    done()
}

async fn delete(State(app): State<App>, granted: Granted, Message(body): Message<Get>) -> Answer<Empty> {
    let (project, id, now) = (granted.project(), body.id()?, app.clock.now());
    app.db.write(move |tx| experiments::delete(tx, project, id, now)).await?;
    done()
}

async fn restore(State(app): State<App>, granted: Granted, Message(body): Message<Get>) -> Answer<Empty> {
    let (project, id, now) = (granted.project(), body.id()?, app.clock.now());
    app.db.write(move |tx| experiments::restore(tx, project, id, now)).await?;
    done()
}

#[derive(Deserialize)]
struct Tag {
    #[serde(alias = "experimentId")]
    experiment_id: Option<String>,
    key: Option<String>,
    value: Option<String>,
}

async fn set_tag(State(app): State<App>, granted: Granted, Message(body): Message<Tag>) -> Answer<Empty> {
    let project = granted.project();
    let id = experiment_id(&required_text(body.experiment_id, "experiment_id")?)?;
    let (key, value) = (required_text(body.key, "key")?, required(body.value, "value")?);
    check_experiment_tag(&key, &value)?;
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            experiments::get(tx, project, id)?.require_active()?;
            experiments::set_metadata(tx, project, id, &key, &value, now)
        })
        .await?;
    done()
}

async fn delete_tag(State(app): State<App>, granted: Granted, Message(body): Message<Tag>) -> Answer<Empty> {
    let project = granted.project();
    let id = experiment_id(&required_text(body.experiment_id, "experiment_id")?)?;
    let key = required_text(body.key, "key")?;
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            experiments::get(tx, project, id)?.require_active()?;
            if experiments::delete_metadata(tx, project, id, &key, now)? {
                return Ok(());
            }
            Err(Error::not_found(format!("No tag with name: {key} in experiment with id {id}")))
        })
        .await?;
    done()
}
