//! What `modelry login` remembers, and how it is kept.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use modelry_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::api;
use crate::files::failed;
use crate::http::Api;

/// A server, a project on it and a token, as they lie in a file that only its owner reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The server's address, without a slash at the end.
    pub url: String,
    /// The project's full path or number.
    pub project: String,
    /// The token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// What a login came to.
#[derive(Debug, Serialize)]
pub struct LoggedIn {
    /// The server's address.
    pub url: String,
    /// The project's full path.
    pub project: String,
}

impl Login {
    /// Reads the file at `path`; `None` where there is none.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", path, &error)),
        };
        toml::from_str(&text).map(Some).map_err(|error| {
            Error::invalid(format!(
                "{} is not what `modelry login` writes: {}",
                path.display(),
                error.message()
            ))
        })
    }

    /// Writes the file at `path` so that nobody else can read it, and at no time half of it is there.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = toml::to_string(self)
            .map_err(|error| Error::internal("a login could not be written").with_source(error))?;
        write_private(path, text.as_bytes())
    }
}

/// Checks that the server knows the token and the project, before anything is stored.
///
/// Fails with `Unauthenticated` where the token does not work, with `NotFound` where the project is not there or not
/// for the token's user to see.
pub fn check(api: &Api) -> Result<LoggedIn> {
    let project: api::Project = api.get("", "")?;
    Ok(LoggedIn { url: api.place().server().to_owned(), project: project.path_with_namespace })
}

/// Writes a file that only its owner reads, by way of a new one beside it, and makes its folder.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = path.with_extension("new");
        let _ = fs::remove_file(&new);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        fs::rename(&new, path)
    };
    write().map_err(|error| failed("write", path, &error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_nobody_else_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("modelry/login.toml");
        let login =
            Login { url: "http://h".to_owned(), project: "a/b".to_owned(), token: Some("t\"\\".to_owned()) };

        login.write(&path).unwrap();
        login.write(&path).unwrap();

        assert_eq!(Login::read(&path).unwrap(), Some(login));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn without_a_file_nothing_is_remembered() {
        assert_eq!(Login::read(Path::new("/nowhere/login.toml")).unwrap(), None);
    }

    #[test]
    fn a_file_of_another_form_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "ulr = 1").unwrap();
        let error = Login::read(file.path()).unwrap_err();
        assert!(error.message().contains("is not what `modelry login` writes"), "{error}");
    }
}
