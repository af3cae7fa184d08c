//! `modelry push`: the files of a folder, as a version of a model.
//!
//! The files are put into a draft, which is published when all of them are there; so a version is never half there. A
//! push that was cut off goes on with its draft, and what the server has of a file is not sent again.

mod draft;
mod memory;
mod send;

use std::path::Path;

use modelry_core::quantity::{bytes, counted};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Kind, Result};
use serde::Serialize;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::api::{File, Version};
use crate::digests::Digests;
use crate::files::{LocalFile, failed, walk};
use crate::http::Api;
use crate::manifest;
use crate::name::{Target, Wish, model_path, version_path};
use crate::progress::Shown;

use draft::Begun;
use memory::Memory;

/// What is to be pushed, and how.
#[derive(Debug)]
pub struct Push<'a> {
    /// The folder.
    pub dir: &'a Path,
    /// The model, and the version where just one is meant.
    pub target: Target,
    /// The number that the version is to get.
    pub wish: Wish,
    /// What happens where there is no such model.
    pub unknown_model: UnknownModel,
    /// What happens when all files are there.
    pub end: End,
    /// What happens with files of somebody else's draft that the folder does not have.
    pub others: Others,
    /// The folder of the user's caches.
    pub cache: &'a Path,
    /// Now.
    pub now: Timestamp,
    /// Where it is shown how far it is.
    pub shown: Shown,
}

/// What happens where there is no such model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownModel {
    /// It is made.
    Made,
    /// That is a failure.
    Refused,
}

/// What happens when all files are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The version is published: its files do not change any more.
    Published,
    /// It stays a draft.
    Draft,
}

/// What happens with files that a draft has and the folder does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They are deleted.
    Deleted,
    /// That is a failure, unless the draft was made by an earlier push of the folder.
    Refused,
}

/// What a push did.
#[derive(Debug, Serialize)]
pub struct Pushed {
    /// The model's name.
    pub model: String,
    /// The semantic version.
    pub version: String,
    /// The sequence number.
    pub number: i64,
    /// `draft` or `published`.
    pub state: String,
    /// How many files it has.
    pub files: u64,
    /// How many bytes they have together.
    pub size: u64,
    /// The digest of the manifest, in hex.
    pub sha256: String,
    /// How many bytes were sent.
    pub sent: u64,
    /// Whether just these files were published as this version before.
    pub was_there: bool,
    /// What should be known besides.
    pub notes: Vec<String>,
}

impl Pushed {
    /// For people.
    pub fn text(&self) -> String {
        let done = match (self.was_there, self.state.as_str()) {
            (true, _) => "already there:",
            (false, "draft") => "a draft, not published:",
            (false, _) => "pushed",
        };
        format!(
            "{done} {} {} (#{}): {}, {} ({} sent)\nmanifest sha256:{}",
            self.model,
            self.version,
            self.number,
            counted(self.files, "file"),
            bytes(self.size),
            bytes(self.sent),
            self.sha256
        )
    }
}

/// The files of the folder that is pushed.
struct Folder<'a> {
    local: &'a [LocalFile],
    digests: Digests,
}

impl Folder<'_> {
    /// Them as a version is to have them, by hashing those whose digests are not known yet.
    fn files(&self, shown: Shown) -> Result<Vec<File>> {
        self.digests.of_all(self.local, shown)
    }
}

/// Makes a version of the folder's files.
///
/// Fails with `Invalid` where something in the folder is no file that a version can have, and with `Conflict` where the
/// wished version is published with other files.
pub fn push(api: &Api, push: &Push<'_>) -> Result<Pushed> {
    let dir = push.dir.canonicalize().map_err(|error| failed("open", push.dir, &error))?;
    let walked = walk(&dir)?;
    if walked.files.is_empty() {
        return Err(Error::invalid(format!("{} has no files", dir.display())));
    }
    let folder = Folder { local: &walked.files, digests: Digests::open(push.cache, &dir) };
    let memory = Memory::of(push.cache, api, &dir, push);
    let pushed = send(api, push, &memory, &folder);
    // What was hashed is remembered after a failure too: the next push goes on where this one stopped.
    let kept = folder.digests.keep(folder.local, push.now);
    let mut pushed = pushed?;
    kept?;
    let empty = walked.empty.iter().map(|folder| format!("the empty folder {folder} is not kept"));
    pushed.notes.splice(0..0, empty);
    Ok(pushed)
}

/// Finds or makes what the folder's files go to, sends them, and ends it.
fn send(api: &Api, push: &Push<'_>, memory: &Memory, folder: &Folder<'_>) -> Result<Pushed> {
    let mut notes = Vec::new();
    if ensure_model(api, push)? {
        notes.push(format!("made the model {}", push.target.model));
    }
    let (version, sent, was_there) = match draft::begin(api, push, memory, folder)? {
        Begun::Same(version) => (version, 0, true),
        Begun::Draft { version, is_own } => {
            let others = if is_own { Others::Deleted } else { push.others };
            let sent = draft::fill(api, &version, folder, (others, push.shown))?;
            (end(api, push.end, version)?, sent, false)
        }
    };
    if !version.is_draft() {
        memory.forget();
    }
    notes.extend(version.step_warning.iter().cloned());
    let files = folder.files(push.shown)?;
    Ok(Pushed {
        files: files.len() as u64,
        size: files.iter().map(|file| file.size).sum(),
        sha256: manifest::digest(&files),
        model: version.model,
        version: version.version,
        number: version.number,
        state: version.state,
        sent,
        was_there,
        notes,
    })
}

/// Makes the model where it is missing, and answers whether it was.
fn ensure_model(api: &Api, push: &Push<'_>) -> Result<bool> {
    let name = push.target.model.as_str();
    match api.get::<Value>(&model_path(name), "") {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == Kind::NotFound && push.unknown_model == UnknownModel::Made => {
            api.send::<Value>(&Method::POST, "/models", &json!({"name": name})).map(|_| true)
        }
        Err(error) => Err(error),
    }
}

/// Publishes a draft whose files are all there, and tells what became of it.
fn end(api: &Api, end: End, version: Version) -> Result<Version> {
    let path = version_path(&version.model, &version.version);
    match end {
        End::Draft => Ok(version),
        End::Published => {
            api.send::<Version>(&Method::PATCH, &path, &json!({"state": "published"}))?;
            // Only a single version is told with what its signature says against its number.
            api.get(&path, "")
        }
    }
}
