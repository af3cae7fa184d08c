//! How often somebody may be wrong: failed sign-ins are counted per username and address, in this process.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use modelry_core::time::Timestamp;
use modelry_core::{Error, Kind, Result};

/// How many sign-ins may fail within [`WINDOW_MS`].
pub const LIMIT: u32 = 10;

/// How long failures count, from the first one on, in milliseconds.
pub const WINDOW_MS: i64 = 600_000;

/// How many pairs of username and address are counted at a time; beyond it the oldest is forgotten.
const CAPACITY: usize = 10_000;

/// Counts sign-ins that have not succeeded.
#[derive(Debug, Default)]
pub struct Attempts {
    counted: Mutex<HashMap<Source, Window>>,
}

/// Who tries, and from where; without an address where the connection has none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    username: String,
    address: Option<IpAddr>,
}

impl Source {
    /// Somebody who tries `username`, whatever its case, from `address`. A network of IPv6 is one address.
    pub fn new(username: &str, address: Option<IpAddr>) -> Self {
        let address = address.map(|address| match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & (u128::MAX << 64)).into()),
            v4 @ IpAddr::V4(_) => v4,
        });
        // No username is longer; the rest of a hostile one is not kept.
        let username = username.chars().take(100).collect::<String>().to_ascii_lowercase();
        Self { username, address }
    }
}

#[derive(Debug)]
struct Window {
    started_at: Timestamp,
    attempts: u32,
}

impl Attempts {
    /// Counts an attempt, which is a failure until [`Self::forgive`] says otherwise: so attempts at the same time
    /// count too. Fails with `RateLimited` when there were too many.
    pub fn begin(&self, source: &Source, now: Timestamp) -> Result<()> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if !counted.contains_key(source) {
            make_room(&mut counted, now);
        }
        let window = counted.entry(source.clone()).or_insert(Window { started_at: now, attempts: 0 });
        if is_over(window, now) {
            *window = Window { started_at: now, attempts: 0 };
        }
        if window.attempts >= LIMIT {
            return Err(Error::new(Kind::RateLimited, "too many failed sign-ins: try again in ten minutes"));
        }
        window.attempts += 1;
        Ok(())
    }

    /// Forgets the failures of somebody who got in.
    pub fn forgive(&self, source: &Source) {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).remove(source);
    }
}

fn make_room(counted: &mut HashMap<Source, Window>, now: Timestamp) {
    if counted.len() < CAPACITY {
        return;
    }
    counted.retain(|_, window| !is_over(window, now));
    if counted.len() < CAPACITY {
        return;
    }
    let oldest = counted.iter().min_by_key(|(_, window)| window.started_at).map(|(source, _)| source.clone());
    if let Some(oldest) = oldest {
        counted.remove(&oldest);
    }
}

fn is_over(window: &Window, now: Timestamp) -> bool {
    now >= window.started_at.plus_ms(WINDOW_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn source(username: &str, address: &str) -> Source {
        Source::new(username, Some(address.parse().expect("an address")))
    }

    fn exhaust(attempts: &Attempts, source: &Source) {
        for _ in 0..LIMIT {
            attempts.begin(source, NOW).expect("below the limit");
        }
    }

    fn is_refused(attempts: &Attempts, source: &Source, now: Timestamp) -> bool {
        attempts.begin(source, now).is_err_and(|error| error.kind() == Kind::RateLimited)
    }

    #[test]
    fn too_many_failures_are_refused_until_the_window_is_over() {
        let attempts = Attempts::default();
        let ann = source("ann", "10.0.0.1");
        exhaust(&attempts, &ann);
        assert!(is_refused(&attempts, &ann, NOW.plus_ms(WINDOW_MS - 1)));
        assert!(!is_refused(&attempts, &ann, NOW.plus_ms(WINDOW_MS)));
    }

    #[test]
    fn a_success_forgives_the_failures_before_it() {
        let attempts = Attempts::default();
        let ann = source("ann", "10.0.0.1");
        exhaust(&attempts, &ann);
        attempts.forgive(&ann);
        assert!(!is_refused(&attempts, &ann, NOW));
    }

    #[test]
    fn another_address_and_another_user_count_apart() {
        let attempts = Attempts::default();
        exhaust(&attempts, &source("ann", "10.0.0.1"));
        assert!(!is_refused(&attempts, &source("ann", "10.0.0.2"), NOW));
        assert!(!is_refused(&attempts, &source("bob", "10.0.0.1"), NOW));
    }

    #[test]
    fn case_mapped_addresses_and_hosts_of_a_network_do_not_get_round_it() {
        let attempts = Attempts::default();
        exhaust(&attempts, &source("ann", "10.0.0.1"));
        exhaust(&attempts, &source("ann", "2001:db8::1"));
        assert!(is_refused(&attempts, &source("ANN", "10.0.0.1"), NOW));
        assert!(is_refused(&attempts, &source("ann", "::ffff:10.0.0.1"), NOW));
        assert!(is_refused(&attempts, &source("ann", "2001:db8::abcd:2"), NOW));
    }

    #[test]
    fn what_is_counted_is_bounded() {
        let attempts = Attempts::default();
        for number in 0..=CAPACITY {
            attempts.begin(&Source::new(&format!("user{number}"), None), NOW).expect("first attempt");
        }
        assert_eq!(attempts.counted.lock().expect("not poisoned").len(), CAPACITY);
    }
}
