//! Browser sessions and one-time sign-in links, both kept by the SHA-256 of their secret.

use modelry_core::Result;
use modelry_core::digest::Sha256;
use modelry_core::ids::UserId;
use modelry_core::time::Timestamp;
use modelry_db::Tx;

use crate::users::{self, User};

/// How many sessions a user has at most; another sign-in ends the oldest. It bounds what one transaction deletes.
pub const PER_USER: i64 = 100;

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who is signed in.
    pub user: User,
    /// When the session ends.
    pub expires_at: Timestamp,
}

/// What [`insert`] needs to know.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// SHA-256 of the cookie's secret.
    pub hash: Sha256,
    /// Who signed in.
    pub user: UserId,
    /// Now.
    pub created_at: Timestamp,
    /// When the session ends.
    pub expires_at: Timestamp,
}

/// Starts a session, and ends the user's oldest ones beyond [`PER_USER`].
pub fn insert(tx: &mut Tx<'_>, new: &NewSession) -> Result<()> {
    tx.execute(
        "DELETE FROM sessions WHERE user_id = $1 AND hash NOT IN (
             SELECT hash FROM sessions WHERE user_id = $1 ORDER BY created_at DESC, hash LIMIT $2)",
        &[&new.user.0, &(PER_USER - 1)],
    )?;
    tx.execute(
        "INSERT INTO sessions (hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        &[&new.hash.0.as_slice(), &new.user.0, &new.created_at.0, &new.expires_at.0],
    )?;
    Ok(())
}

/// The session of that hash, unless it is over at `now` or its user is blocked.
pub fn find(tx: &mut Tx<'_>, hash: &Sha256, now: Timestamp) -> Result<Option<Session>> {
    tx.query_opt(
        "SELECT u.id, u.username, u.name, u.admin, u.blocked_at, u.created_at, s.expires_at
           FROM sessions s JOIN users u ON u.id = s.user_id
          WHERE s.hash = $1 AND s.expires_at > $2 AND u.blocked_at IS NULL",
        &[&hash.0.as_slice(), &now.0],
        |row| Ok(Session { user: users::read(row)?, expires_at: Timestamp(row.get(6)?) }),
    )
}

/// Ends a session and answers whether there was one.
pub fn delete(tx: &mut Tx<'_>, hash: &Sha256) -> Result<bool> {
    Ok(tx.execute("DELETE FROM sessions WHERE hash = $1", &[&hash.0.as_slice()])? == 1)
}

/// Ends every session of `user` but the one with the hash `except`, and answers how many those were.
pub fn delete_all_of_user(tx: &mut Tx<'_>, user: UserId, except: Option<&Sha256>) -> Result<u64> {
    let except = except.map_or(&[][..], |hash| hash.0.as_slice());
    tx.execute("DELETE FROM sessions WHERE user_id = $1 AND hash <> $2", &[&user.0, &except])
}

/// Deletes up to `limit` sessions that are over at `now`, and answers how many those were.
pub fn prune(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64> {
    tx.execute(
        "DELETE FROM sessions WHERE hash IN (
             SELECT hash FROM sessions WHERE expires_at <= $1 LIMIT $2)",
        &[&now.0, &limit],
    )
}

/// Adds a link that signs `user` in once, until `expires_at`.
pub fn insert_link(tx: &mut Tx<'_>, hash: &Sha256, user: UserId, expires_at: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO login_links (hash, user_id, expires_at) VALUES ($1, $2, $3)",
        &[&hash.0.as_slice(), &user.0, &expires_at.0],
    )?;
    Ok(())
}

/// Uses a link up and answers whom it signs in: nobody when it is unknown, used, over at `now`, or of a blocked user.
pub fn take_link(tx: &mut Tx<'_>, hash: &Sha256, now: Timestamp) -> Result<Option<User>> {
    let taken = tx.query_opt(
        "DELETE FROM login_links WHERE hash = $1 RETURNING user_id, expires_at",
        &[&hash.0.as_slice()],
        |row| Ok((UserId(row.get(0)?), Timestamp(row.get(1)?))),
    )?;
    match taken {
        Some((user, expires_at)) if expires_at > now => {
            Ok(users::find(tx, user)?.filter(|user| user.blocked_at.is_none()))
        }
        Some(_) | None => Ok(None),
    }
}

/// Deletes up to `limit` links that are over at `now`, and answers how many those were.
pub fn prune_links(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64> {
    tx.execute(
        "DELETE FROM login_links WHERE hash IN (
             SELECT hash FROM login_links WHERE expires_at <= $1 LIMIT $2)",
        &[&now.0, &limit],
    )
}
