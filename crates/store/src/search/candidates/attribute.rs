//! The attributes of candidates as SQL over `candidates c`.

use modelry_core::search::entity::CandidateAttribute;
use modelry_core::status::CandidateStatus;
use modelry_db::Engine;

use crate::experiments::Experiment;
use crate::search::binds::Binds;

/// What the attributes of an experiment's candidates are written as.
pub(super) struct Attributes {
    engine: Engine,
    /// Where the experiment's artifacts are.
    artifact_root: String,
}

impl Attributes {
    pub(super) fn of(engine: Engine, experiment: &Experiment) -> Self {
        Self { engine, artifact_root: experiment.artifact_root() }
    }

    /// An attribute as what is ordered by, which is what its index holds: of a text that may be long its first 128
    /// characters, so that a page token stays short. On PostgreSQL those are columns, which stand beside the primary key;
    /// SQLite would make them anew of the row, though an index has them, and takes an expression from the index.
    pub(super) fn sortable(&self, binds: &mut Binds, attribute: CandidateAttribute) -> String {
        match (self.engine, attribute) {
            (Engine::Postgres, CandidateAttribute::Name) => "c.name_start".to_owned(),
            (Engine::Postgres, CandidateAttribute::UserId) => "c.user_start".to_owned(),
            (_, CandidateAttribute::Name | CandidateAttribute::UserId | CandidateAttribute::ArtifactUri) => {
                format!("substr({}, 1, 128)", self.whole(binds, attribute))
            }
            (
                _,
                CandidateAttribute::Eid
                | CandidateAttribute::StartTime
                | CandidateAttribute::EndTime
                | CandidateAttribute::Status,
            ) => self.whole(binds, attribute),
        }
    }

    /// An attribute.
    pub(super) fn whole(&self, binds: &mut Binds, attribute: CandidateAttribute) -> String {
        match attribute {
            CandidateAttribute::Eid => "c.eid".to_owned(),
            CandidateAttribute::Name => "c.name".to_owned(),
            CandidateAttribute::UserId => "c.user_name".to_owned(),
            CandidateAttribute::Status => status(),
            CandidateAttribute::ArtifactUri => {
                // As `Candidate::artifact_uri` says it.
                let start = binds.add(format!("mlflow-artifacts:/{}/", self.artifact_root));
                format!("(CAST({start} AS TEXT) || c.eid || '/artifacts')")
            }
            CandidateAttribute::StartTime => "c.start_time".to_owned(),
            CandidateAttribute::EndTime => "c.end_time".to_owned(),
        }
    }
}

/// The status by its name on the wire.
fn status() -> String {
    let all = [
        CandidateStatus::Running,
        CandidateStatus::Scheduled,
        CandidateStatus::Finished,
        CandidateStatus::Failed,
        CandidateStatus::Killed,
    ];
    let cases = all.map(|status| format!("WHEN {} THEN '{}' ", status.number(), status.as_str()));
    format!("CASE c.status {}END", cases.concat())
}
