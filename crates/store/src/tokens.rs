//! Personal access tokens. Only the SHA-256 of a token's text is kept, so that a copy of the database opens nothing.

use modelry_core::Result;
use modelry_core::digest::Sha256;
use modelry_core::ids::{TokenId, UserId};
use modelry_core::policy::Scope;
use modelry_core::time::Timestamp;
use modelry_db::{Row, Tx};

use crate::users::{self, User};

/// A use is noted at most this often, in milliseconds: it is a hint for people, not an audit.
const TOUCH_EVERY_MS: i64 = 60_000;

/// A token as its owner sees it in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Number of the token.
    pub id: TokenId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// What [`insert`] needs to know.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// A fresh number.
    pub id: TokenId,
    /// On whose behalf it acts.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// SHA-256 of its text.
    pub hash: Sha256,
    /// What it may do.
    pub scope: Scope,
    /// Now.
    pub created_at: Timestamp,
    /// When it ends, if ever.
    pub expires_at: Option<Timestamp>,
}

/// What became of a token that somebody presents. Whoever presents it has its text, and so may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// It works.
    Active(Grant),
    /// Its time is over.
    Expired,
    /// Its owner took it back.
    Revoked,
    /// Its owner may not come in.
    Blocked,
}

/// What a working token gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Number of the token.
    pub token: TokenId,
    /// On whose behalf it acts.
    pub user: User,
    /// What it may do.
    pub scope: Scope,
    /// When it ends, if ever.
    pub expires_at: Option<Timestamp>,
}

/// Adds a token.
pub fn insert(tx: &mut Tx<'_>, new: &NewToken) -> Result<()> {
    let expires_at = new.expires_at.map(|at| at.0);
    tx.execute(
        "INSERT INTO tokens (id, user_id, name, hash, scope, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &new.id.0,
            &new.user.0,
            &new.name,
            &new.hash.0.as_slice(),
            &new.scope.number(),
            &new.created_at.0,
            &expires_at,
        ],
    )?;
    Ok(())
}

/// What the token with this hash gives at `now`; `None` when there is none.
pub fn find_by_hash(tx: &mut Tx<'_>, hash: &Sha256, now: Timestamp) -> Result<Option<Presented>> {
    tx.query_opt(
        "SELECT u.id, u.username, u.name, u.admin, u.blocked_at, u.created_at,
                t.id, t.scope, t.expires_at, t.revoked_at
           FROM tokens t JOIN users u ON u.id = t.user_id
          WHERE t.hash = $1",
        &[&hash.0.as_slice()],
        |row| read_presented(row, now),
    )
}

/// The username of the user that a token is or was of.
pub(crate) fn find_owner(tx: &mut Tx<'_>, id: TokenId) -> Result<Option<String>> {
    tx.query_opt(
        "SELECT u.username FROM tokens t CROSS JOIN users u WHERE t.id = $1 AND u.id = t.user_id",
        &[&id.0],
        |row| row.get(0),
    )
}

/// Up to `limit` tokens of `user` that were not revoked, the newest first, those made before `after`.
///
/// Expired ones are among them, so that one can see why something stopped.
pub fn list(tx: &mut Tx<'_>, user: UserId, after: Option<TokenId>, limit: i64) -> Result<Vec<Token>> {
    let after = after.map_or(i64::MAX, |id| id.0);
    tx.query(
        "SELECT id, name, scope, created_at, expires_at, last_used_at FROM tokens
          WHERE user_id = $1 AND id < $2 AND revoked_at IS NULL
          ORDER BY id DESC LIMIT $3",
        &[&user.0, &after, &limit],
        read,
    )
}

/// Ends a token of `user` and answers whether there was one to end.
pub fn revoke(tx: &mut Tx<'_>, user: UserId, id: TokenId, now: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE tokens SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL",
        &[&id.0, &user.0, &now.0],
    )?;
    Ok(changed == 1)
}

/// Notes that a token was used at `now`, at most once a minute.
pub fn touch(tx: &mut Tx<'_>, id: TokenId, now: Timestamp) -> Result<()> {
    let long_ago = now.plus_ms(-TOUCH_EVERY_MS);
    tx.execute(
        "UPDATE tokens SET last_used_at = $2
          WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)",
        &[&id.0, &now.0, &long_ago.0],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Token> {
    Ok(Token {
        id: TokenId(row.get(0)?),
        name: row.get(1)?,
        scope: Scope::from_number(row.get(2)?)?,
        created_at: Timestamp(row.get(3)?),
        expires_at: row.get::<Option<i64>>(4)?.map(Timestamp),
        last_used_at: row.get::<Option<i64>>(5)?.map(Timestamp),
    })
}

fn read_presented(row: &Row<'_>, now: Timestamp) -> Result<Presented> {
    let user = users::read(row)?;
    let expires_at = row.get::<Option<i64>>(8)?.map(Timestamp);
    let revoked = row.get::<Option<i64>>(9)?.is_some();
    Ok(if revoked {
        Presented::Revoked
    } else if expires_at.is_some_and(|at| at <= now) {
        Presented::Expired
    } else if user.blocked_at.is_some() {
        Presented::Blocked
    } else {
        let scope = Scope::from_number(row.get(7)?)?;
        Presented::Active(Grant { token: TokenId(row.get(6)?), user, scope, expires_at })
    })
}
