//! The version that a push fills: found or made, and made to have just the folder's files.

use std::collections::{HashMap, HashSet};

use modelry_core::address::below;
use modelry_core::{Error, Kind, Result};
use serde::Deserialize;
use serde_json::json;
use ureq::http::Method;

use super::memory::Memory;
use super::send::{Sender, Sent};
use super::{Folder, Others, Push};
use crate::THREADS;
use crate::api::{File, Version};
use crate::files::LocalFile;
use crate::http::Api;
use crate::manifest;
use crate::name::{Wish, model_path, version_path};
use crate::parallel::for_each;
use crate::progress::{Progress, Shown};

/// How many files a message names.
const NAMED: usize = 3;

/// What there is to fill.
pub(super) enum Begun {
    /// A draft; `is_own` where an earlier push of the folder, or this one, made it.
    Draft {
        /// The draft.
        version: Version,
        /// Whether no one else made it.
        is_own: bool,
    },
    /// Nothing: the version was published with just these files.
    Same(Version),
}

/// Finds the draft to go on with, or makes one.
pub(super) fn begin(api: &Api, push: &Push<'_>, memory: &Memory, folder: &Folder<'_>) -> Result<Begun> {
    let remembered = memory.find();
    let named = match (&push.wish, &remembered) {
        (Wish::Exactly(version), _) => Some(version.to_string()),
        (Wish::Bump(_) | Wish::Next, remembered) => remembered.as_ref().map(|found| found.number.to_string()),
    };
    let found = match named {
        Some(version) => find(api, &version_path(push.target.model.as_str(), &version))?,
        None => None,
    };
    let is_own =
        |version: &Version| remembered.as_ref().is_some_and(|remembered| remembered.id == version.id);
    match (found, &push.wish) {
        (Some(version), Wish::Exactly(_)) if version.is_draft() => {
            Ok(Begun::Draft { is_own: is_own(&version), version })
        }
        (Some(version), Wish::Exactly(_))
            if manifest::files(api, &version)? == folder.files(push.shown)? =>
        {
            Ok(Begun::Same(version))
        }
        (Some(version), _) if version.is_draft() && is_own(&version) => {
            Ok(Begun::Draft { version, is_own: true })
        }
        // One that is taken by other files is refused by the server, which knows the next free one.
        _ => {
            let version = create(api, push)?;
            memory.keep(&version)?;
            Ok(Begun::Draft { version, is_own: true })
        }
    }
}

fn find(api: &Api, path: &str) -> Result<Option<Version>> {
    match api.get(path, "") {
        Ok(version) => Ok(Some(version)),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn create(api: &Api, push: &Push<'_>) -> Result<Version> {
    let wish = match &push.wish {
        Wish::Exactly(version) => json!({"version": version.to_string()}),
        Wish::Bump(step) => json!({"bump": step.to_string()}),
        Wish::Next => json!({}),
    };
    api.send(&Method::POST, &format!("{}/versions", model_path(push.target.model.as_str())), &wish)
}

/// Makes the draft have just the files of `folder`, and answers how many bytes were sent.
///
/// A file is hashed just before it is sent, so that some are hashed while others are on their way and the server writes.
/// Fails with `Conflict` where the draft has others and they are not to be deleted.
pub(super) fn fill(
    api: &Api,
    version: &Version,
    folder: &Folder<'_>,
    (others, shown): (Others, Shown),
) -> Result<u64> {
    let there = manifest::files(api, version)?;
    clear(api, version, &there, folder.local, others)?;
    let there: HashMap<&str, &File> = there.iter().map(|file| (file.path.as_str(), file)).collect();
    let local = folder.local;
    let size = local.iter().map(|file| file.size).sum();
    let progress = Progress::begin(shown, "pushing", local.len() as u64, size);
    let sent = Sent::default();
    for_each(local.len(), THREADS, &|index, stop| {
        let local = &local[index];
        let sha256 = folder.digests.of(local, stop, &|more| progress.add_hashed(more))?;
        let file = local.with(Some(sha256));
        if there.get(file.path.as_str()) == Some(&&file) {
            progress.add_bytes(file.size);
            progress.add_files(1);
            return Ok(());
        }
        let sender = Sender { api, package: version.id, progress: &progress, stop, sent: &sent };
        sender.send(local, &file)
    })?;
    drop(progress);
    verify(api, version, &folder.files(shown)?)?;
    Ok(sent.bytes())
}

/// Deletes what the draft has and the folder does not.
fn clear(api: &Api, version: &Version, there: &[File], local: &[LocalFile], others: Others) -> Result<()> {
    let wanted: HashSet<&str> = local.iter().map(|file| file.path.as_str()).collect();
    let extra: Vec<&str> =
        there.iter().map(|file| file.path.as_str()).filter(|path| !wanted.contains(path)).collect();
    if extra.is_empty() {
        return Ok(());
    }
    if others == Others::Refused {
        let more = if extra.len() > NAMED { ", ..." } else { "" };
        return Err(Error::conflict(format!(
            "the draft {} has files that the folder does not: {}{more}; `--prune` deletes them",
            version.label(),
            extra[..extra.len().min(NAMED)].join(", ")
        )));
    }
    for path in extra {
        let files = format!("{}/files", version_path(&version.model, &version.version));
        api.delete(&below(&files, path))?;
    }
    Ok(())
}

/// The files of a version together.
#[derive(Deserialize)]
struct Whole {
    sha256: String,
}

/// Fails with `Conflict` unless the server has just these files: what is published does not change any more.
fn verify(api: &Api, version: &Version, files: &[File]) -> Result<()> {
    let path = format!("{}/manifest", version_path(&version.model, &version.version));
    let (found, expected) = (api.get::<Whole>(&path, "")?.sha256, manifest::digest(files));
    if found == expected {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "the draft {} has other files than were pushed (manifest sha256 {found}, not {expected}): somebody else \
         writes to it; it was not published",
        version.label()
    )))
}
