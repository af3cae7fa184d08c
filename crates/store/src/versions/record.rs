//! What the candidate of a version held when the version was published. Candidates stay writable; this does not change.

use std::collections::BTreeMap;

use modelry_core::ids::{CandidateId, ProjectId, VersionId};
use modelry_core::{Error, Result};
use modelry_db::Tx;
use serde::{Deserialize, Serialize};

/// What a candidate held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Params by key.
    pub params: BTreeMap<String, String>,
    /// The latest values of metrics by key, as text, so that NaN and the infinities have a form.
    pub metrics: BTreeMap<String, String>,
    /// Metadata by key.
    pub metadata: BTreeMap<String, String>,
}

/// The record of a version, if its candidate was known when it was published.
pub fn record(tx: &mut Tx<'_>, project: ProjectId, version: VersionId) -> Result<Option<Record>> {
    let found = tx.query_opt(
        "SELECT record FROM version_records WHERE project_id = $1 AND version_id = $2",
        &[&project.0, &version.0],
        |row| row.get::<String>(0),
    )?;
    let read = |json: String| {
        serde_json::from_str(&json)
            .map_err(|error| Error::internal("the record of a version is not readable").with_source(error))
    };
    found.map(read).transpose()
}

/// Writes down what a candidate holds now.
pub(super) fn write(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: VersionId,
    candidate: CandidateId,
) -> Result<()> {
    let record = Record {
        params: texts(tx, "params", project, candidate)?,
        metrics: metrics(tx, project, candidate)?,
        metadata: texts(tx, "metadata", project, candidate)?,
    };
    let json = serde_json::to_string(&record)
        .map_err(|error| Error::internal("a record has no JSON form").with_source(error))?;
    tx.execute(
        "INSERT INTO version_records (project_id, version_id, record) VALUES ($1, $2, $3)
         ON CONFLICT (project_id, version_id) DO NOTHING",
        &[&project.0, &version.0, &json],
    )?;
    Ok(())
}

fn texts(
    tx: &mut Tx<'_>,
    table: &str,
    project: ProjectId,
    candidate: CandidateId,
) -> Result<BTreeMap<String, String>> {
    let rows = tx.query(
        &format!(
            "SELECT k.name, t.value FROM {table} t CROSS JOIN keys k
              WHERE t.project_id = $1 AND t.candidate_id = $2 AND k.project_id = $1 AND k.id = t.key_id"
        ),
        &[&project.0, &candidate.0],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(rows.into_iter().collect())
}

fn metrics(tx: &mut Tx<'_>, project: ProjectId, candidate: CandidateId) -> Result<BTreeMap<String, String>> {
    let rows = tx.query(
        "SELECT k.name, t.value FROM metric_latest t CROSS JOIN keys k
          WHERE t.project_id = $1 AND t.candidate_id = $2 AND k.project_id = $1 AND k.id = t.key_id",
        &[&project.0, &candidate.0],
        |row| Ok((row.get(0)?, row.get::<Option<f64>>(1)?.unwrap_or(f64::NAN).to_string())),
    )?;
    Ok(rows.into_iter().collect())
}
