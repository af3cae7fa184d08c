//! Params, metadata and metrics of logged models, read for whole pages of models at once.

use std::collections::HashMap;

use modelry_core::ids::{LoggedModelId, ProjectId};
use modelry_core::{Error, Result};
use modelry_db::Tx;

use super::metrics::{self, Metric};
use crate::sql;

/// What was logged to a model, each list sorted by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// Params.
    pub params: Vec<(String, String)>,
    /// Metadata.
    pub metadata: Vec<(String, String)>,
    /// The latest value of each metric in each candidate and dataset.
    pub metrics: Vec<Metric>,
}

/// What was logged to these models; one that nothing was logged to is there with empty lists.
pub fn details(
    tx: &mut Tx<'_>,
    project: ProjectId,
    ids: &[LoggedModelId],
) -> Result<HashMap<LoggedModelId, Details>> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut all: HashMap<LoggedModelId, Details> = ids.iter().map(|id| (*id, Details::default())).collect();
    for chunk in sql::padded(&numbers) {
        for (id, name, value) in text_rows(tx, "logged_model_params", project, &chunk)? {
            all.entry(id).or_default().params.push((name, value));
        }
        for (id, name, value) in text_rows(tx, "logged_model_metadata", project, &chunk)? {
            all.entry(id).or_default().metadata.push((name, value));
        }
        for (id, metric) in metrics::rows(tx, project, &chunk)? {
            all.entry(id).or_default().metrics.push(metric);
        }
    }
    Ok(all)
}

fn text_rows(
    tx: &mut Tx<'_>,
    table: &str,
    project: ProjectId,
    chunk: &[i64],
) -> Result<Vec<(LoggedModelId, String, String)>> {
    let places = sql::placeholders(2, chunk.len());
    tx.query(
        &format!(
            "SELECT logged_model_id, name, value FROM {table}
             WHERE project_id = $1 AND logged_model_id IN ({places})
             ORDER BY logged_model_id, name"
        ),
        &sql::bind(&[&project.0], chunk),
        |row| Ok((LoggedModelId(row.get(0)?), row.get(1)?, row.get(2)?)),
    )
}

/// Inserts params. Fails when the model has one of these keys already.
pub(super) fn insert_params(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: LoggedModelId,
    params: &[(String, String)],
) -> Result<()> {
    for (name, value) in params {
        let inserted = tx.execute(
            "INSERT INTO logged_model_params (project_id, logged_model_id, name, value)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (project_id, logged_model_id, name) DO NOTHING",
            &[&project.0, &id.0, name, value],
        )?;
        if inserted == 0 {
            return Err(Error::invalid(format!(
                "the logged model has a param '{name}' already: a param is logged once and never changes"
            )));
        }
    }
    Ok(())
}

/// Sets metadata; the last write wins.
pub(super) fn upsert_metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: LoggedModelId,
    metadata: &[(String, String)],
) -> Result<()> {
    for (name, value) in metadata {
        tx.execute(
            "INSERT INTO logged_model_metadata (project_id, logged_model_id, name, value)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (project_id, logged_model_id, name) DO UPDATE SET value = excluded.value",
            &[&project.0, &id.0, name, value],
        )?;
    }
    Ok(())
}

/// Removes one metadata value; answers whether it was there.
pub(super) fn delete_metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: LoggedModelId,
    name: &str,
) -> Result<bool> {
    let deleted = tx.execute(
        "DELETE FROM logged_model_metadata WHERE project_id = $1 AND logged_model_id = $2 AND name = $3",
        &[&project.0, &id.0, &name],
    )?;
    Ok(deleted > 0)
}
