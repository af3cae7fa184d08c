//! Everything that lives as long as the server.

use std::ops::Deref;
use std::sync::Arc;

use modelry_blob::Blobs;
use modelry_core::ids::Eid;
use modelry_db::Db;
use modelry_store::columns::UsedKeys;
use modelry_store::ids::Ids;
use modelry_store::keys::Keys;
use modelry_store::metrics::Tails;
use modelry_store::search::candidates::Findings;

use crate::callers::Callers;
use crate::clock::{Clock, Random};
use crate::passwords::Passwords;
use crate::pulls::Pulls;
use crate::uploads::Turns;

/// What an operator may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address that people and clients reach this server by, without a trailing slash; when it is not set, the
    /// `Host` that a request names.
    pub public_url: Option<String>,
    /// How much a request may bring.
    pub limits: Limits,
}

/// How much a request may bring, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest JSON or form body.
    pub body_bytes: usize,
    /// The largest file.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 16 << 20, file_bytes: 64 << 30 }
    }
}

/// The application: cheap to clone, shared by every request.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The bytes.
    pub blobs: Blobs,
    /// Numbers for new rows.
    pub ids: Ids,
    /// Names of metrics, params and metadata.
    pub keys: Keys,
    /// Which of them the candidates of an experiment have.
    pub used_keys: UsedKeys,
    /// What searches for candidates found out.
    pub findings: Findings,
    /// How much of each candidate's points is not sealed yet.
    pub tails: Tails,
    /// Who is calling, and what they are to a project.
    pub callers: Callers,
    /// Who fetches files of versions.
    pub pulls: Pulls,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// The time.
    pub clock: Clock,
    /// Random bytes.
    pub random: Random,
    /// Uploads that are under way.
    pub turns: Turns,
    /// What the operator set.
    pub settings: Settings,
}

impl App {
    /// An application on a migrated database.
    pub fn new(db: Db, blobs: Blobs, clock: Clock, random: Random, settings: Settings) -> Self {
        let keys = Keys::default();
        Self(Arc::new(Parts {
            ids: Ids::new(db.clone()),
            used_keys: UsedKeys::new(keys.clone()),
            keys,
            findings: Findings::default(),
            tails: Tails::default(),
            callers: Callers::new(db.clone()),
            pulls: Pulls::new(db.clone()),
            passwords: Passwords::default(),
            db,
            blobs,
            clock,
            random,
            turns: Turns::default(),
            settings,
        }))
    }

    /// A fresh public id for a candidate.
    pub fn new_eid(&self) -> Eid {
        Eid::new(self.clock.now(), self.random.bytes())
    }

    /// A fresh id for an append-only row.
    pub fn append_id(&self) -> i64 {
        self.ids.append_id(self.clock.now(), u32::from_be_bytes(self.random.bytes()))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
