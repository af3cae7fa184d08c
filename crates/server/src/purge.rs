//! Removing for good what is in the bin: what somebody asks for at once, everything else after a week.

use modelry_core::Result;
use modelry_core::ids::ProjectId;
use modelry_store::files::Deleted;
use modelry_store::purge::{self, Thing};

use crate::{App, collection};

/// How long things stay in the bin, in milliseconds.
pub const BIN_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// How long things stay in the bin, in days.
pub const BIN_DAYS: i64 = 7;

/// Things of each kind that are begun with in one go.
const BEGUN_AT_ONCE: i64 = 50;

/// Rows that one transaction removes.
const SLICE: i64 = 200;

/// Removes a thing in the bin for good, and the bytes that nothing else refers to. Answers how many of these the project
/// had. Fails with `NotFound` when it is not in the bin.
pub async fn now(app: &App, project: ProjectId, thing: Thing) -> Result<u64> {
    let at = app.clock.now();
    let begun = app.db.write(move |tx| {
        let frees = purge::frees(tx, project, thing)?;
        purge::begin(tx, project, thing, at)?;
        Ok(frees)
    });
    let freed = begun.await?;
    // Whoever asked may go; what is begun is ended.
    let app = app.clone();
    let work = tokio::spawn(async move {
        finish(&app).await?;
        collection::collect(&app).await
    });
    work.await.map_err(|error| modelry_core::Error::internal("a purge was cut off").with_source(error))??;
    Ok(freed)
}

/// Removes what has been in the bin for too long, and ends what was begun. Answers how many things that were.
pub async fn expire(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let cutoff = now.plus_ms(-BIN_MS);
    let expired = app.db.read(move |tx| purge::expired(tx, cutoff, BEGUN_AT_ONCE)).await?;
    let count = expired.len();
    for (project, thing) in expired {
        // Somebody else's purge, or a restoration, may have come first.
        app.db.write(move |tx| purge::begin_if_there(tx, project, thing, now)).await?;
    }
    finish(app).await?;
    Ok(count)
}

/// Ends everything that was begun.
async fn finish(app: &App) -> Result<()> {
    loop {
        let pending = app.db.read(|tx| purge::pending(tx, BEGUN_AT_ONCE)).await?;
        if pending.is_empty() {
            return Ok(());
        }
        for (project, thing) in pending {
            while app.db.write(move |tx| purge::slice(tx, project, thing, SLICE)).await? == Deleted::Some {}
        }
    }
}
