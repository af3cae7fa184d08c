//! What files belong to, by any of the names that URLs have for it.

use std::sync::Arc;

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{CandidateId, ProjectId, VersionId};
use modelry_core::lineage::Door;
use modelry_core::version::selector::{Selector, Target};
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::files::{Owner, Tree};
use modelry_store::ids::FIRST_VERSION;
use modelry_store::packages::{self, Package};
use modelry_store::versions::{self, ModelVersion};

use super::candidate_views;
use super::models::get as get_model;
use crate::transfer::PlaceOf;

/// How a URL names what files belong to.
#[derive(Clone, Debug)]
pub(super) enum Address {
    /// GitLab's: the number of a version in the project, or `candidate:` and the number of a candidate.
    Package(String),
    /// The number of a candidate, or its public id.
    Candidate(String),
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
    /// The name of the package that they are.
    pub(super) name: String,
    /// The version of that package.
    pub(super) version: String,
}

impl Address {
    /// What is fetched from here is fetched through this door.
    pub(super) fn door(&self) -> Door {
        match self {
            Self::Package(_) => Door::Packages,
            Self::Read(..) | Self::Write(..) | Self::Candidate(_) => Door::Api,
        }
    }

    /// Finds it. `base` is what URLs start with, for a message that names one.
    pub(super) fn find(&self, tx: &mut Tx<'_>, project: ProjectId, base: &str) -> Result<Place> {
        match self {
            Self::Package(text) => Place::of_package(project, &find_package(tx, project, text, base)?),
            Self::Candidate(text) => {
                let (candidate, _) = candidate_views::get_active(tx, project, text)?;
                Place::of_package(project, &packages::get_candidate(tx, project, candidate.id)?)
            }
            Self::Read(model, selector) => {
                let model = get_model(tx, project, model)?;
                Place::of_version(project, &versions::resolve(tx, project, &model, selector)?)
            }
            Self::Write(model, target) => {
                let model = get_model(tx, project, model)?;
                Place::of_version(project, &versions::get_target(tx, project, &model, target)?)
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

    /// Where an upload to `path` is to be kept.
    pub(super) fn place_of(self, project: ProjectId, base: String, path: ArtifactPath) -> PlaceOf {
        Arc::new(move |tx| {
            let place = self.find_to_write(tx, project, &base)?;
            Ok((place.tree, place.path(&path)?))
        })
    }
}

impl Place {
    fn of_version(project: ProjectId, version: &ModelVersion) -> Result<Self> {
        Self::new(versions::place(project, version)?, version.model.clone(), version.version.to_string())
    }

    fn of_package(project: ProjectId, package: &Package) -> Result<Self> {
        Self::new(package.place(project)?, package.name.clone(), package.version.clone())
    }

    fn new(files: Option<(Tree, Option<ArtifactPath>)>, name: String, version: String) -> Result<Self> {
        let (tree, dir) = files.ok_or_else(|| {
            Error::conflict(format!("version {version} of model {name} has no run to keep files"))
        })?;
        Ok(Self { tree, dir, name, version })
    }

    /// Where in the tree the path `below` is.
    pub(super) fn path(&self, below: &ArtifactPath) -> Result<ArtifactPath> {
        self.dir.as_ref().map_or_else(|| Ok(below.clone()), |dir| dir.join(below))
    }
}

/// The package that GitLab's routes name: by the number of a version in the project, or by `candidate:` and the number of
/// a candidate.
///
/// Fails with `NotFound`, whose message has the right URL where a sequence number was taken for that of a version.
pub(super) fn find_package(tx: &mut Tx<'_>, project: ProjectId, text: &str, base: &str) -> Result<Package> {
    let not_found = || Error::not_found(format!("there is no package {text}"));
    if let Some(number) = text.strip_prefix("candidate:") {
        let id = number.parse().map_err(|_| Error::not_found(format!("there is no candidate {number}")))?;
        return packages::get_candidate(tx, project, CandidateId(id));
    }
    let id: i64 = text.parse().map_err(|_| not_found())?;
    if let Some(package) = packages::find_version(tx, project, VersionId(id))? {
        return Ok(package);
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
