//! The edges of one node, as they are found.

use std::collections::HashSet;

use modelry_core::ids::{CandidateId, ProjectId, VersionId};
use modelry_core::lineage::{Direction, Edge, Node, Pull, Relation};

use super::Look;

/// Edges that lead from a node in a direction, each once.
pub(super) struct Finds<'n> {
    look: Look,
    node: &'n Node,
    direction: Direction,
    most: usize,
    edges: Vec<Edge>,
    known: HashSet<(Relation, Node)>,
}

impl<'n> Finds<'n> {
    pub(super) fn new(look: Look, node: &'n Node, direction: Direction, most: usize) -> Self {
        Self { look, node, direction, most, edges: Vec::new(), known: HashSet::new() }
    }

    pub(super) fn project(&self) -> ProjectId {
        self.look.project
    }

    /// How many rows a query has to read at most.
    pub(super) fn limit(&self) -> i64 {
        i64::try_from(self.most).unwrap_or(i64::MAX)
    }

    /// Notes an edge, unless it is there already or leads to what is not seen.
    pub(super) fn add(&mut self, relation: Relation, other: Node) {
        if self.look.sees(&other) && self.known.insert((relation, other.clone())) {
            self.edges.push(Edge::leading(self.direction, self.node, relation, other));
        }
    }

    /// Notes what rows refer to, as far as they refer to something.
    pub(super) fn add_all(&mut self, relation: Relation, others: Vec<Option<Node>>) {
        others.into_iter().flatten().for_each(|other| self.add(relation, other));
    }

    pub(super) fn add_candidates(&mut self, relation: Relation, ids: Vec<i64>) {
        for id in ids {
            self.add(relation, Node::Candidate(CandidateId(id)));
        }
    }

    pub(super) fn add_versions(&mut self, relation: Relation, ids: Vec<i64>) {
        for id in ids {
            self.add(relation, Node::Version(VersionId(id)));
        }
    }

    /// Notes a pull. There is one for each door, so that two may lead to the same node.
    pub(super) fn add_pull(&mut self, other: Node, pull: Pull) {
        if self.look.sees(&other) {
            let edge = Edge::leading(self.direction, self.node, Relation::PulledBy, other);
            self.edges.push(Edge { pull: Some(pull), ..edge });
        }
    }

    pub(super) fn into_edges(mut self) -> Vec<Edge> {
        self.edges.truncate(self.most);
        self.edges
    }
}
