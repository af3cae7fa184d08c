//! Settings: flags over `MODELRY_*` variables over the file over defaults.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use serde::Deserialize;

/// Where the server listens when nothing says otherwise: this machine only.
const DEFAULT_ADDRESS: &str = "127.0.0.1:8080";

/// Where data is kept when nothing says otherwise.
const DEFAULT_DATA: &str = "./modelry-data";

/// Settings as somebody gave them, on the command line, in the environment or in the file.
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Given {
    /// The address to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "MODELRY_ADDRESS", value_name = "HOST:PORT")]
    address: Option<SocketAddr>,
    /// The folder that holds everything [default: ./modelry-data]
    #[arg(long, env = "MODELRY_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// A PostgreSQL database to use instead of SQLite in the data folder
    #[arg(long, env = "MODELRY_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// The address that people and clients reach the server by, such as `https://models.example.org`
    #[arg(long, env = "MODELRY_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// The form of the log on standard error [default: text]
    #[arg(long, env = "MODELRY_LOG_FORMAT", value_enum)]
    log_format: Option<LogFormat>,
    /// The largest JSON or form body, in bytes [default: 16777216]
    #[arg(long, env = "MODELRY_MAX_BODY_BYTES", value_name = "BYTES")]
    max_body_bytes: Option<usize>,
    /// The largest file, in bytes [default: 68719476736]
    #[arg(long, env = "MODELRY_MAX_FILE_BYTES", value_name = "BYTES")]
    max_file_bytes: Option<u64>,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Settings that hold.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) address: SocketAddr,
    pub(crate) data: PathBuf,
    pub(crate) database_url: Option<String>,
    pub(crate) public_url: Option<String>,
    pub(crate) log_format: LogFormat,
    pub(crate) limits: modelry_server::Limits,
}

impl Given {
    /// What the commands that administer a server take of the settings.
    pub(crate) fn of_folder(folder: &crate::args::Folder) -> Self {
        Self {
            data: folder.data.clone(),
            database_url: folder.database_url.clone(),
            public_url: folder.public_url.clone(),
            ..Self::default()
        }
    }

    /// Fills what is not given from the file, and the rest with defaults.
    pub(crate) fn resolve(self, file: Option<&Path>) -> Result<Config> {
        let file = file.map(read_file).transpose()?.unwrap_or_default();
        let limits = modelry_server::Limits::default();
        let default_address = || DEFAULT_ADDRESS.parse().expect("the default address is one");
        let public_url = self.public_url.or(file.public_url);
        Ok(Config {
            address: self.address.or(file.address).unwrap_or_else(default_address),
            data: self.data.or(file.data).unwrap_or_else(|| DEFAULT_DATA.into()),
            database_url: self.database_url.or(file.database_url),
            public_url: public_url.as_deref().map(check_public_url).transpose()?,
            log_format: self.log_format.or(file.log_format).unwrap_or_default(),
            limits: modelry_server::Limits {
                body_bytes: self.max_body_bytes.or(file.max_body_bytes).unwrap_or(limits.body_bytes),
                file_bytes: self.max_file_bytes.or(file.max_file_bytes).unwrap_or(limits.file_bytes),
            },
        })
    }
}

impl Config {
    /// The address that links start with.
    pub(crate) fn base_url(&self) -> String {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        if self.address.ip().is_unspecified() {
            return format!("http://127.0.0.1:{}", self.address.port());
        }
        format!("http://{}", self.address)
    }
}

fn read_file(path: &Path) -> Result<Given> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not a settings file", path.display()))
}

fn check_public_url(url: &str) -> Result<String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let has_host = rest.is_some_and(|rest| !rest.starts_with('/') && !rest.is_empty());
    if !has_host || url.contains(['?', '#', ' ']) {
        bail!("the public URL `{url}` is not one: it has the form https://host or https://host:port");
    }
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn what_is_given_wins_over_the_file_and_the_file_over_defaults() {
        let file = file("address = \"127.0.0.1:9\"\ndata = \"/from-file\"\nlog_format = \"json\"\n");
        let given = Given { data: Some("/given".into()), ..Given::default() };
        let config = given.resolve(Some(file.path())).unwrap();
        assert_eq!(config.address.port(), 9);
        assert_eq!(config.data, Path::new("/given"));
        assert_eq!(config.log_format, LogFormat::Json);
        assert_eq!(config.limits.body_bytes, 16 << 20);
    }

    #[test]
    fn an_unknown_key_in_the_file_is_refused_by_name() {
        let file = file("adress = \"127.0.0.1:9\"\n");
        let error = format!("{:#}", Given::default().resolve(Some(file.path())).unwrap_err());
        assert!(error.contains("adress"), "{error}");
    }

    #[test]
    fn a_public_url_is_http_with_a_host() {
        assert_eq!(check_public_url("https://models.example.org/").unwrap(), "https://models.example.org");
        for bad in ["models.example.org", "ftp://x", "http://", "http:///x", "http://x?y"] {
            assert!(check_public_url(bad).is_err(), "{bad}");
        }
    }
}
