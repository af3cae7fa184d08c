//! The parts of a zip archive (PKWARE's APPNOTE 6.3): files as they are, in the order in which they come.
//!
//! The checksum of a file is known once its bytes have gone by, so it follows behind them, in a data descriptor. Sizes
//! are known before. What does not fit into 32 bits is told as ZIP64 does; other archives are plain ones.

use bytes::{BufMut as _, Bytes, BytesMut};

/// What of a size or an offset stands for "in the ZIP64 field".
const MANY: u32 = u32::MAX;

/// What of a count stands for "in the ZIP64 record".
const MANY_FILES: u16 = u16::MAX;

/// Names are UTF-8, and checksum and sizes follow behind the bytes.
const FLAGS: u16 = 1 << 11 | 1 << 3;

/// The versions of the format that a reader has to know: for plain archives, and for ZIP64.
const PLAIN: u16 = 20;
const ZIP64: u16 = 45;

/// Written by a Unix system, whose file modes `MODE` is one of.
const MADE_BY: u16 = 3 << 8 | ZIP64;

/// A file that everybody may read and its owner write.
const MODE: u32 = 0o100_644 << 16;

/// The first of January 1980, the first day there is, at midnight: the same files give the same bytes.
const DATE: u16 = 1 << 5 | 1;

/// A file of an archive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'e> {
    /// Its path.
    pub(super) path: &'e str,
    /// How many bytes it has.
    pub(super) size_bytes: u64,
}

impl Member<'_> {
    fn is_large(self) -> bool {
        self.size_bytes >= u64::from(MANY)
    }

    /// What comes before its bytes.
    pub(super) fn header(self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(50 + self.path.len());
        bytes.put_u32_le(0x0403_4b50);
        bytes.put_u16_le(if self.is_large() { ZIP64 } else { PLAIN });
        put_description(&mut bytes);
        // Checksum and sizes come later; of a large file that they will be long ones is said here.
        bytes.put_u32_le(0);
        let later = if self.is_large() { MANY } else { 0 };
        bytes.put_u32_le(later);
        bytes.put_u32_le(later);
        self.put_name_length(&mut bytes);
        bytes.put_u16_le(if self.is_large() { 20 } else { 0 });
        bytes.put_slice(self.path.as_bytes());
        if self.is_large() {
            put_zip64(&mut bytes, &[0, 0]);
        }
        bytes.freeze()
    }

    /// What comes behind its bytes, of which `checksum` is the CRC-32.
    pub(super) fn descriptor(self, checksum: u32) -> Bytes {
        let mut bytes = BytesMut::with_capacity(24);
        bytes.put_u32_le(0x0807_4b50);
        bytes.put_u32_le(checksum);
        match u32::try_from(self.size_bytes) {
            Ok(size) if !self.is_large() => {
                bytes.put_u32_le(size);
                bytes.put_u32_le(size);
            }
            _ => {
                bytes.put_u64_le(self.size_bytes);
                bytes.put_u64_le(self.size_bytes);
            }
        }
        bytes.freeze()
    }

    /// Its entry in the directory at the end; `offset` is where its header starts in the archive.
    pub(super) fn entry(self, checksum: u32, offset: u64) -> Bytes {
        let (size, offset_field) = (short(self.size_bytes), short(offset));
        let mut long = Vec::new();
        if size == MANY {
            long.extend([self.size_bytes, self.size_bytes]);
        }
        if offset_field == MANY {
            long.push(offset);
        }
        let mut bytes = BytesMut::with_capacity(46 + self.path.len() + 28);
        bytes.put_u32_le(0x0201_4b50);
        bytes.put_u16_le(MADE_BY);
        bytes.put_u16_le(if long.is_empty() { PLAIN } else { ZIP64 });
        put_description(&mut bytes);
        bytes.put_u32_le(checksum);
        bytes.put_u32_le(size);
        bytes.put_u32_le(size);
        self.put_name_length(&mut bytes);
        bytes.put_u16_le(zip64_length(&long));
        // No comment; on the first disk; not a text; its mode.
        bytes.put_u16_le(0);
        bytes.put_u16_le(0);
        bytes.put_u16_le(0);
        bytes.put_u32_le(MODE);
        bytes.put_u32_le(offset_field);
        bytes.put_slice(self.path.as_bytes());
        if !long.is_empty() {
            put_zip64(&mut bytes, &long);
        }
        bytes.freeze()
    }

    fn put_name_length(self, bytes: &mut BytesMut) {
        bytes.put_u16_le(u16::try_from(self.path.len()).expect("a path has at most 1,024 bytes"));
    }
}

/// Flags, method and time, which are the same for all.
fn put_description(bytes: &mut BytesMut) {
    bytes.put_u16_le(FLAGS);
    bytes.put_u16_le(0);
    bytes.put_u16_le(0);
    bytes.put_u16_le(DATE);
}

/// A number as a field of 32 bits tells it.
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(MANY)
}

fn zip64_length(numbers: &[u64]) -> u16 {
    if numbers.is_empty() {
        0
    } else {
        4 + 8 * u16::try_from(numbers.len()).expect("there are three at most")
    }
}

fn put_zip64(bytes: &mut BytesMut, numbers: &[u64]) {
    bytes.put_u16_le(1);
    bytes.put_u16_le(zip64_length(numbers) - 4);
    for number in numbers {
        bytes.put_u64_le(*number);
    }
}

/// How far an archive has come: where the next part starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// How many files there are.
    files: u64,
    /// How many bytes they take, with what is around them.
    files_bytes: u64,
    /// How many bytes the directory takes.
    directory_bytes: u64,
}

impl Layout {
    /// Adds a file, and answers where in the archive it starts.
    pub(super) fn add(&mut self, member: Member<'_>) -> u64 {
        let offset = self.files_bytes;
        let around = member.header().len() + member.descriptor(0).len();
        self.files += 1;
        self.files_bytes += around as u64 + member.size_bytes;
        self.directory_bytes += member.entry(0, offset).len() as u64;
        offset
    }

    /// How many bytes the whole archive has.
    pub(super) fn archive_bytes(self) -> u64 {
        self.files_bytes + self.directory_bytes + self.end().len() as u64
    }

    /// What ends the archive, behind the directory.
    pub(super) fn end(self) -> Bytes {
        let count = u16::try_from(self.files).unwrap_or(MANY_FILES);
        let (size, offset) = (short(self.directory_bytes), short(self.files_bytes));
        let mut bytes = BytesMut::with_capacity(98);
        if count == MANY_FILES || size == MANY || offset == MANY {
            self.put_long_end(&mut bytes);
        }
        bytes.put_u32_le(0x0605_4b50);
        bytes.put_u16_le(0);
        bytes.put_u16_le(0);
        bytes.put_u16_le(count);
        bytes.put_u16_le(count);
        bytes.put_u32_le(size);
        bytes.put_u32_le(offset);
        bytes.put_u16_le(0);
        bytes.freeze()
    }

    /// ZIP64's end of the directory, and where that is.
    fn put_long_end(self, bytes: &mut BytesMut) {
        bytes.put_u32_le(0x0606_4b50);
        bytes.put_u64_le(44);
        bytes.put_u16_le(MADE_BY);
        bytes.put_u16_le(ZIP64);
        bytes.put_u32_le(0);
        bytes.put_u32_le(0);
        bytes.put_u64_le(self.files);
        bytes.put_u64_le(self.files);
        bytes.put_u64_le(self.directory_bytes);
        bytes.put_u64_le(self.files_bytes);
        bytes.put_u32_le(0x0706_4b50);
        bytes.put_u32_le(0);
        bytes.put_u64_le(self.files_bytes + self.directory_bytes);
        bytes.put_u32_le(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: u64 = 5 << 30;

    fn member(path: &str, size_bytes: u64) -> Member<'_> {
        Member { path, size_bytes }
    }

    /// The number of `length` bytes at `at`.
    fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
        bytes[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    #[test]
    fn a_small_file_is_told_as_plain_archives_do() {
        let small = member("dir/é", 5);
        let header = small.header();
        assert_eq!(header.len(), 30 + small.path.len());
        assert_eq!((number(&header, 4, 2), number(&header, 6, 2), number(&header, 8, 2)), (20, 0x0808, 0));
        assert_eq!((number(&header, 26, 2), number(&header, 28, 2)), (6, 0));
        assert_eq!(&header[30..], small.path.as_bytes());
        let descriptor = small.descriptor(0xdead_beef);
        assert_eq!(descriptor.len(), 16);
        let fields = [4, 8, 12].map(|at| number(&descriptor, at, 4));
        assert_eq!(fields, [0xdead_beef, 5, 5]);
        let entry = small.entry(0xdead_beef, 7);
        assert_eq!(entry.len(), 46 + small.path.len());
        let fields = [16, 20, 24, 42].map(|at| number(&entry, at, 4));
        assert_eq!(fields, [0xdead_beef, 5, 5, 7]);
        assert_eq!(number(&entry, 38, 4) >> 16, 0o100_644);
    }

    #[test]
    fn a_file_of_more_than_4_gib_has_long_sizes() {
        let large = member("large", LARGE);
        let header = large.header();
        assert_eq!((number(&header, 4, 2), number(&header, 28, 2), header.len()), (45, 20, 55));
        assert_eq!([18, 22].map(|at| number(&header, at, 4)), [u64::from(MANY); 2]);
        assert_eq!((number(&header, 35, 2), number(&header, 37, 2)), (1, 16));
        let descriptor = large.descriptor(1);
        assert_eq!(
            (descriptor.len(), number(&descriptor, 8, 8), number(&descriptor, 16, 8)),
            (24, LARGE, LARGE)
        );
        let entry = large.entry(1, 7);
        assert_eq!((number(&entry, 6, 2), number(&entry, 30, 2), entry.len()), (45, 20, 46 + 5 + 20));
        assert_eq!([20, 24].map(|at| number(&entry, at, 4)), [u64::from(MANY); 2]);
        assert_eq!([55, 63].map(|at| number(&entry, at, 8)), [LARGE; 2]);
        assert_eq!(number(&entry, 42, 4), 7);
    }

    #[test]
    fn a_size_that_looks_like_the_mark_of_zip64_is_told_in_long_form() {
        let (below, at) = (member("a", u64::from(MANY) - 1), member("a", u64::from(MANY)));
        assert_eq!((below.descriptor(0).len(), at.descriptor(0).len()), (16, 24));
        assert_eq!((below.entry(0, 0).len(), at.entry(0, 0).len()), (47, 67));
        assert_eq!((below.header().len(), at.header().len()), (31, 51));
    }

    #[test]
    fn a_file_behind_4_gib_has_a_long_offset_alone() {
        let entry = member("late", 3).entry(1, LARGE);
        assert_eq!((number(&entry, 24, 4), number(&entry, 42, 4)), (3, u64::from(MANY)));
        assert_eq!((number(&entry, 30, 2), number(&entry, 52, 2), number(&entry, 54, 8)), (12, 8, LARGE));
    }

    #[test]
    fn the_end_of_a_small_archive_is_the_plain_one() {
        let mut layout = Layout::default();
        let offsets = [layout.add(member("a", 5)), layout.add(member("b", 0))];
        assert_eq!(offsets, [0, 31 + 5 + 16]);
        let end = layout.end();
        assert_eq!((end.len(), number(&end, 10, 2)), (22, 2));
        assert_eq!((number(&end, 12, 4), number(&end, 16, 4)), (2 * 47, 52 + 31 + 16));
        assert_eq!(layout.archive_bytes(), 99 + 94 + 22);
    }

    #[test]
    fn the_end_of_a_large_archive_is_told_twice() {
        let mut layout = Layout::default();
        layout.add(member("a", LARGE));
        layout.add(member("b", 1));
        let end = layout.end();
        assert_eq!((end.len(), number(&end, 0, 4), number(&end, 4, 8)), (56 + 20 + 22, 0x0606_4b50, 44));
        let files_bytes = (51 + LARGE + 24) + (31 + 1 + 16);
        assert_eq!((number(&end, 24, 8), number(&end, 48, 8)), (2, files_bytes));
        // The directory: a with two long sizes, b with a long offset.
        assert_eq!(number(&end, 40, 8), 67 + 59);
        assert_eq!((number(&end, 56, 4), number(&end, 64, 8)), (0x0706_4b50, files_bytes + 67 + 59));
        assert_eq!((number(&end, 76 + 10, 2), number(&end, 76 + 16, 4)), (2, u64::from(MANY)));
        assert_eq!(layout.archive_bytes(), files_bytes + 67 + 59 + 98);
    }

    #[test]
    fn many_files_are_counted_in_long_form() {
        let mut layout = Layout::default();
        for _ in 0..65_534 {
            layout.add(member("a", 0));
        }
        assert_eq!(layout.end().len(), 22);
        layout.add(member("a", 0));
        let end = layout.end();
        assert_eq!((end.len(), number(&end, 32, 8), number(&end, 86, 2)), (98, 65_535, 65_535));
    }
}
