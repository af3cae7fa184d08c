//! What model files say of themselves, read from their first bytes when they arrive.

use futures_util::TryStreamExt as _;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::formats::mlmodel::Mlmodel;
use modelry_core::formats::signature_changes::required_step;
use modelry_core::formats::{self, Facts, FileKind, Reading};
use modelry_core::ids::ProjectId;
use modelry_core::version::bump::declared_step;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::files::{self, Found};
use modelry_store::versions::{self, ModelVersion};

use crate::App;

/// The name of the file in which MLflow's clients describe a model.
const MLMODEL: &str = "MLmodel";

/// The facts of a file: as they were noted when it arrived, else read now.
pub async fn read(app: &App, kind: FileKind, file: &Found) -> Result<Facts> {
    let blob = file.blob;
    match app.db.read(move |tx| modelry_store::facts::find(tx, blob, kind.as_str())).await? {
        Some(facts) => Ok(facts),
        None => read_bytes(app, kind, file).await,
    }
}

/// Notes the facts of a file that has arrived, should its name promise any.
///
/// The file is there whatever becomes of this: what is not noted is read when it is asked for.
pub(crate) async fn note(app: &App, file: Found) {
    let Some(kind) = FileKind::of(&file.file.path) else { return };
    if let Err(error) = read_and_insert(app, kind, &file).await {
        tracing::warn!(%error, path = file.file.path, "could not note what a file says of itself");
    }
}

async fn read_and_insert(app: &App, kind: FileKind, file: &Found) -> Result<()> {
    let (facts, blob) = (read_bytes(app, kind, file).await?, file.blob);
    app.db.write(move |tx| modelry_store::facts::insert(tx, blob, kind.as_str(), &facts)).await
}

/// Reads the facts of a file, fetching no more of it than they need.
async fn read_bytes(app: &App, kind: FileKind, file: &Found) -> Result<Facts> {
    let mut head = Vec::new();
    loop {
        match formats::read(kind, &head, file.file.size_bytes) {
            Reading::Done(facts) => return Ok(facts),
            Reading::NeedsMore(bytes) => {
                head = read_head(app, file, bytes as u64).await?;
                if head.len() < bytes {
                    return Err(Error::internal(format!("{} is shorter than its row says", file.file.path)));
                }
            }
        }
    }
}

async fn read_head(app: &App, file: &Found, bytes: u64) -> Result<Vec<u8>> {
    let mut pieces = app.blobs.read(file.bytes.intact(&file.file.path)?, 0..bytes).await?;
    let mut head = Vec::new();
    while let Some(piece) = pieces.try_next().await? {
        head.extend_from_slice(&piece);
    }
    Ok(head)
}

/// What the file `MLmodel` says; `None` where it cannot be read.
async fn read_mlmodel(app: &App, file: &Found) -> Result<Option<Mlmodel>> {
    match read(app, FileKind::Mlmodel, file).await? {
        Facts::Mlmodel(mlmodel) => Ok(Some(mlmodel)),
        Facts::Safetensors(_) | Facts::Gguf(_) | Facts::Pickle | Facts::Unreadable { .. } => Ok(None),
    }
}

/// Says so where the step from the version before to `version` is less than what changed in the model's signature asks
/// for: `declared patch, looks like major: required column "age" added`. `None` where nothing is known against it.
pub async fn check_step(app: &App, project: ProjectId, version: &ModelVersion) -> Result<Option<String>> {
    let (this, wanted) = (version.clone(), version.version.clone());
    let found = app.db.read(move |tx| {
        let Some(before) = versions::predecessor(tx, project, &this)? else { return Ok(None) };
        let Some(step) = declared_step(&before.version, &wanted) else { return Ok(None) };
        let files = (find_mlmodel(tx, project, &before)?, find_mlmodel(tx, project, &this)?);
        Ok(match files {
            (Some(before), Some(after)) => Some((step, before, after)),
            _ => None,
        })
    });
    let Some((declared, before, after)) = found.await? else { return Ok(None) };
    let (Some(before), Some(after)) = (read_mlmodel(app, &before).await?, read_mlmodel(app, &after).await?)
    else {
        return Ok(None);
    };
    let (Some(before), Some(after)) = (before.signature, after.signature) else { return Ok(None) };
    let required = required_step(&before, &after).filter(|required| required.step > declared);
    Ok(required
        .map(|required| format!("declared {declared}, looks like {}: {}", required.step, required.reason)))
}

fn find_mlmodel(tx: &mut Tx<'_>, project: ProjectId, version: &ModelVersion) -> Result<Option<Found>> {
    let Some((tree, dir)) = versions::place(project, version)? else { return Ok(None) };
    let name: ArtifactPath = MLMODEL.parse()?;
    // A model that was uploaded as a whole lies in a directory of its own.
    let inside: ArtifactPath = format!("model/{MLMODEL}").parse()?;
    for path in [name, inside] {
        let path = dir.as_ref().map_or_else(|| Ok(path.clone()), |dir| dir.join(&path))?;
        if let Some(found) = files::find(tx, tree, &path)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
