//! `modelry diff`: what is different between the files of two versions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read as _;

use modelry_core::formats::compare::{Comparison, compare};
use modelry_core::formats::tensors::Tensor;
use modelry_core::formats::{self, Facts, FileKind, Reading};
use modelry_core::quantity::bytes;
use modelry_core::{Error, Result};
use serde::Serialize;

use crate::api::{File, Version};
use crate::http::Api;
use crate::manifest;
use crate::name::Wanted;

/// What is different between two versions.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// The first version.
    pub before: Side,
    /// The second version.
    pub after: Side,
    /// Files that only the second has.
    pub added: Vec<File>,
    /// Files that only the first has.
    pub removed: Vec<File>,
    /// Files whose bytes differ.
    pub changed: Vec<Changed>,
    /// How many files have the same bytes in both.
    pub same: u64,
}

/// One of the two versions.
#[derive(Debug, Serialize)]
pub struct Side {
    /// The model's name.
    pub model: String,
    /// The semantic version.
    pub version: String,
    /// The sequence number.
    pub number: i64,
}

/// A file whose bytes differ.
#[derive(Debug, Serialize)]
pub struct Changed {
    /// Its path in both.
    pub path: String,
    /// The file in the first version.
    pub before: File,
    /// The file in the second version.
    pub after: File,
    /// What the two say of themselves differently, where they are of one format that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<Comparison>,
}

/// Compares the files of two versions, of one model or of two.
pub fn diff(api: &Api, before: &Wanted, after: &Wanted) -> Result<Difference> {
    let before: Version = api.get(&before.path(), "")?;
    let after: Version = api.get(&after.path(), "")?;
    let mut old = by_path(manifest::files(api, &before)?);
    let mut new = by_path(manifest::files(api, &after)?);
    let paths: BTreeSet<String> = old.keys().chain(new.keys()).cloned().collect();
    let (side_before, side_after) = (Side::of(&before), Side::of(&after));
    let mut found = Difference {
        before: side_before,
        after: side_after,
        added: Vec::new(),
        removed: Vec::new(),
        changed: Vec::new(),
        same: 0,
    };
    for path in paths {
        match (old.remove(&path), new.remove(&path)) {
            (Some(old), Some(new)) if old.digest()? == new.digest()? => found.same += 1,
            (Some(old), Some(new)) => {
                let facts = compare_facts(api, (&before, &old), (&after, &new))?;
                found.changed.push(Changed { path, before: old, after: new, facts });
            }
            (Some(old), None) => found.removed.push(old),
            (None, new) => found.added.extend(new),
        }
    }
    Ok(found)
}

impl Side {
    fn of(version: &Version) -> Self {
        Self { model: version.model.clone(), version: version.version.clone(), number: version.number }
    }

    fn label(&self) -> String {
        format!("{} {} (#{})", self.model, self.version, self.number)
    }
}

fn by_path(files: Vec<File>) -> BTreeMap<String, File> {
    files.into_iter().map(|file| (file.path.clone(), file)).collect()
}

/// What two files at the same place say of themselves differently.
fn compare_facts(
    api: &Api,
    before: (&Version, &File),
    after: (&Version, &File),
) -> Result<Option<Comparison>> {
    let kind = FileKind::of(&before.1.path).filter(|kind| *kind != FileKind::Pickle);
    let Some(kind) = kind else { return Ok(None) };
    let comparison = compare(&facts(api, kind, before)?, &facts(api, kind, after)?);
    Ok(comparison.filter(|comparison| !comparison.is_empty()))
}

/// Reads what a file says of itself, and fetches no more of it than that needs.
fn facts(api: &Api, kind: FileKind, (version, file): (&Version, &File)) -> Result<Facts> {
    let path = manifest::file_path(version, &file.path);
    let sha256 = file.digest()?.to_string();
    let mut head = Vec::new();
    loop {
        match formats::read(kind, &head, file.size) {
            Reading::Done(facts) => return Ok(facts),
            Reading::NeedsMore(wanted) => {
                let (start, end) = (head.len() as u64, wanted as u64);
                let incoming = api.download(&path, (start, end), &sha256)?;
                let read = incoming.bytes.take(end - start).read_to_end(&mut head);
                read.map_err(|error| Error::unavailable(format!("{} broke off: {error}", file.path)))?;
                if head.len() < wanted || !incoming.is_part && end - start < file.size {
                    return Err(Error::conflict(format!("{} changed while it was read", file.path)));
                }
            }
        }
    }
}

impl Difference {
    /// Whether the two have the same files.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!("{} -> {}\n", self.before.label(), self.after.label());
        let mut line = |line: String| writeln!(text, "{line}").expect("a text can be written to");
        for file in &self.removed {
            line(format!("- {}  {}", file.path, bytes(file.size)));
        }
        for file in &self.added {
            line(format!("+ {}  {}", file.path, bytes(file.size)));
        }
        for file in &self.changed {
            line(format!("~ {}  {} -> {}", file.path, bytes(file.before.size), bytes(file.after.size)));
            for said in file.facts.iter().flat_map(said) {
                line(format!("    {said}"));
            }
        }
        let (added, removed, changed) = (self.added.len(), self.removed.len(), self.changed.len());
        format!("{text}{added} added, {removed} removed, {changed} changed, {} the same", self.same)
    }
}

/// A comparison, line by line.
fn said(comparison: &Comparison) -> Vec<String> {
    let Comparison { fields, tensors, signature } = comparison;
    let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let fields = fields
        .iter()
        .map(|field| format!("{}: {} -> {}", field.field, or_none(&field.before), or_none(&field.after)));
    let signature = signature.iter().map(|change| format!("signature: {change}"));
    let removed = tensors.removed.iter().map(|tensor| format!("- tensor {}  {}", tensor.name, shape(tensor)));
    let added = tensors.added.iter().map(|tensor| format!("+ tensor {}  {}", tensor.name, shape(tensor)));
    let changed = tensors.changed.iter().map(|both| {
        format!("~ tensor {}  {} -> {}", both.after.name, shape(&both.before), shape(&both.after))
    });
    let lines = fields.chain(signature).chain(removed).chain(added).chain(changed);
    // What comes out of a file must not move a terminal's cursor.
    lines.map(|line| line.chars().filter(|c| !c.is_control()).collect()).collect()
}

fn shape(tensor: &Tensor) -> String {
    let shape: Vec<String> = tensor.shape.iter().map(u64::to_string).collect();
    format!("{} [{}]", tensor.dtype, shape.join(", "))
}
