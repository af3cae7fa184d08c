//! The calls on registered models.

use axum::extract::State;
use modelry_core::names::ModelName;
use modelry_store::models::{self, ModelKind};
use serde::{Deserialize, Serialize};

use super::super::wire::{Answer, Empty, Message, Pair, Reply, done, required_text};
use super::view::ModelView;
use super::{read_description, read_tag, read_tags};
use crate::App;
use crate::access::Granted;
use crate::registry::{self, new_model};

/// The tag by which 3.x clients mark a prompt.
pub(super) const IS_PROMPT: &str = "mlflow.prompt.is_prompt";

#[derive(Serialize)]
pub(super) struct Found {
    registered_model: ModelView,
}

/// The tags say whether it is a model or a prompt.
pub(super) fn kind_by(tags: &[(String, String)]) -> ModelKind {
    let is_prompt = tags.iter().any(|(key, value)| key == IS_PROMPT && value.eq_ignore_ascii_case("true"));
    if is_prompt { ModelKind::Prompt } else { ModelKind::Model }
}

#[derive(Deserialize)]
pub(super) struct Create {
    name: Option<String>,
    tags: Option<Vec<Pair>>,
    description: Option<String>,
}

pub(super) async fn create(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Create>,
) -> Answer<Found> {
    let project = granted.project();
    let name: ModelName = required_text(body.name, "name")?.parse()?;
    let metadata = read_tags(body.tags)?;
    let kind = kind_by(&metadata);
    let new = new_model(&app, &granted, (name, kind), body.description.unwrap_or_default(), metadata).await?;
    let registered_model = app.db.write(move |tx| {
        let model = models::insert(tx, project, &new)?;
        ModelView::read(tx, project, model)
    });
    Ok(Reply(Found { registered_model: registered_model.await? }))
}

#[derive(Deserialize)]
pub(super) struct Named {
    name: Option<String>,
}

pub(super) async fn get(
    State(app): State<App>,
    granted: Granted,
    Message(query): Message<Named>,
) -> Answer<Found> {
    let (project, name) = (granted.project(), required_text(query.name, "name")?);
    let registered_model = app.db.read(move |tx| {
        let model = models::get_by_name(tx, project, &name)?;
        ModelView::read(tx, project, model)
    });
    Ok(Reply(Found { registered_model: registered_model.await? }))
}

#[derive(Deserialize)]
pub(super) struct Rename {
    name: Option<String>,
    #[serde(alias = "newName")]
    new_name: Option<String>,
}

pub(super) async fn rename(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Rename>,
) -> Answer<Found> {
    let (project, now) = (granted.project(), app.clock.now());
    let name = required_text(body.name, "name")?;
    let new_name: ModelName = required_text(body.new_name, "new_name")?.parse()?;
    let registered_model = app.db.write(move |tx| {
        let model = models::rename(tx, project, &name, &new_name, now)?;
        ModelView::read(tx, project, model)
    });
    Ok(Reply(Found { registered_model: registered_model.await? }))
}

#[derive(Deserialize)]
pub(super) struct Update {
    name: Option<String>,
    description: Option<String>,
}

/// Sets the description; without one it is cleared, as MLflow does.
pub(super) async fn update(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Update>,
) -> Answer<Found> {
    let (project, now) = (granted.project(), app.clock.now());
    let name = required_text(body.name, "name")?;
    let description = read_description(body.description)?;
    let registered_model = app.db.write(move |tx| {
        let model = models::set_description(tx, project, &name, &description, now)?;
        ModelView::read(tx, project, model)
    });
    Ok(Reply(Found { registered_model: registered_model.await? }))
}

pub(super) async fn delete(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Named>,
) -> Answer<Empty> {
    let (project, mover) = (granted.project(), registry::mover(&app, &granted, String::new())?);
    let name = required_text(body.name, "name")?;
    app.db
        .write(move |tx| {
            let model = models::get_by_name(tx, project, &name)?;
            registry::delete_model(tx, project, &model, &mover)
        })
        .await?;
    done()
}

#[derive(Deserialize)]
pub(super) struct Tag {
    name: Option<String>,
    key: Option<String>,
    value: Option<String>,
}

pub(super) async fn set_tag(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Tag>,
) -> Answer<Empty> {
    let (project, now) = (granted.project(), app.clock.now());
    let name = required_text(body.name, "name")?;
    let (key, value) = read_tag(body.key, body.value)?;
    app.db
        .write(move |tx| {
            let model = models::get_by_name(tx, project, &name)?;
            models::set_metadata(tx, project, model.id, (&key, &value), now)
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
    let (name, key) = (required_text(body.name, "name")?, required_text(body.key, "key")?);
    app.db
        .write(move |tx| {
            let model = models::get_by_name(tx, project, &name)?;
            models::delete_metadata(tx, project, model.id, &key, now)
        })
        .await?;
    done()
}
