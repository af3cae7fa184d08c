//! Candidates (MLflow runs), their params and metadata.

mod log;
mod logged;

use std::collections::HashMap;

use modelry_core::ids::{CandidateId, Eid, ExperimentId, ProjectId, UserId};
use modelry_core::status::CandidateStatus;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};

use crate::{sql, stamps};

pub use log::{Entry, delete_metadata, find_metadata, log_params, rename, set_metadata};
pub use logged::{LatestMetric, Logged, logged};

/// One training attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its number in the project.
    pub id: CandidateId,
    /// Its public id: MLflow's run id.
    pub eid: String,
    /// The experiment it belongs to.
    pub experiment_id: ExperimentId,
    /// Its name; the metadata `mlflow.runName` says the same.
    pub name: String,
    /// The user that the client named.
    pub user_name: String,
    /// The user whose token made it, if known.
    pub creator_id: Option<UserId>,
    /// How far it is.
    pub status: CandidateStatus,
    /// When it started, by the client's clock.
    pub start_time: i64,
    /// When it ended, by the client's clock.
    pub end_time: Option<i64>,
    /// When it was put into the bin, itself or with its experiment.
    pub deleted_at: Option<Timestamp>,
    /// The path below `mlflow-artifacts:/` that its experiment's artifacts start with.
    pub artifact_root: String,
}

impl Candidate {
    /// Fails as MLflow does when the candidate is in the bin.
    pub fn require_active(&self) -> Result<()> {
        match self.deleted_at {
            None => Ok(()),
            Some(_) => Err(not_active(&self.eid)),
        }
    }

    /// Where its artifacts are, as a client is told: never with a host (a client sends its token to any host named here).
    pub fn artifact_uri(&self) -> String {
        format!("mlflow-artifacts:/{}/{}/artifacts", self.artifact_root, self.eid)
    }

    /// Where it stands, for writes to its params, metrics and metadata.
    pub fn place(&self, project: ProjectId) -> Place {
        Place { project, experiment: self.experiment_id, candidate: self.id, start_time: self.start_time }
    }
}

/// Where a candidate stands: what each of its rows says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its project.
    pub project: ProjectId,
    /// Its experiment.
    pub experiment: ExperimentId,
    /// The candidate.
    pub candidate: CandidateId,
    /// When it started, which decides between equal values in an order.
    pub start_time: i64,
}

/// The columns of a [`Candidate`] from `candidates c` and `experiments e`, in the order that [`read_row`] reads.
pub(crate) const COLUMNS: &str = "c.id, c.eid, c.experiment_id, c.name, c.user_name, c.creator_id, c.status, \
                                  c.start_time, c.end_time, coalesce(c.deleted_at, e.deleted_at), \
                                  coalesce(e.artifact_location, CAST(e.id AS TEXT))";

const FROM: &str =
    "FROM candidates c CROSS JOIN experiments e WHERE e.project_id = c.project_id AND e.id = c.experiment_id";

/// Reads [`COLUMNS`].
pub(crate) fn read_row(row: &Row<'_>) -> Result<Candidate> {
    Ok(Candidate {
        id: CandidateId(row.get(0)?),
        eid: row.get(1)?,
        experiment_id: ExperimentId(row.get(2)?),
        name: row.get(3)?,
        user_name: row.get(4)?,
        creator_id: row.get::<Option<i64>>(5)?.map(UserId),
        status: CandidateStatus::from_number(row.get(6)?)?,
        start_time: row.get(7)?,
        end_time: row.get(8)?,
        deleted_at: row.get::<Option<i64>>(9)?.map(Timestamp),
        artifact_root: row.get(10)?,
    })
}

/// What [`insert`] needs to know.
#[derive(Clone, Debug)]
pub struct NewCandidate {
    /// A fresh number.
    pub id: CandidateId,
    /// Its public id.
    pub eid: Eid,
    /// The experiment it belongs to, which must be active.
    pub experiment_id: ExperimentId,
    /// Its name.
    pub name: String,
    /// The user that the client named.
    pub user_name: String,
    /// The user whose token makes it.
    pub creator_id: Option<UserId>,
    /// When it started, by the client's clock.
    pub start_time: i64,
    /// Now.
    pub created_at: Timestamp,
}

/// Inserts a candidate that is under way into an active experiment. Fails with `Exists` when the `eid` is taken.
pub fn insert(tx: &mut Tx<'_>, project: ProjectId, new: &NewCandidate) -> Result<Candidate> {
    let experiment = crate::experiments::get(tx, project, new.experiment_id)?;
    experiment.require_active()?;
    let status = CandidateStatus::Running;
    let stamp = stamps::next(tx.engine(), "$1", "$3");
    let inserted = tx.execute(
        &format!(
            "INSERT INTO candidates
                (project_id, id, experiment_id, eid, name, user_name, creator_id, status, start_time, end_time,
                 created_at, deleted_at, stamp)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, $10, NULL, {stamp})
             ON CONFLICT (project_id, eid) DO NOTHING"
        ),
        &[
            &project.0,
            &new.id.0,
            &new.experiment_id.0,
            &new.eid.as_str(),
            &new.name,
            &new.user_name,
            &new.creator_id.map(|user| user.0),
            &status.number(),
            &new.start_time,
            &new.created_at.0,
        ],
    )?;
    if inserted == 0 {
        return Err(Error::exists(format!("Run with id={} already exists.", new.eid)));
    }
    Ok(Candidate {
        id: new.id,
        eid: new.eid.to_string(),
        experiment_id: new.experiment_id,
        name: new.name.clone(),
        user_name: new.user_name.clone(),
        creator_id: new.creator_id,
        status,
        start_time: new.start_time,
        end_time: None,
        deleted_at: None,
        artifact_root: experiment.artifact_root(),
    })
}

/// The candidate of this public id, in the bin or not.
pub fn find_by_eid(tx: &mut Tx<'_>, project: ProjectId, eid: &str) -> Result<Option<Candidate>> {
    tx.query_opt(
        &format!("SELECT {COLUMNS} {FROM} AND c.project_id = $1 AND c.eid = $2"),
        &[&project.0, &eid],
        read_row,
    )
}

/// As [`find_by_eid`], failing with MLflow's words.
pub fn get_by_eid(tx: &mut Tx<'_>, project: ProjectId, eid: &Eid) -> Result<Candidate> {
    find_by_eid(tx, project, eid.as_str())?.ok_or_else(|| unknown(eid))
}

/// As [`get_by_eid`], failing also when the candidate is in the bin.
pub fn get_active(tx: &mut Tx<'_>, project: ProjectId, eid: &Eid) -> Result<Candidate> {
    let candidate = get_by_eid(tx, project, eid)?;
    candidate.require_active()?;
    Ok(candidate)
}

/// As [`get_active`], reading no more than writes to its params, metrics and metadata need.
pub fn get_active_place(tx: &mut Tx<'_>, project: ProjectId, eid: &Eid) -> Result<Place> {
    let found = tx.query_opt(
        "SELECT c.id, c.experiment_id, c.start_time, c.deleted_at IS NULL AND e.deleted_at IS NULL
         FROM candidates c CROSS JOIN experiments e
         WHERE e.project_id = c.project_id AND e.id = c.experiment_id AND c.project_id = $1 AND c.eid = $2",
        &[&project.0, &eid.as_str()],
        |row| {
            let (candidate, experiment) = (CandidateId(row.get(0)?), ExperimentId(row.get(1)?));
            let place = Place { project, experiment, candidate, start_time: row.get(2)? };
            Ok((place, row.get::<bool>(3)?))
        },
    )?;
    match found {
        Some((place, true)) => Ok(place),
        Some((_, false)) => Err(not_active(eid.as_str())),
        None => Err(unknown(eid)),
    }
}

fn unknown(eid: &Eid) -> Error {
    Error::not_found(format!("Run with id={eid} not found"))
}

fn not_active(eid: &str) -> Error {
    Error::invalid(format!("The run {eid} must be in the 'active' state. Current state is deleted."))
}

/// The candidate of this number, in the bin or not.
pub fn find(tx: &mut Tx<'_>, project: ProjectId, id: CandidateId) -> Result<Option<Candidate>> {
    tx.query_opt(
        &format!("SELECT {COLUMNS} {FROM} AND c.project_id = $1 AND c.id = $2"),
        &[&project.0, &id.0],
        read_row,
    )
}

/// The candidates of these numbers, in the order asked for; unknown ones are left out.
pub fn list(tx: &mut Tx<'_>, project: ProjectId, ids: &[CandidateId]) -> Result<Vec<Candidate>> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in sql::padded(&numbers) {
        let places = sql::placeholders(2, chunk.len());
        tx.query_each(
            &format!("SELECT {COLUMNS} {FROM} AND c.project_id = $1 AND c.id IN ({places})"),
            &sql::bind(&[&project.0], &chunk),
            |row| {
                let candidate = read_row(row)?;
                found.insert(candidate.id, candidate);
                Ok(())
            },
        )?;
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// Changes of a candidate; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Its new state.
    pub status: Option<CandidateStatus>,
    /// Its new end.
    pub end_time: Option<i64>,
    /// Its new name.
    pub name: Option<String>,
}

/// Changes an active candidate and answers how it is then.
pub fn update(tx: &mut Tx<'_>, project: ProjectId, eid: &Eid, changes: &Changes) -> Result<Candidate> {
    let mut candidate = get_active(tx, project, eid)?;
    if let Some(status) = changes.status {
        candidate.status = status;
    }
    if let Some(end_time) = changes.end_time {
        candidate.end_time = Some(end_time);
    }
    if let Some(name) = &changes.name {
        candidate.name.clone_from(name);
    }
    tx.execute(
        "UPDATE candidates SET status = $3, end_time = $4, name = $5 WHERE project_id = $1 AND id = $2",
        &[&project.0, &candidate.id.0, &candidate.status.number(), &candidate.end_time, &candidate.name],
    )?;
    Ok(candidate)
}

/// Puts a candidate into the bin; one that is there stays there.
pub fn delete(tx: &mut Tx<'_>, project: ProjectId, eid: &Eid, now: Timestamp) -> Result<()> {
    let candidate = get_by_eid(tx, project, eid)?;
    tx.execute(
        "UPDATE candidates SET deleted_at = $3 WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL",
        &[&project.0, &candidate.id.0, &now.0],
    )?;
    Ok(())
}

/// Takes a candidate out of the bin. Fails when its experiment is in the bin: that is restored first.
pub fn restore(tx: &mut Tx<'_>, project: ProjectId, eid: &Eid) -> Result<()> {
    let candidate = get_by_eid(tx, project, eid)?;
    crate::experiments::get(tx, project, candidate.experiment_id)?.require_active()?;
    tx.execute(
        "UPDATE candidates SET deleted_at = NULL WHERE project_id = $1 AND id = $2",
        &[&project.0, &candidate.id.0],
    )?;
    Ok(())
}
