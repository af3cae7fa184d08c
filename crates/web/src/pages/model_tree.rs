//! A candidate's files and the files of the models it produced, as one tree: a model's files are at `models/<name>/`.

use std::collections::BTreeSet;

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::ProjectId;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::candidates::Candidate;
use modelry_store::files::{self, Entry, Owner, Tree, list_all, list_dir};
use modelry_store::logged_models::{self, LoggedModel};

use super::candidate::MOST_MODELS;
use super::tree::Directories;

/// The directory of the tree that the logged models stand in.
pub(super) const MODELS: &str = "models";

/// How many names of one directory the tree shows.
pub(super) const MOST_ENTRIES: usize = 500;

/// How many files a summary counts.
pub(super) const MOST_COUNTED: i64 = 1_000;

/// All files of a candidate.
pub(super) struct Files {
    own: Tree,
    models: Vec<(String, LoggedModel)>,
    project: ProjectId,
}

/// Where a path of the tree leads.
pub(super) enum Target<'f> {
    /// The top, or the directory of the logged models: what stands there has several owners.
    Mixed,
    /// A place among the candidate's own files.
    Own(ArtifactPath),
    /// A place among the files of a logged model; `None` is the whole model.
    Model(&'f LoggedModel, Option<ArtifactPath>),
}

/// One name of a directory.
pub(super) struct Item {
    /// The name.
    pub(super) name: String,
    /// What it is.
    pub(super) kind: ItemKind,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemKind {
    /// A directory.
    Directory,
    /// A logged model.
    Model,
    /// A file of that many bytes.
    File(u64),
}

/// How many files there are, and how large they are together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    /// Files, counted up to [`MOST_COUNTED`] for each owner.
    pub(super) files: u32,
    /// Their bytes.
    pub(super) size_bytes: u64,
    /// Whether there are more.
    pub(super) is_cut: bool,
}

impl Files {
    /// The files of `candidate`.
    pub(super) fn of(tx: &mut Tx<'_>, project: ProjectId, candidate: &Candidate) -> Result<Self> {
        let own = Tree { project, owner: Owner::Candidate(candidate.id) };
        let models = logged_models::list_of_candidate(tx, project, candidate, MOST_MODELS)?;
        let taken = if models.is_empty() { BTreeSet::new() } else { own_names_in_models(tx, own)? };
        Ok(Self { own, models: named(models, taken), project })
    }

    /// Where `path` leads; `None` is the top.
    pub(super) fn target(&self, path: Option<&ArtifactPath>) -> Result<Target<'_>> {
        let Some(path) = path else { return Ok(Target::Mixed) };
        let mut segments = path.as_str().splitn(3, '/');
        let (first, name, below) = (segments.next(), segments.next(), segments.next());
        if first != Some(MODELS) || self.models.is_empty() {
            return Ok(Target::Own(path.clone()));
        }
        let Some(name) = name else { return Ok(Target::Mixed) };
        match self.models.iter().find(|(known, _)| known == name) {
            Some((_, model)) => Ok(Target::Model(model, ArtifactPath::parse_dir(below)?)),
            None => Ok(Target::Own(path.clone())),
        }
    }

    /// How much lies below `dir`.
    pub(super) fn amount(&self, tx: &mut Tx<'_>, dir: Option<&ArtifactPath>) -> Result<Amount> {
        match self.target(dir)? {
            Target::Own(path) => amount(tx, self.own, Some(&path)),
            Target::Model(model, below) => amount(tx, self.tree_of(model), below.as_ref()),
            Target::Mixed => {
                let mut whole = amount(tx, self.own, dir)?;
                for (_, model) in &self.models {
                    whole = whole.plus(amount(tx, self.tree_of(model), None)?);
                }
                Ok(whole)
            }
        }
    }

    /// The candidate's own files.
    pub(super) fn own(&self) -> Tree {
        self.own
    }

    /// The files of a logged model.
    pub(super) fn tree_of(&self, model: &LoggedModel) -> Tree {
        Tree { project: self.project, owner: Owner::LoggedModel(model.id) }
    }

    /// The name that a logged model has in the tree, if it is one of the candidate's.
    pub(super) fn name_of(&self, eid: &str) -> Option<&str> {
        self.models.iter().find(|(_, model)| model.eid == eid).map(|(name, _)| name.as_str())
    }
}

impl Directories for Files {
    fn list(&self, tx: &mut Tx<'_>, dir: Option<&ArtifactPath>) -> Result<(Vec<Item>, bool)> {
        let (tree, below) = match self.target(dir)? {
            Target::Mixed => (self.own, dir.cloned()),
            Target::Own(path) => (self.own, Some(path)),
            Target::Model(model, below) => (self.tree_of(model), below),
        };
        let (mut items, is_cut) = list_items(tx, tree, below.as_ref())?;
        match dir {
            None if !self.models.is_empty() && !items.iter().any(|item| item.name == MODELS) => {
                items.push(Item { name: MODELS.to_owned(), kind: ItemKind::Directory });
            }
            Some(dir) if dir.as_str() == MODELS => {
                items.extend(
                    self.models.iter().map(|(name, _)| Item { name: name.clone(), kind: ItemKind::Model }),
                );
            }
            _ => {}
        }
        sort(&mut items);
        Ok((items, is_cut))
    }
}

impl Item {
    /// Whether it holds no others.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.kind, ItemKind::File(_))
    }
}

impl From<Entry> for Item {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Directory(name) => Self { name, kind: ItemKind::Directory },
            Entry::File(file) => Self { name: file.path, kind: ItemKind::File(file.size_bytes) },
        }
    }
}

impl Amount {
    fn plus(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            size_bytes: self.size_bytes + other.size_bytes,
            is_cut: self.is_cut || other.is_cut,
        }
    }
}

/// How much lies below `dir` of a tree.
pub(super) fn amount(tx: &mut Tx<'_>, tree: Tree, dir: Option<&ArtifactPath>) -> Result<Amount> {
    let found = list_all(tx, tree, dir, None, MOST_COUNTED)?;
    let files =
        u32::try_from(found.len()).map_err(|_| Error::internal("a bounded listing is longer than asked"))?;
    let size_bytes = found.iter().map(|file| file.size_bytes).sum();
    Ok(Amount { files, size_bytes, is_cut: i64::from(files) == MOST_COUNTED })
}

/// The names in a directory of one tree, and whether there are more.
pub(super) fn list_items(
    tx: &mut Tx<'_>,
    tree: Tree,
    dir: Option<&ArtifactPath>,
) -> Result<(Vec<Item>, bool)> {
    let listing = list_dir(tx, tree, dir, None, MOST_ENTRIES)?;
    Ok((listing.entries.into_iter().map(Item::from).collect(), listing.next.is_some()))
}

/// Directories first, each kind by name.
pub(super) fn sort(items: &mut [Item]) {
    items.sort_by(|one, other| (one.is_file(), &one.name).cmp(&(other.is_file(), &other.name)));
}

/// What the candidate itself logged into the directory of the models.
fn own_names_in_models(tx: &mut Tx<'_>, own: Tree) -> Result<BTreeSet<String>> {
    let dir: ArtifactPath = MODELS.parse()?;
    let listing = files::list_dir(tx, own, Some(&dir), None, MOST_ENTRIES)?;
    Ok(listing.entries.into_iter().map(|entry| Item::from(entry).name).collect())
}

/// Gives each model a name of its own in the tree: the model's, or with its id behind it where that is taken.
fn named(models: Vec<LoggedModel>, mut taken: BTreeSet<String>) -> Vec<(String, LoggedModel)> {
    let mut name = |model: LoggedModel| {
        let name = if taken.insert(model.name.clone()) {
            model.name.clone()
        } else {
            format!("{} ({})", model.name, model.eid)
        };
        (name, model)
    };
    models.into_iter().map(&mut name).collect()
}
