//! Removing for good what is in the bin, and what that frees.
//!
//! A thing is taken out of the bin in one transaction, which also notes that its rest is to go; from then on nothing
//! restores it. The rest goes slice by slice, and what a crash leaves is gone on with. Of a version a row stays, which
//! says in histories what it was.

mod bin;
mod frees;
mod slices;

use modelry_core::ids::{CandidateId, ExperimentId, LoggedModelId, ModelId, ProjectId, VersionId};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;

use crate::ids::{self, Series};
use crate::stamps;

pub use bin::{InBin, expired, list, thing};
pub use frees::frees;
pub use slices::slice;

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

/// Makes a thing of a number.
type Made = fn(i64) -> Thing;

/// The table of each thing, in the order of their numbers in the column `kind`.
const TABLES: [(&str, Made); 5] = [
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

/// As [`begin_if_there`]. Fails with `NotFound` when the thing is not in the bin.
pub fn begin(tx: &mut Tx<'_>, project: ProjectId, thing: Thing, now: Timestamp) -> Result<()> {
    if begin_if_there(tx, project, thing, now)? {
        return Ok(());
    }
    Err(Error::not_found(format!("no {} {} is in the bin", thing.word(), thing.id())))
}

/// Takes a thing out of the bin, never to be restored: its rest is among the [`pending`]. Answers whether it was there.
pub fn begin_if_there(tx: &mut Tx<'_>, project: ProjectId, thing: Thing, now: Timestamp) -> Result<bool> {
    let (_, id) = thing.columns();
    let with_it = match thing {
        Thing::Model(id) => made_experiment(tx, project, id)?,
        Thing::Experiment(id) => {
            refuse_of_model(tx, project, id)?;
            None
        }
        Thing::Candidate(_) | Thing::LoggedModel(_) | Thing::Version(_) => None,
    };
    if let Thing::Candidate(id) = thing {
        stamps::keep_used(tx, project, id)?;
    }
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
        return Ok(false);
    }
    note(tx, project, thing)?;
    if let Some(experiment) = with_it {
        begin_if_there(tx, project, Thing::Experiment(experiment), now)?;
    }
    Ok(true)
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

/// Whether anything of the project is gone whose rest is still to go.
pub(crate) fn is_under_way(tx: &mut Tx<'_>, project: ProjectId) -> Result<bool> {
    let first = "SELECT id FROM purges WHERE project_id = $1 LIMIT 1";
    Ok(tx.query_opt(first, &[&project.0], |row| row.get::<i64>(0))?.is_some())
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
