//! Which keys the candidates of an experiment have, and how many of them each.
//!
//! The keys are found by walking an index from one key to the next, so that it costs a look-up a key, however many
//! candidates there are. Candidates in the bin count until they are purged: their rows are there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use modelry_core::Result;
use modelry_core::ids::{ExperimentId, KeyId, ProjectId};
use modelry_core::search::column::KeyKind;
use modelry_core::time::Timestamp;
use modelry_db::{Param, Tx};

use crate::keys::Keys;
use crate::search::candidates::key::Table;

/// How many keys of a kind an experiment is said to have at most.
pub const MOST_KEYS: usize = 100_000;

/// A count goes up to this; one more means more.
pub const MOST_COUNTED: i64 = 100_000;

/// What is kept is believed for this long.
const BELIEVED_MS: i64 = 60_000;

/// A list of up to this many keys is found so fast that it is not kept, so what was just logged is there at once.
const SHORT: usize = 500;

/// As [`SHORT`], of the candidates that are counted for one key.
const FEW: i64 = 1_000;

/// Keys that are kept in all lists together, and counts; what would be more empties them.
const MOST_KEPT: usize = 200_000;

/// Where keys are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyPlace {
    /// The project.
    pub project: ProjectId,
    /// The experiment.
    pub experiment: ExperimentId,
}

/// A key that candidates have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedKey {
    /// What it is a key of.
    pub kind: KeyKind,
    /// Its number.
    pub id: KeyId,
    /// Its name.
    pub name: Arc<str>,
}

/// Which keys to list.
#[derive(Clone, Debug, Default)]
pub struct KeyQuery {
    /// Of this kind, or of all kinds, one after the other.
    pub kind: Option<KeyKind>,
    /// What the name starts with.
    pub prefix: String,
    /// What the name contains, in any case.
    pub part: String,
    /// The key that the page comes after.
    pub after: Option<(KeyKind, String)>,
    /// How many at most.
    pub limit: usize,
}

/// A part of the keys.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyPage {
    /// The keys, by kind and then by name.
    pub keys: Vec<UsedKey>,
    /// Whether there are more after them.
    pub has_more: bool,
}

/// How many candidates have a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How many, up to [`MOST_COUNTED`].
    pub candidates: i64,
    /// Whether there are more than that.
    pub is_capped: bool,
}

impl KeyQuery {
    fn matches(&self, key: &UsedKey, part: &str) -> bool {
        let is_behind = self.after.as_ref().is_none_or(|(kind, name)| (key.kind, &*key.name) > (*kind, name));
        is_behind
            && key.name.starts_with(&self.prefix)
            && (part.is_empty() || key.name.to_lowercase().contains(part))
    }
}

/// The keys of one kind in one place.
type Kept = (KeyPlace, KeyKind);

#[derive(Default)]
struct Cache {
    lists: HashMap<Kept, (Timestamp, Arc<[UsedKey]>)>,
    /// The keys of all lists.
    listed: usize,
    counts: HashMap<(Kept, KeyId), (Timestamp, i64)>,
}

/// Lists the keys of experiments. What takes long to find is kept for a minute.
#[derive(Clone)]
pub struct UsedKeys {
    keys: Keys,
    cache: Arc<Mutex<Cache>>,
}

impl UsedKeys {
    /// Knows nothing yet, and takes the names of keys from `keys`.
    pub fn new(keys: Keys) -> Self {
        Self { keys, cache: Arc::default() }
    }

    /// The keys that `query` asks for.
    pub fn page(
        &self,
        tx: &mut Tx<'_>,
        place: KeyPlace,
        query: &KeyQuery,
        now: Timestamp,
    ) -> Result<KeyPage> {
        let part = query.part.to_lowercase();
        let mut keys = Vec::new();
        for kind in KeyKind::ALL.into_iter().filter(|kind| query.kind.is_none_or(|asked| asked == *kind)) {
            if keys.len() <= query.limit {
                let all = self.all(tx, place, kind, now)?;
                let wanted = query.limit + 1 - keys.len();
                keys.extend(all.iter().filter(|key| query.matches(key, &part)).take(wanted).cloned());
            }
        }
        let has_more = keys.len() > query.limit;
        keys.truncate(query.limit);
        Ok(KeyPage { keys, has_more })
    }

    /// All keys of one kind, by name; the first [`MOST_KEYS`] that were ever made, where there are more.
    pub fn all(
        &self,
        tx: &mut Tx<'_>,
        place: KeyPlace,
        kind: KeyKind,
        now: Timestamp,
    ) -> Result<Arc<[UsedKey]>> {
        let kept = self.lock().lists.get(&(place, kind)).filter(|(at, _)| is_believed(*at, now)).cloned();
        if let Some((_, list)) = kept {
            return Ok(list);
        }
        let ids = used(tx, place, kind)?;
        let names = self.keys.names(tx, place.project, ids.iter().copied())?;
        let key = |id: KeyId| Some(UsedKey { kind, id, name: names.get(&id)?.clone() });
        let mut list: Vec<UsedKey> = ids.into_iter().filter_map(key).collect();
        list.sort_by(|left, right| left.name.cmp(&right.name));
        let list: Arc<[UsedKey]> = list.into();
        if list.len() > SHORT {
            self.keep_list((place, kind), now, &list);
        }
        Ok(list)
    }

    /// How many candidates have a key.
    pub fn count(&self, tx: &mut Tx<'_>, place: KeyPlace, key: &UsedKey, now: Timestamp) -> Result<Count> {
        let kept = ((place, key.kind), key.id);
        let known = self.lock().counts.get(&kept).filter(|(at, _)| is_believed(*at, now)).copied();
        let counted = match known {
            Some((_, counted)) => counted,
            None => count(tx, place, key)?,
        };
        if known.is_none() && counted > FEW {
            self.keep_count(kept, now, counted);
        }
        Ok(Count { candidates: counted.min(MOST_COUNTED), is_capped: counted > MOST_COUNTED })
    }

    fn keep_list(&self, kept: Kept, now: Timestamp, list: &Arc<[UsedKey]>) {
        let mut cache = self.lock();
        if cache.listed + list.len() > MOST_KEPT {
            (cache.lists, cache.listed) = (HashMap::new(), 0);
        }
        let before = cache.lists.insert(kept, (now, list.clone()));
        cache.listed += list.len();
        cache.listed -= before.map_or(0, |(_, list)| list.len());
    }

    fn keep_count(&self, kept: (Kept, KeyId), now: Timestamp, counted: i64) {
        let mut cache = self.lock();
        if cache.counts.len() >= MOST_KEPT {
            cache.counts.clear();
        }
        cache.counts.insert(kept, (now, counted));
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_believed(at: Timestamp, now: Timestamp) -> bool {
    (0..BELIEVED_MS).contains(&(now.ms() - at.ms()))
}

/// The keys of one kind that candidates of the experiment have, by number.
fn used(tx: &mut Tx<'_>, place: KeyPlace, kind: KeyKind) -> Result<Vec<KeyId>> {
    let most = i64::try_from(MOST_KEYS).expect("a small number");
    tx.query(&used_statement(kind), &[&place.project.0, &place.experiment.0, &most], |row| {
        row.get(0).map(KeyId)
    })
}

/// Goes from each key to the next greater one in the covering index.
pub(super) fn used_statement(kind: KeyKind) -> String {
    let table = Table::from(kind).name();
    let first_of = format!(
        "SELECT t.key_id FROM {table} t
         WHERE t.project_id = $1 AND t.experiment_id = $2"
    );
    format!(
        "WITH RECURSIVE used (key_id) AS (
             SELECT ({first_of} ORDER BY t.key_id LIMIT 1)
             UNION ALL
             SELECT ({first_of} AND t.key_id > u.key_id ORDER BY t.key_id LIMIT 1)
             FROM used u WHERE u.key_id IS NOT NULL
         )
         SELECT key_id FROM used WHERE key_id IS NOT NULL LIMIT $3"
    )
}

fn count(tx: &mut Tx<'_>, place: KeyPlace, key: &UsedKey) -> Result<i64> {
    let most = MOST_COUNTED + 1;
    let params: [&dyn Param; 4] = [&place.project.0, &place.experiment.0, &key.id.0, &most];
    tx.query_one(&count_statement(key.kind), &params, |row| row.get(0))
}

/// Counts a range of the covering index, as far as it matters.
pub(super) fn count_statement(kind: KeyKind) -> String {
    let table = Table::from(kind).name();
    format!(
        "SELECT count(*) FROM (
             SELECT 1 FROM {table} t
             WHERE t.project_id = $1 AND t.experiment_id = $2 AND t.key_id = $3 LIMIT $4
         ) AS few"
    )
}
