//! Who is calling, and what they are to a project: looked up once, then remembered in the process.
//!
//! On SQLite this process makes every change, and each change to an account empties the table after its commit and
//! before it is answered, so the table is exact. On PostgreSQL other processes write too; there an entry lives for
//! [`SHARED_TTL_MS`] at most, which is how long a revoked token may go on working, and what administers is checked
//! again inside its own transaction ([`crate::accounts::Authority`]).

use std::sync::Arc;

use modelry_core::ids::ProjectId;
use modelry_core::policy::{Scope, Standing};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Kind, Result};
use modelry_db::{Db, Engine, Tx};
use modelry_store::tokens::Presented;
use modelry_store::{members, projects, sessions, tokens};

use crate::access::{Caller, Credential, Found, Identity, Key, ProjectRef};
use crate::secrets;

mod table;

use table::{Known, Place, Table};

/// How long an entry lives where other processes write to the same database, in milliseconds.
pub const SHARED_TTL_MS: i64 = 5_000;

/// How many callers, and how many projects of callers, are remembered at most.
const CAPACITY: usize = 20_000;

/// How many token uses are written in one transaction.
const USES_PER_WRITE: usize = 500;

/// Knows who calls. Cheap to clone.
#[derive(Clone)]
pub struct Callers {
    db: Db,
    table: Arc<Table>,
}

impl Callers {
    /// Callers known to `db`.
    pub fn new(db: Db) -> Self {
        let ttl_ms = match db.engine() {
            Engine::Sqlite => None,
            Engine::Postgres => Some(SHARED_TTL_MS),
        };
        Self { db, table: Arc::new(Table::new(CAPACITY, ttl_ms)) }
    }

    /// Who presents this credential. Fails with `Unauthenticated` when it is a token that does not work.
    pub async fn identify(&self, credential: &Credential, now: Timestamp) -> Result<Caller> {
        let key = match credential {
            Credential::None => return Ok(Caller(None)),
            Credential::Token(text) => Key::Token(secrets::hash(text)),
            Credential::Session(secret) => Key::Session(secrets::hash(secret)),
        };
        let generation = match self.table.caller(&key, now) {
            Ok(identity) => return Ok(Caller(Some(identity))),
            Err(generation) => generation,
        };
        let found = self.db.read(move |tx| find(tx, key, now)).await?;
        let csrf_token = match credential {
            Credential::Session(secret) => Some(secrets::csrf_token(secret)),
            Credential::Token(_) | Credential::None => None,
        };
        Ok(Caller(found.map(|found| {
            let identity = Arc::new(Identity { csrf_token, ..found.identity });
            let known = Known::new(Arc::clone(&identity), found.expires_at, now);
            self.table.remember_caller(generation, key, known);
            identity
        })))
    }

    /// The project that a URL names, and what the caller is to it; `None` when there is no such project.
    pub async fn find_project(
        &self,
        caller: &Caller,
        project: &ProjectRef,
        now: Timestamp,
    ) -> Result<Option<Found>> {
        let user = caller.user();
        let generation = match self.table.place(project, user, now) {
            Ok(place) => return Ok(Some(place.found_by(caller))),
            Err(generation) => generation,
        };
        let wanted = project.clone();
        let place = self.db.read(move |tx| {
            let found = match &wanted {
                ProjectRef::Number(id) => projects::find(tx, ProjectId(*id))?,
                ProjectRef::Path(path) => projects::find_by_full_path(tx, path)?,
            };
            let Some(found) = found else { return Ok(None) };
            let role = match user {
                Some(user) => members::role_of(tx, found.id, user)?,
                None => None,
            };
            let full_path = found.full_path.into();
            Ok(Some(Place { project: found.id, full_path, role, visibility: found.visibility, read_at: now }))
        });
        Ok(place.await?.map(|place| {
            let found = place.found_by(caller);
            self.table.remember_place(generation, project, user, place);
            found
        }))
    }

    /// Runs a write that touches users, tokens, sessions, members or projects, and then forgets everybody.
    ///
    /// Every such write goes through here: that is what keeps the table exact.
    pub async fn change<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let table = Arc::clone(&self.table);
        let write = self.db.write(move |tx| {
            let table = Arc::clone(&table);
            tx.on_commit(move || table.clear());
            work(tx)
        });
        write.await
    }

    /// Writes down when tokens were last used, as far as that is not written yet.
    ///
    /// The background calls this now and then: no request waits for it, and a crash loses a minute of it.
    pub async fn write_uses(&self) -> Result<()> {
        let uses = self.table.take_uses();
        for uses in uses.chunks(USES_PER_WRITE) {
            let uses = uses.to_vec();
            let write = self.db.write(move |tx| {
                uses.iter().try_for_each(|(token, used_at)| tokens::touch(tx, *token, *used_at))
            });
            write.await?;
        }
        Ok(())
    }
}

impl Place {
    fn found_by(&self, caller: &Caller) -> Found {
        let identity = caller.0.as_deref();
        let standing = Standing {
            user: identity.map(|identity| identity.user),
            admin: identity.is_some_and(|identity| identity.admin),
            role: self.role,
            scope: identity.map_or(Scope::Api, |identity| identity.scope),
            visibility: self.visibility,
        };
        Found { project: self.project, full_path: Arc::clone(&self.full_path), standing }
    }
}

/// Somebody as the database has them.
pub(crate) struct FoundCaller {
    /// Who it is; without a CSRF token, which needs more than the hash of a session's secret.
    pub(crate) identity: Identity,
    /// When the token or session ends, if ever.
    expires_at: Option<Timestamp>,
}

/// Looks a token or session up.
///
/// Fails with `Unauthenticated` when it is a token that does not work; an ended session is nobody, because a browser
/// goes on sending its cookie to pages that need none.
pub(crate) fn find(tx: &mut Tx<'_>, key: Key, now: Timestamp) -> Result<Option<FoundCaller>> {
    match key {
        Key::Token(hash) => find_token(tokens::find_by_hash(tx, &hash, now)?, key).map(Some),
        Key::Session(hash) => Ok(sessions::find(tx, &hash, now)?.map(|session| FoundCaller {
            identity: Identity::new(session.user, Scope::Api, None, key),
            expires_at: Some(session.expires_at),
        })),
    }
}

fn find_token(presented: Option<Presented>, key: Key) -> Result<FoundCaller> {
    let refuse = |what: &str| Err(Error::new(Kind::Unauthenticated, what.to_owned()));
    match presented {
        None => refuse("this token is not known"),
        Some(Presented::Expired) => refuse("this token has expired"),
        Some(Presented::Revoked) => refuse("this token was revoked"),
        Some(Presented::Blocked) => refuse("the user of this token is blocked"),
        Some(Presented::Active(grant)) => Ok(FoundCaller {
            identity: Identity::new(grant.user, grant.scope, Some(grant.token), key),
            expires_at: grant.expires_at,
        }),
    }
}
