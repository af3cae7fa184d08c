//! Models and versions as the protocol answers them.

use std::collections::HashMap;

use modelry_core::Result;
use modelry_core::ids::{ModelId, ProjectId, VersionId};
use modelry_core::version::stage::Stage;
use modelry_db::Tx;
use modelry_store::models::{self, Model};
use modelry_store::versions::{self, Alias, Details, ModelVersion};
use serde::Serialize;

use super::super::views::Text;

/// MLflow's `RegisteredModel`.
#[derive(Debug, Serialize)]
pub(super) struct ModelView {
    name: String,
    creation_timestamp: i64,
    last_updated_timestamp: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    latest_versions: Vec<VersionView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<AliasView>,
}

/// MLflow's `RegisteredModelAlias`.
#[derive(Debug, Serialize)]
struct AliasView {
    alias: String,
    version: String,
}

impl ModelView {
    /// The model with all that is said of it.
    pub(super) fn read(tx: &mut Tx<'_>, project: ProjectId, model: Model) -> Result<Self> {
        let id = model.id;
        let mut view =
            Self::read_all(tx, project, vec![model])?.pop().expect("there is a view of each model");
        let aliases = versions::aliases(tx, project, &[id])?.remove(&id).unwrap_or_default();
        let alias = |alias: Alias| AliasView { alias: alias.name, version: alias.number.to_string() };
        view.aliases = aliases.into_iter().map(alias).collect();
        Ok(view)
    }

    /// Models as searches answer them, in their order: without aliases, as MLflow does.
    pub(super) fn read_all(tx: &mut Tx<'_>, project: ProjectId, models: Vec<Model>) -> Result<Vec<Self>> {
        let ids: Vec<ModelId> = models.iter().map(|model| model.id).collect();
        let mut metadata = models::metadata(tx, project, &ids)?;
        models
            .into_iter()
            .map(|model| {
                let latest = latest_versions(tx, project, &model)?;
                Ok(Self {
                    creation_timestamp: model.created_at.ms(),
                    last_updated_timestamp: model.updated_at.ms(),
                    latest_versions: VersionView::read_all(tx, project, latest)?,
                    tags: Text::list(metadata.remove(&model.id).unwrap_or_default()),
                    aliases: Vec::new(),
                    name: model.name,
                    description: model.description,
                })
            })
            .collect()
    }
}

/// The greatest published version in each stage that is in use; while nothing is published, what `latest` is.
pub(super) fn latest_versions(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
) -> Result<Vec<ModelVersion>> {
    let mut latest = Vec::new();
    for stage in Stage::ALL {
        latest.extend(versions::by_stage(tx, project, model, stage)?);
    }
    if latest.is_empty() {
        latest.extend(models::find_latest(tx, project, model)?);
    }
    Ok(latest)
}

/// MLflow's `ModelVersion`. What it is called by people is in `status_message`, which clients have an attribute for, and
/// in a field of our own; tags and aliases hold exactly what users set.
#[derive(Debug, Serialize)]
pub(super) struct VersionView {
    name: String,
    version: String,
    creation_timestamp: i64,
    last_updated_timestamp: i64,
    current_stage: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    source: String,
    run_id: String,
    status: &'static str,
    status_message: String,
    semantic_version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Text>,
    #[serde(skip_serializing_if = "String::is_empty")]
    run_link: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
}

impl VersionView {
    /// The version with all that is said of it.
    pub(super) fn read(tx: &mut Tx<'_>, project: ProjectId, version: ModelVersion) -> Result<Self> {
        let view = Self::read_all(tx, project, vec![version])?.pop();
        Ok(view.expect("there is a view of each version"))
    }

    /// The versions with all that is said of them, in their order.
    pub(super) fn read_all(
        tx: &mut Tx<'_>,
        project: ProjectId,
        versions: Vec<ModelVersion>,
    ) -> Result<Vec<Self>> {
        let ids: Vec<VersionId> = versions.iter().map(|version| version.id).collect();
        let mut details: HashMap<VersionId, Details> = versions::details(tx, project, &ids)?;
        let view = |version: ModelVersion| {
            let details = details.remove(&version.id).unwrap_or_default();
            Self::new(version, details)
        };
        Ok(versions.into_iter().map(view).collect())
    }

    /// As searches answer it: without aliases, as MLflow does.
    pub(super) fn without_aliases(mut self) -> Self {
        self.aliases.clear();
        self
    }

    fn new(version: ModelVersion, details: Details) -> Self {
        let semantic_version = version.version.to_string();
        Self {
            name: version.model,
            version: version.number.to_string(),
            creation_timestamp: version.created_at.ms(),
            last_updated_timestamp: version.updated_at.ms(),
            current_stage: version.stage.as_str(),
            description: version.description,
            source: version.source,
            run_id: version.run_eid.unwrap_or_default(),
            // Clients wait for this. Whether it is a draft is no matter of its being there.
            status: "READY",
            status_message: semantic_version.clone(),
            semantic_version,
            tags: Text::list(details.metadata),
            run_link: version.run_link,
            aliases: details.aliases,
        }
    }
}
