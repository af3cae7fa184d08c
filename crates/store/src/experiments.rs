//! Experiments and their metadata.

use std::collections::HashMap;

use modelry_core::ids::{ExperimentId, ProjectId, UserId};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};

use crate::{models, sql};

mod list;
pub use list::{Summary, list, list_summaries};

/// The number of the experiment that every project has from the start, for runs that name none.
pub const DEFAULT: ExperimentId = ExperimentId(0);

/// A collection of comparable candidates.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Its number in the project.
    pub id: ExperimentId,
    /// Its name, unique among the project's active experiments.
    pub name: String,
    /// Where its candidates' artifacts are, if its maker chose: a path below `mlflow-artifacts:/`.
    pub artifact_location: Option<String>,
    /// Who made it, if known.
    pub creator_id: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its name, metadata or state changed last.
    pub updated_at: Timestamp,
    /// When it was put into the bin, if it is there; its candidates count as deleted with it.
    pub deleted_at: Option<Timestamp>,
}

impl Experiment {
    /// The path below `mlflow-artifacts:/` that its candidates' and logged models' artifacts start with.
    pub fn artifact_root(&self) -> String {
        self.artifact_location.clone().unwrap_or_else(|| self.id.to_string())
    }

    /// Fails as MLflow does when the experiment is in the bin.
    pub fn require_active(&self) -> Result<()> {
        match self.deleted_at {
            None => Ok(()),
            Some(_) => Err(Error::invalid(format!(
                "The experiment {} must be in the 'active' state. Current state is deleted.",
                self.id
            ))),
        }
    }
}

/// The columns of an [`Experiment`], in the order that [`read_row`] reads.
pub(crate) const COLUMNS: &str =
    "e.id, e.name, e.artifact_location, e.creator_id, e.created_at, e.updated_at, e.deleted_at";

/// Reads [`COLUMNS`].
pub(crate) fn read_row(row: &Row<'_>) -> Result<Experiment> {
    Ok(Experiment {
        id: ExperimentId(row.get(0)?),
        name: row.get(1)?,
        artifact_location: row.get(2)?,
        creator_id: row.get::<Option<i64>>(3)?.map(UserId),
        created_at: Timestamp(row.get(4)?),
        updated_at: Timestamp(row.get(5)?),
        deleted_at: row.get::<Option<i64>>(6)?.map(Timestamp),
    })
}

/// Inserts an experiment with its metadata. Fails with `Exists` when an active one has the name.
pub fn insert(
    tx: &mut Tx<'_>,
    project: ProjectId,
    experiment: &Experiment,
    metadata: &[(String, String)],
) -> Result<()> {
    let inserted = tx.execute(
        "INSERT INTO experiments
            (project_id, id, name, artifact_location, creator_id, created_at, updated_at, deleted_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)
         ON CONFLICT (project_id, name) WHERE deleted_at IS NULL DO NOTHING",
        &[
            &project.0,
            &experiment.id.0,
            &experiment.name,
            &experiment.artifact_location,
            &experiment.creator_id.map(|user| user.0),
            &experiment.created_at.0,
            &experiment.updated_at.0,
        ],
    )?;
    if inserted == 0 {
        return Err(Error::exists(format!("Experiment '{}' already exists.", experiment.name)));
    }
    for (name, value) in metadata {
        set_metadata(tx, project, experiment.id, name, value, experiment.created_at)?;
    }
    Ok(())
}

/// Inserts `Default`, which every project has.
pub fn insert_default(tx: &mut Tx<'_>, project: ProjectId, now: Timestamp) -> Result<()> {
    let experiment = Experiment {
        id: DEFAULT,
        name: "Default".into(),
        artifact_location: None,
        creator_id: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    insert(tx, project, &experiment, &[])
}

/// The experiment of this number, in the bin or not.
pub fn find(tx: &mut Tx<'_>, project: ProjectId, id: ExperimentId) -> Result<Option<Experiment>> {
    tx.query_opt(
        &format!("SELECT {COLUMNS} FROM experiments e WHERE e.project_id = $1 AND e.id = $2"),
        &[&project.0, &id.0],
        read_row,
    )
}

/// As [`find`], failing with MLflow's words.
pub fn get(tx: &mut Tx<'_>, project: ProjectId, id: ExperimentId) -> Result<Experiment> {
    find(tx, project, id)?.ok_or_else(|| Error::not_found(format!("No Experiment with id={id} exists")))
}

/// The active experiment of this name.
pub fn find_by_name(tx: &mut Tx<'_>, project: ProjectId, name: &str) -> Result<Option<Experiment>> {
    tx.query_opt(
        &format!(
            "SELECT {COLUMNS} FROM experiments e
             WHERE e.project_id = $1 AND e.name = $2 AND e.deleted_at IS NULL"
        ),
        &[&project.0, &name],
        read_row,
    )
}

/// Renames an active experiment. Fails with `Exists` when another active one has the name, and with `Conflict` when it
/// is a model's default experiment, which is named as the model is.
pub fn rename(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ExperimentId,
    name: &str,
    now: Timestamp,
) -> Result<()> {
    refuse_default_of_model(tx, project, id, "renamed")?;
    set_name(tx, project, id, name, now)
}

/// As [`rename`], whoever the experiment belongs to.
pub(crate) fn set_name(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ExperimentId,
    name: &str,
    now: Timestamp,
) -> Result<()> {
    get(tx, project, id)?.require_active()?;
    if find_by_name(tx, project, name)?.is_some_and(|other| other.id != id) {
        return Err(Error::exists(format!("Experiment '{name}' already exists.")));
    }
    tx.execute(
        "UPDATE experiments SET name = $3, updated_at = $4 WHERE project_id = $1 AND id = $2",
        &[&project.0, &id.0, &name, &now.0],
    )?;
    Ok(())
}

/// Puts an active experiment, and with it its candidates, into the bin. Fails with `Conflict` when it is a model's
/// default experiment.
pub fn delete(tx: &mut Tx<'_>, project: ProjectId, id: ExperimentId, now: Timestamp) -> Result<()> {
    refuse_default_of_model(tx, project, id, "deleted")?;
    if put_into_bin(tx, project, id, now)? {
        return Ok(());
    }
    Err(Error::not_found(format!("No active Experiment with id={id} exists")))
}

/// As [`delete`], whoever the experiment belongs to; answers whether it was active.
pub(crate) fn put_into_bin(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ExperimentId,
    now: Timestamp,
) -> Result<bool> {
    let deleted = tx.execute(
        "UPDATE experiments SET deleted_at = $3, updated_at = $3
         WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL",
        &[&project.0, &id.0, &now.0],
    )?;
    Ok(deleted > 0)
}

fn refuse_default_of_model(tx: &mut Tx<'_>, project: ProjectId, id: ExperimentId, verb: &str) -> Result<()> {
    match models::of_experiment(tx, project, id)? {
        None => Ok(()),
        Some(model) => Err(Error::conflict(format!(
            "experiment {id} belongs to the model {model}, and is {verb} with it"
        ))),
    }
}

/// Takes an experiment out of the bin. Fails with `Conflict` when its name was taken in between.
pub fn restore(tx: &mut Tx<'_>, project: ProjectId, id: ExperimentId, now: Timestamp) -> Result<()> {
    let experiment = get(tx, project, id)?;
    if experiment.deleted_at.is_none() {
        return Err(Error::not_found(format!("No deleted Experiment with id={id} exists")));
    }
    if let Some(other) = find_by_name(tx, project, &experiment.name)? {
        return Err(Error::conflict(format!(
            "Experiment {id} cannot be restored as '{}': experiment {} has that name by now; rename that one first",
            experiment.name, other.id
        )));
    }
    tx.execute(
        "UPDATE experiments SET deleted_at = NULL, updated_at = $3 WHERE project_id = $1 AND id = $2",
        &[&project.0, &id.0, &now.0],
    )?;
    Ok(())
}

/// Sets one metadata value; the last write wins.
pub fn set_metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ExperimentId,
    name: &str,
    value: &str,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO experiment_metadata (project_id, experiment_id, name, value)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (project_id, experiment_id, name) DO UPDATE SET value = excluded.value",
        &[&project.0, &id.0, &name, &value],
    )?;
    touch(tx, project, id, now)
}

/// Removes one metadata value; answers whether it was there.
pub fn delete_metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ExperimentId,
    name: &str,
    now: Timestamp,
) -> Result<bool> {
    let deleted = tx.execute(
        "DELETE FROM experiment_metadata WHERE project_id = $1 AND experiment_id = $2 AND name = $3",
        &[&project.0, &id.0, &name],
    )?;
    touch(tx, project, id, now)?;
    Ok(deleted > 0)
}

fn touch(tx: &mut Tx<'_>, project: ProjectId, id: ExperimentId, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE experiments SET updated_at = $3 WHERE project_id = $1 AND id = $2 AND updated_at < $3",
        &[&project.0, &id.0, &now.0],
    )?;
    Ok(())
}

/// The metadata of some experiments, by name; an experiment without any is not there.
pub fn metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    experiments: impl IntoIterator<Item = ExperimentId>,
) -> Result<HashMap<ExperimentId, Vec<(String, String)>>> {
    let numbers: Vec<i64> = experiments.into_iter().map(|id| id.0).collect();
    let mut all: HashMap<ExperimentId, Vec<(String, String)>> = HashMap::new();
    for chunk in sql::padded(&numbers) {
        let places = sql::placeholders(2, chunk.len());
        tx.query_each(
            &format!(
                "SELECT experiment_id, name, value FROM experiment_metadata
                 WHERE project_id = $1 AND experiment_id IN ({places})
                 ORDER BY experiment_id, name"
            ),
            &sql::bind(&[&project.0], &chunk),
            |row| {
                all.entry(ExperimentId(row.get(0)?)).or_default().push((row.get(1)?, row.get(2)?));
                Ok(())
            },
        )?;
    }
    Ok(all)
}
