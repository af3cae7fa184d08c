//! What is said of versions besides their own row: metadata and aliases.

use std::collections::HashMap;

use modelry_core::Result;
use modelry_core::ids::{ProjectId, VersionId};
use modelry_db::Tx;

use crate::sql;

/// Metadata and aliases of a version, each in the order of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Metadata.
    pub metadata: Vec<(String, String)>,
    /// Names of the aliases that point at it.
    pub aliases: Vec<String>,
}

/// The details of some versions; a version without any is not there.
pub fn details(
    tx: &mut Tx<'_>,
    project: ProjectId,
    versions: &[VersionId],
) -> Result<HashMap<VersionId, Details>> {
    let numbers: Vec<i64> = versions.iter().map(|id| id.0).collect();
    let mut all: HashMap<VersionId, Details> = HashMap::new();
    for chunk in sql::padded(&numbers) {
        let places = sql::placeholders(2, chunk.len());
        tx.query_each(
            &format!(
                "SELECT version_id, name, value FROM version_metadata
                 WHERE project_id = $1 AND version_id IN ({places})
                 ORDER BY version_id, name"
            ),
            &sql::bind(&[&project.0], &chunk),
            |row| {
                let details = all.entry(VersionId(row.get(0)?)).or_default();
                details.metadata.push((row.get(1)?, row.get(2)?));
                Ok(())
            },
        )?;
        tx.query_each(
            &format!(
                "SELECT version_id, name FROM aliases
                 WHERE project_id = $1 AND version_id IN ({places})
                 ORDER BY version_id, name"
            ),
            &sql::bind(&[&project.0], &chunk),
            |row| {
                all.entry(VersionId(row.get(0)?)).or_default().aliases.push(row.get(1)?);
                Ok(())
            },
        )?;
    }
    Ok(all)
}
