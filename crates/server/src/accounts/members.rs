//! Adding members, changing their roles, removing them.

use modelry_core::ids::UserId;
use modelry_core::policy::Role;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::members::{self, Member};
use modelry_store::users;

use super::decide_again;
use crate::App;
use crate::access::Granted;

/// How a request names a user.
#[derive(Clone, Debug)]
pub enum Who {
    /// By number.
    Id(UserId),
    /// By username, whatever its case.
    Username(String),
}

/// Makes somebody a member. Whoever is one already has to be changed instead: that is `Exists`.
///
/// Fails with `NotFound` when there is no such user, and with `Forbidden` for a role above one's own.
pub async fn add(app: &App, granted: &Granted, who: Who, role: Role) -> Result<Member> {
    let now = app.clock.now();
    let granted = granted.clone();
    let added = app.callers.change(move |tx| {
        let access = decide_again(tx, &granted, now)?;
        access.require_rank(role)?;
        let user = find_user(tx, &who)?;
        if members::find(tx, access.project(), user)?.is_some() {
            return Err(Error::exists("this user is a member already"));
        }
        members::set(tx, access.project(), user, role, now)?;
        get(tx, &granted, user)
    });
    added.await
}

/// Gives a member another role.
///
/// Fails with `NotFound` when the user is no member, with `Forbidden` when the old or the new role is above one's own,
/// and with `Conflict` for the last Owner.
pub async fn set_role(app: &App, granted: &Granted, user: UserId, role: Role) -> Result<Member> {
    let now = app.clock.now();
    let granted = granted.clone();
    let changed = app.callers.change(move |tx| {
        let access = decide_again(tx, &granted, now)?;
        let before = get(tx, &granted, user)?;
        access.require_rank(before.role)?;
        access.require_rank(role)?;
        members::set(tx, access.project(), user, role, now)?;
        get(tx, &granted, user)
    });
    changed.await
}

/// Ends a membership.
///
/// Fails with `NotFound` when the user is no member, with `Forbidden` when their role is above one's own, and with
/// `Conflict` for the last Owner.
pub async fn remove(app: &App, granted: &Granted, user: UserId) -> Result<()> {
    let now = app.clock.now();
    let granted = granted.clone();
    let removed = app.callers.change(move |tx| {
        let access = decide_again(tx, &granted, now)?;
        access.require_rank(get(tx, &granted, user)?.role)?;
        members::delete(tx, access.project(), user)?;
        Ok(())
    });
    removed.await
}

fn get(tx: &mut Tx<'_>, granted: &Granted, user: UserId) -> Result<Member> {
    let member = members::find(tx, granted.project(), user)?;
    member.ok_or_else(|| Error::not_found(format!("the user {user} is no member of this project")))
}

fn find_user(tx: &mut Tx<'_>, who: &Who) -> Result<UserId> {
    let (found, named) = match who {
        Who::Id(id) => (users::find(tx, *id)?, id.to_string()),
        Who::Username(username) => (users::find_by_username(tx, username)?, format!("`{username}`")),
    };
    found.map(|user| user.id).ok_or_else(|| Error::not_found(format!("there is no user {named}")))
}
