//! Walking through the start of a file of which perhaps not enough is there yet.

use super::Refusal;

/// The least that is asked for, in bytes: one read is enough for most files.
const FIRST_BYTES: usize = 64 * 1024;

/// Why a reader stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It needs this many bytes of the start of the file.
    NeedsMore(usize),
    /// The file is not what it claims to be.
    Refused(Refusal),
}

impl Stop {
    pub(super) fn refused(reason: impl AsRef<str>) -> Self {
        Self::Refused(Refusal::new(reason))
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A place in the start of a file.
pub(super) struct Cursor<'a> {
    head: &'a [u8],
    at: usize,
    /// Where the file ends, or what is read of it.
    end: usize,
    is_whole_file: bool,
}

impl<'a> Cursor<'a> {
    /// The first bytes of a file of `size` bytes, of which at most `limit` are read.
    pub(super) fn new(head: &'a [u8], size: u64, limit: usize) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let end = size.min(limit);
        Self { head: &head[..head.len().min(end)], at: 0, end, is_whole_file: size <= limit }
    }

    /// How many bytes were passed.
    pub(super) fn position(&self) -> u64 {
        self.at as u64
    }

    /// Takes the next `length` bytes, which are `what`.
    pub(super) fn take(&mut self, length: u64, what: &str) -> Result<&'a [u8], Stop> {
        let end = self.end_of(length, what)?;
        let Some(bytes) = self.head.get(self.at..end) else {
            let wanted = end.max(FIRST_BYTES).max(self.head.len().saturating_mul(2));
            return Err(Stop::NeedsMore(wanted.min(self.end)));
        };
        self.at = end;
        Ok(bytes)
    }

    /// Takes the next `N` bytes, which are `what`.
    pub(super) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Stop> {
        let bytes = self.take(N as u64, what)?;
        Ok(bytes.try_into().expect("as many bytes were taken"))
    }

    /// Checks that `count` items of at least `each` bytes can follow, before any of them is read.
    pub(super) fn expect_room(&self, count: u64, each: u64, what: &str) -> Result<(), Stop> {
        let room = (self.end - self.at) as u64;
        if count <= room / each {
            return Ok(());
        }
        let place = if self.is_whole_file { "the rest of the file" } else { "the part that is read" };
        Err(Stop::refused(format!("{count} {what} are claimed, more than {place} can hold")))
    }

    fn end_of(&self, length: u64, what: &str) -> Result<usize, Stop> {
        let left = self.end - self.at;
        match usize::try_from(length) {
            Ok(length) if length <= left => Ok(self.at + length),
            _ if self.is_whole_file => {
                Err(Stop::refused(format!("{what} takes {length} bytes, and the file has {left} left")))
            }
            _ => Err(Stop::refused(format!(
                "{what} takes {length} bytes, and only the first {} of the file are read",
                self.end
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_asked_for_generously_but_not_beyond_the_file() {
        let asked = |head: &[u8], size| Cursor::new(head, size, 1 << 20).take(9, "a thing").unwrap_err();
        assert_eq!(asked(&[], 1 << 30), Stop::NeedsMore(FIRST_BYTES));
        assert_eq!(asked(&[0; 8], 100), Stop::NeedsMore(100));
        let given = vec![0; 100_000];
        let mut cursor = Cursor::new(&given, 1 << 30, 1 << 20);
        assert_eq!(cursor.take(100_001, "a thing").unwrap_err(), Stop::NeedsMore(200_000));
    }

    #[test]
    fn a_length_beyond_the_file_or_the_limit_is_refused_before_it_is_asked_for() {
        let refusal = |size, limit| Cursor::new(&[], size, limit).take(u64::MAX, "a thing").unwrap_err();
        assert_eq!(
            refusal(5, 10),
            Stop::refused("a thing takes 18446744073709551615 bytes, and the file has 5 left")
        );
        assert_eq!(
            refusal(50, 10),
            Stop::refused(
                "a thing takes 18446744073709551615 bytes, and only the first 10 of the file are read"
            )
        );
    }
}
