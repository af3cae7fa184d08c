//! What the commands do: run inside the server that holds the data folder, or here when none does.

use anyhow::{Result, bail};
use clap::Args;
use modelry_core::ids::{NamespaceId, TokenId, UserId};
use modelry_core::names::{Username, check_display_name};
use modelry_core::policy::Scope;
use modelry_server::{App, fsck, secrets};
use modelry_store::ids::Series;
use modelry_store::{sessions, tokens, users};
use serde::{Deserialize, Serialize};

/// How long a sign-in link may be used.
pub(crate) const LINK_TTL_MS: i64 = 24 * 60 * 60 * 1000;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// One command, as it is sent to a running server.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    Token(NewToken),
    LoginLink(LoginLink),
    CreateUser(CreateUser),
    Check,
    Fsck(Fsck),
}

/// What a command prints.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: String,
    /// Whether what was looked for is as it should be.
    pub(crate) is_fine: bool,
}

#[derive(Debug, Args, Serialize, Deserialize)]
pub(crate) struct NewToken {
    /// The user that the token acts for
    #[arg(long, default_value = "root")]
    user: String,
    /// What the token is called in the user's list
    #[arg(long, default_value = "made on the command line")]
    name: String,
    /// What the token may do: `api` everything its user may, `read_api` only what reads
    #[arg(long, default_value = "api")]
    scope: String,
    /// After how many days the token ends; without it, never
    #[arg(long, value_name = "DAYS")]
    expires_in_days: Option<u32>,
}

#[derive(Debug, Args, Serialize, Deserialize)]
pub(crate) struct LoginLink {
    /// The user that the link signs in
    #[arg(long, default_value = "root")]
    user: String,
}

#[derive(Debug, Args, Serialize, Deserialize)]
pub(crate) struct CreateUser {
    /// The new user's name in URLs and on the sign-in page
    username: String,
    /// The new user's name for people [default: the username]
    #[arg(long)]
    name: Option<String>,
    /// Whether the new user administers the instance
    #[arg(long)]
    admin: bool,
}

#[derive(Debug, Args, Serialize, Deserialize)]
pub(crate) struct Fsck {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Does what a command asks for, and answers what it prints. `base_url` is what links start with; `tell` is told how far
/// a long command is.
pub(crate) async fn run(
    app: &App,
    base_url: &str,
    request: Request,
    tell: &(dyn Fn(String) + Send + Sync),
) -> Result<Answer> {
    let text = match request {
        Request::Token(request) => make_token(app, request).await?,
        Request::LoginLink(request) => make_login_link(app, base_url, &request.user).await?,
        Request::CreateUser(request) => create_user(app, base_url, request).await?,
        Request::Check => check(app).await?,
        Request::Fsck(request) => return look_at_bytes(app, &request, tell).await,
    };
    Ok(Answer { text, is_fine: true })
}

async fn look_at_bytes(app: &App, request: &Fsck, tell: &(dyn Fn(String) + Send + Sync)) -> Result<Answer> {
    let report = fsck::run(app, tell).await?;
    let text = if request.json { serde_json::to_string_pretty(&report)? } else { report.text() };
    Ok(Answer { text, is_fine: report.is_fine() })
}

async fn make_token(app: &App, request: NewToken) -> Result<String> {
    let scope: Scope = request.scope.parse()?;
    let name = check_display_name("token name", &request.name, 255)?;
    let now = app.clock.now();
    let text = secrets::new_token(&app.random);
    let id = TokenId(app.ids.next_global(Series::Token).await?);
    let hash = secrets::hash(&text);
    let expires_at = request.expires_in_days.map(|days| now.plus_ms(i64::from(days) * DAY_MS));
    app.callers
        .change(move |tx| {
            let user = find_user(tx, &request.user)?;
            let new = tokens::NewToken {
                id,
                user: user.id,
                name: name.clone(),
                hash,
                scope,
                created_at: now,
                expires_at,
            };
            tokens::insert(tx, &new)
        })
        .await?;
    Ok(text)
}

async fn make_login_link(app: &App, base_url: &str, username: &str) -> Result<String> {
    let secret = secrets::new_secret(&app.random);
    let (hash, username) = (secrets::hash(&secret), username.to_owned());
    let expires_at = app.clock.now().plus_ms(LINK_TTL_MS);
    app.db
        .write(move |tx| {
            let user = find_user(tx, &username)?;
            sessions::insert_link(tx, &hash, user.id, expires_at)
        })
        .await?;
    Ok(login_link(base_url, &secret))
}

/// The address of the page that a one-time secret signs in on.
pub(crate) fn login_link(base_url: &str, secret: &str) -> String {
    format!("{base_url}/users/sign_in/link/{secret}")
}

fn find_user(tx: &mut modelry_db::Tx<'_>, username: &str) -> modelry_core::Result<users::User> {
    users::find_by_username(tx, username)?
        .ok_or_else(|| modelry_core::Error::not_found(format!("there is no user `{username}`")))
}

async fn create_user(app: &App, base_url: &str, request: CreateUser) -> Result<String> {
    let username: Username = request.username.parse()?;
    let name = check_display_name("name", request.name.as_deref().unwrap_or(username.as_str()), 255)?;
    let new = users::NewUser {
        id: UserId(app.ids.next_global(Series::User).await?),
        namespace: NamespaceId(app.ids.next_global(Series::Namespace).await?),
        username: username.clone(),
        name,
        password_hash: None,
        admin: request.admin,
        created_at: app.clock.now(),
    };
    app.callers.change(move |tx| users::insert(tx, &new)).await?;
    make_login_link(app, base_url, username.as_str()).await
}

async fn check(app: &App) -> Result<String> {
    let faults = app.db.integrity_check().await?;
    if faults.is_empty() {
        return Ok("ok".to_owned());
    }
    bail!("the database is damaged:\n{}", faults.join("\n"))
}
