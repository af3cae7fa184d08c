//! The files of a version together.

use std::fmt::Write as _;

use modelry_core::{Error, Result};

use crate::api::{File, Version};
use crate::hash;
use crate::http::Api;
use crate::name::version_path;

/// The files of just this version, in the order of paths.
pub(crate) fn files(api: &Api, version: &Version) -> Result<Vec<File>> {
    let path = format!("{}/files", version_path(&version.model, &version.version));
    let files = api.list(&path, "", "path")?;
    files.into_iter().map(|file| serde_json::from_value(file).map_err(|_| unreadable())).collect()
}

fn unreadable() -> Error {
    Error::invalid("the server's list of files is not readable; is it of another version?")
}

/// The path of a file of a version below the project.
pub(crate) fn file_path(version: &Version, path: &str) -> String {
    let files = format!("{}/files", version_path(&version.model, &version.version));
    modelry_core::address::below(&files, path)
}

/// The SHA-256, in hex, of a line `<sha256>  <size>  <path>` for each file in the order of paths, as the server
/// calculates it.
pub(crate) fn digest(files: &[File]) -> String {
    let mut lines = String::new();
    for file in files {
        let sha256 = file.sha256.as_deref().unwrap_or_default();
        writeln!(lines, "{sha256}  {}  {}", file.size, file.path).expect("a text can be written to");
    }
    hash::of_text(&lines).to_string()
}
