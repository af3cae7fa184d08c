//! Collection: removing bytes that nobody can reach any more.
//!
//! There are two kinds. Blobs that no file refers to are marked dying, then lose their bytes, then their row. Bytes
//! without a row come from uploads that were cut off by a crash; they are found by listing the store. Both are left
//! alone for a day: a download may still be running, an upload may be about to get its row.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use modelry_core::Result;
use modelry_core::store_key::StoreKey;
use modelry_store::blobs;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{App, purge};

/// How long bytes are left alone, in milliseconds.
const GRACE_MS: i64 = 24 * 60 * 60 * 1_000;

/// Blobs that one transaction takes.
const SLICE: i64 = 200;

/// Keys that one transaction looks up.
const SWEPT_AT_ONCE: usize = 500;

/// How often blobs are collected.
const HOUR: Duration = Duration::from_hours(1);

/// How often the whole store is listed.
const DAY: Duration = Duration::from_hours(24);

/// Collects every hour and sweeps every day, until it is dropped.
pub async fn run(app: App) {
    let (mut hours, mut days) = (ticks(HOUR), ticks(DAY));
    loop {
        let removed = tokio::select! {
            _ = hours.tick() => expire_and_collect(&app).await,
            _ = days.tick() => sweep(&app).await,
        };
        match removed {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed bytes that nobody refers to"),
            Err(error) => tracing::warn!(%error, "removing bytes failed; it is tried again later"),
        }
    }
}

async fn expire_and_collect(app: &App) -> Result<u64> {
    let expired = purge::expire(app).await?;
    if expired > 0 {
        tracing::info!(expired, "removed for good what was in the bin for a week");
    }
    collect(app).await
}

fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Removes blobs that nobody has referred to for a day, and answers how many.
pub async fn collect(app: &App) -> Result<u64> {
    let cutoff = app.clock.now().plus_ms(-GRACE_MS);
    while app.db.write(move |tx| blobs::mark_dying(tx, cutoff, SLICE)).await? > 0 {}
    let mut removed = 0;
    loop {
        let dying = app.db.read(|tx| blobs::list_dying(tx, SLICE)).await?;
        if dying.is_empty() {
            return Ok(removed);
        }
        for blob in &dying {
            app.blobs.delete(&blob.store_key).await?;
        }
        removed += dying.len() as u64;
        app.db
            .write(move |tx| dying.iter().try_for_each(|blob| blobs::delete_dying(tx, blob.id).map(drop)))
            .await?;
    }
}

/// Removes bytes that have had no row for a day, and answers of how many keys.
pub async fn sweep(app: &App) -> Result<u64> {
    let cutoff = app.clock.now().plus_ms(-GRACE_MS);
    let mut slices = pin!(app.blobs.list_older_than(cutoff).chunks(SWEPT_AT_ONCE));
    let mut removed = 0;
    while let Some(keys) = slices.next().await {
        let keys: Vec<StoreKey> = keys.into_iter().collect::<Result<_>>()?;
        let orphans = app.db.read(move |tx| blobs::without_row(tx, &keys)).await?;
        for key in &orphans {
            app.blobs.delete(key).await?;
        }
        removed += orphans.len() as u64;
    }
    Ok(removed)
}
