//! People with an account, their passwords' hashes and whether they administer the instance.

use modelry_core::ids::{NamespaceId, UserId};
use modelry_core::names::Username;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};

use crate::namespaces;

/// A user, without what only the sign-in needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Number of the user.
    pub id: UserId,
    /// Name in URLs and on the sign-in page, as it was chosen.
    pub username: String,
    /// Name for people.
    pub name: String,
    /// Whether the user administers the instance.
    pub admin: bool,
    /// Since when the user may not come in, if so.
    pub blocked_at: Option<Timestamp>,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// What [`insert`] needs to know.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// A fresh number for the user.
    pub id: UserId,
    /// A fresh number for the user's own namespace.
    pub namespace: NamespaceId,
    /// The username, which is the namespace's path too.
    pub username: Username,
    /// Name for people.
    pub name: String,
    /// Hash of the password; without one the user comes in by sign-in link or token only.
    pub password_hash: Option<String>,
    /// Whether the user administers the instance.
    pub admin: bool,
    /// Now.
    pub created_at: Timestamp,
}

/// What the sign-in compares a password with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Who the password belongs to.
    pub user: User,
    /// Hash of the password, if the user has one.
    pub password_hash: Option<String>,
}

/// Creates a user and the user's own namespace.
///
/// Fails with `Exists` when a user or a group has that name, whatever its case.
pub fn insert(tx: &mut Tx<'_>, new: &NewUser) -> Result<()> {
    let inserted = tx.execute(
        "INSERT INTO users (id, username, username_key, name, password_hash, admin, blocked_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, NULL, $7)
         ON CONFLICT (username_key) DO NOTHING",
        &[
            &new.id.0,
            &new.username.as_str(),
            &fold(new.username.as_str()),
            &new.name,
            &new.password_hash,
            &new.admin,
            &new.created_at.0,
        ],
    )?;
    if inserted == 0 || !namespaces::insert_of_user(tx, new)? {
        return Err(Error::exists(format!("the username `{}` is taken", new.username)));
    }
    Ok(())
}

/// The user of that number.
pub fn find(tx: &mut Tx<'_>, id: UserId) -> Result<Option<User>> {
    tx.query_opt(
        "SELECT id, username, name, admin, blocked_at, created_at FROM users WHERE id = $1",
        &[&id.0],
        read,
    )
}

/// The user of that number. Fails with `NotFound`.
pub fn get(tx: &mut Tx<'_>, id: UserId) -> Result<User> {
    find(tx, id)?.ok_or_else(|| Error::not_found(format!("there is no user {id}")))
}

/// The user of that username, whatever its case.
pub fn find_by_username(tx: &mut Tx<'_>, username: &str) -> Result<Option<User>> {
    tx.query_opt(
        "SELECT id, username, name, admin, blocked_at, created_at FROM users WHERE username_key = $1",
        &[&fold(username)],
        read,
    )
}

/// The user of that username, whatever its case, with the hash of the password.
pub fn find_credentials(tx: &mut Tx<'_>, username: &str) -> Result<Option<Credentials>> {
    tx.query_opt(
        "SELECT id, username, name, admin, blocked_at, created_at, password_hash
           FROM users WHERE username_key = $1",
        &[&fold(username)],
        |row| Ok(Credentials { user: read(row)?, password_hash: row.get(6)? }),
    )
}

/// Up to `limit` users in the order of their numbers, those after `after`.
pub fn list(tx: &mut Tx<'_>, after: Option<UserId>, limit: i64) -> Result<Vec<User>> {
    let after = after.map_or(i64::MIN, |id| id.0);
    tx.query(
        "SELECT id, username, name, admin, blocked_at, created_at FROM users
          WHERE id > $1 ORDER BY id LIMIT $2",
        &[&after, &limit],
        read,
    )
}

/// Changes the name for people. Fails with `NotFound`.
pub fn set_name(tx: &mut Tx<'_>, id: UserId, name: &str) -> Result<()> {
    let changed = tx.execute("UPDATE users SET name = $2 WHERE id = $1", &[&id.0, &name])?;
    found(changed, id)
}

/// Changes the hash of the password. Fails with `NotFound`.
///
/// Sessions live on: whoever calls this decides which of them end.
pub fn set_password(tx: &mut Tx<'_>, id: UserId, password_hash: &str) -> Result<()> {
    let changed =
        tx.execute("UPDATE users SET password_hash = $2 WHERE id = $1", &[&id.0, &password_hash])?;
    found(changed, id)
}

/// Keeps a user out from `blocked_at` on, or lets the user in again with `None`.
///
/// Fails with `NotFound`, and with `Conflict` when nobody would be left to administer the instance.
pub fn set_blocked(tx: &mut Tx<'_>, id: UserId, blocked_at: Option<Timestamp>) -> Result<()> {
    if blocked_at.is_some() {
        leave_an_administrator(tx, id)?;
    }
    let blocked_at = blocked_at.map(|at| at.0);
    let changed = tx.execute("UPDATE users SET blocked_at = $2 WHERE id = $1", &[&id.0, &blocked_at])?;
    found(changed, id)
}

/// Says whether a user administers the instance.
///
/// Fails with `NotFound`, and with `Conflict` when nobody would be left to administer the instance.
pub fn set_admin(tx: &mut Tx<'_>, id: UserId, admin: bool) -> Result<()> {
    if !admin {
        leave_an_administrator(tx, id)?;
    }
    let changed = tx.execute("UPDATE users SET admin = $2 WHERE id = $1", &[&id.0, &admin])?;
    found(changed, id)
}

/// Fails with `Conflict` when `id` is the only administrator who may come in.
fn leave_an_administrator(tx: &mut Tx<'_>, id: UserId) -> Result<()> {
    let administrators = tx.query(
        "SELECT id FROM users WHERE admin AND blocked_at IS NULL ORDER BY id LIMIT 2",
        &[],
        |row| row.get::<i64>(0),
    )?;
    if administrators == [id.0] {
        return Err(Error::conflict(
            "this is the last administrator who may sign in: name another one first",
        ));
    }
    Ok(())
}

fn found(changed: u64, id: UserId) -> Result<()> {
    if changed == 0 {
        return Err(Error::not_found(format!("there is no user {id}")));
    }
    Ok(())
}

/// Reads the six columns that every statement about users starts with.
pub(crate) fn read(row: &Row<'_>) -> Result<User> {
    Ok(User {
        id: UserId(row.get(0)?),
        username: row.get(1)?,
        name: row.get(2)?,
        admin: row.get(3)?,
        blocked_at: row.get::<Option<i64>>(4)?.map(Timestamp),
        created_at: Timestamp(row.get(5)?),
    })
}

/// The form in which names are unique: they are ASCII, so lower case is all there is to it.
pub(crate) fn fold(name: &str) -> String {
    name.to_ascii_lowercase()
}
