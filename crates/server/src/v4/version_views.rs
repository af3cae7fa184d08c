//! Versions of models, as the API tells them.

use std::collections::BTreeMap;

use modelry_core::Result;
use modelry_core::ids::{ProjectId, VersionId};
use modelry_core::time::Timestamp;
use modelry_db::Tx;
use modelry_store::versions::{self, ModelVersion, Record};
use serde::Serialize;
use utoipa::ToSchema;

/// How a version is called.
#[derive(Serialize, ToSchema)]
pub(super) struct VersionName {
    /// Its semantic version.
    version: String,
    /// Its sequence number in the model, which is MLflow's version.
    number: i64,
}

impl From<&ModelVersion> for VersionName {
    fn from(version: &ModelVersion) -> Self {
        Self { version: version.version.to_string(), number: version.number }
    }
}

/// A version of a model.
#[derive(Serialize, ToSchema)]
#[schema(as = ModelVersion)]
pub(super) struct VersionView {
    /// Its number in the project, from 1,000,001.
    id: i64,
    /// The model's name.
    model: String,
    /// Its semantic version.
    version: String,
    /// Its sequence number in the model, which is MLflow's version.
    pub(super) number: i64,
    /// `draft` while its files may change, else `published`.
    state: &'static str,
    /// Since when it should not be used any more, in milliseconds since 1970.
    deprecated_at: Option<i64>,
    /// Since when only who names it exactly finds it, in milliseconds since 1970.
    yanked_at: Option<i64>,
    /// Why it is deprecated or yanked.
    warning: Option<String>,
    /// Where the model's signature changed by more than the step from the version before says: what changed. Only told of a
    /// single version.
    step_warning: Option<String>,
    /// What its run held when it was published: what is logged later changes no version. Only told of a single version.
    at_publication: Option<RecordView>,
    /// Its stage: `None`, `Staging`, `Production` or `Archived`.
    stage: &'static str,
    /// What its maker says of it.
    description: String,
    /// Metadata (MLflow's tags).
    metadata: BTreeMap<String, String>,
    /// The aliases that point at it.
    aliases: Vec<String>,
    /// Where its files came from, as it was sent.
    source: String,
    /// The run that its params and metrics were logged to.
    run_id: Option<String>,
    /// The logged model that it was made from.
    logged_model_id: Option<String>,
    /// When it was made, in milliseconds since 1970.
    created_at: i64,
    /// When it changed last, in milliseconds since 1970.
    updated_at: i64,
    /// When it was published, in milliseconds since 1970.
    published_at: Option<i64>,
}

/// What a run held.
#[derive(Serialize, ToSchema)]
#[schema(as = Record)]
struct RecordView {
    /// Params by key.
    params: BTreeMap<String, String>,
    /// The latest values of metrics by key, as text: also `NaN`, `inf` and `-inf`.
    metrics: BTreeMap<String, String>,
    /// Metadata by key.
    metadata: BTreeMap<String, String>,
}

impl From<Record> for RecordView {
    fn from(record: Record) -> Self {
        Self { params: record.params, metrics: record.metrics, metadata: record.metadata }
    }
}

impl VersionView {
    /// Reads what is told besides the version's row.
    pub(super) fn read(tx: &mut Tx<'_>, project: ProjectId, version: ModelVersion) -> Result<Self> {
        Ok(Self::read_all(tx, project, vec![version])?.pop().expect("there is a view of each version"))
    }

    /// As [`VersionView::read`], with what is only told of a single version.
    pub(super) fn read_whole(tx: &mut Tx<'_>, project: ProjectId, version: ModelVersion) -> Result<Self> {
        let step_warning = versions::check_step(tx, project, &version)?;
        let at_publication = versions::record(tx, project, version.id)?.map(RecordView::from);
        Ok(Self { step_warning, at_publication, ..Self::read(tx, project, version)? })
    }

    /// As the version is told once it is put into the bin, which takes its aliases from it.
    pub(super) fn deleted(self, now: Timestamp) -> Self {
        Self { aliases: Vec::new(), updated_at: now.ms(), ..self }
    }

    /// As [`VersionView::read`], of several.
    pub(super) fn read_all(
        tx: &mut Tx<'_>,
        project: ProjectId,
        found: Vec<ModelVersion>,
    ) -> Result<Vec<Self>> {
        let ids: Vec<VersionId> = found.iter().map(|version| version.id).collect();
        let mut details = versions::details(tx, project, &ids)?;
        let view = |version: ModelVersion| {
            let details = details.remove(&version.id).unwrap_or_default();
            Self {
                id: version.id.0,
                state: if version.is_draft() { "draft" } else { "published" },
                deprecated_at: version.deprecated_at.map(Timestamp::ms),
                yanked_at: version.yanked_at.map(Timestamp::ms),
                warning: Some(version.warning).filter(|warning| !warning.is_empty()),
                step_warning: None,
                at_publication: None,
                version: version.version.to_string(),
                number: version.number,
                stage: version.stage.as_str(),
                metadata: details.metadata.into_iter().collect(),
                aliases: details.aliases,
                model: version.model,
                description: version.description,
                source: version.source,
                run_id: version.run_eid,
                logged_model_id: version.logged_model_eid,
                created_at: version.created_at.ms(),
                updated_at: version.updated_at.ms(),
                published_at: version.published_at.map(Timestamp::ms),
            }
        };
        Ok(found.into_iter().map(view).collect())
    }
}
