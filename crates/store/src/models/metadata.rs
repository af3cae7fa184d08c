//! The metadata of models.

use std::collections::HashMap;

use modelry_core::Result;
use modelry_core::ids::{ModelId, ProjectId};
use modelry_core::time::Timestamp;
use modelry_db::Tx;

use crate::sql;

/// Sets one metadata value; the last write wins.
pub fn set_metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ModelId,
    (name, value): (&str, &str),
    now: Timestamp,
) -> Result<()> {
    write(tx, project, id, name, value)?;
    super::touch(tx, project, id, now)
}

pub(super) fn write(tx: &mut Tx<'_>, project: ProjectId, id: ModelId, name: &str, value: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO model_metadata (project_id, model_id, name, value)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (project_id, model_id, name) DO UPDATE SET value = excluded.value",
        &[&project.0, &id.0, &name, &value],
    )?;
    Ok(())
}

/// Removes one metadata value; answers whether it was there.
pub fn delete_metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ModelId,
    name: &str,
    now: Timestamp,
) -> Result<bool> {
    let deleted = tx.execute(
        "DELETE FROM model_metadata WHERE project_id = $1 AND model_id = $2 AND name = $3",
        &[&project.0, &id.0, &name],
    )?;
    super::touch(tx, project, id, now)?;
    Ok(deleted > 0)
}

/// The metadata of some models, by name; a model without any is not there.
pub fn metadata(
    tx: &mut Tx<'_>,
    project: ProjectId,
    models: &[ModelId],
) -> Result<HashMap<ModelId, Vec<(String, String)>>> {
    let numbers: Vec<i64> = models.iter().map(|id| id.0).collect();
    let mut all: HashMap<ModelId, Vec<(String, String)>> = HashMap::new();
    for chunk in sql::padded(&numbers) {
        let places = sql::placeholders(2, chunk.len());
        tx.query_each(
            &format!(
                "SELECT model_id, name, value FROM model_metadata
                 WHERE project_id = $1 AND model_id IN ({places})
                 ORDER BY model_id, name"
            ),
            &sql::bind(&[&project.0], &chunk),
            |row| {
                all.entry(ModelId(row.get(0)?)).or_default().push((row.get(1)?, row.get(2)?));
                Ok(())
            },
        )?;
    }
    Ok(all)
}
