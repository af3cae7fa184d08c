//! Packages: what the files of a version, or of a candidate, are together.
//!
//! A package has no row of its own. Every version of a model is one, and so is every active candidate that has files;
//! prompts have none.

mod list;

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{CandidateId, ExperimentId, ProjectId, UserId, VersionId};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};

use crate::files::{self, Owner, Totals, Tree};
use crate::models::{self, ModelKind};
use crate::users;
use crate::versions::{self, ModelVersion};

pub use list::{Kind, Listing, MOST_LOOKED_AT, Position, Wanted, list};

/// The files of a version or candidate, and what they are called together.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// The name of the model; of a candidate of no model's experiment, `ml_experiment_` and the experiment's number.
    pub name: String,
    /// The semantic version, or `candidate_` and the candidate's number.
    pub version: String,
    /// Whose files they are.
    pub content: Content,
    /// Who made the version or candidate, if known.
    pub creator_id: Option<UserId>,
    /// When the version or candidate was made.
    pub created_at: Timestamp,
}

/// Whose files a package has.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Those of a version.
    Version(Box<ModelVersion>),
    /// Those of a candidate.
    Candidate(CandidateContent),
}

/// The candidate whose files a package has.
#[derive(Clone, Debug, PartialEq)]
pub struct CandidateContent {
    /// Its number in the project.
    pub id: CandidateId,
    /// Its public id.
    pub eid: String,
    /// Its experiment.
    pub experiment_id: ExperimentId,
    /// The model that the experiment is the default one of.
    pub model: Option<String>,
}

impl Package {
    fn of_version(version: ModelVersion) -> Self {
        Self {
            name: version.model.clone(),
            version: version.version.to_string(),
            creator_id: version.creator_id,
            created_at: version.created_at,
            content: Content::Version(Box::new(version)),
        }
    }

    /// Where its files are; `None` for a draft without a candidate.
    pub fn place(&self, project: ProjectId) -> Result<Option<(Tree, Option<ArtifactPath>)>> {
        match &self.content {
            Content::Version(version) => versions::place(project, version),
            Content::Candidate(candidate) => {
                Ok(Some((Tree { project, owner: Owner::Candidate(candidate.id) }, None)))
            }
        }
    }

    /// How many files it has, and how large they are.
    pub fn totals(&self, tx: &mut Tx<'_>, project: ProjectId) -> Result<Totals> {
        match self.place(project)? {
            Some((tree, dir)) => files::totals(tx, tree, dir.as_ref()),
            None => Ok(Totals::default()),
        }
    }

    /// How many bytes are freed when it is deleted, and is gone from the bin too. The files of a draft stay those of its
    /// candidate.
    pub fn frees(&self, tx: &mut Tx<'_>, project: ProjectId) -> Result<u64> {
        match (&self.content, self.place(project)?) {
            (Content::Version(version), _) if version.is_draft() => Ok(0),
            (_, Some((tree, _))) => files::only_here(tx, tree),
            (_, None) => Ok(0),
        }
    }

    /// The user name of its maker, if known.
    pub fn creator(&self, tx: &mut Tx<'_>) -> Result<Option<String>> {
        match self.creator_id {
            Some(user) => Ok(users::find(tx, user)?.map(|user| user.username)),
            None => Ok(None),
        }
    }
}

/// The package of the version of this number, unless it or its model is in the bin.
pub fn find_version(tx: &mut Tx<'_>, project: ProjectId, id: VersionId) -> Result<Option<Package>> {
    let Some(version) = versions::find_by_id(tx, project, id)? else { return Ok(None) };
    let model = models::find(tx, project, version.model_id)?;
    let is_model = model.is_some_and(|model| model.kind == ModelKind::Model);
    Ok(is_model.then(|| Package::of_version(version)))
}

/// The package of a candidate, whether or not it has files yet. Fails with `NotFound` when there is no such candidate,
/// and with `Invalid` when it is in the bin.
pub fn get_candidate(tx: &mut Tx<'_>, project: ProjectId, id: CandidateId) -> Result<Package> {
    let found = tx.query_opt(
        &format!("SELECT {CANDIDATE_COLUMNS} {CANDIDATE_FROM} AND c.project_id = $1 AND c.id = $2"),
        &[&project.0, &id.0],
        read_candidate,
    )?;
    let found = found.ok_or_else(|| Error::not_found(format!("there is no candidate {id}")))?;
    if !found.is_active {
        return Err(Error::invalid(format!("candidate {id} is in the bin: restore it first")));
    }
    let model = models::of_experiment(tx, project, found.experiment_id)?;
    Ok(found.package(model))
}

/// A candidate as far as its package tells it.
struct FoundCandidate {
    id: CandidateId,
    eid: String,
    experiment_id: ExperimentId,
    creator_id: Option<UserId>,
    created_at: Timestamp,
    is_active: bool,
}

/// What [`read_candidate`] reads.
const CANDIDATE_COLUMNS: &str = "c.id, c.eid, c.experiment_id, c.creator_id, c.created_at, \
                                 c.deleted_at IS NULL AND e.deleted_at IS NULL";

/// Where [`CANDIDATE_COLUMNS`] come from; conditions follow after `AND`.
const CANDIDATE_FROM: &str = "FROM candidates c CROSS JOIN experiments e \
                              WHERE e.project_id = c.project_id AND e.id = c.experiment_id";

fn read_candidate(row: &Row<'_>) -> Result<FoundCandidate> {
    Ok(FoundCandidate {
        id: CandidateId(row.get(0)?),
        eid: row.get(1)?,
        experiment_id: ExperimentId(row.get(2)?),
        creator_id: row.get::<Option<i64>>(3)?.map(UserId),
        created_at: Timestamp(row.get(4)?),
        is_active: row.get(5)?,
    })
}

impl FoundCandidate {
    /// Its package; `model` is the one that its experiment belongs to.
    fn package(self, model: Option<String>) -> Package {
        let Self { id, eid, experiment_id, creator_id, created_at, .. } = self;
        let name = model.clone().unwrap_or_else(|| format!("ml_experiment_{experiment_id}"));
        let content = Content::Candidate(CandidateContent { id, eid, experiment_id, model });
        Package { name, version: format!("candidate_{id}"), content, creator_id, created_at }
    }
}
