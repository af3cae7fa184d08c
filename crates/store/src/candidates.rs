//! Candidates (MLflow runs), their params and metadata.

use std::collections::HashMap;
use std::sync::Arc;

use modelry_core::ids::{CandidateId, Eid, ExperimentId, KeyId, ProjectId, UserId};
use modelry_core::status::CandidateStatus;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};

use crate::keys::Keys;
use crate::sql;

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
            Some(_) => Err(Error::invalid(format!(
                "The run {} must be in the 'active' state. Current state is deleted.",
                self.eid
            ))),
        }
    }

    /// Where its artifacts are, as a client is told: never with a host (a client sends its token to any host named here).
    pub fn artifact_uri(&self) -> String {
        format!("mlflow-artifacts:/{}/{}/artifacts", self.artifact_root, self.eid)
    }

    /// Where it stands, for writes to its params, metrics and metadata.
    pub fn place(&self, project: ProjectId) -> Place {
        Place { project, experiment: self.experiment_id, candidate: self.id }
    }
}

/// Where a candidate stands: the leading columns of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its project.
    pub project: ProjectId,
    /// Its experiment.
    pub experiment: ExperimentId,
    /// The candidate.
    pub candidate: CandidateId,
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
    let inserted = tx.execute(
        "INSERT INTO candidates
            (project_id, id, experiment_id, eid, name, user_name, creator_id, status, start_time, end_time,
             created_at, deleted_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, $10, NULL)
         ON CONFLICT (project_id, eid) DO NOTHING",
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
    find_by_eid(tx, project, eid.as_str())?
        .ok_or_else(|| Error::not_found(format!("Run with id={eid} not found")))
}

/// As [`get_by_eid`], failing also when the candidate is in the bin.
pub fn get_active(tx: &mut Tx<'_>, project: ProjectId, eid: &Eid) -> Result<Candidate> {
    let candidate = get_by_eid(tx, project, eid)?;
    candidate.require_active()?;
    Ok(candidate)
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

/// A param or metadata as it is logged.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The number of its key.
    pub key: KeyId,
    /// The key.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Logs params. A param is written once: the same value again is nothing, another value is refused.
pub fn log_params(tx: &mut Tx<'_>, place: Place, eid: &Eid, params: &[Entry]) -> Result<()> {
    for param in params {
        let inserted = tx.execute(
            "INSERT INTO params (project_id, candidate_id, key_id, experiment_id, sort, value)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (project_id, candidate_id, key_id) DO NOTHING",
            &[
                &place.project.0,
                &place.candidate.0,
                &param.key.0,
                &place.experiment.0,
                &sql::sort_prefix(&param.value),
                &param.value,
            ],
        )?;
        if inserted == 0 {
            refuse_change(tx, place, eid, param)?;
        }
    }
    Ok(())
}

fn refuse_change(tx: &mut Tx<'_>, place: Place, eid: &Eid, param: &Entry) -> Result<()> {
    let before: String = tx.query_one(
        "SELECT value FROM params WHERE project_id = $1 AND candidate_id = $2 AND key_id = $3",
        &[&place.project.0, &place.candidate.0, &param.key.0],
        |row| row.get(0),
    )?;
    if before == param.value {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "Changing param values is not allowed. Param with key='{}' was already logged with value='{before}' for run \
         ID='{eid}'. Attempted logging new value '{}'.",
        param.name, param.value
    )))
}

/// Sets metadata; the last write wins.
pub fn set_metadata(tx: &mut Tx<'_>, place: Place, metadata: &[Entry]) -> Result<()> {
    for entry in metadata {
        tx.execute(
            "INSERT INTO metadata (project_id, candidate_id, key_id, experiment_id, sort, value)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (project_id, candidate_id, key_id) DO UPDATE
                SET sort = excluded.sort, value = excluded.value",
            &[
                &place.project.0,
                &place.candidate.0,
                &entry.key.0,
                &place.experiment.0,
                &sql::sort_prefix(&entry.value),
                &entry.value,
            ],
        )?;
    }
    Ok(())
}

/// Renames an active candidate, as setting the metadata `mlflow.runName` does.
pub fn rename(tx: &mut Tx<'_>, place: Place, name: &str) -> Result<()> {
    tx.execute(
        "UPDATE candidates SET name = $3 WHERE project_id = $1 AND id = $2",
        &[&place.project.0, &place.candidate.0, &name],
    )?;
    Ok(())
}

/// One metadata value of a candidate.
pub fn find_metadata(tx: &mut Tx<'_>, place: Place, key: KeyId) -> Result<Option<String>> {
    tx.query_opt(
        "SELECT value FROM metadata WHERE project_id = $1 AND candidate_id = $2 AND key_id = $3",
        &[&place.project.0, &place.candidate.0, &key.0],
        |row| row.get(0),
    )
}

/// Removes one metadata value; answers whether it was there.
pub fn delete_metadata(tx: &mut Tx<'_>, place: Place, name: &str) -> Result<bool> {
    let deleted = tx.execute(
        "DELETE FROM metadata
         WHERE project_id = $1 AND candidate_id = $2
           AND key_id = (SELECT id FROM keys WHERE project_id = $1 AND name = $3)",
        &[&place.project.0, &place.candidate.0, &name],
    )?;
    Ok(deleted > 0)
}

/// The latest value of a metric of a candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct LatestMetric {
    /// The metric's key.
    pub key: Arc<str>,
    /// The value; NaN where the latest point is NaN.
    pub value: f64,
    /// The step it was logged for.
    pub step: i64,
    /// When it was logged, by the client's clock.
    pub timestamp: i64,
    /// The least number logged, if any was one.
    pub minimum: Option<f64>,
    /// The greatest number logged, if any was one.
    pub maximum: Option<f64>,
}

/// What was logged to a candidate, each list sorted by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logged {
    /// The latest value of each metric.
    pub metrics: Vec<LatestMetric>,
    /// Params.
    pub params: Vec<(Arc<str>, String)>,
    /// Metadata.
    pub metadata: Vec<(Arc<str>, String)>,
}

/// What was logged to these candidates; one that logged nothing is there with empty lists.
pub fn logged(
    tx: &mut Tx<'_>,
    keys: &Keys,
    project: ProjectId,
    ids: &[CandidateId],
) -> Result<HashMap<CandidateId, Logged>> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut metrics = Vec::new();
    let mut params = Vec::new();
    let mut metadata = Vec::new();
    for chunk in sql::padded(&numbers) {
        metrics.append(&mut latest_rows(tx, project, &chunk)?);
        params.append(&mut text_rows(tx, "params", project, &chunk)?);
        metadata.append(&mut text_rows(tx, "metadata", project, &chunk)?);
    }
    let used = metrics.iter().map(|row| row.1);
    let used = used.chain(params.iter().chain(&metadata).map(|row| row.1));
    let names = keys.names(tx, project, used.collect::<std::collections::BTreeSet<_>>())?;
    let mut all: HashMap<CandidateId, Logged> = ids.iter().map(|id| (*id, Logged::default())).collect();
    for (candidate, key, metric) in metrics {
        let metric = LatestMetric { key: names[&key].clone(), ..metric };
        all.entry(candidate).or_default().metrics.push(metric);
    }
    for (candidate, key, value) in params {
        all.entry(candidate).or_default().params.push((names[&key].clone(), value));
    }
    for (candidate, key, value) in metadata {
        all.entry(candidate).or_default().metadata.push((names[&key].clone(), value));
    }
    for logged in all.values_mut() {
        logged.metrics.sort_by(|a, b| a.key.cmp(&b.key));
        logged.params.sort();
        logged.metadata.sort();
    }
    Ok(all)
}

fn latest_rows(
    tx: &mut Tx<'_>,
    project: ProjectId,
    chunk: &[i64],
) -> Result<Vec<(CandidateId, KeyId, LatestMetric)>> {
    let places = sql::placeholders(2, chunk.len());
    tx.query(
        &format!(
            "SELECT candidate_id, key_id, value, step, recorded_at, minimum, maximum FROM metric_latest
             WHERE project_id = $1 AND candidate_id IN ({places})"
        ),
        &sql::bind(&[&project.0], chunk),
        |row| {
            let metric = LatestMetric {
                key: Arc::default(),
                value: row.get::<Option<f64>>(2)?.unwrap_or(f64::NAN),
                step: row.get(3)?,
                timestamp: row.get(4)?,
                minimum: row.get(5)?,
                maximum: row.get(6)?,
            };
            Ok((CandidateId(row.get(0)?), KeyId(row.get(1)?), metric))
        },
    )
}

fn text_rows(
    tx: &mut Tx<'_>,
    table: &str,
    project: ProjectId,
    chunk: &[i64],
) -> Result<Vec<(CandidateId, KeyId, String)>> {
    let places = sql::placeholders(2, chunk.len());
    tx.query(
        &format!(
            "SELECT candidate_id, key_id, value FROM {table}
             WHERE project_id = $1 AND candidate_id IN ({places})"
        ),
        &sql::bind(&[&project.0], chunk),
        |row| Ok((CandidateId(row.get(0)?), KeyId(row.get(1)?), row.get(2)?)),
    )
}
