//! Lists of versions and of their files, as pages show them.

use modelry_core::Result;
use modelry_core::ids::{CandidateId, ModelId, ProjectId};
use modelry_core::time::Timestamp;
use modelry_core::version::Version;
use modelry_db::Tx;

use super::{COLUMNS, FROM, ModelVersion, OF_CANDIDATE, number, read_row};

/// A place among the versions of a model, between two of them: the precedence and the number of the one before.
pub type Position = (Vec<u8>, i64);

/// Up to `limit` versions of a model, drafts included, the greatest first, those behind `after`.
pub fn list(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    after: Option<&Position>,
    limit: i64,
) -> Result<Vec<ModelVersion>> {
    let behind_all = (vec![u8::MAX], i64::MAX);
    let (precedence, number) = after.unwrap_or(&behind_all);
    tx.query(
        &format!(
            "SELECT {COLUMNS} {FROM} AND v.project_id = $1 AND v.model_id = $2 AND v.deleted_at IS NULL
                AND v.precedence <= $3 AND (v.precedence < $3 OR v.number < $4)
              ORDER BY v.precedence DESC, v.number DESC
              LIMIT $5"
        ),
        &[&project.0, &model.0, precedence, number, &limit],
        read_row,
    )
}

/// Up to `limit` versions of a model that are in the bin, the last deleted first, those behind `after`: a time and a
/// sequence number.
pub fn list_deleted(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    after: Option<(Timestamp, i64)>,
    limit: i64,
) -> Result<Vec<ModelVersion>> {
    let (deleted_at, number) = after.unwrap_or((Timestamp(i64::MAX), i64::MAX));
    tx.query(
        &format!(
            "SELECT {COLUMNS} {FROM} AND v.project_id = $1 AND v.model_id = $2 AND v.deleted_at IS NOT NULL
                AND v.purged_at IS NULL AND v.deleted_at <= $3 AND (v.deleted_at < $3 OR v.number < $4)
              ORDER BY v.deleted_at DESC, v.number DESC
              LIMIT $5"
        ),
        &[&project.0, &model.0, &deleted_at.0, &number, &limit],
        read_row,
    )
}

/// The version of a model that has this sequence number and is in the bin.
pub fn find_deleted(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    number: i64,
) -> Result<Option<ModelVersion>> {
    tx.query_opt(
        &format!(
            "SELECT {COLUMNS} {FROM} AND v.project_id = $1 AND v.model_id = $2 AND v.number = $3
                AND v.deleted_at IS NOT NULL AND v.purged_at IS NULL"
        ),
        &[&project.0, &model.0, &number],
        read_row,
    )
}

/// Up to `limit` versions that were made from a candidate, the last made first.
pub fn list_of_candidate(
    tx: &mut Tx<'_>,
    project: ProjectId,
    candidate: CandidateId,
    limit: i64,
) -> Result<Vec<ModelVersion>> {
    tx.query(
        &format!(
            "SELECT {COLUMNS} {FROM} AND v.project_id = $1 AND v.id IN ({OF_CANDIDATE})
                AND v.deleted_at IS NULL AND m.deleted_at IS NULL
              ORDER BY v.id DESC
              LIMIT $3"
        ),
        &[&project.0, &candidate.0, &limit],
        read_row,
    )
}

/// The semantic version that the next version of a model gets where nothing is wished for.
pub fn next_version(tx: &mut Tx<'_>, project: ProjectId, model: ModelId) -> Result<Version> {
    number::next_free(tx, project, model)
}
