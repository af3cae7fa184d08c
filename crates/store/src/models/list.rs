//! Lists of models, as pages show them.

use modelry_core::ids::{ExperimentId, ModelId, ProjectId};
use modelry_core::time::Timestamp;
use modelry_core::version::selector::Selector;
use modelry_core::{Kind, Result};
use modelry_db::Tx;

use super::{COLUMNS, Model, read_row};
use crate::versions::{self, ModelVersion};

/// A model with what a list shows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The model.
    pub model: Model,
    /// The user name of its maker, if known.
    pub creator: Option<String>,
    /// How many versions it has, drafts included.
    pub versions: i64,
    /// What `latest` means now; `None` while no version has files.
    pub latest: Option<ModelVersion>,
}

/// A page of active models, prompts left out, whose name contains `part` in any case: the newest first, those below
/// number `before`.
pub fn list_summaries(
    tx: &mut Tx<'_>,
    project: ProjectId,
    part: &str,
    before: Option<ModelId>,
    limit: i64,
) -> Result<Vec<Summary>> {
    let pattern = format!("%{}%", crate::search::escape_like(&part.to_lowercase()));
    let before = before.map_or(i64::MAX, |id| id.0);
    let models = tx.query(
        &format!(
            "SELECT {COLUMNS}, u.username FROM models m
             LEFT JOIN users u ON u.id = m.creator_id
             WHERE m.project_id = $1 AND m.deleted_at IS NULL AND NOT m.is_prompt AND m.id < $2
               AND lower(m.name) LIKE $3 ESCAPE '\\'
             ORDER BY m.id DESC
             LIMIT $4"
        ),
        &[&project.0, &before, &pattern, &limit],
        |row| Ok((read_row(row)?, row.get::<Option<String>>(10)?)),
    )?;
    models
        .into_iter()
        .map(|(model, creator)| {
            Ok(Summary {
                versions: count_versions(tx, project, model.id)?,
                latest: find_latest(tx, project, &model)?,
                model,
                creator,
            })
        })
        .collect()
}

/// What `latest` means for a model; `None` while no version has files.
pub fn find_latest(tx: &mut Tx<'_>, project: ProjectId, model: &Model) -> Result<Option<ModelVersion>> {
    match versions::resolve(tx, project, model, &Selector::Latest) {
        Ok(version) => Ok(Some(version)),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// How many versions a model has, drafts included.
pub fn count_versions(tx: &mut Tx<'_>, project: ProjectId, model: ModelId) -> Result<i64> {
    tx.query_one(
        "SELECT count(*) FROM versions WHERE project_id = $1 AND model_id = $2 AND deleted_at IS NULL",
        &[&project.0, &model.0],
        |row| row.get(0),
    )
}

/// How many active candidates an experiment has.
pub fn count_candidates(tx: &mut Tx<'_>, project: ProjectId, experiment: ExperimentId) -> Result<i64> {
    tx.query_one(
        "SELECT count(*) FROM candidates WHERE project_id = $1 AND experiment_id = $2 AND deleted_at IS NULL",
        &[&project.0, &experiment.0],
        |row| row.get(0),
    )
}

/// The names of up to `limit` active models, prompts left out, in the order of names.
pub fn list_names(tx: &mut Tx<'_>, project: ProjectId, limit: i64) -> Result<Vec<String>> {
    tx.query(
        "SELECT name FROM models WHERE project_id = $1 AND deleted_at IS NULL AND NOT is_prompt
         ORDER BY name LIMIT $2",
        &[&project.0, &limit],
        |row| row.get(0),
    )
}

/// Up to `limit` models in the bin, prompts left out, the last deleted first, those behind `after`: a time and a number.
pub fn list_deleted(
    tx: &mut Tx<'_>,
    project: ProjectId,
    after: Option<(Timestamp, i64)>,
    limit: i64,
) -> Result<Vec<Model>> {
    let (deleted_at, id) = after.unwrap_or((Timestamp(i64::MAX), i64::MAX));
    tx.query(
        &format!(
            "SELECT {COLUMNS} FROM models m
             WHERE m.project_id = $1 AND m.deleted_at IS NOT NULL AND NOT m.is_prompt
               AND m.deleted_at <= $2 AND (m.deleted_at < $2 OR m.id < $3)
             ORDER BY m.deleted_at DESC, m.id DESC
             LIMIT $4"
        ),
        &[&project.0, &deleted_at.0, &id, &limit],
        read_row,
    )
}
