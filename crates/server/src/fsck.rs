//! A look at all bytes: are they those that were stored, and does every file have some?
//!
//! Damaged blobs are marked, and from then on not read and not shared; a mark is taken off once the bytes are right
//! again. It may take hours and runs beside everything else: each blob is looked at for itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use modelry_blob::Condition;
use modelry_core::Result;
use modelry_core::ids::BlobId;
use modelry_core::quantity::{bytes, counted};
use modelry_core::time::Timestamp;
use modelry_store::damage::{self, Blob, BlobFile};
use serde::Serialize;

use crate::App;

/// Rows that are read at a time.
const PAGE: i64 = 500;
/// How often it is told how far it is, in milliseconds.
const TELL_EVERY_MS: i64 = 1_000;

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// How many blobs were looked at.
    pub blobs: u64,
    /// How many bytes they should have together.
    pub size: u64,
    /// Blobs whose bytes are not those that were stored.
    pub damaged: Vec<Damaged>,
    /// How many blobs were damaged once, and are not any more.
    pub repaired: u64,
    /// Files without a blob.
    pub without_blob: Vec<FileName>,
}

/// A blob whose bytes are not those that were stored.
#[derive(Debug, Serialize)]
pub struct Damaged {
    /// Where its bytes lie in the folder `blobs` of the data folder.
    pub key: String,
    /// How many bytes it should have.
    pub size: u64,
    /// The digest that they should have, in hex.
    pub sha256: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// The files that have its bytes.
    pub files: Vec<FileName>,
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileName {
    /// The full path of the project.
    pub project: String,
    /// What in the project it belongs to.
    pub owner: String,
    /// Its path there.
    pub path: String,
}

/// Looks at everything; `tell` is told now and then how far it is.
pub async fn run(app: &App, tell: &(dyn Fn(String) + Send + Sync)) -> Result<Report> {
    let mut report = Report::default();
    let mut damaged = BTreeMap::new();
    let (mut after, mut told) = (BlobId(0), app.clock.now());
    loop {
        let page = app.db.read(move |tx| damage::list_blobs(tx, after, PAGE)).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for blob in page {
            let condition = look(app, &blob, &report, &mut told, tell).await;
            report.blobs += 1;
            report.size += blob.size_bytes;
            if let Some(found) = judge(app, &blob, condition, &mut report).await? {
                damaged.insert(blob.id, found);
            }
        }
    }
    find_files(app, &mut damaged, &mut report).await?;
    report.damaged = damaged.into_values().collect();
    Ok(report)
}

async fn look(
    app: &App,
    blob: &Blob,
    report: &Report,
    told: &mut Timestamp,
    tell: &(dyn Fn(String) + Send + Sync),
) -> Condition {
    let mut size = report.size;
    let seen = |more| {
        size += more;
        let now = app.clock.now();
        if now >= told.plus_ms(TELL_EVERY_MS) {
            *told = now;
            tell(format!("looked at {}, {}", counted(report.blobs, "blob"), bytes(size)));
        }
    };
    app.blobs.check(&blob.store_key, blob.size_bytes, seen).await
}

/// Marks a blob by what was found, and answers what is wrong with one that is still there.
async fn judge(app: &App, blob: &Blob, condition: Condition, report: &mut Report) -> Result<Option<Damaged>> {
    let id = blob.id;
    let problem = match condition {
        Condition::Readable(found) if blob.sha256.is_none_or(|sha256| sha256 == found.sha256) => {
            if !blob.has_checksums {
                app.db.write(move |tx| damage::add_checksums(tx, id, &found.checksums)).await?;
            }
            if blob.is_damaged {
                report.repaired += u64::from(app.db.write(move |tx| damage::clear(tx, id)).await?);
            }
            return Ok(None);
        }
        Condition::Readable(found) => format!("the bytes have the sha256 {}", found.sha256),
        Condition::Missing => "the bytes are missing".to_owned(),
        Condition::Size(size) => format!("there are {size} bytes"),
        Condition::Unreadable(why) => format!("the bytes cannot be read: {why}"),
    };
    // Collection may have removed it meanwhile, which it says in the row before it touches the bytes.
    let is_there = app.db.write(move |tx| damage::mark(tx, id)).await?;
    Ok(is_there.then(|| Damaged {
        key: blob.store_key.to_string(),
        size: blob.size_bytes,
        sha256: blob.sha256.map(|sha256| sha256.to_string()),
        problem,
        files: Vec::new(),
    }))
}

/// Looks through all files for those of damaged blobs, and for those whose blob is not there.
async fn find_files(app: &App, damaged: &mut BTreeMap<BlobId, Damaged>, report: &mut Report) -> Result<()> {
    let mut after: Option<BlobFile> = None;
    loop {
        let page = app.db.read(move |tx| damage::list_files(tx, after.as_ref(), PAGE)).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.clone());
        for file in page {
            let bad = damaged.get_mut(&file.blob);
            if file.has_blob && bad.is_none() {
                continue;
            }
            let tree = file.tree;
            let named = app.db.read(move |tx| damage::name(tx, tree)).await?;
            let name = FileName { project: named.project, owner: named.owner, path: file.path };
            bad.map_or(&mut report.without_blob, |bad| &mut bad.files).push(name);
        }
    }
}

impl Report {
    /// Whether everything is as it was stored.
    pub fn is_fine(&self) -> bool {
        self.damaged.is_empty() && self.without_blob.is_empty()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |line: String| writeln!(text, "{line}").expect("a text can be written to");
        for blob in &self.damaged {
            let sha256 =
                blob.sha256.as_ref().map(|sha256| format!(" and sha256 {sha256}")).unwrap_or_default();
            line(format!(
                "damaged: blobs/{}: {}, instead of {} bytes{sha256}",
                blob.key, blob.problem, blob.size
            ));
            for file in &blob.files {
                line(format!("    {}: {}: {}", file.project, file.owner, file.path));
            }
        }
        for file in &self.without_blob {
            line(format!("without bytes: {}: {}: {}", file.project, file.owner, file.path));
        }
        let outcome = match (self.is_fine(), self.repaired) {
            (true, 0) => "all as they were stored".to_owned(),
            (true, repaired) => format!("all as they were stored again, {repaired} of them repaired"),
            (false, _) => format!(
                "{} damaged, {} without bytes. Damaged ones are not served; restore them from a backup and look again",
                self.damaged.len(),
                counted(self.without_blob.len() as u64, "file")
            ),
        };
        format!("{text}{}, {}: {outcome}", counted(self.blobs, "blob"), bytes(self.size))
    }
}
