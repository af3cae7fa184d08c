//! How long the write-ahead log is, and when it is to be moved into the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use rusqlite::hooks::Wal;

/// Pages that the log grows by between two checkpoints: 32 MiB, half of what it may have. A page that is written over and
/// over goes into the database once for each: with half as many, writes of many pages to a large database were slower by a
/// sixth.
pub(super) const PAGES_BETWEEN_CHECKPOINTS: u64 = 8_000;

/// Watches the write-ahead log of the connection that writes.
pub(crate) struct WalMeter {
    /// Pages in use, as of the last commit; SQLite begins anew from 0 once all of them are in the database and nobody
    /// reads them.
    pages: Arc<AtomicU64>,
    at_checkpoint: u64,
    truncate_at: u64,
    limit: u64,
}

impl WalMeter {
    /// Watches `connection`, whose log should stay below `limit_bytes`.
    ///
    /// This turns SQLite's own checkpoints off, which do not tell when they fail.
    pub(crate) fn watch(connection: &mut Connection, limit_bytes: u64) -> rusqlite::Result<Self> {
        let page_bytes: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&pages);
        let hook = move |_: &mut Wal, count| {
            seen.store(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        connection.wal_hook(Some(hook))?;
        let limit = limit_bytes / u64::from(page_bytes);
        Ok(Self { pages, at_checkpoint: 0, truncate_at: limit, limit })
    }

    /// Whether a checkpoint is due. Asking is taken for making it.
    pub(crate) fn checkpoint_is_due(&mut self) -> bool {
        let pages = self.pages();
        if pages < self.at_checkpoint {
            self.at_checkpoint = 0;
        }
        let due = pages - self.at_checkpoint >= PAGES_BETWEEN_CHECKPOINTS;
        if due {
            self.at_checkpoint = pages;
        }
        due
    }

    /// Whether the log is over its limit.
    pub(crate) fn is_over_limit(&self) -> bool {
        self.pages() > self.truncate_at
    }

    /// The log was cut to nothing.
    pub(crate) fn truncated(&mut self) {
        self.pages.store(0, Ordering::Relaxed);
        self.at_checkpoint = 0;
        self.truncate_at = self.limit;
    }

    /// The log could not be cut. The next try is a whole limit further on, so that readers are not held back again
    /// and again for nothing.
    pub(crate) fn not_truncated(&mut self) {
        self.truncate_at = self.pages() + self.limit;
    }

    fn pages(&self) -> u64 {
        self.pages.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(limit: u64) -> WalMeter {
        WalMeter { pages: Arc::default(), at_checkpoint: 0, truncate_at: limit, limit }
    }

    #[test]
    fn a_checkpoint_is_due_every_eight_thousand_pages() {
        let mut meter = meter(20_000);
        let due = [7_999, 8_000, 15_999, 16_000, 16_001].map(|pages| {
            meter.pages.store(pages, Ordering::Relaxed);
            meter.checkpoint_is_due()
        });
        assert_eq!(due, [false, true, false, true, false]);
    }

    #[test]
    fn a_log_that_began_anew_counts_from_nothing() {
        let mut meter = meter(20_000);
        let due = [8_500, 10, 8_010].map(|pages| {
            meter.pages.store(pages, Ordering::Relaxed);
            meter.checkpoint_is_due()
        });
        assert_eq!(due, [true, false, true]);
    }

    #[test]
    fn after_a_try_in_vain_the_next_one_waits_for_a_whole_limit_more() {
        let mut meter = meter(100);
        meter.pages.store(150, Ordering::Relaxed);
        meter.not_truncated();
        let over = [200, 250, 251].map(|pages| {
            meter.pages.store(pages, Ordering::Relaxed);
            meter.is_over_limit()
        });
        assert_eq!(over, [false, false, true]);
    }
}
