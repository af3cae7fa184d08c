//! Making users and changing what administrators decide about them.

use modelry_core::ids::{NamespaceId, UserId};
use modelry_core::names::{Username, check_display_name};
use modelry_core::{Error, Kind, Result};
use modelry_store::ids::Series;
use modelry_store::sessions;
use modelry_store::users::{self, NewUser, User};

use super::Authority;
use crate::App;
use crate::access::{Identity, Key};
use crate::attempts::Source;

/// The longest name for people, in characters.
const LONGEST_NAME: usize = 255;

/// A user who is to be made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The name in URLs and on the sign-in page.
    pub username: Username,
    /// The name for people; the username when it is not said.
    pub name: Option<String>,
    /// The password; without one the user comes in by sign-in link or token only.
    pub password: Option<String>,
    /// Whether the user administers the instance.
    pub admin: bool,
}

/// What is to change; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The name for people.
    pub name: Option<String>,
    /// Whether the user administers the instance.
    pub admin: Option<bool>,
    /// Whether the user is kept out.
    pub blocked: Option<bool>,
    /// A new password; it ends the user's sessions, but for the one that asks.
    pub password: Option<String>,
}

/// Makes a user, with a namespace of the same path.
///
/// Fails with `Invalid` for a name or password that does not do, `Exists` when the username is taken, and `Forbidden`
/// unless an administrator asks.
pub async fn create(app: &App, authority: &Authority, draft: Draft) -> Result<User> {
    let name = draft.name.unwrap_or_else(|| draft.username.to_string());
    let name = check_display_name("name", &name, LONGEST_NAME)?;
    let password_hash = hash_if_any(app, draft.password).await?;
    let new = NewUser {
        id: UserId(app.ids.next_global(Series::User).await?),
        namespace: NamespaceId(app.ids.next_global(Series::Namespace).await?),
        username: draft.username,
        name,
        password_hash,
        admin: draft.admin,
        created_at: app.clock.now(),
    };
    let authority = authority.clone();
    let created = app.callers.change(move |tx| {
        authority.require_administrator(tx, new.created_at)?;
        users::insert(tx, &new)?;
        users::get(tx, new.id)
    });
    created.await
}

/// Changes a user and answers the user as they are then.
///
/// Fails with `NotFound`, with `Conflict` when nobody would be left to administer the instance or somebody would block
/// themselves, with `Invalid` for a name or password that does not do, and with `Forbidden` unless an administrator
/// asks.
pub async fn update(app: &App, authority: &Authority, id: UserId, change: Change) -> Result<User> {
    let name = match &change.name {
        Some(name) => Some(check_display_name("name", name, LONGEST_NAME)?),
        None => None,
    };
    if change.blocked == Some(true) && authority.is_user(id) {
        return Err(Error::conflict("you cannot block yourself"));
    }
    let password_hash = hash_if_any(app, change.password).await?;
    let now = app.clock.now();
    let authority = authority.clone();
    let updated = app.callers.change(move |tx| {
        authority.require_administrator(tx, now)?;
        let before = users::get(tx, id)?;
        if let Some(name) = &name {
            users::set_name(tx, id, name)?;
        }
        if let Some(admin) = change.admin {
            users::set_admin(tx, id, admin)?;
        }
        if let Some(blocked) = change.blocked {
            let since = before.blocked_at.unwrap_or(now);
            users::set_blocked(tx, id, blocked.then_some(since))?;
        }
        if let Some(hash) = &password_hash {
            users::set_password(tx, id, hash)?;
            sessions::delete_all_of_user(tx, id, authority.session().as_ref())?;
        }
        users::get(tx, id)
    });
    updated.await
}

/// Gives the signed-in user a new password, and ends the user's other sessions.
///
/// Somebody who has a password proves it with `current`; somebody who came in by a sign-in link has none to prove.
/// Fails with `Invalid` for a wrong `current` or a new password that does not do, with `RateLimited` after too many
/// failures, and with `Forbidden` for a token: a token must not become a way to sign in.
pub async fn change_own_password(app: &App, identity: &Identity, current: &str, new: &str) -> Result<()> {
    let Key::Session(session) = identity.key else {
        return Err(Error::new(Kind::Forbidden, "a password is changed in a browser, not with a token"));
    };
    let source = Source::new(&identity.username, None);
    app.passwords.attempts.begin(&source, app.clock.now())?;
    let username = identity.username.clone();
    let credentials = app.db.read(move |tx| users::find_credentials(tx, &username)).await?;
    let before = credentials.and_then(|credentials| credentials.password_hash);
    if before.is_some() && !app.passwords.matches(before, current).await? {
        return Err(Error::invalid("the current password is wrong"));
    }
    app.passwords.attempts.forgive(&source);
    let hash = app.passwords.hash(new, app.random.bytes()).await?;
    let user = identity.user;
    let changed = app.callers.change(move |tx| {
        users::set_password(tx, user, &hash)?;
        sessions::delete_all_of_user(tx, user, Some(&session))
    });
    changed.await.map(drop)
}

/// Whether a user has a password.
pub async fn has_password(app: &App, username: &str) -> Result<bool> {
    let username = username.to_owned();
    let credentials = app.db.read(move |tx| users::find_credentials(tx, &username)).await?;
    Ok(credentials.is_some_and(|credentials| credentials.password_hash.is_some()))
}

impl Authority {
    fn is_user(&self, id: UserId) -> bool {
        matches!(self, Self::Caller(identity) if identity.user == id)
    }

    /// The session that asks, if it is one.
    fn session(&self) -> Option<modelry_core::digest::Sha256> {
        match self {
            Self::Operator => None,
            Self::Caller(identity) => match identity.key {
                Key::Session(hash) => Some(hash),
                Key::Token(_) => None,
            },
        }
    }
}

async fn hash_if_any(app: &App, password: Option<String>) -> Result<Option<String>> {
    match password {
        Some(password) => app.passwords.hash(&password, app.random.bytes()).await.map(Some),
        None => Ok(None),
    }
}
