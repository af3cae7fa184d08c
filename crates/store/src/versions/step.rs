//! Whether the step from one version to the next says as much as changed.

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::formats::mlmodel::Mlmodel;
use modelry_core::formats::signature_changes::required_step;
use modelry_core::formats::{Facts, FileKind};
use modelry_core::ids::ProjectId;
use modelry_core::version::bump::declared_step;
use modelry_core::{Error, Result};
use modelry_db::Tx;

use super::ModelVersion;
use super::find::predecessor;
use super::publish::place;
use crate::{facts, files, projects};

/// The name of the file in which MLflow's clients describe a model.
const MLMODEL: &str = "MLmodel";

/// Says so where the step from the version before to `version` is less than what changed in the model's signature asks
/// for: `declared patch, looks like major: required column "age" added`. `None` where nothing is known against it.
pub fn check_step(tx: &mut Tx<'_>, project: ProjectId, version: &ModelVersion) -> Result<Option<String>> {
    let Some(before) = predecessor(tx, project, version)? else { return Ok(None) };
    let Some(declared) = declared_step(&before.version, &version.version) else { return Ok(None) };
    let Some(after) = mlmodel(tx, project, version)? else { return Ok(None) };
    let Some(before) = mlmodel(tx, project, &before)? else { return Ok(None) };
    let (Some(before), Some(after)) = (before.signature, after.signature) else { return Ok(None) };
    let required = required_step(&before, &after).filter(|required| required.step > declared);
    Ok(required
        .map(|required| format!("declared {declared}, looks like {}: {}", required.step, required.reason)))
}

/// Fails with `Conflict` where the project refuses versions whose step is too little, and this is one.
pub(super) fn require_step(tx: &mut Tx<'_>, project: ProjectId, version: &ModelVersion) -> Result<()> {
    let refuses = projects::find(tx, project)?.is_some_and(|project| project.refuses_wrong_steps);
    if !refuses {
        return Ok(());
    }
    match check_step(tx, project, version)? {
        None => Ok(()),
        Some(problem) => Err(Error::conflict(format!(
            "version {} of model {} {problem}. This project refuses such a step: give it a greater version",
            version.version, version.model
        ))),
    }
}

/// What the file `MLmodel` of a version says, as far as it was read.
fn mlmodel(tx: &mut Tx<'_>, project: ProjectId, version: &ModelVersion) -> Result<Option<Mlmodel>> {
    let Some((tree, dir)) = place(project, version)? else { return Ok(None) };
    // A model that was uploaded as a whole lies in a directory of its own.
    for path in [MLMODEL.to_owned(), format!("model/{MLMODEL}")] {
        let path: ArtifactPath = path.parse()?;
        let path = dir.as_ref().map_or_else(|| Ok(path.clone()), |dir| dir.join(&path))?;
        if let Some(found) = files::find(tx, tree, &path)? {
            return Ok(match facts::find(tx, found.blob, FileKind::Mlmodel.as_str())? {
                Some(Facts::Mlmodel(mlmodel)) => Some(mlmodel),
                _ => None,
            });
        }
    }
    Ok(None)
}
