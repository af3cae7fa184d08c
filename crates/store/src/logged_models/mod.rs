//! Logged models: what a candidate makes before it is registered, with params, metadata and metrics of their own.
//!
//! A model keeps its row when it is deleted: only [`Deleted::Shown`] finds it then, and what is measured of it is
//! still written down.

mod details;
mod metrics;

use modelry_core::ids::{ExperimentId, LoggedModelEid, LoggedModelId, ProjectId, UserId};
use modelry_core::names::LoggedModelName;
use modelry_core::status::LoggedModelStatus;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};

use crate::candidates::Candidate;
use crate::experiments;

pub use details::{Details, details};
pub use metrics::{Measured, Metric, attach_metrics};

/// A model produced by a candidate, or on its own.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedModel {
    /// Its number in the project.
    pub id: LoggedModelId,
    /// Its public id, `m-` and 32 hex digits.
    pub eid: String,
    /// The experiment it belongs to.
    pub experiment_id: ExperimentId,
    /// Its name; models of an experiment may share one.
    pub name: String,
    /// What kind of model the client said it is; empty where it did not.
    pub model_type: String,
    /// How far it is.
    pub status: LoggedModelStatus,
    /// The public id of the candidate that made it, as sent.
    pub source_eid: Option<String>,
    /// The user whose token made it, if known.
    pub creator_id: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its status, params or metadata changed last.
    pub updated_at: Timestamp,
    /// When it was deleted, if it is.
    pub deleted_at: Option<Timestamp>,
    /// What its experiment's files start with: see [`experiments::Experiment::artifact_root`].
    pub artifact_root: String,
}

impl LoggedModel {
    /// Where its files are, as clients are told.
    pub fn artifact_uri(&self) -> String {
        format!("mlflow-artifacts:/{}/models/{}/artifacts", self.artifact_root, self.eid)
    }
}

/// Whether a look-up finds models that are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// They are as if they did not exist.
    Hidden,
    /// They are found like others.
    Shown,
}

/// The columns of a [`LoggedModel`] from `logged_models l` and `experiments e`, in the order that [`read_row`] reads.
pub(crate) const COLUMNS: &str = "l.id, l.eid, l.experiment_id, l.name, l.model_type, l.status, l.source_eid, \
                                  l.creator_id, l.created_at, l.updated_at, l.deleted_at, \
                                  coalesce(e.artifact_location, CAST(e.id AS TEXT))";

/// Where [`COLUMNS`] come from; conditions follow after `AND`.
const FROM: &str = "FROM logged_models l CROSS JOIN experiments e \
                               WHERE e.project_id = l.project_id AND e.id = l.experiment_id";

/// How many columns [`COLUMNS`] has.
pub(crate) const COLUMN_COUNT: usize = 12;

/// Reads [`COLUMNS`].
pub(crate) fn read_row(row: &Row<'_>) -> Result<LoggedModel> {
    Ok(LoggedModel {
        id: LoggedModelId(row.get(0)?),
        eid: row.get(1)?,
        experiment_id: ExperimentId(row.get(2)?),
        name: row.get(3)?,
        model_type: row.get(4)?,
        status: LoggedModelStatus::from_number(row.get(5)?)?,
        source_eid: row.get(6)?,
        creator_id: row.get::<Option<i64>>(7)?.map(UserId),
        created_at: Timestamp(row.get(8)?),
        updated_at: Timestamp(row.get(9)?),
        deleted_at: row.get::<Option<i64>>(10)?.map(Timestamp),
        artifact_root: row.get(11)?,
    })
}

/// A logged model as it is made; it is [`LoggedModelStatus::Pending`] at first.
#[derive(Clone, Debug)]
pub struct NewLoggedModel {
    /// Its number in the project.
    pub id: LoggedModelId,
    /// Its public id.
    pub eid: LoggedModelEid,
    /// The experiment it belongs to, which must be active.
    pub experiment_id: ExperimentId,
    /// Its name.
    pub name: LoggedModelName,
    /// What kind of model the client says it is, or empty.
    pub model_type: String,
    /// The public id of the candidate that makes it, as sent; it need not exist.
    pub source_eid: Option<String>,
    /// The user whose token makes it, if known.
    pub creator_id: Option<UserId>,
    /// Params to start with.
    pub params: Vec<(String, String)>,
    /// Metadata to start with.
    pub metadata: Vec<(String, String)>,
    /// Now.
    pub created_at: Timestamp,
}

/// Inserts a logged model. Fails when its experiment is unknown or in the bin, or a param is there twice.
pub fn insert(tx: &mut Tx<'_>, project: ProjectId, new: &NewLoggedModel) -> Result<LoggedModel> {
    let experiment = experiments::get(tx, project, new.experiment_id)?;
    experiment.require_active()?;
    let status = LoggedModelStatus::Pending;
    tx.execute(
        "INSERT INTO logged_models
            (project_id, id, eid, experiment_id, name, model_type, status, source_eid, creator_id, created_at,
             updated_at, deleted_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, NULL)",
        &[
            &project.0,
            &new.id.0,
            &new.eid.as_str(),
            &new.experiment_id.0,
            &new.name.as_str(),
            &new.model_type,
            &status.number(),
            &new.source_eid,
            &new.creator_id.map(|user| user.0),
            &new.created_at.0,
        ],
    )?;
    details::insert_params(tx, project, new.id, &new.params)?;
    details::upsert_metadata(tx, project, new.id, &new.metadata)?;
    Ok(LoggedModel {
        id: new.id,
        eid: new.eid.to_string(),
        experiment_id: new.experiment_id,
        name: new.name.to_string(),
        model_type: new.model_type.clone(),
        status,
        source_eid: new.source_eid.clone(),
        creator_id: new.creator_id,
        created_at: new.created_at,
        updated_at: new.created_at,
        deleted_at: None,
        artifact_root: experiment.artifact_root(),
    })
}

/// The logged model of this public id.
pub fn find(
    tx: &mut Tx<'_>,
    project: ProjectId,
    eid: &LoggedModelEid,
    deleted: Deleted,
) -> Result<Option<LoggedModel>> {
    let found = tx.query_opt(
        &format!("SELECT {COLUMNS} {FROM} AND l.project_id = $1 AND l.eid = $2"),
        &[&project.0, &eid.as_str()],
        read_row,
    )?;
    Ok(found.filter(|model| deleted == Deleted::Shown || model.deleted_at.is_none()))
}

/// The logged model of this number, unless it is deleted.
pub(crate) fn find_by_id(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: LoggedModelId,
) -> Result<Option<LoggedModel>> {
    tx.query_opt(
        &format!("SELECT {COLUMNS} {FROM} AND l.project_id = $1 AND l.id = $2 AND l.deleted_at IS NULL"),
        &[&project.0, &id.0],
        read_row,
    )
}

/// The public id of the logged model of this number, deleted or not.
pub(crate) fn find_eid(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: LoggedModelId,
) -> Result<Option<LoggedModelEid>> {
    tx.query_opt(
        "SELECT eid FROM logged_models WHERE project_id = $1 AND id = $2",
        &[&project.0, &id.0],
        |row| row.get::<String>(0)?.parse(),
    )
}

/// The newest logged model of this name that a run made.
pub fn find_of_run(
    tx: &mut Tx<'_>,
    project: ProjectId,
    run_eid: &str,
    name: &str,
) -> Result<Option<LoggedModelId>> {
    tx.query_opt(
        // The index of sources is walked, and the rest looked up: left to itself SQLite walks all models for the order.
        "SELECT l.id FROM logged_models i CROSS JOIN logged_models l
          WHERE i.project_id = $1 AND i.source_eid = $2
            AND l.project_id = i.project_id AND l.id = i.id AND l.name = $3 AND l.deleted_at IS NULL
          ORDER BY l.id DESC LIMIT 1",
        &[&project.0, &run_eid, &name],
        |row| row.get(0).map(LoggedModelId),
    )
}

/// As [`find`], failing with MLflow's words.
pub fn get(
    tx: &mut Tx<'_>,
    project: ProjectId,
    eid: &LoggedModelEid,
    deleted: Deleted,
) -> Result<LoggedModel> {
    find(tx, project, eid, deleted)?.ok_or_else(|| not_found(eid))
}

fn not_found(eid: &LoggedModelEid) -> Error {
    Error::not_found(format!("Logged model with ID '{eid}' not found."))
}

/// Says how far a model is, and answers how it is then.
pub fn finalize(
    tx: &mut Tx<'_>,
    project: ProjectId,
    eid: &LoggedModelEid,
    status: LoggedModelStatus,
    now: Timestamp,
) -> Result<LoggedModel> {
    let model = get(tx, project, eid, Deleted::Hidden)?;
    tx.execute(
        "UPDATE logged_models SET status = $3, updated_at = $4 WHERE project_id = $1 AND id = $2",
        &[&project.0, &model.id.0, &status.number(), &now.0],
    )?;
    Ok(LoggedModel { status, updated_at: now, ..model })
}

/// Deletes a model; one that is deleted stays so.
pub fn delete(tx: &mut Tx<'_>, project: ProjectId, eid: &LoggedModelEid, now: Timestamp) -> Result<()> {
    let model = get(tx, project, eid, Deleted::Shown)?;
    tx.execute(
        "UPDATE logged_models SET deleted_at = $3, updated_at = $3
         WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL",
        &[&project.0, &model.id.0, &now.0],
    )?;
    Ok(())
}

/// Adds params to a model. Fails when it has one of these keys already, even with this value, as MLflow does.
pub fn log_params(
    tx: &mut Tx<'_>,
    project: ProjectId,
    eid: &LoggedModelEid,
    params: &[(String, String)],
    now: Timestamp,
) -> Result<()> {
    let model = get(tx, project, eid, Deleted::Hidden)?;
    details::insert_params(tx, project, model.id, params)?;
    touch(tx, project, model.id, now)
}

/// Sets metadata of a model, where the last write wins, and answers how the model is then.
pub fn set_metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    eid: &LoggedModelEid,
    metadata: &[(String, String)],
    now: Timestamp,
) -> Result<LoggedModel> {
    let model = get(tx, project, eid, Deleted::Hidden)?;
    details::upsert_metadata(tx, project, model.id, metadata)?;
    touch(tx, project, model.id, now)?;
    Ok(LoggedModel { updated_at: now, ..model })
}

/// Removes one metadata value of a model; answers whether it was there.
pub fn delete_metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    eid: &LoggedModelEid,
    name: &str,
    now: Timestamp,
) -> Result<bool> {
    let model = get(tx, project, eid, Deleted::Hidden)?;
    let deleted = details::delete_metadata(tx, project, model.id, name)?;
    touch(tx, project, model.id, now)?;
    Ok(deleted)
}

fn touch(tx: &mut Tx<'_>, project: ProjectId, id: LoggedModelId, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE logged_models SET updated_at = $3 WHERE project_id = $1 AND id = $2",
        &[&project.0, &id.0, &now.0],
    )?;
    Ok(())
}

/// The models that a candidate made, be it that they name it as their source or it names them as its outputs; the
/// oldest first, at most `limit`, without deleted ones.
pub fn list_of_candidate(
    tx: &mut Tx<'_>,
    project: ProjectId,
    candidate: &Candidate,
    limit: i64,
) -> Result<Vec<LoggedModel>> {
    tx.query(
        &format!(
            "SELECT {COLUMNS} {FROM} AND l.project_id = $1 AND l.deleted_at IS NULL
               AND l.id IN (SELECT id FROM logged_models WHERE project_id = $1 AND source_eid = $2
                            UNION
                            SELECT m.id FROM candidate_model_outputs o CROSS JOIN logged_models m
                            WHERE o.project_id = $1 AND o.candidate_id = $3
                              AND m.project_id = $1 AND m.eid = o.model_eid)
             ORDER BY l.created_at, l.id
             LIMIT $4"
        ),
        &[&project.0, &candidate.eid, &candidate.id.0, &limit],
        read_row,
    )
}
