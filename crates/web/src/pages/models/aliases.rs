//! The aliases of a model: protecting them, and taking them back to where they pointed before.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::ids::{ModelId, ProjectId};
use modelry_core::policy::Action;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Path;
use modelry_server::registry::mover;
use modelry_store::models::Model;
use modelry_store::versions::{self, Alias, Move};
use serde::Deserialize;

use super::model::overview_page;
use super::{About, model_href};
use crate::answer::{Answer, Page, Shown};
use crate::form::Form;
use crate::pages::typed_wrong;
use crate::views::models::VersionLink;
use crate::views::models::model::{AliasRow, MoveRow, Protection};
use crate::visit::Visit;

/// How many moves of an alias the page shows.
const MOVES: i64 = 10;

/// What the form that protects an alias sends.
#[derive(Deserialize)]
pub(crate) struct ProtectForm {
    alias: String,
    protected: bool,
}

/// What the form that takes an alias back sends.
#[derive(Deserialize)]
pub(crate) struct RollBackForm {
    alias: String,
    /// The move after which it pointed where it is to point again.
    back_to: i64,
    reason: String,
}

/// An alias and its last moves.
pub(super) struct WithMoves {
    pub(super) alias: Alias,
    moves: Vec<Move>,
}

impl WithMoves {
    /// The aliases of a model, by name.
    pub(super) fn read_all(tx: &mut Tx<'_>, project: ProjectId, model: &Model) -> Result<Vec<Self>> {
        let aliases = versions::aliases(tx, project, &[model.id])?.remove(&model.id).unwrap_or_default();
        let with_moves = |alias: Alias| {
            let moves = versions::alias_history(tx, project, model, &alias.name, None, MOVES)?;
            Ok(Self { alias, moves })
        };
        aliases.into_iter().map(with_moves).collect()
    }

    /// As the model's page, which is at `href`, shows it.
    pub(super) fn row(self, granted: &Granted, visit: &Visit, href: &str) -> AliasRow {
        let Self { alias, moves } = self;
        let may_protect = granted.access.also(Action::MoveProtectedAliases);
        let may_move = super::can_write(granted) && (may_protect || !alias.is_protected);
        let number = alias.number;
        AliasRow {
            version: VersionLink {
                label: label((alias.semantic_version, number)),
                href: format!("{href}/versions/{number}"),
            },
            name: alias.name,
            protection: if alias.is_protected { Protection::MaintainersOnly } else { Protection::None },
            may_protect,
            moves: moves.into_iter().map(|step| move_row(visit, step, may_move.then_some(number))).collect(),
        }
    }
}

fn label((version, number): (String, i64)) -> String {
    format!("{version} (#{number})")
}

/// A move; `now_at` is the number that the alias points at, where the reader may move it.
fn move_row(visit: &Visit, step: Move, now_at: Option<i64>) -> MoveRow {
    let leads_elsewhere = step.to.as_ref().zip(now_at).is_some_and(|((_, number), now_at)| *number != now_at);
    MoveRow {
        from: step.from.map(label),
        to: step.to.map(label),
        username: step.username,
        moved: visit.moment(step.moved_at),
        reason: step.reason,
        back_to: leads_elsewhere.then_some(step.id),
    }
}

/// Keeps an alias to maintainers, or opens it to all who may change models.
pub(crate) async fn protect_alias(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Form(form): Form<ProtectForm>,
) -> Answer<Response> {
    let (project, id) = (granted.project(), ModelId(id));
    let done = app.db.write(move |tx| {
        let About { model, .. } = About::read(tx, project, id)?;
        let aliases = versions::aliases(tx, project, &[id])?.remove(&id).unwrap_or_default();
        if !aliases.iter().any(|alias| alias.name == form.alias) {
            return Err(Error::not_found(format!("model {} has no alias {}", model.name, form.alias)));
        }
        versions::protect_alias(tx, project, &model, &form.alias, form.protected)
    });
    show(&app, &granted, &visit, id, done.await).await
}

/// Points an alias at the version that it pointed at after one of its moves.
pub(crate) async fn roll_back(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Form(form): Form<RollBackForm>,
) -> Answer<Response> {
    let (project, id) = (granted.project(), ModelId(id));
    let done = match mover(&app, &granted, form.reason.trim().to_owned()) {
        Ok(mover) => {
            let work = app.db.write(move |tx| {
                let About { model, .. } = About::read(tx, project, id)?;
                let version = versions::target_after(tx, project, &model, (&form.alias, form.back_to))?;
                versions::set_alias(tx, project, &version, &form.alias, &mover)
            });
            work.await
        }
        Err(error) => Err(error),
    };
    show(&app, &granted, &visit, id, done).await
}

/// Shows the model again, with why not where something was refused.
async fn show(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    id: ModelId,
    done: Result<()>,
) -> Answer<Response> {
    let Err(error) = done else { return Ok(Redirect::to(&model_href(granted, id)).into_response()) };
    let problem = Some(typed_wrong(error)?);
    let mut page = overview_page(app, granted, visit, id).await?;
    page.problem = problem;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
}
