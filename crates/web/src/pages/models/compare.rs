//! Two versions of a model beside each other.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use modelry_core::Result;
use modelry_core::formats::FileKind;
use modelry_core::formats::compare::{Comparison, TensorChanges, compare};
use modelry_core::formats::mlmodel::Mlmodel;
use modelry_core::formats::signature_changes::required_step;
use modelry_core::formats::tensors::Tensor;
use modelry_core::ids::{ModelId, ProjectId};
use modelry_core::version::Version;
use modelry_core::version::bump::declared_step;
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::{Path, Query};
use modelry_store::candidates::{self, Logged};
use modelry_store::files::{self, ManifestEntry};
use modelry_store::keys::Keys;
use modelry_store::versions::ModelVersion;
use serde::Deserialize;

use super::files::VersionFiles;
use super::version::{Promising, mlmodel_of};
use super::{About, version_link};
use crate::answer::{Answer, Page, Shown};
use crate::format;
use crate::shell::Crumb;
use crate::views::models::compare::{ComparePage, Difference, Differences, FileChange};
use crate::visit::Visit;

/// How many files of a version are compared.
const MOST_FILES: usize = 1_000;

/// Which two, by their numbers.
#[derive(Deserialize)]
pub(crate) struct CompareQuery {
    a: i64,
    b: i64,
}

/// One of the two.
struct Side {
    version: ModelVersion,
    logged: Logged,
    manifest: Vec<ManifestEntry>,
    files: Vec<Promising>,
}

impl Side {
    fn read(tx: &mut Tx<'_>, keys: &Keys, project: ProjectId, version: ModelVersion) -> Result<Self> {
        let logged = match version.candidate_id {
            Some(id) => candidates::logged(tx, keys, project, &[id])?.remove(&id).unwrap_or_default(),
            None => Logged::default(),
        };
        Ok(Self {
            manifest: manifest(tx, project, &version)?,
            files: Promising::read_all(tx, project, &version)?,
            logged,
            version,
        })
    }
}

/// The files of a version, by their paths below it.
fn manifest(tx: &mut Tx<'_>, project: ProjectId, version: &ModelVersion) -> Result<Vec<ManifestEntry>> {
    let Some(files) = VersionFiles::of(project, version)? else { return Ok(Vec::new()) };
    let top = files.inside(None)?;
    let below = top.as_ref().map_or(0, |dir| dir.as_str().len() + 1);
    let mut entries =
        files::manifest(tx, files.tree, top.as_ref(), None, i64::try_from(MOST_FILES).expect("it is small"))?;
    for entry in &mut entries {
        entry.path.drain(..below);
    }
    Ok(entries)
}

/// What is different between two versions.
pub(crate) async fn compare_versions(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Shown(Query(query)): Shown<Query<CompareQuery>>,
) -> Answer<Page<ComparePage>> {
    let (project, keys) = (granted.project(), app.keys.clone());
    let CompareQuery { a, b } = query;
    let read = app.db.read(move |tx| {
        let about = About::read(tx, project, ModelId(id))?;
        let before = about.version(tx, project, a)?;
        let after = about.version(tx, project, b)?;
        Ok((Side::read(tx, &keys, project, before)?, Side::read(tx, &keys, project, after)?, about))
    });
    let (before, after, about) = read.await?;
    let (files, same) = file_changes(&before.manifest, &after.manifest);
    let says = compare_facts(&app, &before.files, &after.files).await?;
    let old = mlmodel_of(&app, &before.files).await?;
    let new = mlmodel_of(&app, &after.files).await?;
    let title = format!("{} to {}", before.version.version, after.version.version);
    let is_cut = [&before, &after].iter().any(|side| side.manifest.len() == MOST_FILES);
    Ok(Page(ComparePage {
        shell: about.shell(&granted, &visit, vec![Crumb::here(title)]),
        before: version_link(&granted, &before.version),
        after: version_link(&granted, &after.version),
        swapped_href: format!("{}/compare?a={b}&b={a}", about.href(&granted)),
        warning: broken_promise(
            (&before.version.version, old.as_ref()),
            (&after.version.version, new.as_ref()),
        ),
        signature: says.signature,
        tables: tables(&before.logged, &after.logged, says.fields),
        files,
        same_files: format::counted(same, "file"),
        is_cut,
        model: about.model.name,
    }))
}

/// `declared patch, looks like major: required column "age" added`, where it is so.
fn broken_promise(
    (before, old): (&Version, Option<&Mlmodel>),
    (after, new): (&Version, Option<&Mlmodel>),
) -> Option<String> {
    let declared = declared_step(before, after)?;
    let asked = required_step(old?.signature.as_ref()?, new?.signature.as_ref()?)?;
    let broken = asked.step > declared;
    broken.then(|| format!("Declared {declared}, looks like {}: {}.", asked.step, asked.reason))
}

fn tables(before: &Logged, after: &Logged, fields: Vec<Difference>) -> Vec<Differences> {
    let metrics = |logged: &Logged| -> BTreeMap<String, String> {
        let metrics = logged.metrics.iter();
        metrics.map(|metric| (metric.key.to_string(), format::number(metric.value))).collect()
    };
    let params = |logged: &Logged| -> BTreeMap<String, String> {
        logged.params.iter().map(|(key, value)| (key.to_string(), value.clone())).collect()
    };
    let logged = |id, title, rows| Differences { id, title, without_rows: "None logged.", rows };
    vec![
        logged("metrics", "Metrics", differences(metrics(before), metrics(after))),
        logged("params", "Parameters", differences(params(before), params(after))),
        Differences {
            id: "description",
            title: "What the files say",
            without_rows: "No difference is known.",
            rows: fields,
        },
    ]
}

fn differences(mut before: BTreeMap<String, String>, mut after: BTreeMap<String, String>) -> Vec<Difference> {
    let keys: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
    let difference = |key: String| Difference { before: before.remove(&key), after: after.remove(&key), key };
    keys.into_iter().map(difference).collect()
}

/// The files that are not the same in both, and how many are.
fn file_changes(before: &[ManifestEntry], after: &[ManifestEntry]) -> (Vec<FileChange>, u64) {
    let by_path = |files: &[ManifestEntry]| -> BTreeMap<String, ManifestEntry> {
        files.iter().map(|file| (file.path.clone(), file.clone())).collect()
    };
    let (mut before, mut after) = (by_path(before), by_path(after));
    let paths: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
    let mut changes = Vec::new();
    let mut same = 0;
    for path in paths {
        let (old, new) = (before.remove(&path), after.remove(&path));
        let what = match (&old, &new) {
            (Some(old), Some(new)) if is_same(old, new) => {
                same += 1;
                continue;
            }
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "removed",
            (None, _) => "added",
        };
        let size = |file: Option<ManifestEntry>| file.map(|file| format::bytes(file.size_bytes));
        changes.push(FileChange { path, what, before: size(old), after: size(new) });
    }
    (changes, same)
}

/// Whether two files have the same bytes; where a digest is not known, they may not.
fn is_same(old: &ManifestEntry, new: &ManifestEntry) -> bool {
    old.sha256.is_some() && old.sha256 == new.sha256
}

/// What the headers of files say differently.
#[derive(Default)]
struct Says {
    signature: Vec<String>,
    fields: Vec<Difference>,
}

/// Compares what files at the same place say of themselves.
async fn compare_facts(app: &App, before: &[Promising], after: &[Promising]) -> Result<Says> {
    let mut says = Says::default();
    for old in before.iter().filter(|file| file.kind != FileKind::Pickle) {
        let Some(new) = after.iter().find(|file| file.path == old.path) else { continue };
        if let Some(comparison) = compare(&old.facts(app).await?, &new.facts(app).await?) {
            says.add(&old.path, comparison);
        }
    }
    Ok(says)
}

impl Says {
    fn add(&mut self, path: &str, comparison: Comparison) {
        let Comparison { fields, tensors, signature } = comparison;
        self.signature.extend(signature.iter().map(ToString::to_string));
        self.fields.extend(fields.into_iter().map(|field| Difference {
            key: format!("{path}: {}", field.field),
            before: field.before,
            after: field.after,
        }));
        let TensorChanges { added, removed, changed, is_partial: _ } = tensors;
        let shape = |tensor: &Tensor| {
            let shape: Vec<String> = tensor.shape.iter().map(u64::to_string).collect();
            Some(format!("{} {}", tensor.dtype, shape.join(" × ")))
        };
        let row =
            |name: &str, before, after| Difference { key: format!("{path}: tensor {name}"), before, after };
        self.fields.extend(removed.iter().map(|tensor| row(&tensor.name, shape(tensor), None)));
        self.fields.extend(
            changed.iter().map(|both| row(&both.after.name, shape(&both.before), shape(&both.after))),
        );
        self.fields.extend(added.iter().map(|tensor| row(&tensor.name, None, shape(tensor))));
    }
}
