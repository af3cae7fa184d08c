//! Removing for good what is in the bin, and what that frees.
//!
//! A thing is taken out of the bin in one transaction, which also notes that its rest is to go; from then on nothing
//! restores it. The rest goes slice by slice, and what a crash leaves is gone on with. Of a version a row stays, which
//! says in histories what it was.

use modelry_core::ids::{CandidateId, ExperimentId, LoggedModelId, ModelId, ProjectId, VersionId};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;

use crate::blobs;
use crate::files::{self, Deleted, Owner, Tree};
use crate::ids::{self, Series};

/// Something in the bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Thing {
    /// A candidate.
    Candidate(CandidateId),
    /// A logged model.
    LoggedModel(LoggedModelId),
    /// A model version.
    Version(VersionId),
    /// A model with its versions, and the experiment that was made with it.
    Model(ModelId),
    /// An experiment with its candidates and logged models.
    Experiment(ExperimentId),
}

/// When what is purged had its last use of bytes: long ago, so that those are collected at once.
const LONG_AGO: Timestamp = Timestamp(0);

/// What [`expired`] looks through.
const TABLES: [(&str, fn(i64) -> Thing); 5] = [
    ("candidates", |id| Thing::Candidate(CandidateId(id))),
    ("logged_models", |id| Thing::LoggedModel(LoggedModelId(id))),
    ("versions", |id| Thing::Version(VersionId(id))),
    ("models", |id| Thing::Model(ModelId(id))),
    ("experiments", |id| Thing::Experiment(ExperimentId(id))),
];

impl Thing {
    /// Its number in the project.
    pub fn id(self) -> i64 {
        self.columns().1
    }

    /// The columns `kind` and `id`.
    fn columns(self) -> (i64, i64) {
        match self {
            Self::Candidate(id) => (1, id.0),
            Self::LoggedModel(id) => (2, id.0),
            Self::Version(id) => (3, id.0),
            Self::Model(id) => (4, id.0),
            Self::Experiment(id) => (5, id.0),
        }
    }

    fn from_columns(kind: i64, id: i64) -> Result<Self> {
        let at = usize::try_from(kind - 1).ok();
        let (_, thing) =
            at.and_then(|at| TABLES.get(at)).ok_or_else(|| Error::internal("an unknown purge"))?;
        Ok(thing(id))
    }

    fn table(self) -> &'static str {
        TABLES[usize::try_from(self.columns().0 - 1).expect("kinds count from 1")].0
    }

    fn series(self) -> Series {
        match self {
            Self::Candidate(_) => Series::Candidate,
            Self::LoggedModel(_) => Series::LoggedModel,
            Self::Version(_) => Series::Version,
            Self::Model(_) => Series::Model,
            Self::Experiment(_) => Series::Experiment,
        }
    }

    /// What people call it.
    fn word(self) -> &'static str {
        match self {
            Self::Candidate(_) => "candidate",
            Self::LoggedModel(_) => "logged model",
            Self::Version(_) => "version",
            Self::Model(_) => "model",
            Self::Experiment(_) => "experiment",
        }
    }
}

/// Takes a thing out of the bin, never to be restored: its rest is among the [`pending`]. Fails with `NotFound` when it is
/// not in the bin.
pub fn begin(tx: &mut Tx<'_>, project: ProjectId, thing: Thing, now: Timestamp) -> Result<()> {
    let (_, id) = thing.columns();
    let with_it = match thing {
        Thing::Model(id) => made_experiment(tx, project, id)?,
        Thing::Experiment(id) => {
            refuse_of_model(tx, project, id)?;
            None
        }
        Thing::Candidate(_) | Thing::LoggedModel(_) | Thing::Version(_) => None,
    };
    let taken = match thing {
        Thing::Version(_) => tx.execute(
            "UPDATE versions SET purged_at = $3
              WHERE project_id = $1 AND id = $2 AND deleted_at IS NOT NULL AND purged_at IS NULL",
            &[&project.0, &id, &now.0],
        )?,
        _ => tx.execute(
            &format!(
                "DELETE FROM {} WHERE project_id = $1 AND id = $2 AND deleted_at IS NOT NULL",
                thing.table()
            ),
            &[&project.0, &id],
        )?,
    };
    if taken == 0 {
        return Err(Error::not_found(format!("no {} {id} is in the bin", thing.word())));
    }
    note(tx, project, thing)?;
    match with_it {
        Some(experiment) => begin(tx, project, Thing::Experiment(experiment), now),
        None => Ok(()),
    }
}

/// Fails with `Conflict` while a model, in the bin or not, has the experiment: it goes with that.
fn refuse_of_model(tx: &mut Tx<'_>, project: ProjectId, id: ExperimentId) -> Result<()> {
    let model = tx.query_opt(
        "SELECT name FROM models WHERE project_id = $1 AND experiment_id = $2 LIMIT 1",
        &[&project.0, &id.0],
        |row| row.get::<String>(0),
    )?;
    match model {
        None => Ok(()),
        Some(model) => Err(Error::conflict(format!(
            "experiment {id} belongs to the model {model}, which is in the bin too: purge that"
        ))),
    }
}

fn note(tx: &mut Tx<'_>, project: ProjectId, thing: Thing) -> Result<()> {
    let (kind, id) = thing.columns();
    // Numbers are never given twice.
    ids::keep_used(tx, project, thing.series(), id)?;
    tx.execute(
        "INSERT INTO purges (project_id, kind, id) VALUES ($1, $2, $3) ON CONFLICT (project_id, kind, id) DO NOTHING",
        &[&project.0, &kind, &id],
    )?;
    Ok(())
}

/// The experiment in the bin that was made with a model.
fn made_experiment(tx: &mut Tx<'_>, project: ProjectId, id: ModelId) -> Result<Option<ExperimentId>> {
    tx.query_opt(
        "SELECT e.id FROM models m CROSS JOIN experiments e
          WHERE m.project_id = $1 AND m.id = $2 AND m.made_experiment AND m.deleted_at IS NOT NULL
            AND e.project_id = m.project_id AND e.id = m.experiment_id AND e.deleted_at IS NOT NULL",
        &[&project.0, &id.0],
        |row| row.get(0).map(ExperimentId),
    )
}

/// Up to `limit` things of each kind that are in the bin since before `cutoff`, the oldest first.
pub fn expired(tx: &mut Tx<'_>, cutoff: Timestamp, limit: i64) -> Result<Vec<(ProjectId, Thing)>> {
    let mut found = Vec::new();
    // What is greater first: it takes with it what is less.
    for (table, thing) in TABLES.into_iter().rev() {
        let only = if table == "versions" { "AND purged_at IS NULL" } else { "" };
        // An experiment that was made with a model in the bin goes with that.
        let alone = if table == "experiments" {
            "AND NOT EXISTS (SELECT 1 FROM models m
                              WHERE m.project_id = experiments.project_id AND m.experiment_id = experiments.id)"
        } else {
            ""
        };
        found.extend(tx.query(
            &format!(
                "SELECT project_id, id FROM {table} WHERE deleted_at IS NOT NULL AND deleted_at < $1 {only} {alone}
                  ORDER BY deleted_at LIMIT $2"
            ),
            &[&cutoff.0, &limit],
            |row| Ok((ProjectId(row.get(0)?), thing(row.get(1)?))),
        )?);
    }
    Ok(found)
}

/// Something in the bin, with what people know it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InBin {
    /// The thing.
    pub thing: Thing,
    /// Its name; of a version the model's name and the version.
    pub name: String,
    /// Since when it is in the bin.
    pub deleted_at: Timestamp,
}

/// The kinds of things, by the words for them in URLs.
pub const KINDS: [&str; 5] = ["candidates", "logged_models", "versions", "models", "experiments"];

/// The thing of this kind and number. Fails with `NotFound` for an unknown kind.
pub fn thing(kind: &str, id: i64) -> Result<Thing> {
    let (_, thing) = of_kind(kind)?;
    Ok(thing(id))
}

fn of_kind(kind: &str) -> Result<(&'static str, fn(i64) -> Thing)> {
    TABLES.into_iter().find(|(table, _)| *table == kind).ok_or_else(|| {
        Error::not_found(format!("there is nothing called `{kind}` in the bin: it has {}", KINDS.join(", ")))
    })
}

/// Up to `limit` things of a kind that are in the bin, the last deleted first, those behind `after`: a time and a number.
pub fn list(
    tx: &mut Tx<'_>,
    project: ProjectId,
    kind: &str,
    after: Option<(Timestamp, i64)>,
    limit: i64,
) -> Result<Vec<InBin>> {
    let (table, thing) = of_kind(kind)?;
    let (from, name) = match table {
        "versions" => (
            "versions t INNER JOIN models m
               ON m.project_id = t.project_id AND m.id = t.model_id AND m.deleted_at IS NULL",
            "m.name || ' ' || t.version",
        ),
        "models" => ("models t", "t.name"),
        "experiments" => ("experiments t", "t.name"),
        "candidates" => ("candidates t", "t.name"),
        _ => ("logged_models t", "t.name"),
    };
    let only = if table == "versions" { "AND t.purged_at IS NULL" } else { "" };
    let (deleted_at, id) = after.unwrap_or((Timestamp(i64::MAX), i64::MAX));
    tx.query(
        &format!(
            "SELECT t.id, {name}, t.deleted_at FROM {from}
              WHERE t.project_id = $1 AND t.deleted_at IS NOT NULL {only}
                AND t.deleted_at <= $2 AND (t.deleted_at < $2 OR t.id < $3)
              ORDER BY t.deleted_at DESC, t.id DESC LIMIT $4"
        ),
        &[&project.0, &deleted_at.0, &id, &limit],
        |row| Ok(InBin { thing: thing(row.get(0)?), name: row.get(1)?, deleted_at: Timestamp(row.get(2)?) }),
    )
}

/// Up to `limit` things whose rest is to go.
pub fn pending(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(ProjectId, Thing)>> {
    let rows = tx.query(
        "SELECT project_id, kind, id FROM purges ORDER BY project_id, kind, id LIMIT $1",
        &[&limit],
        |row| Ok((ProjectId(row.get(0)?), row.get::<i64>(1)?, row.get::<i64>(2)?)),
    )?;
    rows.into_iter().map(|(project, kind, id)| Ok((project, Thing::from_columns(kind, id)?))).collect()
}

/// Removes up to about `limit` rows of the rest of a thing.
pub fn slice(tx: &mut Tx<'_>, project: ProjectId, thing: Thing, limit: i64) -> Result<Deleted> {
    let (kind, id) = thing.columns();
    let rest = match thing {
        Thing::Candidate(candidate) => of_candidate(tx, project, candidate, limit)?,
        Thing::LoggedModel(model) => {
            let tables = ["logged_model_params", "logged_model_metadata", "logged_model_metrics"];
            let tables = tables.map(|table| (table, "logged_model_id", "name"));
            of_owner(tx, Tree { project, owner: Owner::LoggedModel(model) }, id, &tables, limit)?
        }
        Thing::Version(version) => {
            let tables = [("version_metadata", "version_id", "name")];
            of_owner(tx, Tree { project, owner: Owner::Version(version) }, id, &tables, limit)?
        }
        Thing::Model(_) => of_model(tx, project, id, limit)?,
        Thing::Experiment(_) => of_experiment(tx, project, id, limit)?,
    };
    if rest == Deleted::All {
        tx.execute(
            "DELETE FROM purges WHERE project_id = $1 AND kind = $2 AND id = $3",
            &[&project.0, &kind, &id],
        )?;
    }
    Ok(rest)
}

fn of_candidate(tx: &mut Tx<'_>, project: ProjectId, id: CandidateId, limit: i64) -> Result<Deleted> {
    // Versions go on telling clients the run's id.
    tx.execute(
        "UPDATE versions SET candidate_id = NULL WHERE project_id = $1 AND candidate_id = $2",
        &[&project.0, &id.0],
    )?;
    let tables = [
        ("params", "candidate_id", "key_id"),
        ("metadata", "candidate_id", "key_id"),
        ("metric_latest", "candidate_id", "key_id"),
        ("metric_tail", "candidate_id", "id"),
        ("metric_block", "candidate_id", "first_ts"),
        ("candidate_datasets", "candidate_id", "dataset_id"),
        ("candidate_model_inputs", "candidate_id", "model_eid"),
        ("candidate_model_outputs", "candidate_id", "model_eid"),
    ];
    of_owner(tx, Tree { project, owner: Owner::Candidate(id) }, id.0, &tables, limit)
}

/// Removes files, then rows of the tables, each with the column that names the owner, and one that tells its rows apart.
fn of_owner(
    tx: &mut Tx<'_>,
    tree: Tree,
    id: i64,
    tables: &[(&str, &str, &str)],
    limit: i64,
) -> Result<Deleted> {
    if files::delete(tx, tree, None, limit, LONG_AGO)? == Deleted::Some {
        return Ok(Deleted::Some);
    }
    for table in tables {
        if rows(tx, tree.project, id, *table, limit)? == Deleted::Some {
            return Ok(Deleted::Some);
        }
    }
    Ok(Deleted::All)
}

fn rows(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: i64,
    (table, owner, key): (&str, &str, &str),
    limit: i64,
) -> Result<Deleted> {
    let deleted = tx.execute(
        &format!(
            "DELETE FROM {table}
              WHERE project_id = $1 AND {owner} = $2
                AND {key} IN (SELECT i.{key} FROM {table} i WHERE i.project_id = $1 AND i.{owner} = $2 LIMIT $3)"
        ),
        &[&project.0, &id, &limit],
    )?;
    Ok(if deleted > 0 { Deleted::Some } else { Deleted::All })
}

fn of_model(tx: &mut Tx<'_>, project: ProjectId, id: i64, limit: i64) -> Result<Deleted> {
    // Its versions one by one: their rows first, so that each is found once.
    let versions: Vec<i64> = tx.query(
        "SELECT id FROM versions WHERE project_id = $1 AND model_id = $2 ORDER BY number LIMIT $3",
        &[&project.0, &id, &limit],
        |row| row.get(0),
    )?;
    for version in &versions {
        tx.execute("DELETE FROM versions WHERE project_id = $1 AND id = $2", &[&project.0, version])?;
        note(tx, project, Thing::Version(VersionId(*version)))?;
    }
    if !versions.is_empty() {
        return Ok(Deleted::Some);
    }
    for (table, key) in [
        ("model_metadata", "name"),
        ("aliases", "name"),
        ("alias_moves", "id"),
        ("protected_aliases", "name"),
        ("published_versions", "version"),
    ] {
        if rows(tx, project, id, (table, "model_id", key), limit)? == Deleted::Some {
            return Ok(Deleted::Some);
        }
    }
    Ok(Deleted::All)
}

fn of_experiment(tx: &mut Tx<'_>, project: ProjectId, id: i64, limit: i64) -> Result<Deleted> {
    let children: [(&str, fn(i64) -> Thing); 2] = [
        ("candidates", |id| Thing::Candidate(CandidateId(id))),
        ("logged_models", |id| Thing::LoggedModel(LoggedModelId(id))),
    ];
    for (table, thing) in children {
        let found: Vec<i64> = tx.query(
            &format!("SELECT id FROM {table} WHERE project_id = $1 AND experiment_id = $2 LIMIT $3"),
            &[&project.0, &id, &limit],
            |row| row.get(0),
        )?;
        for child in &found {
            tx.execute(
                &format!("DELETE FROM {table} WHERE project_id = $1 AND id = $2"),
                &[&project.0, child],
            )?;
            note(tx, project, thing(*child))?;
        }
        if !found.is_empty() {
            return Ok(Deleted::Some);
        }
    }
    for table in [("experiment_metadata", "experiment_id", "name"), ("datasets", "experiment_id", "id")] {
        if rows(tx, project, id, table, limit)? == Deleted::Some {
            return Ok(Deleted::Some);
        }
    }
    Ok(Deleted::All)
}

/// How many bytes nothing else in the project refers to than the files of a thing: what is freed when it is purged. It is
/// told as if there were no other project.
pub fn frees(tx: &mut Tx<'_>, project: ProjectId, thing: Thing) -> Result<u64> {
    let (_, id) = thing.columns();
    let owners = match thing {
        Thing::Candidate(_) => "SELECT 1 AS owner, CAST($2 AS BIGINT) AS id",
        Thing::LoggedModel(_) => "SELECT 2 AS owner, CAST($2 AS BIGINT) AS id",
        Thing::Version(_) => "SELECT 3 AS owner, CAST($2 AS BIGINT) AS id",
        Thing::Model(_) => {
            "SELECT 3 AS owner, v.id FROM versions v WHERE v.project_id = $1 AND v.model_id = $2
             UNION ALL
             SELECT 1, c.id FROM models m CROSS JOIN candidates c
              WHERE m.project_id = $1 AND m.id = $2 AND m.made_experiment
                AND c.project_id = $1 AND c.experiment_id = m.experiment_id
             UNION ALL
             SELECT 2, l.id FROM models m CROSS JOIN logged_models l
              WHERE m.project_id = $1 AND m.id = $2 AND m.made_experiment
                AND l.project_id = $1 AND l.experiment_id = m.experiment_id"
        }
        Thing::Experiment(_) => {
            "SELECT 1 AS owner, c.id FROM candidates c WHERE c.project_id = $1 AND c.experiment_id = $2
             UNION ALL
             SELECT 2, l.id FROM logged_models l WHERE l.project_id = $1 AND l.experiment_id = $2"
        }
    };
    let size_bytes = tx.query_one(
        &format!(
            "SELECT coalesce(CAST(sum(t.size_bytes) AS BIGINT), 0)
               FROM (SELECT f.blob_id, max(f.size_bytes) AS size_bytes, count(*) AS files
                       FROM ({owners}) o CROSS JOIN files f
                      WHERE f.project_id = $1 AND f.owner = o.owner AND f.owner_id = o.id
                      GROUP BY f.blob_id) t
              CROSS JOIN project_blobs p
              WHERE p.project_id = $1 AND p.blob_id = t.blob_id AND p.files = t.files"
        ),
        &[&project.0, &id],
        |row| row.get(0),
    )?;
    blobs::from_column(size_bytes)
}
