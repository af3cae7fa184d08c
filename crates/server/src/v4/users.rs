//! Users: for administrators, and oneself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use modelry_core::ids::UserId;
use modelry_core::{Error, Result};
use modelry_store::users::{self, User};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::number;
use super::page::{self, Page, Place};
use crate::App;
use crate::access::Caller;
use crate::accounts::Authority;
use crate::accounts::users::{self as work, Change, Draft};
use crate::error::Problem;
use crate::extract::{Json, Path, Query};

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserView {
    /// Number of the user.
    id: i64,
    /// Name in URLs and on the sign-in page.
    username: String,
    /// Name for people.
    name: String,
    /// Whether the user administers the instance.
    admin: bool,
    /// Whether the user is kept out.
    blocked: bool,
    /// When the account was made, in milliseconds since 1970.
    created_at: i64,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id.0,
            username: user.username,
            name: user.name,
            admin: user.admin,
            blocked: user.blocked_at.is_some(),
            created_at: user.created_at.ms(),
        }
    }
}

/// Get the caller.
#[utoipa::path(
    get, path = "/api/v4/user", tag = "users",
    responses((status = 200, description = "The user", body = UserView))
)]
pub(super) async fn get_current_user(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<UserView>, Problem> {
    let user = caller.signed_in()?.user;
    let user = app.db.read(move |tx| users::get(tx, user)).await?;
    Ok(Json(user.into()))
}

/// Which users to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListUsers {
    /// Only the user of this name, whatever its case.
    username: Option<String>,
    /// How many users a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The number of the user after whom the page starts.
    after: Option<i64>,
}

/// List users in the order of their numbers. For administrators.
#[utoipa::path(
    get, path = "/api/v4/users", tag = "users", params(ListUsers),
    responses(
        (
            status = 200, description = "A page of users", body = [UserView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_users(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<ListUsers>,
) -> Result<Page<UserView>, Problem> {
    let size = page::size(query.per_page)?;
    let after = query.after.map(UserId);
    let rows = app.db.read(move |tx| match &query.username {
        Some(username) => Ok(users::find_by_username(tx, username)?.into_iter().collect()),
        None => users::list(tx, after, size + 1),
    });
    let place = Place { app: &app, headers: &headers, uri: &uri };
    Ok(Page::new(&place, rows.await?, size, |row| row.id.0, UserView::from)?)
}

/// A user to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateUser {
    /// Name in URLs and on the sign-in page.
    username: String,
    /// Name for people; the username when it is not said.
    name: Option<String>,
    /// The password; without one the user comes in by sign-in link only.
    password: Option<String>,
    /// Whether the user administers the instance.
    #[serde(default)]
    admin: bool,
}

/// Make a user. For administrators.
#[utoipa::path(
    post, path = "/api/v4/users", tag = "users", request_body = CreateUser,
    responses((status = 201, description = "The user", body = UserView))
)]
pub(super) async fn create_user(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<CreateUser>,
) -> Result<(StatusCode, Json<UserView>), Problem> {
    let authority = Authority::Caller(Arc::clone(caller.administrator()?));
    let draft = Draft {
        username: body.username.parse()?,
        name: body.name,
        password: body.password,
        admin: body.admin,
    };
    let user = work::create(&app, &authority, draft).await?;
    Ok((StatusCode::CREATED, Json(user.into())))
}

/// What to change about a user; what is not said stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateUser {
    /// Name for people.
    name: Option<String>,
    /// Whether the user administers the instance.
    admin: Option<bool>,
    /// Whether the user is kept out.
    blocked: Option<bool>,
    /// A new password; it ends the user's sessions.
    password: Option<String>,
}

/// Change a user. For administrators.
#[utoipa::path(
    put, path = "/api/v4/users/{user_id}", tag = "users", request_body = UpdateUser,
    params(("user_id" = i64, Path, description = "Number of the user")),
    responses((status = 200, description = "The user", body = UserView))
)]
pub(super) async fn update_user(
    State(app): State<App>,
    caller: Caller,
    Path(user): Path<String>,
    Json(body): Json<UpdateUser>,
) -> Result<Json<UserView>, Problem> {
    let authority = Authority::Caller(Arc::clone(caller.administrator()?));
    let change =
        Change { name: body.name, admin: body.admin, blocked: body.blocked, password: body.password };
    if change == Change::default() {
        return Err(Error::invalid("nothing to change: say `name`, `admin`, `blocked` or `password`").into());
    }
    let user = work::update(&app, &authority, UserId(number(&user)?), change).await?;
    Ok(Json(user.into()))
}
