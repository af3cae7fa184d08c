//! Lineage: what comes from what in a project.
//!
//! Things are [`Node`]s. An [`Edge`] has what came first upstream and what came of it downstream, whatever its
//! [`Relation`] is called; a [`Walk`] follows edges in one [`Direction`] from one node on.

mod address;
mod node;
mod walk;

use std::str::FromStr;

use serde::Serialize;

pub use address::dataset_address;
pub use node::{Node, NodeKind, NodeName};
pub use walk::{Step, Walk};

use crate::time::Timestamp;
use crate::{Error, Result};

/// Which way a walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To what a thing comes from.
    Up,
    /// To what came of a thing.
    Down,
}

impl FromStr for Direction {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "up" => Ok(Self::Up),
            "down" => Ok(Self::Down),
            _ => Err(Error::invalid(format!("`direction` is `up` or `down`, not `{text}`"))),
        }
    }
}

/// What joins two things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Downstream was made with upstream: a candidate with a dataset, a logged model or a commit, a dataset with its
    /// source.
    Used,
    /// Upstream, a candidate, made downstream, a logged model.
    Produced,
    /// Upstream became downstream, a version.
    RegisteredAs,
    /// Downstream is a version with the files of upstream, another one.
    CopyOf,
    /// Downstream is a version of a model whose card names upstream as its base.
    BaseModel,
    /// Downstream is a candidate within upstream, another one.
    ChildOf,
    /// Downstream is who fetched files of upstream, a version.
    PulledBy,
}

/// A way by which files of versions leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The MLflow protocol.
    Mlflow,
    /// GitLab's routes of packages.
    Packages,
    /// The native API.
    Api,
    /// The pages.
    Pages,
}

impl Door {
    /// The number that stands for it in the database.
    pub fn number(self) -> i64 {
        match self {
            Self::Mlflow => 1,
            Self::Packages => 2,
            Self::Api => 3,
            Self::Pages => 4,
        }
    }

    /// The door that the database's number stands for.
    pub fn from_number(number: i64) -> Result<Self> {
        match number {
            1 => Ok(Self::Mlflow),
            2 => Ok(Self::Packages),
            3 => Ok(Self::Api),
            4 => Ok(Self::Pages),
            _ => Err(Error::internal(format!("{number} is no door"))),
        }
    }
}

/// How somebody fetched files of a version through one door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pull {
    /// The door.
    pub door: Door,
    /// When the first file was fetched.
    pub first_at: Timestamp,
    /// When the last file was fetched.
    pub last_at: Timestamp,
    /// How many files were fetched, each as often as it was.
    pub files: i64,
}

/// Two things that have to do with each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// What came first.
    pub upstream: Node,
    /// What joins them.
    pub relation: Relation,
    /// What came of it.
    pub downstream: Node,
    /// Of [`Relation::PulledBy`]: how.
    pub pull: Option<Pull>,
}

impl Edge {
    /// The edge that leads in `direction` from one node to the other.
    pub fn leading(direction: Direction, from: &Node, relation: Relation, to: Node) -> Self {
        let from = from.clone();
        let (upstream, downstream) = match direction {
            Direction::Up => (to, from),
            Direction::Down => (from, to),
        };
        Self { upstream, relation, downstream, pull: None }
    }

    /// The node that it leads to in `direction`.
    pub fn end(&self, direction: Direction) -> &Node {
        match direction {
            Direction::Up => &self.upstream,
            Direction::Down => &self.downstream,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_read_back_from_its_number() {
        for door in [Door::Mlflow, Door::Packages, Door::Api, Door::Pages] {
            assert_eq!(Door::from_number(door.number()).unwrap(), door);
        }
        assert!(Door::from_number(0).is_err());
    }
}
