//! `modelry pull`: the files of a version, into a folder.
//!
//! The version is resolved once; what follows is about exactly that one. Every file is received beside its place and
//! moved there when its digest is right, so nothing that does not verify is ever found under its name. What was
//! received is kept when a pull ends early, and the next one goes on from there.

mod part;
mod target;

use std::path::Path;

use modelry_core::Result;
use modelry_core::quantity::{bytes, counted};
use serde::Serialize;

use crate::THREADS;
use crate::api::{File, Version};
use crate::http::Api;
use crate::name::Wanted;
use crate::parallel::for_each;
use crate::progress::{Progress, Shown};
use crate::{hash, manifest};

use part::{Part, Way};
use target::Folder;

/// What a pull did.
#[derive(Debug, Serialize)]
pub struct Pulled {
    /// The model's name.
    pub model: String,
    /// The semantic version.
    pub version: String,
    /// The sequence number.
    pub number: i64,
    /// How many files the version has.
    pub files: u64,
    /// How many bytes they have together.
    pub size: u64,
    /// The digest of the manifest, in hex.
    pub sha256: String,
    /// How many of the files were there already.
    pub kept_files: u64,
    /// That the version is deprecated or yanked, where it is.
    pub warning: Option<String>,
}

impl Pulled {
    /// For people.
    pub fn text(&self) -> String {
        let kept = match self.kept_files {
            0 => String::new(),
            kept => format!(" ({} there already)", counted(kept, "file")),
        };
        format!(
            "pulled {} {} (#{}): {}, {}{kept}\nmanifest sha256:{}",
            self.model,
            self.version,
            self.number,
            counted(self.files, "file"),
            bytes(self.size),
            self.sha256
        )
    }
}

/// Brings the files of the version to `dir`, which is made where it is missing. Other files there are left alone.
///
/// Fails with `Invalid` before anything is written where a path cannot be one below `dir`, and with `Conflict` where
/// the bytes of a file are not those of the manifest.
pub fn pull(api: &Api, wanted: &Wanted, dir: &Path, shown: Shown) -> Result<Pulled> {
    let version: Version = api.get(&wanted.path(), "")?;
    let files = manifest::files(api, &version)?;
    let folder = Folder::open(dir, &files)?;
    let missing = missing(&folder, &files, shown)?;
    let kept_files = (files.len() - missing.len()) as u64;
    fetch((api, &version), &folder, &missing, shown)?;
    folder.close()?;
    Ok(Pulled {
        files: files.len() as u64,
        size: files.iter().map(|file| file.size).sum(),
        sha256: manifest::digest(&files),
        kept_files,
        warning: version.advice(),
        model: version.model,
        version: version.version,
        number: version.number,
    })
}

/// The files that are not in the folder yet with the right bytes.
fn missing<'f>(folder: &Folder, files: &'f [File], shown: Shown) -> Result<Vec<&'f File>> {
    let candidates: Vec<&File> = files.iter().filter(|file| folder.has_size(file)).collect();
    let size = candidates.iter().map(|file| file.size).sum();
    let progress = Progress::begin(shown, "checking", candidates.len() as u64, size);
    let same = std::sync::Mutex::new(std::collections::HashSet::new());
    for_each(candidates.len(), THREADS, &|index, stop| {
        let file = candidates[index];
        let found = hash::of_file(&folder.place(&file.path), stop, &|read| progress.add_bytes(read))?;
        if found == file.digest()? {
            same.lock().expect("no thread panics").insert(file.path.as_str());
        }
        progress.add_files(1);
        Ok(())
    })?;
    let same = same.into_inner().expect("no thread panics");
    Ok(files.iter().filter(|file| !same.contains(file.path.as_str())).collect())
}

/// Receives files, each content once.
fn fetch((api, version): (&Api, &Version), folder: &Folder, files: &[&File], shown: Shown) -> Result<()> {
    let mut parts: Vec<Part> = Vec::new();
    let mut by_digest = std::collections::HashMap::new();
    for file in files {
        let index = *by_digest.entry((file.digest()?, file.size)).or_insert(parts.len());
        match parts.get_mut(index) {
            Some(part) => part.also_at(folder.place(&file.path)),
            None => parts.push(Part::open(folder, file)?),
        }
    }
    let size = parts.iter().map(Part::size).sum();
    let progress = Progress::begin(shown, "pulling", parts.len() as u64, size);
    let pieces: Vec<(usize, usize)> = parts
        .iter()
        .enumerate()
        .flat_map(|(part, found)| (0..found.pieces()).map(move |piece| (part, piece)))
        .collect();
    for_each(pieces.len(), THREADS, &|index, stop| {
        let (part, piece) = pieces[index];
        parts[part].fetch(&Way { api, version, stop, progress: &progress }, piece)
    })
}
