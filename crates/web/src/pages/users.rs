//! The users of the server, for administrators.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::Result;
use modelry_core::ids::UserId;
use modelry_server::App;
use modelry_server::accounts::Authority;
use modelry_server::accounts::users::{self as accounts, Change, Draft};
use modelry_server::extract::{Path, Query};
use modelry_store::users::{self, User};
use serde::Deserialize;

use super::{ROWS_TO_READ, page, start, typed_wrong};
use crate::answer::{Answer, Page, Shown};
use crate::form::Form;
use crate::pages::sign_in::ButtonForm;
use crate::views::users::{UserAction, UserForm, UserRow, UsersPage};
use crate::visit::Visit;

const PAGE: &str = "/admin/users";

/// What the list's address says.
#[derive(Deserialize)]
pub(crate) struct ListQuery {
    #[serde(default)]
    page_token: String,
}

/// What the form for a new user sends.
#[derive(Deserialize)]
pub(crate) struct CreateForm {
    username: String,
    password: String,
    #[serde(default)]
    is_admin: bool,
}

/// The users, and the form for a new one.
pub(crate) async fn list_users(
    State(app): State<App>,
    visit: Visit,
    Shown(Query(query)): Shown<Query<ListQuery>>,
) -> Answer<Page<UsersPage>> {
    Ok(Page(users_page(&app, &visit, UserForm::default(), &query.page_token).await?))
}

/// Makes a user, or shows the form again.
pub(crate) async fn create_user(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<CreateForm>,
) -> Answer<Response> {
    let authority = authority(&visit)?;
    let created = match draft(&form) {
        Ok(draft) => accounts::create(&app, &authority, draft).await.map(drop),
        Err(error) => Err(error),
    };
    answer(&app, &visit, created, UserForm { username: form.username, is_admin: form.is_admin }).await
}

/// Keeps a user out.
pub(crate) async fn block_user(
    State(app): State<App>,
    visit: Visit,
    Shown(Path(id)): Shown<Path<i64>>,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Response> {
    let change = Change { blocked: Some(true), ..Change::default() };
    let blocked = accounts::update(&app, &authority(&visit)?, UserId(id), change).await;
    answer(&app, &visit, blocked.map(drop), UserForm::default()).await
}

/// Lets a user in again.
pub(crate) async fn unblock_user(
    State(app): State<App>,
    visit: Visit,
    Shown(Path(id)): Shown<Path<i64>>,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Response> {
    let change = Change { blocked: Some(false), ..Change::default() };
    let unblocked = accounts::update(&app, &authority(&visit)?, UserId(id), change).await;
    answer(&app, &visit, unblocked.map(drop), UserForm::default()).await
}

fn authority(visit: &Visit) -> Result<Authority> {
    Ok(Authority::Caller(visit.caller.administrator()?.clone()))
}

fn draft(form: &CreateForm) -> Result<Draft> {
    Ok(Draft {
        username: form.username.trim().parse()?,
        name: None,
        password: Some(form.password.clone()),
        admin: form.is_admin,
    })
}

async fn answer(app: &App, visit: &Visit, done: Result<()>, form: UserForm) -> Answer<Response> {
    let Err(error) = done else { return Ok(Redirect::to(PAGE).into_response()) };
    let problem = typed_wrong(error)?;
    let mut page = users_page(app, visit, form, "").await?;
    page.problem = Some(problem);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
}

async fn users_page(app: &App, visit: &Visit, form: UserForm, token: &str) -> Result<UsersPage> {
    let after: Option<UserId> = start(token)?;
    let mut found = app.db.read(move |tx| users::list(tx, after, ROWS_TO_READ)).await?;
    let pager = page(&mut found, PAGE, &[], token, |user| user.id);
    Ok(UsersPage {
        shell: visit.shell("Users"),
        form,
        problem: None,
        users: found.into_iter().map(|user| row(visit, user)).collect(),
        pager,
    })
}

fn row(visit: &Visit, user: User) -> UserRow {
    let is_blocked = user.blocked_at.is_some();
    let (word, verb) = if is_blocked { ("Unblock", "unblock") } else { ("Block", "block") };
    let is_viewer = visit.caller.user() == Some(user.id);
    UserRow {
        action: (!is_viewer).then(|| UserAction { word, href: format!("{PAGE}/{}/{verb}", user.id) }),
        username: user.username,
        is_admin: user.admin,
        is_blocked,
        created: visit.moment(user.created_at),
    }
}
