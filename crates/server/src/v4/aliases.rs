//! Aliases of models, and where they pointed before.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use modelry_core::names::AliasName;
use modelry_core::policy::Action;
use modelry_core::version::selector::Target;
use modelry_core::{Error, Kind, Result};
use modelry_store::versions::{self, Alias, Move};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::models::get as get_model;
use super::number;
use super::page::{self, Page, Place};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query};
use crate::registry::mover;

/// An alias and where it points.
#[derive(Serialize, ToSchema)]
#[schema(as = Alias)]
pub(super) struct AliasView {
    /// Its name.
    name: String,
    /// The semantic version that it points at.
    version: String,
    /// The sequence number of that version.
    number: i64,
    /// Whether only maintainers may move it.
    protected: bool,
}

impl From<Alias> for AliasView {
    fn from(alias: Alias) -> Self {
        Self {
            name: alias.name,
            version: alias.semantic_version,
            number: alias.number,
            protected: alias.is_protected,
        }
    }
}

/// List the aliases of a model in the order of names.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models/{model}/aliases", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
    ),
    responses((status = 200, description = "All aliases of the model", body = [AliasView]))
)]
pub(super) async fn list_aliases(
    State(app): State<App>,
    granted: Granted,
    Path((_, model)): Path<(String, String)>,
) -> Result<Json<Vec<AliasView>>, Problem> {
    let project = granted.project();
    let aliases = app.db.read(move |tx| {
        let model = get_model(tx, project, &model)?;
        Ok(versions::aliases(tx, project, &[model.id])?.remove(&model.id).unwrap_or_default())
    });
    Ok(Json(aliases.await?.into_iter().map(AliasView::from).collect()))
}

/// Where an alias is to point.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MoveAlias {
    /// The sequence number, or the semantic version; left out, it stays where it is.
    version: Option<String>,
    /// The id of an earlier move: the alias goes back to where it pointed after that.
    back_to: Option<String>,
    /// Why; it stands in the history.
    reason: Option<String>,
    /// Whether only maintainers may move it from now on. Only they may say so.
    protected: Option<bool>,
}

/// Point an alias at a version, or back to where it pointed before; protect it.
#[utoipa::path(
    put, path = "/api/v4/projects/{project}/models/{model}/aliases/{alias}", tag = "models",
    request_body = MoveAlias,
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("alias" = String, Path, description = "Name of the alias"),
    ),
    responses((status = 200, description = "All aliases of the model", body = [AliasView]))
)]
pub(super) async fn move_alias(
    State(app): State<App>,
    granted: Granted,
    Path((_, model, alias)): Path<(String, String, String)>,
    Json(body): Json<MoveAlias>,
) -> Result<Json<Vec<AliasView>>, Problem> {
    let project = granted.project();
    let alias: AliasName = alias.parse()?;
    let target: Option<Target> = body.version.map(|version| version.parse()).transpose()?;
    if target.is_some() && body.back_to.is_some() {
        return Err(Error::invalid("say either `version` or `back_to`").into());
    }
    if body.protected.is_some() && !granted.access.also(Action::MoveProtectedAliases) {
        return Err(Error::new(Kind::Forbidden, "only maintainers may protect aliases").into());
    }
    let back_to = body.back_to.as_deref().map(number).transpose()?;
    let mover = mover(&app, &granted, body.reason.unwrap_or_default())?;
    let aliases = app.db.write(move |tx| {
        let model = get_model(tx, project, &model)?;
        let version = match (&target, back_to) {
            (Some(target), _) => Some(versions::get_target(tx, project, &model, target)?),
            (None, Some(id)) => Some(versions::target_after(tx, project, &model, (alias.as_str(), id))?),
            (None, None) => None,
        };
        if let Some(version) = version {
            versions::set_alias(tx, project, &version, alias.as_str(), &mover)?;
        }
        if let Some(protected) = body.protected {
            versions::protect_alias(tx, project, &model, alias.as_str(), protected)?;
        }
        Ok(versions::aliases(tx, project, &[model.id])?.remove(&model.id).unwrap_or_default())
    });
    Ok(Json(aliases.await?.into_iter().map(AliasView::from).collect()))
}

/// Why an alias is removed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RemoveAlias {
    /// It stands in the history.
    reason: Option<String>,
}

/// Remove an alias; its history stays.
#[utoipa::path(
    delete, path = "/api/v4/projects/{project}/models/{model}/aliases/{alias}", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("alias" = String, Path, description = "Name of the alias"), RemoveAlias,
    ),
    responses((status = 204, description = "It points nowhere"))
)]
pub(super) async fn remove_alias(
    State(app): State<App>,
    granted: Granted,
    Path((_, model, alias)): Path<(String, String, String)>,
    Query(query): Query<RemoveAlias>,
) -> Result<StatusCode, Problem> {
    let project = granted.project();
    let mover = mover(&app, &granted, query.reason.unwrap_or_default())?;
    app.db
        .write(move |tx| {
            let model = get_model(tx, project, &model)?;
            if versions::delete_alias(tx, project, &model, &alias, &mover)? {
                return Ok(());
            }
            Err(Error::not_found(format!("model {} has no alias {alias}", model.name)))
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A move of an alias.
#[derive(Serialize, ToSchema)]
#[schema(as = AliasMove)]
pub(super) struct MoveView {
    /// Its id, for `back_to`: a number of 63 bits, as text because not every reader of JSON has such numbers.
    id: String,
    /// The semantic version where it pointed before; nothing is nowhere.
    from: Option<String>,
    /// The sequence number of that version.
    from_number: Option<i64>,
    /// The semantic version where it points afterwards; nothing is nowhere.
    to: Option<String>,
    /// The sequence number of that version.
    to_number: Option<i64>,
    /// Who moved it.
    username: Option<String>,
    /// When, in milliseconds since 1970.
    moved_at: i64,
    /// Why.
    reason: String,
}

impl From<Move> for MoveView {
    fn from(moved: Move) -> Self {
        let (from, from_number) = moved.from.unzip();
        let (to, to_number) = moved.to.unzip();
        Self {
            id: moved.id.to_string(),
            from,
            from_number,
            to,
            to_number,
            username: moved.username,
            moved_at: moved.moved_at.ms(),
            reason: moved.reason,
        }
    }
}

/// Which moves to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListMoves {
    /// How many moves a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The id of the move after which the page starts.
    after: Option<i64>,
}

/// List where an alias was moved, the last move first.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/models/{model}/aliases/{alias}/history", tag = "models",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("model" = String, Path, description = "Name, URL-encoded"),
        ("alias" = String, Path, description = "Name of the alias"), ListMoves,
    ),
    responses(
        (
            status = 200, description = "A page of moves", body = [MoveView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_moves(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, model, alias)): Path<(String, String, String)>,
    Query(query): Query<ListMoves>,
) -> Result<Page<MoveView>, Problem> {
    let (project, size) = (granted.project(), page::size(query.per_page)?);
    let rows = app.db.read(move |tx| {
        let model = get_model(tx, project, &model)?;
        versions::alias_history(tx, project, &model, &alias, query.after, size + 1)
    });
    let place = Place { app: &app, headers: &headers, uri: &uri };
    Ok(Page::new(&place, rows.await?, size, |row| row.id, MoveView::from)?)
}
