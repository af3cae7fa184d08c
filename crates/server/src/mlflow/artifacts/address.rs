//! Addresses: what a path of the artifact proxy leads to.
//!
//! Clients are told `mlflow-artifacts:/<root>/<eid>/artifacts` for a candidate and
//! `mlflow-artifacts:/<root>/models/<id>/artifacts` for a logged model, where `<root>` is the number of their experiment,
//! or the location that was chosen for it; and `mlflow-artifacts:/versions/<id>/artifacts` for a model version. Such an
//! address leads to the files of its owner. All other paths lead to files that the project keeps without an owner.

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{Eid, LoggedModelEid, ProjectId, VersionId};
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::files::{Owner, Tree};
use modelry_store::logged_models::{self, Deleted};
use modelry_store::{candidates, versions};

use crate::naming;

/// What every address of an owner ends with.
const ARTIFACTS: &str = "artifacts";
/// What stands in front of a logged model's id.
const MODELS: &str = "models";

/// A place in the files of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Place {
    /// The owner's files.
    pub(in super::super) tree: Tree,
    /// Where among them; `None` is all of them.
    pub(in super::super) path: Option<ArtifactPath>,
}

/// What `path` leads to; `None` is the top of the files without an owner.
///
/// Fails with `NotFound` where the path has the form of an address that is nobody's: an unknown run or model, or one of
/// another experiment. What is in the bin still has its files.
pub(in super::super) fn locate(
    tx: &mut Tx<'_>,
    project: ProjectId,
    path: Option<&ArtifactPath>,
) -> Result<Place> {
    let without_owner = Tree { project, owner: Owner::Project };
    let Some(path) = path else {
        return Ok(Place { tree: without_owner, path: None });
    };
    let segments: Vec<&str> = path.segments().collect();
    // What may be done there was decided by the address, so nothing else's files can be at one of a version.
    if let Some(id) = naming::version_in(path) {
        return match segments.as_slice() {
            [_, _, ARTIFACTS, below @ ..] => of_version(tx, project, id, &below.join("/")),
            _ => Ok(Place { tree: without_owner, path: Some(path.clone()) }),
        };
    }
    // The last one first: a location may look as if it lay among the files of another owner.
    for end in (0..segments.len()).rev().filter(|end| segments[*end] == ARTIFACTS) {
        if let Some(owner) = owner_of(tx, project, &segments[..end])? {
            let below = segments[end + 1..].join("/");
            return Ok(Place { tree: Tree { project, owner }, path: ArtifactPath::parse_dir(Some(&below))? });
        }
    }
    refuse_unknown_owner(&segments)?;
    Ok(Place { tree: without_owner, path: Some(path.clone()) })
}

/// A place among the files of a version: its own, or, of a draft, those of its candidate.
fn of_version(tx: &mut Tx<'_>, project: ProjectId, id: VersionId, below: &str) -> Result<Place> {
    let not_found = || Error::not_found(format!("there is no model version {id}"));
    let version = versions::find_by_id(tx, project, id)?.ok_or_else(not_found)?;
    let (tree, dir) = versions::place(project, &version)?.ok_or_else(not_found)?;
    let below = ArtifactPath::parse_dir(Some(below))?;
    let path = match (dir, below) {
        (Some(dir), Some(below)) => Some(dir.join(&below)?),
        (dir, below) => dir.or(below),
    };
    Ok(Place { tree, path })
}

/// The owner whose address is `address` and then `artifacts`.
fn owner_of(tx: &mut Tx<'_>, project: ProjectId, address: &[&str]) -> Result<Option<Owner>> {
    if let [root @ .., MODELS, id] = address
        && let Ok(eid) = id.parse::<LoggedModelEid>()
        && let Some(model) = logged_models::find(tx, project, &eid, Deleted::Shown)?
        && model.artifact_root == root.join("/")
    {
        return Ok(Some(Owner::LoggedModel(model.id)));
    }
    if let [root @ .., eid] = address
        && let Some(candidate) = candidates::find_by_eid(tx, project, eid)?
        && candidate.artifact_root == root.join("/")
    {
        return Ok(Some(Owner::Candidate(candidate.id)));
    }
    Ok(None)
}

/// Fails where the path has the form of an address in an experiment without a location of its own.
fn refuse_unknown_owner(segments: &[&str]) -> Result<()> {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match segments {
        [experiment, MODELS, id, ARTIFACTS, ..] if is_number(experiment) => {
            Err(Error::not_found(format!("Logged model with ID '{id}' not found.")))
        }
        [experiment, run, ARTIFACTS, ..] if is_number(experiment) && run.parse::<Eid>().is_ok() => {
            Err(Error::not_found(format!("Run with id={run} not found")))
        }
        _ => Ok(()),
    }
}
