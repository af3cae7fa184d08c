//! The caller's own personal access tokens.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use modelry_core::ids::TokenId;
use modelry_core::policy::Scope;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_store::tokens::{self, Token};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::number;
use super::page::{self, Page, Place};
use super::words::{End, ScopeWord};
use crate::App;
use crate::access::Caller;
use crate::accounts::tokens::{self as work, Draft};
use crate::error::Problem;
use crate::extract::{Json, Path, Query};

/// A personal access token, without its text.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct TokenView {
    /// Number of the token.
    id: i64,
    /// What its owner calls it.
    name: String,
    /// What it may do.
    scopes: [ScopeWord; 1],
    /// When it was made, in milliseconds since 1970.
    created_at: i64,
    /// When it ends, in milliseconds since 1970; null if never.
    expires_at: Option<i64>,
    /// When it was last used, to the minute, in milliseconds since 1970; null if never.
    last_used_at: Option<i64>,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            id: token.id.0,
            name: token.name,
            scopes: [ScopeWord(token.scope)],
            created_at: token.created_at.ms(),
            expires_at: token.expires_at.map(Timestamp::ms),
            last_used_at: token.last_used_at.map(Timestamp::ms),
        }
    }
}

/// Which tokens to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListTokens {
    /// How many tokens a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The number of the token after which the page starts.
    after: Option<i64>,
}

/// List the caller's tokens that were not revoked, the newest first.
#[utoipa::path(
    get, path = "/api/v4/personal_access_tokens", tag = "tokens", params(ListTokens),
    responses(
        (
            status = 200, description = "A page of tokens", body = [TokenView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_tokens(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<ListTokens>,
) -> Result<Page<TokenView>, Problem> {
    let owner = caller.signed_in()?.user;
    let size = page::size(query.per_page)?;
    let after = query.after.map(TokenId);
    let rows = app.db.read(move |tx| tokens::list(tx, owner, after, size + 1)).await?;
    let place = Place { app: &app, headers: &headers, uri: &uri };
    Ok(Page::new(&place, rows, size, |row| row.id.0, TokenView::from)?)
}

/// A token to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateToken {
    /// What its owner calls it.
    name: String,
    /// What it may do; `api` includes `read_api`.
    scopes: Vec<ScopeWord>,
    /// When it ends; never when it is not said.
    expires_at: Option<End>,
}

/// A token that was just made, with its text: it is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeToken {
    /// The token.
    #[serde(flatten)]
    token_view: TokenView,
    /// Its text, to be sent as `Authorization: Bearer`.
    token: String,
}

/// Make a token that acts on the caller's behalf.
#[utoipa::path(
    post, path = "/api/v4/personal_access_tokens", tag = "tokens", request_body = CreateToken,
    responses((status = 201, description = "The token, and its text", body = MadeToken))
)]
pub(super) async fn create_token(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<CreateToken>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    let owner = caller.may_write()?.user;
    let draft =
        Draft { name: body.name, scope: widest(&body.scopes)?, expires_at: body.expires_at.map(|end| end.0) };
    let made = work::create(&app, owner, draft).await?;
    Ok((StatusCode::CREATED, Json(MadeToken { token_view: made.token.into(), token: made.text })))
}

/// The scope that holds all of `scopes`. Fails with `Invalid` when there is none.
fn widest(scopes: &[ScopeWord]) -> Result<Scope> {
    let scope = scopes.iter().map(|word| word.0).min_by_key(|scope| match scope {
        Scope::Api => 0,
        Scope::ReadApi => 1,
    });
    scope.ok_or_else(|| Error::invalid("`scopes` is empty: say `api` or `read_api`"))
}

/// Take one of the caller's tokens back.
#[utoipa::path(
    delete, path = "/api/v4/personal_access_tokens/{token_id}", tag = "tokens",
    params(("token_id" = i64, Path, description = "Number of the token")),
    responses((status = 204, description = "The token does not work any more"))
)]
pub(super) async fn revoke_token(
    State(app): State<App>,
    caller: Caller,
    Path(token): Path<String>,
) -> Result<StatusCode, Problem> {
    let owner = caller.may_write()?.user;
    work::revoke(&app, owner, TokenId(number(&token)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}
