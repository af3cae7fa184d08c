//! The names of metrics, params and metadata: rows of `keys`, of which hot tables carry only the number.
//!
//! A key is never changed nor deleted, so what is once known stays true, and a cache of it needs no care.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, RwLock};

use modelry_core::Result;
use modelry_core::ids::{KeyId, ProjectId};
use modelry_db::{Db, Tx};

use crate::ids::{Ids, Series};
use crate::sql;

/// A cache this large is emptied; it fills again from the table.
const MOST_CACHED: usize = 200_000;

#[derive(Default)]
struct Cache {
    ids: HashMap<ProjectId, HashMap<Arc<str>, KeyId>>,
    names: HashMap<(ProjectId, KeyId), Arc<str>>,
}

impl Cache {
    fn insert(&mut self, project: ProjectId, name: Arc<str>, id: KeyId) {
        if self.names.len() >= MOST_CACHED {
            *self = Self::default();
        }
        self.ids.entry(project).or_default().insert(name.clone(), id);
        self.names.insert((project, id), name);
    }
}

/// Translates key names to numbers and back.
#[derive(Clone, Default)]
pub struct Keys(Arc<RwLock<Cache>>);

impl Keys {
    /// The numbers of `names`, in their order; names that are new get a number, in a transaction of their own, so
    /// that the transaction that uses them need not make them.
    pub async fn intern(&self, db: &Db, ids: &Ids, project: ProjectId, names: &[&str]) -> Result<Vec<KeyId>> {
        loop {
            if let Some(known) = self.known(project, names) {
                return Ok(known);
            }
            // A full cache may be emptied in between, so that one turn does not always do.
            let mut drawn = Vec::new();
            for name in self.unknown(project, names) {
                drawn.push((name.to_owned(), KeyId(ids.next(project, Series::Key).await?)));
            }
            for (name, id) in db.write(move |tx| insert_missing(tx, project, &drawn)).await? {
                self.write().insert(project, name.into(), id);
            }
        }
    }

    /// The names of `ids`, from memory where they are known.
    pub fn names(
        &self,
        tx: &mut Tx<'_>,
        project: ProjectId,
        ids: impl IntoIterator<Item = KeyId>,
    ) -> Result<HashMap<KeyId, Arc<str>>> {
        let mut names = HashMap::new();
        let mut unknown = BTreeSet::new();
        {
            let cache = self.read();
            for id in ids {
                match cache.names.get(&(project, id)) {
                    Some(name) => drop(names.insert(id, name.clone())),
                    None => drop(unknown.insert(id)),
                }
            }
        }
        let unknown: Vec<i64> = unknown.into_iter().map(|id| id.0).collect();
        for chunk in sql::padded(&unknown) {
            let places = sql::placeholders(2, chunk.len());
            let found: Vec<(i64, String)> = tx.query(
                &format!("SELECT id, name FROM keys WHERE project_id = $1 AND id IN ({places})"),
                &sql::bind(&[&project.0], &chunk),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            for (id, name) in found {
                let name: Arc<str> = name.into();
                self.write().insert(project, name.clone(), KeyId(id));
                names.insert(KeyId(id), name);
            }
        }
        Ok(names)
    }

    fn known(&self, project: ProjectId, names: &[&str]) -> Option<Vec<KeyId>> {
        if names.is_empty() {
            return Some(Vec::new());
        }
        let cache = self.read();
        let ids = cache.ids.get(&project)?;
        names.iter().map(|name| ids.get(*name).copied()).collect()
    }

    /// Those of `names` that are not in memory, each once, in order.
    fn unknown<'n>(&self, project: ProjectId, names: &[&'n str]) -> BTreeSet<&'n str> {
        let cache = self.read();
        let known = cache.ids.get(&project);
        names.iter().copied().filter(|name| known.is_none_or(|ids| !ids.contains_key(*name))).collect()
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Cache> {
        self.0.write().expect("no holder of this lock panics")
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Cache> {
        self.0.read().expect("no holder of this lock panics")
    }
}

/// The number of `name`, if any row of the project ever had this key.
pub fn find(tx: &mut Tx<'_>, project: ProjectId, name: &str) -> Result<Option<KeyId>> {
    tx.query_opt("SELECT id FROM keys WHERE project_id = $1 AND name = $2", &[&project.0, &name], |row| {
        row.get(0).map(KeyId)
    })
}

/// The numbers of those of `names` that any row of the project ever had.
pub fn find_all(tx: &mut Tx<'_>, project: ProjectId, names: &[&str]) -> Result<HashMap<String, KeyId>> {
    let mut found = HashMap::with_capacity(names.len());
    for chunk in sql::padded(names) {
        let places = sql::placeholders(2, chunk.len());
        tx.query_each(
            &format!("SELECT name, id FROM keys WHERE project_id = $1 AND name IN ({places})"),
            &sql::bind(&[&project.0], &chunk),
            |row| {
                found.insert(row.get(0)?, KeyId(row.get(1)?));
                Ok(())
            },
        )?;
    }
    Ok(found)
}

fn insert_missing(
    tx: &mut Tx<'_>,
    project: ProjectId,
    drawn: &[(String, KeyId)],
) -> Result<Vec<(String, KeyId)>> {
    let mut found = Vec::with_capacity(drawn.len());
    for (name, id) in drawn {
        tx.execute(
            "INSERT INTO keys (project_id, id, name)
             VALUES ($1, $2, $3)
             ON CONFLICT (project_id, name) DO NOTHING",
            &[&project.0, &id.0, name],
        )?;
        let id = find(tx, project, name)?.expect("the row was inserted or there before");
        found.push((name.clone(), id));
    }
    Ok(found)
}
