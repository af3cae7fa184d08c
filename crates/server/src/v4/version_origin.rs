//! What a version is to be made of, as a request says it.

use std::collections::BTreeMap;

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{Eid, LoggedModelEid, ProjectId};
use modelry_core::version::Version;
use modelry_core::version::bump::Step;
use modelry_core::version::selector::Selector;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::files::{Owner, Tree};
use modelry_store::logged_models::Deleted;
use modelry_store::versions::{self, Source};
use modelry_store::{candidates, logged_models};
use serde::Deserialize;
use utoipa::ToSchema;

use super::models::get as get_model;

/// A version to be made. Its files are those of `run_id`, `logged_model_id` or `copy_of` at this moment; without any of
/// them it is a draft, and what is logged to its run are its files.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateVersion {
    /// Its semantic version; the next one where it is not said.
    version: Option<String>,
    /// Which part of the number rises where no version is said: `major`, `minor` or `patch`.
    bump: Option<String>,
    /// What is to be said of it.
    pub(super) description: Option<String>,
    /// Metadata to start with.
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
    /// The public id of the candidate (MLflow's run) whose artifacts are its files.
    pub(super) run_id: Option<String>,
    /// A directory among the candidate's artifacts, where not all of them are meant.
    path: Option<String>,
    /// The public id of the logged model whose files are its files.
    pub(super) logged_model_id: Option<String>,
    /// Another version to copy, as `model@selector` or `model/selector`.
    copy_of: Option<String>,
}

impl CreateVersion {
    /// The wish as metadata, which every protocol understands; it is not kept.
    pub(super) fn wish(&self) -> Result<Option<versions::Wish>> {
        match (&self.version, &self.bump) {
            (Some(_), Some(_)) => Err(Error::invalid("say either `version` or `bump`")),
            (Some(version), None) => Ok(Some(versions::Wish::Exactly(version.parse::<Version>()?))),
            (None, Some(step)) => Ok(Some(versions::Wish::Next(Some(step.parse::<Step>()?)))),
            (None, None) => Ok(None),
        }
    }

    /// Where the files come from, as MLflow would say it.
    pub(super) fn source(&self) -> Result<Origin> {
        match (&self.run_id, &self.logged_model_id, &self.copy_of) {
            (None, None, None) => Ok(Origin::Nothing),
            (Some(run), None, None) => {
                Ok(Origin::Run(run.parse()?, ArtifactPath::parse_dir(self.path.as_deref())?))
            }
            (None, Some(model), None) => Ok(Origin::LoggedModel(model.parse()?)),
            (None, None, Some(version)) => Origin::copy(version),
            _ => Err(Error::invalid("say one of `run_id`, `logged_model_id` and `copy_of`")),
        }
    }
}

/// Where the files of a new version come from.
#[derive(Clone)]
pub(super) enum Origin {
    /// From nowhere yet.
    Nothing,
    /// From a candidate, or a directory among its artifacts.
    Run(Eid, Option<ArtifactPath>),
    /// From a logged model.
    LoggedModel(LoggedModelEid),
    /// From a version of the model of this name.
    Copy(String, Selector),
}

impl Origin {
    fn copy(text: &str) -> Result<Self> {
        let (model, selector) = match (text.split_once('/'), text.split_once('@')) {
            (Some((model, selector)), _) => (model, Selector::after_slash(selector)?),
            (None, Some((model, selector))) => (model, Selector::after_at(selector)?),
            (None, None) => return Err(Error::invalid("`copy_of` is `model@selector` or `model/selector`")),
        };
        Ok(Self::Copy(model.to_owned(), selector))
    }

    /// The source as MLflow's clients would write it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Run(eid, None) => format!("runs:/{eid}/"),
            Self::Run(eid, Some(dir)) => format!("runs:/{eid}/{dir}"),
            Self::LoggedModel(eid) => format!("models:/{eid}"),
            Self::Copy(model, selector) => format!("models:/{model}/{selector}"),
        }
    }

    /// Finds it in the project. Fails with `NotFound` where it is not there.
    pub(super) fn look_up(&self, tx: &mut Tx<'_>, project: ProjectId) -> Result<Source> {
        Ok(match self {
            Self::Nothing => Source::Nothing,
            Self::Run(eid, dir) => {
                let run = candidates::get_by_eid(tx, project, eid)?;
                Source::Files(Tree { project, owner: Owner::Candidate(run.id) }, dir.clone())
            }
            Self::LoggedModel(eid) => {
                let model = logged_models::get(tx, project, eid, Deleted::Hidden)?;
                Source::Files(Tree { project, owner: Owner::LoggedModel(model.id) }, None)
            }
            Self::Copy(model, selector) => {
                let model = get_model(tx, project, model)?;
                Source::Copy(Box::new(versions::resolve(tx, project, &model, selector)?))
            }
        })
    }
}
