//! What files belong to, by any of the names that URLs have for it.

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{CandidateId, ProjectId, VersionId};
use modelry_core::version::selector::{Selector, Target};
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::candidates;
use modelry_store::files::{Owner, Tree};
use modelry_store::ids::FIRST_VERSION;
use modelry_store::versions::{self, ModelVersion};

use super::models::get as get_model;

/// How a URL names what files belong to.
#[derive(Clone, Debug)]
pub(super) enum Address {
    /// GitLab's: the number of a version in the project, or `candidate:` and the number of a candidate.
    Package(String),
    /// A version of a model, by whatever selects one.
    Read(String, Selector),
    /// A version of a model, named exactly.
    Write(String, Target),
}

/// Files, and what they belong to.
pub(super) struct Place {
    /// The tree that has them.
    pub(super) tree: Tree,
    /// The directory in it that they are below, if not all of it.
    pub(super) dir: Option<ArtifactPath>,
    /// What they are called together.
    pub(super) package: Package,
}

/// The name and version of a package, as GitLab has them.
#[derive(Clone, Debug)]
pub(super) struct Package {
    /// The model's, for a version.
    pub(super) name: String,
    /// The semantic one, for a version.
    pub(super) version: String,
}

impl Address {
    /// Finds it. `base` is what URLs start with, for a message that names one.
    pub(super) fn find(&self, tx: &mut Tx<'_>, project: ProjectId, base: &str) -> Result<Place> {
        match self {
            Self::Package(text) => match text.strip_prefix("candidate:") {
                Some(number) => of_candidate(tx, project, number),
                None => of_version_id(tx, project, text, base),
            },
            Self::Read(model, selector) => {
                let model = get_model(tx, project, model)?;
                of_version(project, versions::resolve(tx, project, &model, selector)?)
            }
            Self::Write(model, target) => {
                let model = get_model(tx, project, model)?;
                of_version(project, versions::get_target(tx, project, &model, target)?)
            }
        }
    }

    /// As [`Address::find`], for a write below `path`. Fails with `Conflict` where the files do not change any more.
    pub(super) fn find_to_write(&self, tx: &mut Tx<'_>, project: ProjectId, base: &str) -> Result<Place> {
        let place = self.find(tx, project, base)?;
        match place.tree.owner {
            Owner::Version(id) => Err(versions::is_published(tx, project, id)?),
            Owner::Candidate(_) | Owner::LoggedModel(_) | Owner::Project => Ok(place),
        }
    }
}

impl Place {
    /// Where in the tree the path `below` is.
    pub(super) fn path(&self, below: &ArtifactPath) -> Result<ArtifactPath> {
        self.dir.as_ref().map_or_else(|| Ok(below.clone()), |dir| dir.join(below))
    }
}

fn of_version(project: ProjectId, version: ModelVersion) -> Result<Place> {
    let place = versions::place(project, &version)?;
    let (tree, dir) = place.ok_or_else(|| {
        Error::conflict(format!(
            "version {} of model {} has no run to keep files",
            version.version, version.model
        ))
    })?;
    Ok(Place { tree, dir, package: Package { name: version.model, version: version.version.to_string() } })
}

fn of_version_id(tx: &mut Tx<'_>, project: ProjectId, text: &str, base: &str) -> Result<Place> {
    let not_found = || Error::not_found(format!("there is no package {text}"));
    let id: i64 = text.parse().map_err(|_| not_found())?;
    if let Some(version) = versions::find_by_id(tx, project, VersionId(id))? {
        return of_version(project, version);
    }
    if id < FIRST_VERSION
        && let Some(version) = versions::newest_numbered(tx, project, id)?
    {
        return Err(Error::not_found(format!(
            "{id} is a version number within a model; upload URL of {} {}: \
             {base}/api/v4/projects/{project}/packages/ml_models/{}/files/",
            version.model, version.version, version.id
        )));
    }
    Err(not_found())
}

fn of_candidate(tx: &mut Tx<'_>, project: ProjectId, number: &str) -> Result<Place> {
    let not_found = || Error::not_found(format!("there is no candidate {number}"));
    let id = CandidateId(number.parse().map_err(|_| not_found())?);
    let candidate = candidates::list(tx, project, &[id])?.pop().ok_or_else(not_found)?;
    candidate.require_active()?;
    let model = modelry_store::models::of_experiment(tx, project, candidate.experiment_id)?;
    let name = model.unwrap_or_else(|| format!("ml_experiment_{}", candidate.experiment_id));
    let tree = Tree { project, owner: Owner::Candidate(id) };
    Ok(Place { tree, dir: None, package: Package { name, version: format!("candidate_{id}") } })
}
