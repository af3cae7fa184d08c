//! What can be done with users, tokens, sessions, projects and members, for every door alike: the native API, the
//! pages and the command line are projections of these functions.

pub mod members;
pub mod projects;
pub mod sign_in;
pub mod tokens;
pub mod users;

use std::sync::Arc;

use modelry_core::policy::{self, Access, Standing};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Kind, Result};
use modelry_db::Tx;
use modelry_store::{members as member_rows, projects as project_rows};

use crate::access::{Granted, Identity};
use crate::callers;

/// On whose word the instance is administered.
#[derive(Clone, Debug)]
pub enum Authority {
    /// Whoever runs the server, and so can read its database.
    Operator,
    /// An administrator who sent a request.
    Caller(Arc<Identity>),
}

impl Authority {
    /// Checks inside the transaction that this is still an administrator: what the guard saw may be seconds old.
    fn require_administrator(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
        let Self::Caller(identity) = self else { return Ok(()) };
        if current(tx, identity, now)?.admin {
            return Ok(());
        }
        Err(Error::new(Kind::Forbidden, "only administrators may do this"))
    }
}

/// Decides inside the transaction what the guard decided before it: what the guard saw may be seconds old.
fn decide_again(tx: &mut Tx<'_>, granted: &Granted, now: Timestamp) -> Result<Access> {
    let project = project_rows::get(tx, granted.project())?;
    let identity = current(tx, granted.caller.signed_in()?, now)?;
    let standing = Standing {
        user: Some(identity.user),
        admin: identity.admin,
        role: member_rows::role_of(tx, project.id, identity.user)?,
        scope: identity.scope,
        visibility: project.visibility,
    };
    policy::decide(project.id, standing, granted.access.action())
}

/// The caller as the database has them now. Fails with `Unauthenticated` when the token or session ended meanwhile.
fn current(tx: &mut Tx<'_>, identity: &Identity, now: Timestamp) -> Result<Identity> {
    let found = callers::find(tx, identity.key, now)?;
    let found =
        found.ok_or_else(|| Error::new(Kind::Unauthenticated, "your session has ended: sign in again"))?;
    Ok(found.identity)
}
