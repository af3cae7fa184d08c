//! Listings of files: the whole tree in the order of paths, or one directory.

use modelry_core::Result;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::BlobId;
use modelry_core::time::Timestamp;
use modelry_db::{Row, Tx};

use super::{File, Tree};
use crate::blobs;

/// Rows that a directory listing reads at first, and again after every sub-directory.
const FEW_ROWS: i64 = 16;
/// Rows that it reads at most at a time, where one plain file follows the other.
const MANY_ROWS: i64 = 512;

/// The byte after `/`: the first that follows on everything below a directory.
const AFTER_SLASH: char = '0';
/// Comes before every character that a path may have.
const BEFORE_ANY: char = '\u{1}';
/// Segments have at most 255 bytes, so this many of the greatest character come after every path.
const PAST_ANY_SEGMENT: usize = 64;

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A directory, by its name.
    Directory(String),
    /// A file; its path is its name in the directory.
    File(File),
}

/// A page of a directory, in the order of paths: `a-b` before what lies below `a`, that before `a0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The names.
    pub entries: Vec<Entry>,
    /// Where the next page starts, if there may be one.
    pub next: Option<Position>,
}

/// A place in a directory, between two names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position(String);

impl Position {
    /// Reads what [`Position::as_str`] gave. Any other text is some place, too.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The place as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A range of paths; `from` belongs to it, `to` does not.
pub(super) struct Span {
    pub(super) from: String,
    pub(super) to: String,
}

impl Span {
    /// Everything below `dir`.
    pub(super) fn below(dir: Option<&ArtifactPath>) -> Self {
        match dir {
            Some(dir) => Self { from: format!("{dir}/"), to: format!("{dir}{AFTER_SLASH}") },
            None => Self { from: String::new(), to: char::MAX.to_string().repeat(PAST_ANY_SEGMENT) },
        }
    }

    /// What of it comes after the path `after`.
    pub(super) fn after(self, after: Option<&str>) -> Self {
        match after {
            Some(after) => Self { from: self.from.max(format!("{after}{BEFORE_ANY}")), to: self.to },
            None => self,
        }
    }
}

/// Up to `limit` files below `dir` (or of the whole tree) in the order of paths, those after the path `after`.
pub fn list_all(
    tx: &mut Tx<'_>,
    tree: Tree,
    dir: Option<&ArtifactPath>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<File>> {
    let span = Span::below(dir).after(after);
    select(tx, tree, &span, limit)
}

/// Up to `limit` names in `dir` (or at the top of the tree), from `start` on.
///
/// However many files lie below a sub-directory, a few of its rows are read: from the first of them on it goes to
/// where the sub-directory ends. A directory that does not exist is empty.
pub fn list_dir(
    tx: &mut Tx<'_>,
    tree: Tree,
    dir: Option<&ArtifactPath>,
    start: Option<&Position>,
    limit: usize,
) -> Result<Listing> {
    let Span { from: prefix, to } = Span::below(dir);
    let mut at = start.map_or("", Position::as_str).to_owned();
    let mut entries = Vec::new();
    let mut batch = FEW_ROWS;
    loop {
        let span = Span { from: format!("{prefix}{at}"), to: to.clone() };
        let rows = select(tx, tree, &span, batch)?;
        let is_end = i64::try_from(rows.len()).is_ok_and(|rows| rows < batch);
        batch = (batch * 2).min(MANY_ROWS);
        for row in rows {
            let name = &row.path[prefix.len()..];
            if name < at.as_str() {
                continue; // Below the sub-directory that was just listed.
            }
            if entries.len() == limit {
                return Ok(Listing { entries, next: Some(Position(at)) });
            }
            if let Some((directory, _)) = name.split_once('/') {
                at = format!("{directory}{AFTER_SLASH}");
                entries.push(Entry::Directory(directory.to_owned()));
                batch = FEW_ROWS;
            } else {
                at = format!("{name}{BEFORE_ANY}");
                entries.push(Entry::File(File { path: name.to_owned(), ..row }));
            }
        }
        if is_end {
            return Ok(Listing { entries, next: None });
        }
    }
}

/// Up to `limit` paths below `dir` with their blobs, in the order of paths.
pub(super) fn blobs_below(
    tx: &mut Tx<'_>,
    tree: Tree,
    dir: Option<&ArtifactPath>,
    limit: i64,
) -> Result<Vec<(String, BlobId)>> {
    let (owner, owner_id) = tree.owner.columns();
    let Span { from, to } = Span::below(dir);
    tx.query(
        "SELECT path, blob_id FROM files
          WHERE project_id = $1 AND owner = $2 AND owner_id = $3 AND path >= $4 AND path < $5
          ORDER BY path LIMIT $6",
        &[&tree.project.0, &owner, &owner_id, &from, &to, &limit],
        |row| Ok((row.get(0)?, BlobId(row.get(1)?))),
    )
}

/// Reads the columns `path`, `size_bytes` and `modified_at`.
pub(super) fn read_file(row: &Row<'_>) -> Result<File> {
    Ok(File {
        path: row.get(0)?,
        size_bytes: blobs::from_column(row.get(1)?)?,
        modified_at: Timestamp(row.get(2)?),
    })
}

fn select(tx: &mut Tx<'_>, tree: Tree, span: &Span, limit: i64) -> Result<Vec<File>> {
    let (owner, owner_id) = tree.owner.columns();
    tx.query(
        "SELECT path, size_bytes, modified_at FROM files
          WHERE project_id = $1 AND owner = $2 AND owner_id = $3 AND path >= $4 AND path < $5
          ORDER BY path LIMIT $6",
        &[&tree.project.0, &owner, &owner_id, &span.from, &span.to, &limit],
        read_file,
    )
}
