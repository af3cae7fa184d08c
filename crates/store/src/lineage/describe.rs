//! What people want to know of a node besides which it is.

use modelry_core::Result;
use modelry_core::ids::{CandidateId, DatasetId, LoggedModelEid, ProjectId, TokenId, UserId, VersionId};
use modelry_core::lineage::Node;
use modelry_db::Tx;

use crate::logged_models::{self, Deleted};
use crate::{candidates, tokens, users};

/// Characters of a commit's hash that are shown.
const SHORT_COMMIT: usize = 12;

/// What a node is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// What people call it.
    pub label: String,
    /// Its number: in the project, or of a token or user.
    pub number: Option<i64>,
    /// The public id of a candidate or logged model.
    pub eid: Option<String>,
    /// Its name; of a version its model's, of a token or user the username.
    pub name: Option<String>,
    /// The semantic version of a version.
    pub version: Option<String>,
    /// Whether it is in the bin, itself or with what it belongs to.
    pub is_deleted: bool,
}

/// Describes a node of the project.
pub fn describe(tx: &mut Tx<'_>, project: ProjectId, node: &Node) -> Result<Description> {
    let found = match node {
        Node::Dataset(id) => dataset(tx, project, *id)?,
        Node::Candidate(id) => candidate(tx, project, *id)?,
        Node::LoggedModel(eid) => logged_model(tx, project, eid)?,
        Node::Version(id) => version(tx, project, *id)?,
        Node::Commit(hash) => Some(named(hash.chars().take(SHORT_COMMIT).collect())),
        Node::Source(text) => Some(named(text.clone())),
        Node::Token(id) => token(tx, *id)?,
        Node::User(id) => user(tx, *id)?,
        Node::Anonymous => Some(named("somebody who was not signed in".to_owned())),
    };
    // What is gone for good may still stand in rows of others.
    Ok(found.unwrap_or_else(|| Description { is_deleted: true, ..named(node.to_string()) }))
}

fn named(label: String) -> Description {
    Description { label, ..Description::default() }
}

fn dataset(tx: &mut Tx<'_>, project: ProjectId, id: DatasetId) -> Result<Option<Description>> {
    tx.query_opt(
        "SELECT d.name, d.digest, e.deleted_at IS NOT NULL FROM datasets d CROSS JOIN experiments e
         WHERE d.project_id = $1 AND d.id = $2 AND e.project_id = d.project_id AND e.id = d.experiment_id",
        &[&project.0, &id.0],
        |row| {
            let (name, digest): (String, String) = (row.get(0)?, row.get(1)?);
            Ok(Description {
                label: format!("{name} ({digest})"),
                number: Some(id.0),
                name: Some(name),
                is_deleted: row.get(2)?,
                ..Description::default()
            })
        },
    )
}

fn candidate(tx: &mut Tx<'_>, project: ProjectId, id: CandidateId) -> Result<Option<Description>> {
    let candidate = candidates::find(tx, project, id)?;
    Ok(candidate.map(|candidate| Description {
        label: format!("{} (#{id})", candidate.name),
        number: Some(id.0),
        eid: Some(candidate.eid),
        name: Some(candidate.name),
        is_deleted: candidate.deleted_at.is_some(),
        version: None,
    }))
}

fn logged_model(tx: &mut Tx<'_>, project: ProjectId, eid: &LoggedModelEid) -> Result<Option<Description>> {
    let model = logged_models::find(tx, project, eid, Deleted::Shown)?;
    Ok(model.map(|model| Description {
        label: model.name.clone(),
        number: Some(model.id.0),
        eid: Some(model.eid),
        name: Some(model.name),
        is_deleted: model.deleted_at.is_some(),
        version: None,
    }))
}

fn version(tx: &mut Tx<'_>, project: ProjectId, id: VersionId) -> Result<Option<Description>> {
    tx.query_opt(
        "SELECT m.name, v.version, v.number, v.deleted_at IS NOT NULL OR m.deleted_at IS NOT NULL
         FROM versions v CROSS JOIN models m
         WHERE v.project_id = $1 AND v.id = $2 AND m.project_id = v.project_id AND m.id = v.model_id",
        &[&project.0, &id.0],
        |row| {
            let (name, version): (String, String) = (row.get(0)?, row.get(1)?);
            Ok(Description {
                label: format!("{name} {version} (#{})", row.get::<i64>(2)?),
                number: Some(id.0),
                name: Some(name),
                version: Some(version),
                is_deleted: row.get(3)?,
                eid: None,
            })
        },
    )
}

fn token(tx: &mut Tx<'_>, id: TokenId) -> Result<Option<Description>> {
    let owner = tokens::find_owner(tx, id)?;
    Ok(owner.map(|username| Description {
        label: format!("token {id} of {username}"),
        number: Some(id.0),
        name: Some(username),
        ..Description::default()
    }))
}

fn user(tx: &mut Tx<'_>, id: UserId) -> Result<Option<Description>> {
    let user = users::find(tx, id)?;
    Ok(user.map(|user| Description {
        label: user.username.clone(),
        number: Some(id.0),
        name: Some(user.username),
        ..Description::default()
    }))
}
