//! Who works on a project.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::Result;
use modelry_core::ids::UserId;
use modelry_core::policy::{Action, Role};
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::accounts::members::{self as accounts, Who};
use modelry_server::extract::{Path, Query};
use modelry_store::members::{self, Member};
use modelry_store::projects;
use serde::Deserialize;

use super::{ROWS_TO_READ, page, start, typed_wrong};
use crate::answer::{Answer, Page, Shown};
use crate::form::Form;
use crate::pages::sign_in::ButtonForm;
use crate::shell::{Crumb, Section};
use crate::views::members::{MemberRow, MembersPage, RoleChoice, role_options, role_word};
use crate::visit::{Visit, href};

/// What the list's address says.
#[derive(Deserialize)]
pub(crate) struct ListQuery {
    #[serde(default)]
    page_token: String,
}

/// What the form for a new member sends.
#[derive(Deserialize)]
pub(crate) struct AddForm {
    username: String,
    role: String,
}

/// What the form for another role sends.
#[derive(Deserialize)]
pub(crate) struct ChangeForm {
    role: String,
}

/// The members, with forms for whoever may change them.
pub(crate) async fn list_members(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Query(query)): Shown<Query<ListQuery>>,
) -> Answer<Page<MembersPage>> {
    Ok(Page(members_page(&app, &granted, &visit, &query.page_token).await?))
}

/// Makes somebody a member, or says why not.
pub(crate) async fn add_member(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Form(form): Form<AddForm>,
) -> Answer<Response> {
    let who = Who::Username(form.username.trim().to_owned());
    let added = match form.role.parse() {
        Ok(role) => accounts::add(&app, &granted, who, role).await.map(drop),
        Err(error) => Err(error),
    };
    let typed = Typed { username: form.username, role: form.role.parse().ok() };
    answer(&app, &granted, &visit, added, typed).await
}

/// Gives a member another role, or says why not.
pub(crate) async fn change_member(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, user))): Shown<Path<(String, i64)>>,
    Form(form): Form<ChangeForm>,
) -> Answer<Response> {
    let changed = match form.role.parse() {
        Ok(role) => accounts::set_role(&app, &granted, UserId(user), role).await.map(drop),
        Err(error) => Err(error),
    };
    answer(&app, &granted, &visit, changed, Typed::default()).await
}

/// Ends a membership, or says why not.
pub(crate) async fn remove_member(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, user))): Shown<Path<(String, i64)>>,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Response> {
    let removed = accounts::remove(&app, &granted, UserId(user)).await;
    answer(&app, &granted, &visit, removed, Typed::default()).await
}

/// What was typed for a new member.
#[derive(Default)]
struct Typed {
    username: String,
    role: Option<Role>,
}

async fn answer(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    done: Result<()>,
    typed: Typed,
) -> Answer<Response> {
    let Err(error) = done else { return Ok(Redirect::to(&members_href(granted)).into_response()) };
    let problem = typed_wrong(error)?;
    let mut page = members_page(app, granted, visit, "").await?;
    page.problem = Some(problem);
    page.username = typed.username;
    if let Some(role) = typed.role {
        page.role_choice.roles = role_options(own_role(granted), role);
    }
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
}

async fn members_page(app: &App, granted: &Granted, visit: &Visit, token: &str) -> Result<MembersPage> {
    let after: Option<UserId> = start(token)?;
    let id = granted.project();
    let read =
        app.db.read(move |tx| Ok((projects::get(tx, id)?, members::list(tx, id, after, ROWS_TO_READ)?)));
    let (project, mut found) = read.await?;
    let href = members_href(granted);
    let pager = page(&mut found, &href, &[], token, |member| member.user);
    let roles = role_options(own_role(granted), Role::Developer);
    Ok(MembersPage {
        shell: visit.project_shell(granted, &project.name, Section::Members, vec![Crumb::here("Members")]),
        can_change: granted.access.also(Action::ManageMembers),
        username: String::new(),
        role_choice: RoleChoice { id: "role".to_owned(), label: None, roles },
        problem: None,
        members: found.into_iter().map(|member| row(granted, visit, member)).collect(),
        pager,
        href,
    })
}

fn row(granted: &Granted, visit: &Visit, member: Member) -> MemberRow {
    let can_change =
        granted.access.also(Action::ManageMembers) && granted.access.require_rank(member.role).is_ok();
    let choice = || RoleChoice {
        id: format!("role-{}", member.user),
        label: Some(format!("Role of {}", member.username)),
        roles: role_options(own_role(granted), member.role),
    };
    MemberRow {
        role: role_word(member.role),
        is_viewer: visit.caller.user() == Some(member.user),
        role_choice: can_change.then(choice),
        href: format!("{}/{}", members_href(granted), member.user),
        since: visit.moment(member.created_at),
        username: member.username,
    }
}

/// Nobody hands out a role above their own.
fn own_role(granted: &Granted) -> Role {
    granted.access.role().unwrap_or(Role::Guest)
}

fn members_href(granted: &Granted) -> String {
    format!("{}/-/project_members", href(granted))
}
