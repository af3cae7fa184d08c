//! Lineage, read from the rows that say it: no edge is stored.
//!
//! [`neighbours`] is one step of a walk: the edges of one node in one direction, each kind of them from an index range.
//! What a text refers to and the project does not have is a [`Node::Source`] with that text. Things in the bin are
//! lineage still.

mod artefacts;
mod candidates;
mod describe;
mod finds;
mod metadata;
#[cfg(test)]
mod plans;
mod refer;
mod sources;
mod versions;

use modelry_core::ids::ProjectId;
use modelry_core::lineage::{Direction, Edge, Node, NodeKind, NodeName};
use modelry_core::{Error, Result};
use modelry_db::Tx;

use crate::logged_models::{self, Deleted};
use crate::{candidates as candidate_rows, models, pulls, versions as version_rows};

pub use describe::{Description, describe};

use finds::Finds;

/// What of a project's lineage is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The project.
    pub project: ProjectId,
    /// Whether datasets, candidates, logged models and commits are seen.
    pub sees_experiments: bool,
    /// Whether it is seen who fetched files.
    pub sees_pullers: bool,
}

impl Look {
    fn sees(self, node: &Node) -> bool {
        match node.kind() {
            NodeKind::Dataset | NodeKind::Candidate | NodeKind::LoggedModel | NodeKind::Commit => {
                self.sees_experiments
            }
            NodeKind::Token | NodeKind::User => self.sees_pullers,
            NodeKind::Version | NodeKind::Source => true,
        }
    }
}

/// The node of this name.
///
/// Fails with `NotFound` when there is none to see. Commits, sources, tokens and users have no row in a project: they are
/// there when they have an edge.
pub fn find(tx: &mut Tx<'_>, look: Look, name: &NodeName) -> Result<Node> {
    match name {
        NodeName::Node(node) => {
            let is_there = look.sees(node) && exists(tx, look, node)?;
            is_there.then(|| node.clone()).ok_or_else(|| not_found(node))
        }
        NodeName::CandidateOf(eid) => {
            let candidate = candidate_rows::find_by_eid(tx, look.project, eid.as_str())?;
            let node = candidate.map(|candidate| Node::Candidate(candidate.id));
            node.filter(|node| look.sees(node)).ok_or_else(|| not_found(format!("candidate:{eid}")))
        }
        NodeName::VersionOf(model, target) => {
            let model = models::get_by_name(tx, look.project, model.as_str())?;
            Ok(Node::Version(version_rows::get_target(tx, look.project, &model, target)?.id))
        }
    }
}

fn not_found(name: impl std::fmt::Display) -> Error {
    Error::not_found(format!("there is no {name} in the lineage of this project"))
}

fn exists(tx: &mut Tx<'_>, look: Look, node: &Node) -> Result<bool> {
    let project = look.project;
    match node {
        Node::Dataset(id) => artefacts::has_dataset(tx, project, *id),
        Node::Candidate(id) => Ok(candidate_rows::find(tx, project, *id)?.is_some()),
        Node::LoggedModel(eid) => Ok(logged_models::find(tx, project, eid, Deleted::Shown)?.is_some()),
        Node::Version(id) => versions::exists(tx, project, *id),
        Node::Commit(_) | Node::Source(_) | Node::Token(_) | Node::User(_) | Node::Anonymous => {
            let down = neighbours(tx, look, (node, Direction::Down), 1)?;
            Ok(!down.is_empty() || !neighbours(tx, look, (node, Direction::Up), 1)?.is_empty())
        }
    }
}

/// The edges that lead from a node in a direction to what is seen, up to `limit`, always in the same order.
pub fn neighbours(
    tx: &mut Tx<'_>,
    look: Look,
    (node, direction): (&Node, Direction),
    limit: usize,
) -> Result<Vec<Edge>> {
    let mut finds = Finds::new(look, node, direction, limit);
    match (direction, node) {
        (Direction::Up, Node::Dataset(id)) => artefacts::above_dataset(tx, &mut finds, *id)?,
        (Direction::Down, Node::Dataset(id)) => artefacts::below_dataset(tx, &mut finds, *id)?,
        (Direction::Up, Node::Candidate(id)) => candidates::above(tx, &mut finds, *id)?,
        (Direction::Down, Node::Candidate(id)) => candidates::below(tx, &mut finds, *id)?,
        (Direction::Up, Node::LoggedModel(eid)) => artefacts::above_logged_model(tx, &mut finds, eid)?,
        (Direction::Down, Node::LoggedModel(eid)) => artefacts::below_logged_model(tx, &mut finds, eid)?,
        (Direction::Up, Node::Version(id)) => versions::above(tx, &mut finds, *id)?,
        (Direction::Down, Node::Version(id)) => versions::below(tx, &mut finds, *id)?,
        (Direction::Down, Node::Commit(commit)) => sources::below_commit(tx, &mut finds, commit)?,
        (Direction::Up, Node::Source(text)) => sources::above(tx, &mut finds, text)?,
        (Direction::Down, Node::Source(text)) => sources::below(tx, &mut finds, text)?,
        (Direction::Up, Node::Token(_) | Node::User(_) | Node::Anonymous) => {
            for (version, pull) in pulls::list_of_puller(tx, look.project, node, finds.limit())? {
                finds.add_pull(Node::Version(version), pull);
            }
        }
        (Direction::Up, Node::Commit(_))
        | (Direction::Down, Node::Token(_) | Node::User(_) | Node::Anonymous) => {}
    }
    Ok(finds.into_edges())
}
