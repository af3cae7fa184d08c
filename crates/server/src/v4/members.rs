//! Members of a project.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use modelry_core::ids::UserId;
use modelry_core::{Error, Result};
use modelry_store::members::{self, Member};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::number;
use super::page::{self, Page, Place};
use super::words::RoleWord;
use crate::App;
use crate::access::Granted;
use crate::accounts::members::{self as work, Who};
use crate::error::Problem;
use crate::extract::{Json, Path, Query};

/// A member of a project.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
pub(super) struct MemberView {
    /// Number of the user.
    id: i64,
    /// The user's name in URLs.
    username: String,
    /// The user's name for people.
    name: String,
    /// What the member may do.
    role: RoleWord,
    /// GitLab's number of the role.
    access_level: i64,
    /// Since when the user is a member, in milliseconds since 1970.
    created_at: i64,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            id: member.user.0,
            username: member.username,
            name: member.name,
            role: RoleWord(member.role),
            access_level: member.role.number(),
            created_at: member.created_at.ms(),
        }
    }
}

/// Which members to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListMembers {
    /// How many members a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// The number of the user after whom the page starts.
    after: Option<i64>,
}

/// List a project's members in the order of their numbers.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/members", tag = "members",
    params(("project" = String, Path, description = "Number, or URL-encoded full path"), ListMembers),
    responses(
        (
            status = 200, description = "A page of members", body = [MemberView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_members(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<ListMembers>,
) -> Result<Page<MemberView>, Problem> {
    let size = page::size(query.per_page)?;
    let after = query.after.map(UserId);
    let rows = app.db.read(move |tx| members::list(tx, granted.project(), after, size + 1)).await?;
    let place = Place { app: &app, headers: &headers, uri: &uri };
    Ok(Page::new(&place, rows, size, |row| row.user.0, MemberView::from)?)
}

/// Who is to become a member: say `user_id` or `username`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddMember {
    /// Number of the user.
    user_id: Option<i64>,
    /// Name of the user, whatever its case.
    username: Option<String>,
    /// What the member may do.
    #[serde(alias = "access_level")]
    role: RoleWord,
}

/// Make a user a member.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/members", tag = "members", request_body = AddMember,
    params(("project" = String, Path, description = "Number, or URL-encoded full path")),
    responses((status = 201, description = "The member", body = MemberView))
)]
pub(super) async fn add_member(
    State(app): State<App>,
    granted: Granted,
    Json(body): Json<AddMember>,
) -> Result<(StatusCode, Json<MemberView>), Problem> {
    let who = match (body.user_id, body.username) {
        (Some(id), None) => Who::Id(UserId(id)),
        (None, Some(username)) => Who::Username(username),
        _ => return Err(Error::invalid("say either `user_id` or `username`").into()),
    };
    let member = work::add(&app, &granted, who, body.role.0).await?;
    Ok((StatusCode::CREATED, Json(member.into())))
}

/// A member's new role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateMember {
    /// What the member may do.
    #[serde(alias = "access_level")]
    role: RoleWord,
}

/// Give a member another role.
#[utoipa::path(
    put, path = "/api/v4/projects/{project}/members/{user_id}", tag = "members", request_body = UpdateMember,
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("user_id" = i64, Path, description = "Number of the user"),
    ),
    responses((status = 200, description = "The member", body = MemberView))
)]
pub(super) async fn update_member(
    State(app): State<App>,
    granted: Granted,
    Path((_, user)): Path<(String, String)>,
    Json(body): Json<UpdateMember>,
) -> Result<Json<MemberView>, Problem> {
    let member = work::set_role(&app, &granted, UserId(number(&user)?), body.role.0).await?;
    Ok(Json(member.into()))
}

/// End a membership.
#[utoipa::path(
    delete, path = "/api/v4/projects/{project}/members/{user_id}", tag = "members",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("user_id" = i64, Path, description = "Number of the user"),
    ),
    responses((status = 204, description = "The user is no member any more"))
)]
pub(super) async fn remove_member(
    State(app): State<App>,
    granted: Granted,
    Path((_, user)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    work::remove(&app, &granted, UserId(number(&user)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}
