//! Model versions: how they are made, found, published and pointed at.
//!
//! A version is a draft until it is published. The files of a draft are the artifacts of the candidate made for it; a
//! published version has files of its own, which do not change any more.

mod aliases;
mod change;
mod details;
mod find;
mod list;
mod number;
mod publish;
mod record;
mod register;
mod step;

use modelry_core::ids::{CandidateId, ModelId, UserId, VersionId};
use modelry_core::time::Timestamp;
use modelry_core::version::Version;
use modelry_core::version::stage::Stage;
use modelry_core::{Error, Result};
use modelry_db::Row;

pub use aliases::{
    Alias, Move, Mover, alias_history, aliases, delete_alias, protect_alias, refuse_protected_of, set_alias,
    target_after,
};
pub use change::{
    Advice, delete, delete_metadata, restore, set_advice, set_description, set_metadata, set_stage,
};
pub use details::{Details, details};
pub(crate) use find::find_target;
pub use find::{
    by_stage, find_by_id, get_target, list_newest, newest_numbered, of_logged_models, predecessor, resolve,
};
pub use list::{Position, find_deleted, list, list_deleted, list_of_candidate, next_version};
pub use number::Wish;
pub use publish::{is_published, place, publish, publish_drafts_of};
pub use record::{Record, record};
pub use register::{NewVersion, OwnCandidate, Source, register};
pub use step::check_step;

/// One release of a model, or of a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelVersion {
    /// Its number in the project.
    pub id: VersionId,
    /// The model.
    pub model_id: ModelId,
    /// The model's name.
    pub model: String,
    /// Its sequence number in the model: 1, 2, 3 and so on, never given twice.
    pub number: i64,
    /// Its semantic version, unique in the model.
    pub version: Version,
    /// Where in its life it is said to be.
    pub stage: Stage,
    /// What its maker says of it.
    pub description: String,
    /// Where its files came from, as it was sent; empty where nothing was.
    pub source: String,
    /// Where its files are, outside of this server, where not its source says so but that of what it is a copy of.
    pub location: Option<String>,
    /// The run that clients are told.
    pub run_eid: Option<String>,
    /// The candidate of this project that the run is.
    pub candidate_id: Option<CandidateId>,
    /// While it is a draft: the directory among the candidate's artifacts that holds its files; `None` is all of them.
    pub draft_dir: Option<String>,
    /// A link to the run, as it was sent, or empty.
    pub run_link: String,
    /// The public id of the logged model it was made from, as it was sent, else that of its source.
    pub logged_model_eid: Option<String>,
    /// Who made it, if known.
    pub creator_id: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its description, stage, metadata or state changed last.
    pub updated_at: Timestamp,
    /// Since when its files are fixed; a draft has none.
    pub published_at: Option<Timestamp>,
    /// Since when it should not be used any more, if somebody said so.
    pub deprecated_at: Option<Timestamp>,
    /// Since when it must not be used any more, if somebody said so: no range, stage or `latest` finds it.
    pub yanked_at: Option<Timestamp>,
    /// Why it is deprecated or yanked, in the words of who said so.
    pub warning: String,
    /// When it was put into the bin, if it is there.
    pub deleted_at: Option<Timestamp>,
}

impl ModelVersion {
    /// Whether its files may still change.
    pub fn is_draft(&self) -> bool {
        self.published_at.is_none()
    }

    /// As people write it: `1.2.0 (#2)`.
    pub fn label(&self) -> String {
        format!("{} (#{})", self.version, self.number)
    }
}

/// The columns of a [`ModelVersion`] from `versions v` and `models m`, in the order that [`read_row`] reads.
pub(crate) const COLUMNS: &str = "v.id, v.model_id, m.name, v.number, v.version, v.stage, v.description, v.source, \
                                  v.run_eid, v.candidate_id, v.draft_dir, v.run_link, v.logged_model_eid, v.creator_id, \
                                  v.created_at, v.updated_at, v.published_at, v.deprecated_at, v.yanked_at, v.warning, \
                                  v.deleted_at, v.location";

/// How many columns [`COLUMNS`] has.
pub(crate) const COLUMN_COUNT: usize = 22;

/// Where [`COLUMNS`] come from; conditions follow after `AND`.
pub(crate) const FROM: &str =
    "FROM versions v CROSS JOIN models m WHERE m.project_id = v.project_id AND m.id = v.model_id";

/// The numbers of the versions of the candidate `$2` of the project `$1`.
///
/// Left to itself SQLite, which takes all rows of a project for few, would look through them; what an index covers it
/// takes from there.
const OF_CANDIDATE: &str = "SELECT i.id FROM versions i WHERE i.project_id = $1 AND i.candidate_id = $2";

/// Reads [`COLUMNS`].
pub(crate) fn read_row(row: &Row<'_>) -> Result<ModelVersion> {
    Ok(ModelVersion {
        id: VersionId(row.get(0)?),
        model_id: ModelId(row.get(1)?),
        model: row.get(2)?,
        number: row.get(3)?,
        version: row.get::<String>(4)?.parse()?,
        stage: row.get::<String>(5)?.parse()?,
        description: row.get(6)?,
        source: row.get(7)?,
        run_eid: row.get(8)?,
        candidate_id: row.get::<Option<i64>>(9)?.map(CandidateId),
        draft_dir: row.get(10)?,
        run_link: row.get(11)?,
        logged_model_eid: row.get(12)?,
        creator_id: row.get::<Option<i64>>(13)?.map(UserId),
        created_at: Timestamp(row.get(14)?),
        updated_at: Timestamp(row.get(15)?),
        published_at: row.get::<Option<i64>>(16)?.map(Timestamp),
        deprecated_at: row.get::<Option<i64>>(17)?.map(Timestamp),
        yanked_at: row.get::<Option<i64>>(18)?.map(Timestamp),
        warning: row.get(19)?,
        deleted_at: row.get::<Option<i64>>(20)?.map(Timestamp),
        location: row.get(21)?,
    })
}

/// MLflow's words for a version that is not there.
pub(crate) fn not_found(model: &str, version: impl std::fmt::Display) -> Error {
    Error::not_found(format!("Model Version (name={model}, version={version}) not found"))
}
