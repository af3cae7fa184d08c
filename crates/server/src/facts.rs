//! What model files say of themselves, read from their first bytes when they arrive.

use futures_util::TryStreamExt as _;
use modelry_core::formats::{self, Facts, FileKind, Reading};
use modelry_core::{Error, Result};
use modelry_store::files::Found;

use crate::{App, transfer};

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
    let mut pieces =
        transfer::read(app, (&file.file.path, &file.bytes, file.file.size_bytes), 0..bytes).await?;
    let mut head = Vec::new();
    while let Some(piece) = pieces.try_next().await? {
        head.extend_from_slice(&piece);
    }
    Ok(head)
}
