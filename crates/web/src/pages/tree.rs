//! The lines of the tree beside an artifact: the top, and every directory on the way to what is shown.

use modelry_core::Result;
use modelry_core::artifact_path::ArtifactPath;
use modelry_db::Tx;

use super::model_tree::{Item, ItemKind, MOST_ENTRIES};
use crate::format;
use crate::links;
use crate::views::artifacts::{EntryKind, TreeEntry};

/// Something that has directories.
pub(super) trait Directories {
    /// The names in the directory `dir` (`None` is the top), directories first, and whether there are more than are
    /// answered.
    fn list(&self, tx: &mut Tx<'_>, dir: Option<&ArtifactPath>) -> Result<(Vec<Item>, bool)>;
}

/// The lines, and what they leave out.
#[derive(Default)]
pub(super) struct Branches {
    /// The lines, each directory on the way followed by what it holds.
    pub(super) entries: Vec<TreeEntry>,
    /// What is left out.
    pub(super) note: Option<String>,
}

/// Reads the lines of the tree on the page at `href` that shows `shown`.
pub(super) fn branches(
    tx: &mut Tx<'_>,
    files: &impl Directories,
    href: &str,
    shown: Option<&ArtifactPath>,
) -> Result<Branches> {
    let mut branches = Branches::default();
    let way = Way { files, href, shown };
    way.grow(tx, &mut branches, None)?;
    Ok(branches)
}

struct Way<'a, D> {
    files: &'a D,
    href: &'a str,
    shown: Option<&'a ArtifactPath>,
}

impl<D: Directories> Way<'_, D> {
    /// Adds what `dir` holds; what lies on the way is opened. The way is as long as a path can be, so this ends.
    fn grow(&self, tx: &mut Tx<'_>, branches: &mut Branches, dir: Option<&ArtifactPath>) -> Result<()> {
        let (items, is_cut) = self.files.list(tx, dir)?;
        if is_cut {
            branches.note = Some(format!("Only the first {MOST_ENTRIES} names of a directory are listed."));
        }
        let depth = dir.map_or(0, |dir| dir.segments().count());
        for item in items {
            let path = match dir {
                Some(dir) => format!("{dir}/{}", item.name),
                None => item.name.clone(),
            };
            let path: ArtifactPath = path.parse()?;
            let is_open = !item.is_file() && self.shown.is_some_and(|shown| shown.starts_with_dir(&path));
            branches.entries.push(self.entry(&item, &path, depth, is_open));
            if is_open {
                self.grow(tx, branches, Some(&path))?;
            }
        }
        Ok(())
    }

    fn entry(&self, item: &Item, path: &ArtifactPath, depth: usize, is_open: bool) -> TreeEntry {
        TreeEntry {
            name: item.name.clone(),
            depth,
            kind: match (item.kind, is_open) {
                (ItemKind::File(_), _) => EntryKind::File,
                (ItemKind::Directory, false) => EntryKind::Closed,
                (ItemKind::Directory, true) => EntryKind::Open,
                (ItemKind::Model, false) => EntryKind::ClosedModel,
                (ItemKind::Model, true) => EntryKind::OpenModel,
            },
            href: links::below(self.href, path.as_str()),
            size: match item.kind {
                ItemKind::File(size_bytes) => Some(format::bytes(size_bytes)),
                ItemKind::Directory | ItemKind::Model => None,
            },
            is_shown: self.shown == Some(path),
        }
    }
}
