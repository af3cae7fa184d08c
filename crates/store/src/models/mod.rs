//! Registered models, and prompts, which clients register in the same way.
//!
//! A model has a default experiment of the same name, which is made with it, or adopted where there is a free one. A
//! prompt has none.

mod bases;
mod list;
mod metadata;

use modelry_core::ids::{ExperimentId, ModelId, ProjectId, UserId};
use modelry_core::names::ModelName;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};

use crate::experiments::{self, Experiment};

pub use list::{
    Summary, count_candidates, count_versions, find_latest, list_deleted, list_names, list_summaries,
};
pub use metadata::{delete_metadata, metadata, set_metadata};

/// A model, or a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Its number in the project.
    pub id: ModelId,
    /// Its name, unique among the project's active models and prompts.
    pub name: String,
    /// The model card, in Markdown; empty where there is none.
    pub description: String,
    /// Which of the two it is.
    pub kind: ModelKind,
    /// Its default experiment; a prompt has none.
    pub experiment_id: Option<ExperimentId>,
    /// Whether the default experiment was made with it.
    pub made_experiment: bool,
    /// Who made it, if known.
    pub creator_id: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its name, description, metadata or state changed last, or a version was added.
    pub updated_at: Timestamp,
    /// When it was put into the bin, if it is there.
    pub deleted_at: Option<Timestamp>,
}

/// What is registered under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModelKind {
    /// A model.
    Model,
    /// A prompt of a 3.x client.
    Prompt,
}

/// The columns of a [`Model`] from `models m`, in the order that [`read_row`] reads.
pub(crate) const COLUMNS: &str = "m.id, m.name, m.description, m.is_prompt, m.experiment_id, m.made_experiment, \
                                  m.creator_id, m.created_at, m.updated_at, m.deleted_at";

/// Reads [`COLUMNS`].
pub(crate) fn read_row(row: &Row<'_>) -> Result<Model> {
    Ok(Model {
        id: ModelId(row.get(0)?),
        name: row.get(1)?,
        description: row.get(2)?,
        kind: if row.get(3)? { ModelKind::Prompt } else { ModelKind::Model },
        experiment_id: row.get::<Option<i64>>(4)?.map(ExperimentId),
        made_experiment: row.get(5)?,
        creator_id: row.get::<Option<i64>>(6)?.map(UserId),
        created_at: Timestamp(row.get(7)?),
        updated_at: Timestamp(row.get(8)?),
        deleted_at: row.get::<Option<i64>>(9)?.map(Timestamp),
    })
}

/// What [`insert`] needs to know.
#[derive(Clone, Debug)]
pub struct NewModel {
    /// A fresh number.
    pub id: ModelId,
    /// Its name.
    pub name: ModelName,
    /// The model card, or empty.
    pub description: String,
    /// Which of the two it is.
    pub kind: ModelKind,
    /// A fresh number for its default experiment, should there be none of its name.
    pub experiment_id: ExperimentId,
    /// Metadata to start with.
    pub metadata: Vec<(String, String)>,
    /// Who makes it.
    pub creator_id: Option<UserId>,
    /// Now.
    pub created_at: Timestamp,
}

/// Inserts a model. Fails with `Exists`, in MLflow's words, when an active model or prompt has the name, and with
/// `Conflict` when the experiment of that name is another model's.
pub fn insert(tx: &mut Tx<'_>, project: ProjectId, new: &NewModel) -> Result<Model> {
    if let Some(taken) = find_by_name(tx, project, new.name.as_str())? {
        return Err(name_is_taken(&taken, new.kind));
    }
    let (experiment_id, made_experiment) = match new.kind {
        ModelKind::Prompt => (None, false),
        ModelKind::Model => {
            let (id, made) = adopt_or_make_experiment(tx, project, new)?;
            (Some(id), made)
        }
    };
    let inserted = tx.execute(
        "INSERT INTO models
            (project_id, id, name, description, is_prompt, experiment_id, made_experiment, last_number, creator_id,
             created_at, updated_at, deleted_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $9, NULL)
         ON CONFLICT (project_id, name) WHERE deleted_at IS NULL DO NOTHING",
        &[
            &project.0,
            &new.id.0,
            &new.name.as_str(),
            &new.description,
            &(new.kind == ModelKind::Prompt),
            &experiment_id.map(|id| id.0),
            &made_experiment,
            &new.creator_id.map(|user| user.0),
            &new.created_at.0,
        ],
    )?;
    if inserted == 0 {
        return Err(Error::exists(format!("Registered Model (name={}) already exists.", new.name)));
    }
    for (name, value) in &new.metadata {
        metadata::write(tx, project, new.id, name, value)?;
    }
    bases::insert(tx, project, new.id, &new.description)?;
    Ok(Model {
        id: new.id,
        name: new.name.to_string(),
        description: new.description.clone(),
        kind: new.kind,
        experiment_id,
        made_experiment,
        creator_id: new.creator_id,
        created_at: new.created_at,
        updated_at: new.created_at,
        deleted_at: None,
    })
}

fn name_is_taken(taken: &Model, new: ModelKind) -> Error {
    let word = |kind| match kind {
        ModelKind::Model => "registered model",
        ModelKind::Prompt => "prompt",
    };
    let name = &taken.name;
    Error::exists(match (taken.kind, new) {
        (ModelKind::Model, ModelKind::Model) => format!("Registered Model (name={name}) already exists."),
        (ModelKind::Prompt, ModelKind::Prompt) => format!("Prompt (name={name}) already exists."),
        (taken, new) => format!(
            "Tried to create a {} with name '{name}', but the name is already taken by a {}. MLflow does not allow \
             creating a model and a prompt with the same name.",
            word(new),
            word(taken)
        ),
    })
}

/// The default experiment of a new model, and whether it was made now.
fn adopt_or_make_experiment(
    tx: &mut Tx<'_>,
    project: ProjectId,
    new: &NewModel,
) -> Result<(ExperimentId, bool)> {
    if let Some(found) = experiments::find_by_name(tx, project, new.name.as_str())? {
        if let Some(other) = of_experiment(tx, project, found.id)? {
            return Err(Error::conflict(format!(
                "experiment '{}' belongs to the model {other}: choose another name",
                new.name
            )));
        }
        return Ok((found.id, false));
    }
    let experiment = Experiment {
        id: new.experiment_id,
        name: new.name.to_string(),
        artifact_location: None,
        creator_id: new.creator_id,
        created_at: new.created_at,
        updated_at: new.created_at,
        deleted_at: None,
    };
    experiments::insert(tx, project, &experiment, &[])?;
    Ok((experiment.id, true))
}

/// The name of the active model whose default experiment this is.
pub fn of_experiment(
    tx: &mut Tx<'_>,
    project: ProjectId,
    experiment: ExperimentId,
) -> Result<Option<String>> {
    tx.query_opt(
        // What an index covers SQLite takes from there, rather than from all rows of the project.
        "SELECT name FROM models
         WHERE project_id = $1 AND deleted_at IS NULL
           AND id IN (SELECT i.id FROM models i WHERE i.project_id = $1 AND i.experiment_id = $2)",
        &[&project.0, &experiment.0],
        |row| row.get(0),
    )
}

/// The active model or prompt of this name.
pub fn find_by_name(tx: &mut Tx<'_>, project: ProjectId, name: &str) -> Result<Option<Model>> {
    tx.query_opt(
        &format!(
            "SELECT {COLUMNS} FROM models m WHERE m.project_id = $1 AND m.name = $2 AND m.deleted_at IS NULL"
        ),
        &[&project.0, &name],
        read_row,
    )
}

/// As [`find_by_name`], failing with MLflow's words.
pub fn get_by_name(tx: &mut Tx<'_>, project: ProjectId, name: &str) -> Result<Model> {
    find_by_name(tx, project, name)?
        .ok_or_else(|| Error::not_found(format!("Registered Model with name={name} not found")))
}

/// The model of this number, in the bin or not.
pub fn find(tx: &mut Tx<'_>, project: ProjectId, id: ModelId) -> Result<Option<Model>> {
    tx.query_opt(
        &format!("SELECT {COLUMNS} FROM models m WHERE m.project_id = $1 AND m.id = $2"),
        &[&project.0, &id.0],
        read_row,
    )
}

/// Renames a model and its default experiment. Fails with `Exists` when either name is taken.
pub fn rename(
    tx: &mut Tx<'_>,
    project: ProjectId,
    name: &str,
    new_name: &ModelName,
    now: Timestamp,
) -> Result<Model> {
    let model = get_by_name(tx, project, name)?;
    if model.name == new_name.as_str() {
        return Ok(model);
    }
    if let Some(taken) = find_by_name(tx, project, new_name.as_str())? {
        return Err(name_is_taken(&taken, model.kind));
    }
    if let Some(experiment) = model.experiment_id {
        experiments::set_name(tx, project, experiment, new_name.as_str(), now)?;
    }
    tx.execute(
        "UPDATE models SET name = $3, updated_at = $4 WHERE project_id = $1 AND id = $2",
        &[&project.0, &model.id.0, &new_name.as_str(), &now.0],
    )?;
    Ok(Model { name: new_name.to_string(), updated_at: now, ..model })
}

/// Sets the model card.
pub fn set_description(
    tx: &mut Tx<'_>,
    project: ProjectId,
    name: &str,
    description: &str,
    now: Timestamp,
) -> Result<Model> {
    let model = get_by_name(tx, project, name)?;
    tx.execute(
        "UPDATE models SET description = $3, updated_at = $4 WHERE project_id = $1 AND id = $2",
        &[&project.0, &model.id.0, &description, &now.0],
    )?;
    bases::replace(tx, project, model.id, description)?;
    Ok(Model { description: description.to_owned(), updated_at: now, ..model })
}

/// Puts a model with its versions into the bin. Its default experiment goes with it where it was made with it, and is
/// released otherwise.
pub fn delete(tx: &mut Tx<'_>, project: ProjectId, name: &str, now: Timestamp) -> Result<()> {
    let model = get_by_name(tx, project, name)?;
    tx.execute(
        "UPDATE models SET deleted_at = $3, updated_at = $3 WHERE project_id = $1 AND id = $2",
        &[&project.0, &model.id.0, &now.0],
    )?;
    match model.experiment_id {
        Some(experiment) if model.made_experiment => {
            experiments::put_into_bin(tx, project, experiment, now).map(drop)
        }
        _ => Ok(()),
    }
}

/// Takes a model with its versions out of the bin. Fails with `Conflict` or `Exists` when its name was taken in between,
/// by a model or by an experiment.
pub fn restore(tx: &mut Tx<'_>, project: ProjectId, id: ModelId, now: Timestamp) -> Result<Model> {
    let model = find(tx, project, id)?
        .filter(|model| model.deleted_at.is_some())
        .ok_or_else(|| Error::not_found(format!("no model with the number {id} is in the bin")))?;
    if let Some(other) = find_by_name(tx, project, &model.name)? {
        return Err(Error::conflict(format!(
            "model {id} cannot be restored as '{}': model {} has that name by now; rename that one first",
            model.name, other.id
        )));
    }
    let experiment_id = restore_experiment(tx, project, &model, now)?;
    tx.execute(
        "UPDATE models SET deleted_at = NULL, experiment_id = $3, updated_at = $4 WHERE project_id = $1 AND id = $2",
        &[&project.0, &model.id.0, &experiment_id.map(|id| id.0), &now.0],
    )?;
    Ok(Model { deleted_at: None, experiment_id, updated_at: now, ..model })
}

fn restore_experiment(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    now: Timestamp,
) -> Result<Option<ExperimentId>> {
    let Some(id) = model.experiment_id else { return Ok(None) };
    if let Some(other) = of_experiment(tx, project, id)? {
        return Err(Error::conflict(format!(
            "model '{}' cannot be restored: its experiment belongs to the model {other} by now",
            model.name
        )));
    }
    let experiment = experiments::get(tx, project, id)?;
    if experiment.deleted_at.is_some() {
        experiments::restore(tx, project, id, now)?;
    }
    // One that was released may have another name by now.
    if experiment.name != model.name {
        experiments::set_name(tx, project, id, &model.name, now)?;
    }
    Ok(Some(id))
}

/// Notes that something of the model changed.
pub(crate) fn touch(tx: &mut Tx<'_>, project: ProjectId, id: ModelId, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE models SET updated_at = $3 WHERE project_id = $1 AND id = $2 AND updated_at < $3",
        &[&project.0, &id.0, &now.0],
    )?;
    Ok(())
}
