//! The calls on aliases.

use axum::extract::State;
use modelry_core::names::AliasName;
use modelry_core::version::selector::Selector;
use modelry_core::{Error, Kind};
use modelry_store::{models, versions};
use serde::Deserialize;

use super::super::wire::{Answer, Empty, Message, Reply, done, required_text};
use super::read_target;
use super::versions::Found;
use super::view::VersionView;
use crate::App;
use crate::access::Granted;
use crate::registry::mover;

#[derive(Deserialize)]
pub(super) struct Named {
    name: Option<String>,
    alias: Option<String>,
    version: Option<String>,
}

/// Points an alias at one version, and at no other any more.
pub(super) async fn set(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Named>,
) -> Answer<Empty> {
    let (project, mover) = (granted.project(), mover(&app, &granted, String::new())?);
    let name = required_text(body.name, "name")?;
    let alias: AliasName = required_text(body.alias, "alias")?.parse()?;
    let target = read_target(body.version)?;
    app.db
        .write(move |tx| {
            let model = models::get_by_name(tx, project, &name)?;
            let version = versions::get_target(tx, project, &model, &target)?;
            versions::set_alias(tx, project, &version, alias.as_str(), &mover)
        })
        .await?;
    done()
}

/// Removes an alias; one that is not there is removed already, as MLflow has it.
pub(super) async fn delete(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Named>,
) -> Answer<Empty> {
    let (project, mover) = (granted.project(), mover(&app, &granted, String::new())?);
    let name = required_text(body.name, "name")?;
    let alias = required_text(body.alias, "alias")?;
    app.db
        .write(move |tx| {
            let model = models::get_by_name(tx, project, &name)?;
            versions::delete_alias(tx, project, &model, &alias, &mover)
        })
        .await?;
    done()
}

/// The version that stands after `@` in a client's `models:/name@...`: an alias, or whatever else selects one.
pub(super) async fn get(
    State(app): State<App>,
    granted: Granted,
    Message(query): Message<Named>,
) -> Answer<Found> {
    let project = granted.project();
    let name = required_text(query.name, "name")?;
    let selector = Selector::after_at(&required_text(query.alias, "alias")?)?;
    let by_alias = matches!(selector, Selector::Alias(_));
    let found = app.db.read(move |tx| {
        let model = models::get_by_name(tx, project, &name)?;
        let version =
            versions::resolve(tx, project, &model, &selector).map_err(|error| match error.kind() {
                // MLflow answers 400 for an alias that is not there.
                Kind::NotFound if by_alias => Error::invalid(error.message().to_owned()),
                _ => error,
            })?;
        VersionView::read(tx, project, version)
    });
    Ok(Reply(Found { model_version: found.await? }))
}
