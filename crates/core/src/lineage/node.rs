//! What lineage is of, and the texts that name it.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::ids::{CandidateId, DatasetId, Eid, LoggedModelEid, TokenId, UserId, VersionId};
use crate::names::ModelName;
use crate::version::selector::Target;
use crate::{Error, Result};

/// What names somebody who was not signed in.
const ANONYMOUS: &str = "anonymous";

/// What kind of thing a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// Data that a candidate read.
    Dataset,
    /// A candidate.
    Candidate,
    /// A model that a candidate made.
    LoggedModel,
    /// A version of a model.
    Version,
    /// A commit of the code.
    Commit,
    /// What is outside of the project, or not known in it.
    Source,
    /// A personal access token.
    Token,
    /// Somebody without a token.
    User,
}

impl NodeKind {
    /// What the name of such a node starts with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Candidate => "candidate",
            Self::LoggedModel => "logged_model",
            Self::Version => "version",
            Self::Commit => "commit",
            Self::Source => "source",
            Self::Token => "token",
            Self::User => "user",
        }
    }
}

/// A thing that comes from others, or that others come from. `Display` prints it so that it is read as a [`NodeName`]
/// of the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A dataset of the project.
    Dataset(DatasetId),
    /// A candidate of the project.
    Candidate(CandidateId),
    /// A logged model of the project.
    LoggedModel(LoggedModelEid),
    /// A version of a model of the project.
    Version(VersionId),
    /// A commit, as the client wrote it.
    Commit(String),
    /// What is outside of the project, or not known in it: the text that refers to it, as it was sent.
    Source(String),
    /// A personal access token.
    Token(TokenId),
    /// A user in the browser.
    User(UserId),
    /// Somebody who was not signed in.
    Anonymous,
}

impl Node {
    /// What kind of thing it is.
    pub fn kind(&self) -> NodeKind {
        match self {
            Self::Dataset(_) => NodeKind::Dataset,
            Self::Candidate(_) => NodeKind::Candidate,
            Self::LoggedModel(_) => NodeKind::LoggedModel,
            Self::Version(_) => NodeKind::Version,
            Self::Commit(_) => NodeKind::Commit,
            Self::Source(_) => NodeKind::Source,
            Self::Token(_) => NodeKind::Token,
            Self::User(_) | Self::Anonymous => NodeKind::User,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.kind().prefix())?;
        match self {
            Self::Dataset(id) => id.fmt(f),
            Self::Candidate(id) => id.fmt(f),
            Self::LoggedModel(eid) => eid.fmt(f),
            Self::Version(id) => id.fmt(f),
            Self::Commit(text) | Self::Source(text) => f.write_str(text),
            Self::Token(id) => id.fmt(f),
            Self::User(id) => id.fmt(f),
            Self::Anonymous => f.write_str(ANONYMOUS),
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How somebody names a node: as its own text does, or by what people rather know it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeName {
    /// The node itself.
    Node(Node),
    /// The candidate of this public id.
    CandidateOf(Eid),
    /// This version of the model of this name.
    VersionOf(ModelName, Target),
}

impl FromStr for NodeName {
    type Err = Error;

    /// Fails with [`Kind::Invalid`](crate::Kind::Invalid), naming the forms that there are.
    fn from_str(text: &str) -> Result<Self> {
        let (kind, rest) = text.split_once(':').ok_or_else(|| no_node(text))?;
        let node = match kind {
            "dataset" => Node::Dataset(DatasetId(number(text, rest)?)),
            "candidate" => return candidate(text, rest),
            "logged_model" => Node::LoggedModel(rest.parse().map_err(|_| no_node(text))?),
            "version" => return version(text, rest),
            "commit" if !rest.is_empty() => Node::Commit(rest.to_owned()),
            "source" if !rest.is_empty() => Node::Source(rest.to_owned()),
            "token" => Node::Token(TokenId(number(text, rest)?)),
            "user" if rest == ANONYMOUS => Node::Anonymous,
            "user" => Node::User(UserId(number(text, rest)?)),
            _ => return Err(no_node(text)),
        };
        Ok(Self::Node(node))
    }
}

/// A candidate's number as it is printed; other digits may be the public id of an imported one.
fn candidate(text: &str, rest: &str) -> Result<NodeName> {
    match rest.parse::<i64>() {
        Ok(id) if id.to_string() == rest => Ok(NodeName::Node(Node::Candidate(CandidateId(id)))),
        _ => rest.parse().map(NodeName::CandidateOf).map_err(|_| no_node(text)),
    }
}

fn version(text: &str, rest: &str) -> Result<NodeName> {
    match rest.split_once('/') {
        Some((model, version)) => Ok(NodeName::VersionOf(model.parse()?, version.parse()?)),
        None => Ok(NodeName::Node(Node::Version(VersionId(number(text, rest)?)))),
    }
}

fn number(text: &str, rest: &str) -> Result<i64> {
    rest.parse().map_err(|_| no_node(text))
}

fn no_node(text: &str) -> Error {
    Error::invalid(format!(
        "`{text}` names nothing: say `dataset:<number>`, `candidate:<number or run id>`, `logged_model:m-<32 hex \
         digits>`, `version:<number>`, `version:<model>/<version>`, `commit:<hash>`, `source:<address>`, \
         `token:<number>`, `user:<number>` or `user:anonymous`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn node() -> impl Strategy<Value = Node> {
        prop_oneof![
            any::<i64>().prop_map(|id| Node::Dataset(DatasetId(id))),
            any::<i64>().prop_map(|id| Node::Candidate(CandidateId(id))),
            "m-[0-9a-f]{32}".prop_map(|eid| Node::LoggedModel(eid.parse().expect("a public id"))),
            any::<i64>().prop_map(|id| Node::Version(VersionId(id))),
            ".{1,50}".prop_map(Node::Commit),
            ".{1,50}".prop_map(Node::Source),
            any::<i64>().prop_map(|id| Node::Token(TokenId(id))),
            any::<i64>().prop_map(|id| Node::User(UserId(id))),
            Just(Node::Anonymous),
        ]
    }

    proptest! {
        #[test]
        fn a_node_is_read_back(node in node()) {
            prop_assert_eq!(node.to_string().parse::<NodeName>().unwrap(), NodeName::Node(node));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "[a-z_]{0,12}:?.{0,40}") {
            if let Ok(NodeName::Node(node)) = text.parse() {
                prop_assert_eq!(node.to_string().parse::<NodeName>().unwrap(), NodeName::Node(node));
            }
        }
    }

    #[test]
    fn a_public_id_of_digits_is_no_number() {
        for text in ["00000000000000000000000000000001", "99999999999999999999999999999999", "7-a"] {
            let eid: Eid = text.parse().unwrap();
            assert_eq!(format!("candidate:{text}").parse::<NodeName>().unwrap(), NodeName::CandidateOf(eid));
        }
    }

    #[test]
    fn a_version_is_named_by_its_model_and_exactly() {
        let (model, target) = ("churn 2".parse().unwrap(), "1.2.0".parse().unwrap());
        assert_eq!("version:churn 2/1.2.0".parse::<NodeName>().unwrap(), NodeName::VersionOf(model, target));
        let error = "version:churn/^1".parse::<NodeName>().unwrap_err();
        assert!(error.message().contains("does not name one version"), "{error}");
    }

    #[test]
    fn what_is_no_node_is_told_which_there_are() {
        for text in
            ["", "churn", "run:1", "dataset:", "dataset:x", "candidate:", "candidate:a b", "logged_model:m-1"]
        {
            let error = text.parse::<NodeName>().expect_err(text);
            assert!(error.message().contains("say `dataset:<number>`"), "{text}: {error}");
        }
        for text in ["version:", "version:x", "commit:", "source:", "token:x", "user:ann"] {
            assert!(text.parse::<NodeName>().is_err(), "{text}");
        }
    }
}
