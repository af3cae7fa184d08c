//! Uploads that take more than one request: those that are gone on with where they broke off, and those in parts.
//!
//! Bytes that have arrived are durable before a row says so, so an upload outlives a restart. A file is there when its
//! upload is whole, and not before. What nothing comes for is given up after a week.

mod parts;
mod resumable;
mod turns;

use std::sync::Arc;

use modelry_core::Result;
use modelry_core::digest::Sha256;
use modelry_core::ids::{BlobId, ProjectId};
use modelry_core::policy::{self, Action};
use modelry_store::uploads::Upload;
use modelry_store::{blobs, uploads};

use crate::App;
use crate::access::{Granted, ProjectRef};
use crate::transfer::PlaceOf;

pub use parts::{MOST_PARTS, add_part, begin_parts, complete, give_up_parts};
pub use resumable::{Announcement, Span, begin, find, give_up, receive};
pub use turns::Turns;

/// How long an upload is kept that nothing comes for, in milliseconds.
const PATIENCE_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Uploads that one transaction gives up.
const PRUNED_AT_ONCE: i64 = 100;

/// Projects that are looked at for who may read bytes.
const PROJECTS: i64 = 50;

/// Gives up uploads that nothing came for; their bytes are swept away.
pub async fn prune(app: &App) -> Result<()> {
    let cutoff = app.clock.now().plus_ms(-PATIENCE_MS);
    let pruned = app.db.write(move |tx| uploads::prune(tx, cutoff, PRUNED_AT_ONCE)).await?;
    for id in &pruned {
        app.turns.forget(id);
    }
    Ok(())
}

/// `place`, which also notes that the upload is done.
fn done_with(app: &App, project: ProjectId, upload: &Upload, bytes: u64, place: PlaceOf) -> PlaceOf {
    let (id, now) = (upload.id.clone(), app.clock.now());
    Arc::new(move |tx| {
        uploads::set_done(tx, project, &id, bytes, now)?;
        place(tx)
    })
}

/// Bytes that somebody has sent before.
#[derive(Clone, Copy)]
struct Known {
    blob: BlobId,
    sha256: Sha256,
    size_bytes: u64,
}

/// The bytes that were announced, where a project that the caller may read has a file of them. To anybody else it is as if
/// nobody had them.
async fn known(app: &App, granted: &Granted, sha256: Sha256, size_bytes: u64) -> Result<Option<Known>> {
    let found = app.db.read(move |tx| {
        let Some(blob) = blobs::find_same(tx, sha256, size_bytes)? else { return Ok(None) };
        Ok(Some((blob, blobs::projects_with(tx, blob, PROJECTS)?)))
    });
    let Some((blob, projects)) = found.await? else { return Ok(None) };
    for project in projects {
        let place = ProjectRef::Number(project.0);
        let place = app.callers.find_project(&granted.caller, &place, app.clock.now()).await?;
        let may = |action| {
            place.as_ref().is_some_and(|found| policy::decide(found.project, found.standing, action).is_ok())
        };
        if may(Action::ReadModels) && may(Action::ReadExperiments) {
            return Ok(Some(Known { blob, sha256, size_bytes }));
        }
    }
    Ok(None)
}
