//! The pages of the model registry.

use modelry_core::ids::{ModelId, ProjectId, UserId, VersionId};
use modelry_core::policy::Action;
use modelry_core::version::selector::Target;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_server::access::Granted;
use modelry_server::registry::check_description;
use modelry_store::models::{self, Model, ModelKind};
use modelry_store::versions::{self, ModelVersion};
use modelry_store::{projects, users};

use crate::shell::{Crumb, Section, Shell};
use crate::views::models::VersionLink;
use crate::visit::{Visit, href};

pub(crate) mod aliases;
pub(crate) mod bin;
pub(crate) mod change;
pub(crate) mod compare;
pub(crate) mod delete;
pub(crate) mod edit;
pub(crate) mod files;
pub(crate) mod list;
pub(crate) mod model;
pub(crate) mod new_version;
mod package;
pub(crate) mod promote;
pub(crate) mod version;

/// A model with what every page of it shows.
struct About {
    project: String,
    model: Model,
}

impl About {
    /// Reads the active model `id`. Fails with `NotFound`, also for prompts, which have no pages.
    fn read(tx: &mut Tx<'_>, project: ProjectId, id: ModelId) -> Result<Self> {
        let model = models::find(tx, project, id)?
            .filter(|model| model.deleted_at.is_none() && model.kind == ModelKind::Model)
            .ok_or_else(|| Error::not_found(format!("there is no model {id} in this project")))?;
        Ok(Self { project: projects::get(tx, project)?.name, model })
    }

    /// The page of the model.
    fn href(&self, granted: &Granted) -> String {
        model_href(granted, self.model.id)
    }

    /// What surrounds a page below the model's; without `way`, the model's own.
    fn shell(&self, granted: &Granted, visit: &Visit, way: Vec<Crumb>) -> Shell {
        let name = &self.model.name;
        let mut crumbs = vec![Crumb::link("Model registry", list_href(granted))];
        if way.is_empty() {
            crumbs.push(Crumb::here(name));
        } else {
            crumbs.push(Crumb::link(name, self.href(granted)));
        }
        crumbs.extend(way);
        visit.project_shell(granted, &self.project, Section::Models, crumbs)
    }

    /// The version of this number. Fails with `NotFound`.
    fn version(&self, tx: &mut Tx<'_>, project: ProjectId, number: i64) -> Result<ModelVersion> {
        versions::get_target(tx, project, &self.model, &Target::Number(number))
    }
}

/// The list of models.
pub(super) fn list_href(granted: &Granted) -> String {
    format!("{}/-/ml/models", href(granted))
}

/// The page of a model.
fn model_href(granted: &Granted, id: ModelId) -> String {
    format!("{}/{id}", list_href(granted))
}

/// The page of a version.
pub(super) fn version_href(granted: &Granted, version: &ModelVersion) -> String {
    format!("{}/versions/{}", model_href(granted, version.model_id), version.number)
}

/// A version, as a link with its label.
pub(super) fn version_link(granted: &Granted, version: &ModelVersion) -> VersionLink {
    VersionLink { label: version.label(), href: version_href(granted, version) }
}

/// Where clients put and get the files of a version, below the artifact proxy.
fn stored_path(id: VersionId) -> String {
    format!("versions/{id}/artifacts")
}

/// Whether the caller may change models and versions.
pub(super) fn can_write(granted: &Granted) -> bool {
    granted.access.also(Action::WriteModels)
}

/// The user name of whoever made something, if known.
fn creator_name(tx: &mut Tx<'_>, id: Option<UserId>) -> Result<Option<String>> {
    match id {
        Some(id) => Ok(users::find(tx, id)?.map(|user| user.username)),
        None => Ok(None),
    }
}

/// A description as a form sends it: browsers end lines with two characters.
fn read_description(text: &str) -> Result<String> {
    let text = text.replace("\r\n", "\n").trim_end().to_owned();
    check_description(&text)?;
    Ok(text)
}
