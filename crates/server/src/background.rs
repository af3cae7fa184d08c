//! Work that no request waits for.

use std::time::Duration;

use modelry_core::Result;
use modelry_store::sessions;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::{App, collection, uploads};

/// How often small chores are done.
const MINUTE: Duration = Duration::from_mins(1);

/// The most rows that one chore deletes in one transaction.
const SLICE: i64 = 500;

/// Starts the background work; dropping or aborting the set ends it.
pub fn start(app: &App) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let chores = app.clone();
    tasks.spawn(async move {
        let mut ticks = interval(MINUTE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = do_chores(&chores).await {
                tracing::warn!(%error, "a chore failed; it is tried again in a minute");
            }
        }
    });
    tasks.spawn(collection::run(app.clone()));
    tasks
}

/// Writes down what is only counted in memory so far. To be called before the process ends, too.
pub async fn write_counts(app: &App) -> Result<()> {
    app.callers.write_uses().await?;
    app.pulls.write().await
}

async fn do_chores(app: &App) -> Result<()> {
    write_counts(app).await?;
    let now = app.clock.now();
    app.db.write(move |tx| sessions::prune(tx, now, SLICE)).await?;
    app.db.write(move |tx| sessions::prune_links(tx, now, SLICE)).await?;
    uploads::prune(app).await
}
