//! The source of a version: the text by which a client says where its files are.
//!
//! The text is kept and answered as it was sent. What it means in this project is read here, and nothing here asks
//! another host for anything.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{LoggedModelEid, ProjectId};
use modelry_core::names::check_length;
use modelry_core::version::Version;
use modelry_core::version::selector::Selector;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::files::{Owner, Tree};
use modelry_store::logged_models::{self, Deleted};
use modelry_store::versions::{self, ModelVersion, Source};
use modelry_store::{candidates, models};
use percent_encoding::percent_decode_str;

use super::super::artifacts::locate;

/// Characters of a source.
const SOURCE: usize = 2_000;

/// Stores that clients reach with credentials of their own, so that naming one sends nobody our tokens.
const CLOUD_SCHEMES: [&str; 11] =
    ["abfs", "abfss", "adl", "dbfs", "gs", "hdfs", "oss", "r2", "s3", "wasb", "wasbs"];

/// What a source says, before the project is asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reference {
    /// Nothing.
    Nothing,
    /// A run's artifacts, or a part of them.
    Run { eid: String, dir: Option<ArtifactPath> },
    /// A logged model's files.
    LoggedModel(LoggedModelEid),
    /// Another version.
    Version { model: String, selector: Selector },
    /// A path of the artifact proxy.
    Artifacts(ArtifactPath),
    /// Something outside of this server.
    Outside,
}

impl Reference {
    /// Reads the source of a model's version.
    ///
    /// Fails with `Invalid` for paths of a local disk, and for those that climb out of where they start.
    pub(super) fn read(source: &str) -> Result<Self> {
        check_length("source", source, SOURCE)?;
        // GitLab's guide passes the version where clients expect a source.
        if source.is_empty() || source.parse::<Version>().is_ok() {
            return Ok(Self::Nothing);
        }
        refuse_climbing(source)?;
        let Some((scheme, rest)) = source.split_once(':') else { return Err(is_local(source)) };
        if !is_scheme(scheme) {
            return Err(is_local(source));
        }
        let path = rest.strip_prefix('/').unwrap_or(rest);
        match scheme.to_ascii_lowercase().as_str() {
            "runs" => Self::run(source, path),
            "models" => Self::model(source, path),
            "mlflow-artifacts" if !path.starts_with('/') => {
                let path = ArtifactPath::parse_dir(Some(path))?;
                Ok(path.map_or(Self::Nothing, Self::Artifacts))
            }
            // A single letter is a drive.
            scheme if scheme == "file" || scheme.len() < 2 || !rest.starts_with('/') => Err(is_local(source)),
            _ => Ok(Self::Outside),
        }
    }

    fn run(source: &str, path: &str) -> Result<Self> {
        let (eid, dir) = path.split_once('/').unwrap_or((path, ""));
        if eid.is_empty() {
            return Err(invalid(source, "it names no run"));
        }
        Ok(Self::Run { eid: eid.to_owned(), dir: ArtifactPath::parse_dir(Some(dir))? })
    }

    fn model(source: &str, path: &str) -> Result<Self> {
        if let Ok(eid) = path.parse() {
            return Ok(Self::LoggedModel(eid));
        }
        let (model, selector) = match (path.split_once('/'), path.split_once('@')) {
            (Some((model, version)), _) => (model, Selector::after_slash(version)?),
            (None, Some((model, alias))) => (model, Selector::after_at(alias)?),
            (None, None) => return Err(invalid(source, "it names no version of a model")),
        };
        Ok(Self::Version { model: model.to_owned(), selector })
    }

    /// What the project has there.
    pub(super) fn look_up(self, tx: &mut Tx<'_>, project: ProjectId) -> Result<Source> {
        Ok(match self {
            Self::Nothing => Source::Nothing,
            Self::Outside => Source::Outside,
            Self::Run { eid, dir } => match candidates::find_by_eid(tx, project, &eid)? {
                Some(run) => of_run(tx, Tree { project, owner: Owner::Candidate(run.id) }, &run.eid, dir)?,
                None => Source::Nothing,
            },
            Self::LoggedModel(eid) => {
                let model = logged_models::get(tx, project, &eid, Deleted::Hidden)?;
                Source::Files(Tree { project, owner: Owner::LoggedModel(model.id) }, None)
            }
            Self::Version { model, selector } => {
                let model = models::get_by_name(tx, project, &model)?;
                Source::Copy(Box::new(versions::resolve(tx, project, &model, &selector)?))
            }
            Self::Artifacts(path) => {
                let place = locate(tx, project, Some(&path))?;
                Source::Files(place.tree, place.path)
            }
        })
    }
}

/// The files of a run below `dir`. Models of 3.x clients do not lie there: `runs:/<run>/model` means the logged model of
/// that name.
fn of_run(tx: &mut Tx<'_>, tree: Tree, eid: &str, dir: Option<ArtifactPath>) -> Result<Source> {
    let has_files = !modelry_store::files::list_all(tx, tree, dir.as_ref(), None, 1)?.is_empty();
    if let (false, Some(name)) = (has_files, &dir)
        && let Some(model) = logged_models::find_of_run(tx, tree.project, eid, name.as_str())?
    {
        return Ok(Source::Files(Tree { owner: Owner::LoggedModel(model), ..tree }, None));
    }
    Ok(Source::Files(tree, dir))
}

/// Where clients download a version from.
///
/// Fails with `Invalid` where its files are on another host: stock clients would send their token there.
pub(super) fn download_uri(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: &ModelVersion,
    is_prompt: bool,
) -> Result<String> {
    if !version.is_draft() && !is_prompt {
        let tree = Tree { project, owner: Owner::Version(version.id) };
        if !modelry_store::files::list_all(tx, tree, None, None, 1)?.is_empty() {
            return Ok(format!("mlflow-artifacts:/versions/{}/artifacts", version.id));
        }
    }
    if version.is_draft()
        && let Some(candidate) = version.candidate_id
        && let Some(candidate) = candidates::list(tx, project, &[candidate])?.pop()
    {
        let below = version.draft_dir.as_ref().map(|dir| format!("/{dir}")).unwrap_or_default();
        return Ok(format!("{}{below}", candidate.artifact_uri()));
    }
    let location = version.location.as_ref().unwrap_or(&version.source);
    let scheme = location.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    if is_prompt || scheme == "runs" || CLOUD_SCHEMES.contains(&scheme.as_str()) {
        return Ok(location.clone());
    }
    let (number, model) = (&version.version, &version.model);
    if version.is_draft() {
        return Err(Error::invalid(format!(
            "version {number} of model {model} has no files: the run it names is not there"
        )));
    }
    Err(Error::invalid(format!(
        "version {number} of model {model} names files outside this server: {location}"
    )))
}

/// Fails when a path climbs, in any encoding: something that reads the source later may decode it once more.
fn refuse_climbing(source: &str) -> Result<()> {
    let mut level = Cow::Borrowed(source);
    loop {
        if level.contains(char::is_control) {
            return Err(invalid(source, "it contains a control character"));
        }
        if level.split(['/', '\\', '?', '#']).any(|part| part == "..") {
            return Err(invalid(source, "it contains `..`"));
        }
        // Bytes that are no UTF-8 may be dots to who decodes them carelessly.
        let decoded = percent_decode_str(&level).decode_utf8();
        let decoded = decoded.map_err(|_| invalid(source, "it is not UTF-8 where it is percent-encoded"))?;
        if decoded == level {
            return Ok(());
        }
        level = Cow::Owned(decoded.into_owned());
    }
}

/// Whether this is how the scheme of a URI is written: what is not may be another one once it is decoded or trimmed.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn is_local(source: &str) -> Error {
    invalid(source, "a path of a local disk is no source here: log the files to a run, or upload them")
}

fn invalid(source: &str, reason: &str) -> Error {
    let source = serde_json::Value::from(source);
    Error::invalid(format!("Invalid model version source: {source}: {reason}"))
}
