//! Where time and randomness come from: the only place that asks the machine for them.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use modelry_core::time::Timestamp;

/// Tells the time.
#[derive(Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is set, for tests.
    Fixed(AtomicI64),
}

impl Clock {
    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Fixed(ms) => Timestamp(ms.load(Ordering::Relaxed)),
        }
    }

    /// Moves a fixed clock; the machine's clock is not ours to move.
    pub fn set(&self, now: Timestamp) {
        if let Self::Fixed(ms) = self {
            ms.store(now.ms(), Ordering::Relaxed);
        }
    }
}

/// Gives random bytes.
#[derive(Debug)]
pub enum Random {
    /// The operating system's generator.
    System,
    /// Counts up, so that tests can name what comes.
    Counted(AtomicU64),
}

impl Random {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            Self::System => getrandom::fill(&mut bytes).expect("the operating system gives random bytes"),
            Self::Counted(counter) => {
                let count = counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                for (byte, digit) in bytes.iter_mut().rev().zip(count.iter().rev()) {
                    *byte = *digit;
                }
            }
        }
        bytes
    }
}
