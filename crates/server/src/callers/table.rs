//! The bounded table behind [`super::Callers`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use modelry_core::ids::{ProjectId, TokenId, UserId};
use modelry_core::policy::{Role, Visibility};
use modelry_core::time::Timestamp;

use crate::access::{Identity, Key, ProjectRef};

/// The use of a token is handed on at most this often, in milliseconds.
const NOTE_EVERY_MS: i64 = 60_000;

/// A number that rises with every [`Table::clear`]: what was read before one is not remembered after it.
pub(super) type Generation = u64;

/// Somebody whose credentials were looked up.
pub(super) struct Known {
    identity: Arc<Identity>,
    expires_at: Option<Timestamp>,
    read_at: Timestamp,
    noted_at: AtomicI64,
}

impl Known {
    /// What was read of somebody at `now`.
    pub(super) fn new(identity: Arc<Identity>, expires_at: Option<Timestamp>, now: Timestamp) -> Self {
        Self { identity, expires_at, read_at: now, noted_at: AtomicI64::new(i64::MIN) }
    }

    /// The token, if its use at `now` is to be noted; answers it once a minute.
    fn use_to_note(&self, now: Timestamp) -> Option<TokenId> {
        let token = self.identity.token?;
        let noted_at = self.noted_at.load(Ordering::Relaxed);
        let due = now.ms().saturating_sub(noted_at) >= NOTE_EVERY_MS;
        let won = due
            && self
                .noted_at
                .compare_exchange(noted_at, now.ms(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        won.then_some(token)
    }
}

/// A project, as far as it is the same for everybody, and a user's role in it.
#[derive(Clone)]
pub(super) struct Place {
    /// Number of the project.
    pub(super) project: ProjectId,
    /// Its full path.
    pub(super) full_path: Arc<str>,
    /// The user's role there.
    pub(super) role: Option<Role>,
    /// Who sees it without being a member.
    pub(super) visibility: Visibility,
    /// When this was read.
    pub(super) read_at: Timestamp,
}

/// What is remembered.
pub(super) struct Table {
    capacity: usize,
    ttl_ms: Option<i64>,
    entries: RwLock<Entries>,
    uses: Mutex<HashMap<TokenId, Timestamp>>,
}

#[derive(Default)]
struct Entries {
    generation: Generation,
    callers: HashMap<Key, Known>,
    places: HashMap<ProjectRef, HashMap<Option<UserId>, Place>>,
    place_count: usize,
}

impl Table {
    /// An empty table for `capacity` callers and as many projects of callers, whose entries live `ttl_ms`, or until
    /// [`Self::clear`].
    pub(super) fn new(capacity: usize, ttl_ms: Option<i64>) -> Self {
        Self { capacity, ttl_ms, entries: RwLock::default(), uses: Mutex::default() }
    }

    /// Who has this key; else the generation that a look-up belongs to, which has to start after this answer.
    pub(super) fn caller(&self, key: &Key, now: Timestamp) -> Result<Arc<Identity>, Generation> {
        let entries = self.read();
        let known = entries.callers.get(key).filter(|known| {
            self.is_fresh(known.read_at, now) && known.expires_at.is_none_or(|expires_at| now < expires_at)
        });
        let known = known.ok_or(entries.generation)?;
        self.note_use(known, now);
        Ok(Arc::clone(&known.identity))
    }

    /// Remembers somebody who was looked up in `generation`.
    pub(super) fn remember_caller(&self, generation: Generation, key: Key, known: Known) {
        self.note_use(&known, known.read_at);
        let mut entries = self.write();
        if entries.generation != generation {
            return;
        }
        if entries.callers.len() >= self.capacity {
            entries.callers.clear();
        }
        entries.callers.insert(key, known);
    }

    /// What `user` finds under that name; else the generation that a look-up belongs to.
    pub(super) fn place(
        &self,
        project: &ProjectRef,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Result<Place, Generation> {
        let entries = self.read();
        let place = entries.places.get(project).and_then(|places| places.get(&user));
        place.filter(|place| self.is_fresh(place.read_at, now)).cloned().ok_or(entries.generation)
    }

    /// Remembers what was looked up in `generation`.
    pub(super) fn remember_place(
        &self,
        generation: Generation,
        project: &ProjectRef,
        user: Option<UserId>,
        place: Place,
    ) {
        let mut entries = self.write();
        if entries.generation != generation {
            return;
        }
        if entries.place_count >= self.capacity {
            entries.places.clear();
            entries.place_count = 0;
        }
        let before = entries.places.entry(project.clone()).or_default().insert(user, place);
        entries.place_count += usize::from(before.is_none());
    }

    /// Forgets everything, and what is being looked up at this moment.
    pub(super) fn clear(&self) {
        let mut entries = self.write();
        *entries = Entries { generation: entries.generation + 1, ..Entries::default() };
    }

    /// Takes the uses of tokens that are not written yet.
    pub(super) fn take_uses(&self) -> Vec<(TokenId, Timestamp)> {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *uses).into_iter().collect()
    }

    fn note_use(&self, known: &Known, now: Timestamp) {
        let Some(token) = known.use_to_note(now) else { return };
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() < self.capacity || uses.contains_key(&token) {
            uses.insert(token, now);
        }
    }

    fn is_fresh(&self, read_at: Timestamp, now: Timestamp) -> bool {
        self.ttl_ms.is_none_or(|ttl_ms| now < read_at.plus_ms(ttl_ms))
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelry_core::digest::Sha256;
    use modelry_core::policy::Scope;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn key(byte: u8) -> Key {
        Key::Token(Sha256([byte; 32]))
    }

    fn known(byte: u8, expires_at: Option<Timestamp>) -> Known {
        let identity = Identity {
            user: UserId(i64::from(byte)),
            username: "ann".into(),
            name: "Ann".into(),
            admin: false,
            scope: Scope::Api,
            token: Some(TokenId(i64::from(byte))),
            csrf_token: None,
            key: key(byte),
        };
        Known::new(Arc::new(identity), expires_at, NOW)
    }

    fn place() -> Place {
        Place {
            project: ProjectId(7),
            full_path: "ann/churn".into(),
            role: None,
            visibility: Visibility::Public,
            read_at: NOW,
        }
    }

    /// Looks `byte` up and remembers the caller, as a request would.
    fn remember(table: &Table, byte: u8, expires_at: Option<Timestamp>) {
        let generation = table.caller(&key(byte), NOW).expect_err("not known yet");
        table.remember_caller(generation, key(byte), known(byte, expires_at));
    }

    fn knows(table: &Table, byte: u8, now: Timestamp) -> bool {
        table.caller(&key(byte), now).is_ok()
    }

    #[test]
    fn a_caller_is_remembered_until_the_table_is_cleared() {
        let table = Table::new(10, None);
        remember(&table, 1, None);
        assert!(knows(&table, 1, NOW.plus_ms(i64::from(u32::MAX))));
        table.clear();
        assert!(!knows(&table, 1, NOW));
    }

    #[test]
    fn a_session_is_not_taken_for_a_token_of_the_same_secret() {
        let table = Table::new(10, None);
        remember(&table, 1, None);
        assert!(table.caller(&Key::Session(Sha256([1; 32])), NOW).is_err());
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let table = Table::new(10, None);
        let generation = table.caller(&key(1), NOW).expect_err("not known yet");
        table.clear();
        table.remember_caller(generation, key(1), known(1, None));
        assert!(!knows(&table, 1, NOW));
    }

    #[test]
    fn a_place_that_was_read_before_a_change_is_not_remembered_after_it() {
        let table = Table::new(10, None);
        let project = ProjectRef::Number(7);
        let generation = table.place(&project, None, NOW).map(|_| ()).expect_err("not known yet");
        table.clear();
        table.remember_place(generation, &project, None, place());
        assert!(table.place(&project, None, NOW).is_err());
    }

    #[test]
    fn a_token_is_forgotten_when_it_expires() {
        let table = Table::new(10, None);
        remember(&table, 1, Some(NOW.plus_ms(5)));
        assert!(knows(&table, 1, NOW.plus_ms(4)));
        assert!(!knows(&table, 1, NOW.plus_ms(5)));
    }

    #[test]
    fn an_entry_lives_no_longer_than_the_table_lets_it() {
        let table = Table::new(10, Some(100));
        let project = ProjectRef::Number(7);
        remember(&table, 1, None);
        table.remember_place(0, &project, None, place());
        assert!(knows(&table, 1, NOW.plus_ms(99)) && table.place(&project, None, NOW.plus_ms(99)).is_ok());
        assert!(!knows(&table, 1, NOW.plus_ms(100)));
        assert!(table.place(&project, None, NOW.plus_ms(100)).is_err());
    }

    #[test]
    fn a_place_is_remembered_for_the_user_who_asked() {
        let table = Table::new(10, None);
        let project = ProjectRef::Path("ann/churn".into());
        table.remember_place(0, &project, Some(UserId(1)), place());
        assert!(table.place(&project, Some(UserId(1)), NOW).is_ok());
        assert!(table.place(&project, Some(UserId(2)), NOW).is_err());
        assert!(table.place(&project, None, NOW).is_err());
    }

    #[test]
    fn a_full_table_starts_again() {
        let table = Table::new(3, None);
        for byte in 1..=4 {
            remember(&table, byte, None);
            table.remember_place(0, &ProjectRef::Number(byte.into()), None, place());
        }
        let entries = table.read();
        assert_eq!((entries.callers.len(), entries.places.len(), entries.place_count), (1, 1, 1));
    }

    #[test]
    fn the_use_of_a_token_is_handed_on_once_a_minute() {
        let table = Table::new(10, None);
        remember(&table, 1, None);
        assert_eq!(table.take_uses(), [(TokenId(1), NOW)]);
        assert!(knows(&table, 1, NOW.plus_ms(59_999)));
        assert_eq!(table.take_uses(), []);
        assert!(knows(&table, 1, NOW.plus_ms(60_000)));
        assert_eq!(table.take_uses(), [(TokenId(1), NOW.plus_ms(60_000))]);
    }
}
