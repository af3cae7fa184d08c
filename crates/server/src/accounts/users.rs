//! Making users and changing what administrators decide about them.

use modelry_core::ids::{NamespaceId, UserId};
use modelry_core::names::{Username, check_display_name};
use modelry_core::{Error, Result};
use modelry_store::ids::Series;
use modelry_store::sessions;
use modelry_store::users::{self, NewUser, User};

use super::Authority;
use crate::App;
use crate::access::Key;

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
