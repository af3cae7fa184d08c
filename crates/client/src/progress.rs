//! How far a transfer is, in one line that is written over again.

use std::io::{self, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use modelry_core::quantity::{bytes, count};

/// How often the line is written at most.
const EVERY: Duration = Duration::from_millis(100);
/// How many characters the bar has.
const BAR: u64 = 24;

/// Where it is shown how far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// On standard error, which is a terminal.
    Terminal,
    /// Nowhere.
    Nowhere,
}

/// How far a transfer is. It may be told from any thread.
#[derive(Debug)]
pub(crate) struct Progress {
    line: Option<Mutex<Line>>,
}

#[derive(Debug)]
struct Line {
    what: &'static str,
    total_bytes: u64,
    done_bytes: u64,
    hashed_bytes: u64,
    total_files: u64,
    done_files: u64,
    begun: Instant,
    written: Option<Instant>,
}

impl Progress {
    /// Begins to count `files` files of `size_bytes` bytes together.
    pub(crate) fn begin(shown: Shown, what: &'static str, files: u64, size_bytes: u64) -> Self {
        let line = (shown == Shown::Terminal).then(|| {
            Mutex::new(Line {
                what,
                total_bytes: size_bytes,
                done_bytes: 0,
                hashed_bytes: 0,
                total_files: files,
                done_files: 0,
                begun: Instant::now(),
                written: None,
            })
        });
        Self { line }
    }

    /// So many more bytes are done.
    pub(crate) fn add_bytes(&self, more: u64) {
        self.change(|line| line.done_bytes += more);
    }

    /// So many more bytes were hashed, which comes before they are done.
    pub(crate) fn add_hashed(&self, more: u64) {
        self.change(|line| line.hashed_bytes += more);
    }

    /// So many more files are done.
    pub(crate) fn add_files(&self, more: u64) {
        self.change(|line| line.done_files += more);
    }

    fn change(&self, change: impl FnOnce(&mut Line)) {
        let Some(line) = &self.line else { return };
        let Ok(mut line) = line.lock() else { return };
        change(&mut line);
        if line.written.is_none_or(|written| written.elapsed() >= EVERY) {
            line.written = Some(Instant::now());
            write(&format!("\r{}\x1b[K", line.text(line.begun.elapsed())));
        }
    }
}

impl Drop for Progress {
    /// Clears the line: what comes next says what was done.
    fn drop(&mut self) {
        if self.line.is_some() {
            write("\r\x1b[K");
        }
    }
}

/// A line that cannot be shown is no reason to fail.
fn write(text: &str) {
    let mut terminal = io::stderr().lock();
    let _ = terminal.write_all(text.as_bytes());
    let _ = terminal.flush();
}

impl Line {
    fn text(&self, elapsed: Duration) -> String {
        let share = (self.done_bytes * BAR).checked_div(self.total_bytes).unwrap_or(BAR).min(BAR);
        let bar: String = (0..BAR).map(|at| if at < share { '#' } else { '.' }).collect();
        let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        let speed = bytes(self.done_bytes.saturating_mul(1_000) / ms);
        let (done, total) = (bytes(self.done_bytes), bytes(self.total_bytes));
        let (files, of) = (count(self.done_files), count(self.total_files));
        let hashed = match self.hashed_bytes {
            0 => String::new(),
            hashed => format!(", {} hashed", bytes(hashed)),
        };
        format!("{} [{bar}] {done} of {total}{hashed}, {files} of {of} files, {speed}/s", self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pull after half a second.
    fn half_a_second(hashed_bytes: u64) -> String {
        let line = Line {
            what: "pulling",
            total_bytes: 4_000_000,
            done_bytes: 1_000_000,
            hashed_bytes,
            total_files: 8,
            done_files: 2,
            begun: Instant::now(),
            written: None,
        };
        line.text(Duration::from_millis(500))
    }

    #[test]
    fn a_line_says_how_far_it_is_and_how_fast() {
        assert_eq!(
            half_a_second(0),
            "pulling [######..................] 1.00 MB of 4.00 MB, 2 of 8 files, 2.00 MB/s"
        );
    }

    #[test]
    fn a_line_says_what_was_hashed() {
        let line = half_a_second(3_000_000);
        assert!(line.contains("1.00 MB of 4.00 MB, 3.00 MB hashed, 2 of 8 files"), "{line}");
    }
}
