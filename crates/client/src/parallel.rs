//! The same work for many things, a few at a time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use modelry_core::{Error, Result};

/// Tells work that is under way that it is to stop, because other work failed.
#[derive(Debug, Default)]
pub(crate) struct Stop(AtomicBool);

impl Stop {
    /// Fails where the work is to stop.
    pub(crate) fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            Err(Error::unavailable("stopped, because other work failed"))
        } else {
            Ok(())
        }
    }
}

/// How long is waited before something is tried again; after the last time the failure stands.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// How often something failed without getting further.
#[derive(Debug, Default)]
pub(crate) struct Patience(usize);

impl Patience {
    /// It got further.
    pub(crate) fn renew(&mut self) {
        self.0 = 0;
    }

    /// Waits before another try, or answers with the failure where there were enough, or where the work is to stop.
    pub(crate) fn bear(&mut self, failure: Error, stop: &Stop) -> Result<()> {
        stop.check()?;
        let Some(pause) = PAUSES.get(self.0) else { return Err(failure) };
        thread::sleep(*pause);
        self.0 += 1;
        Ok(())
    }
}

/// Does `work` for `0..count` on `threads` threads, in order. The first failure stops what has not begun, tells the
/// rest, and is answered.
pub(crate) fn for_each(
    count: usize,
    threads: usize,
    work: &(dyn Fn(usize, &Stop) -> Result<()> + Sync),
) -> Result<()> {
    let (next, stop, failure) = (AtomicUsize::new(0), Stop::default(), Mutex::new(None));
    let run = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count || stop.check().is_err() {
                return;
            }
            if let Err(error) = work(index, &stop) {
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                stop.0.store(true, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.min(count) {
            scope.spawn(run);
        }
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_once() {
        let done = Mutex::new(Vec::new());
        for_each(100, 4, &|index, _| {
            done.lock().unwrap().push(index);
            Ok(())
        })
        .unwrap();
        let mut done = done.into_inner().unwrap();
        done.sort_unstable();
        assert_eq!(done, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_failure_is_answered_and_nothing_is_begun_after_it() {
        let begun = AtomicUsize::new(0);
        let error = for_each(100, 1, &|index, _| {
            begun.fetch_add(1, Ordering::Relaxed);
            if index == 2 { Err(Error::invalid("the third")) } else { Ok(()) }
        })
        .unwrap_err();
        assert_eq!((error.message(), begun.into_inner()), ("the third", 3));
    }
}
