//! What texts refer to: a thing of the project, or, where it has none, the text itself.

use modelry_core::Result;
use modelry_core::ids::{LoggedModelEid, ProjectId};
use modelry_core::lineage::Node;
use modelry_core::names::ModelName;
use modelry_core::version::selector::Target;
use modelry_db::{Row, Tx};

use crate::logged_models::{self, Deleted};
use crate::versions::{self, ModelVersion};
use crate::{candidates, models};

/// The candidate of a public id.
pub(super) fn to_candidate(tx: &mut Tx<'_>, project: ProjectId, eid: String) -> Result<Node> {
    let candidate = candidates::find_by_eid(tx, project, &eid)?;
    Ok(candidate.map_or(Node::Source(eid), |candidate| Node::Candidate(candidate.id)))
}

/// The logged model of a public id.
pub(super) fn to_logged_model(tx: &mut Tx<'_>, project: ProjectId, text: String) -> Result<Node> {
    let Ok(eid) = text.parse::<LoggedModelEid>() else { return Ok(Node::Source(text)) };
    let is_known = logged_models::find(tx, project, &eid, Deleted::Shown)?.is_some();
    Ok(if is_known { Node::LoggedModel(eid) } else { Node::Source(text) })
}

/// Reads the public id of a logged model, and after it the number of that model where the project has it. A text that is
/// no public id refers to nothing.
pub(super) fn read_logged_model(row: &Row<'_>) -> Result<Option<Node>> {
    let (text, known): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
    let eid = text.parse::<LoggedModelEid>().ok();
    Ok(eid.map(|eid| if known.is_some() { Node::LoggedModel(eid) } else { Node::Source(text) }))
}

/// The base that the card of a model names: an active version of another as `models:/<model>/<number or version>`, as
/// those are printed.
pub(super) fn to_base(tx: &mut Tx<'_>, project: ProjectId, text: String) -> Result<Node> {
    let named = text.strip_prefix("models:/").and_then(|name| name.split_once('/'));
    let parsed = named.and_then(|(model, version)| {
        Some((model.parse::<ModelName>().ok()?, version.parse::<Target>().ok()?))
    });
    let Some((name, target)) = parsed else { return Ok(Node::Source(text)) };
    let Some(model) = models::find_by_name(tx, project, name.as_str())? else {
        return Ok(Node::Source(text));
    };
    let version = versions::find_target(tx, project, &model, &target)?;
    let version = version.filter(|version| base_texts(version).contains(&text));
    Ok(version.map_or(Node::Source(text), |version| Node::Version(version.id)))
}

/// The texts by which cards name a version as a base.
pub(super) fn base_texts(version: &ModelVersion) -> [String; 2] {
    let ModelVersion { model, number, version, .. } = version;
    [format!("models:/{model}/{number}"), format!("models:/{model}/{version}")]
}
