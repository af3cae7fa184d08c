//! A walk along edges: breadth first, each node once, as far as a depth and as many edges as a bound allow.

use std::collections::{HashSet, VecDeque};

use super::{Direction, Edge, Node};

/// A node that a walk wants the edges of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The node.
    pub node: Node,
    /// How many edges it is away from the start.
    distance: u32,
}

/// A walk. It is told the edges of the nodes that it asks for, so that whoever has them reads them as they like.
///
/// In one direction an edge is found from one of its ends only, and each node is asked for once, so no edge comes twice.
#[derive(Clone, Debug)]
pub struct Walk {
    direction: Direction,
    depth: u32,
    most_edges: usize,
    edges: Vec<Edge>,
    seen: HashSet<Node>,
    waiting: VecDeque<Step>,
    is_truncated: bool,
}

impl Walk {
    /// A walk from `start` in `direction` to what is up to `depth` edges away, along `most_edges` at most.
    pub fn new(start: Node, direction: Direction, depth: u32, most_edges: usize) -> Self {
        let waiting = if depth > 0 { vec![Step { node: start.clone(), distance: 0 }] } else { Vec::new() };
        Self {
            direction,
            depth,
            most_edges,
            edges: Vec::new(),
            seen: HashSet::from([start]),
            waiting: waiting.into(),
            is_truncated: false,
        }
    }

    /// The direction it goes.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Takes up to `count` of the nodes whose edges it has to know next; none where it is at its end.
    pub fn next_steps(&mut self, count: usize) -> Vec<Step> {
        let count = count.min(self.waiting.len());
        self.waiting.drain(..count).collect()
    }

    /// How many edges of one node it takes at most; one more than it keeps, so that it knows that there are more.
    pub fn most_taken(&self) -> usize {
        self.most_edges - self.edges.len() + 1
    }

    /// Takes the edges that lead on from a step, in their order. Steps are to be answered in the order they were taken.
    pub fn take(&mut self, step: &Step, edges: Vec<Edge>) {
        for edge in edges {
            if self.edges.len() == self.most_edges {
                self.is_truncated = true;
                self.waiting.clear();
                return;
            }
            let end = edge.end(self.direction);
            let distance = step.distance + 1;
            if self.seen.insert(end.clone()) && distance < self.depth {
                self.waiting.push_back(Step { node: end.clone(), distance });
            }
            self.edges.push(edge);
        }
    }

    /// The edges so far: those nearer to the start first.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Whether there are more edges than it follows.
    pub fn is_truncated(&self) -> bool {
        self.is_truncated
    }
}

#[cfg(test)]
mod tests {
    use super::super::Relation;
    use super::*;
    use crate::ids::CandidateId;

    fn candidate(id: i64) -> Node {
        Node::Candidate(CandidateId(id))
    }

    /// The ends of the edges that a walk from 1 finds where each node leads to what `leads_to` says.
    fn walked(
        depth: u32,
        most: usize,
        at_once: usize,
        leads_to: fn(i64) -> Vec<i64>,
    ) -> (Vec<(i64, i64)>, bool) {
        let mut walk = Walk::new(candidate(1), Direction::Down, depth, most);
        loop {
            let steps = walk.next_steps(at_once);
            if steps.is_empty() {
                break;
            }
            for step in steps {
                let ends = leads_to(number(&step.node)).into_iter().take(walk.most_taken());
                let edges = ends
                    .map(|to| Edge::leading(Direction::Down, &step.node, Relation::ChildOf, candidate(to)));
                let edges = edges.collect();
                walk.take(&step, edges);
            }
        }
        let ends = walk.edges().iter().map(|edge| (number(&edge.upstream), number(&edge.downstream)));
        (ends.collect(), walk.is_truncated())
    }

    fn number(node: &Node) -> i64 {
        match node {
            Node::Candidate(id) => id.0,
            other => panic!("{other} is no candidate"),
        }
    }

    fn double(id: i64) -> Vec<i64> {
        vec![id * 2, id * 2 + 1]
    }

    #[test]
    fn what_is_nearer_comes_first_however_many_are_asked_for_at_once() {
        let expected = [(1, 2), (1, 3), (2, 4), (2, 5), (3, 6), (3, 7)];
        for at_once in [1, 2, 16] {
            assert_eq!(walked(2, 100, at_once, double), (expected.to_vec(), false));
        }
    }

    #[test]
    fn a_circle_is_walked_once() {
        let (edges, is_truncated) = walked(10, 100, 16, |id| vec![id % 3 + 1]);
        assert_eq!((edges, is_truncated), (vec![(1, 2), (2, 3), (3, 1)], false));
    }

    #[test]
    fn a_node_that_two_edges_lead_to_is_asked_for_once() {
        let diamond = |id| match id {
            1 => vec![2, 3],
            2 | 3 => vec![4],
            4 => vec![5],
            _ => vec![],
        };
        assert_eq!(walked(10, 100, 16, diamond).0, [(1, 2), (1, 3), (2, 4), (3, 4), (4, 5)]);
    }

    #[test]
    fn a_walk_ends_at_its_bound_and_says_so() {
        assert_eq!(walked(10, 3, 16, double), (vec![(1, 2), (1, 3), (2, 4)], true));
        assert_eq!(walked(1, 2, 16, double), (vec![(1, 2), (1, 3)], false));
    }

    #[test]
    fn a_walk_without_depth_asks_for_nothing() {
        assert_eq!(walked(0, 3, 16, double), (vec![], false));
    }
}
