//! How versions are named on the command line: `model@selector` to read, `model:version` to write.

use std::str::FromStr;

use modelry_core::address::segment;
use modelry_core::names::ModelName;
use modelry_core::version::Version;
use modelry_core::version::bump::Step;
use modelry_core::version::selector::Selector;
use modelry_core::{Error, Result};

/// A version to read: `churn@^1`, `churn@champion`, `churn:1.2.0`, or `churn` for its latest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    model: ModelName,
    selector: Selector,
}

impl Wanted {
    /// Its path below the project.
    pub(crate) fn path(&self) -> String {
        version_path(self.model.as_str(), &self.selector.to_string())
    }
}

impl FromStr for Wanted {
    type Err = Error;

    /// Fails with `Invalid` where the name or the selector is none.
    fn from_str(text: &str) -> Result<Self> {
        // A name has no colon, and a selector neither a colon nor an at sign.
        let (model, selector) = match (text.split_once(':'), text.rsplit_once('@')) {
            (Some((model, version)), _) => (model, Selector::after_slash(version)?),
            (None, Some((model, selector))) => (model, Selector::after_at(selector)?),
            (None, None) => (text, Selector::Latest),
        };
        Ok(Self { model: model.parse()?, selector })
    }
}

/// What is to be written: `churn:1.2.0`, or `churn` for a version that the server numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The model.
    pub model: ModelName,
    /// Just this version.
    pub version: Option<Version>,
}

impl FromStr for Target {
    type Err = Error;

    /// Fails with `Invalid` where the name is none, or the version is no whole one.
    fn from_str(text: &str) -> Result<Self> {
        let (model, version) = match text.split_once(':') {
            Some((model, version)) => (model, Some(version.parse()?)),
            None => (text, None),
        };
        Ok(Self { model: model.parse()?, version })
    }
}

/// Which number a new version is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Just this one.
    Exactly(Version),
    /// The next one by this step.
    Bump(Step),
    /// The next one.
    Next,
}

impl Wish {
    /// It as a text that differs from that of any other wish.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Exactly(version) => format!("={version}"),
            Self::Bump(step) => step.to_string(),
            Self::Next => String::new(),
        }
    }
}

/// The path of a model below the project.
pub(crate) fn model_path(model: &str) -> String {
    format!("/models/{}", segment(model))
}

/// The path of a version below the project.
pub(crate) fn version_path(model: &str, version: &str) -> String {
    format!("{}/versions/{}", model_path(model), segment(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_selector_makes_a_path() {
        for (text, path) in [
            ("churn", "/models/churn/versions/latest"),
            ("churn@^1", "/models/churn/versions/%5E1"),
            ("churn@>=1.2, <2", "/models/churn/versions/%3E%3D1.2%2C%20%3C2"),
            ("churn@champion", "/models/churn/versions/champion"),
            ("churn@3", "/models/churn/versions/3"),
            ("churn:1.2.0", "/models/churn/versions/1.2.0"),
            ("churn@v1.2.0+a", "/models/churn/versions/1.2.0%2Ba"),
            ("my model@Production", "/models/my%20model/versions/Production"),
            ("a@b@1.0.0", "/models/a%40b/versions/1.0.0"),
        ] {
            assert_eq!(text.parse::<Wanted>().unwrap().path(), path, "{text}");
        }
    }

    #[test]
    fn what_selects_nothing_is_refused_with_what_is_meant() {
        let error = "churn@v1.2.x.y".parse::<Wanted>().unwrap_err();
        assert!(error.message().contains("v1.2.x.y"), "{error}");
        assert!("@1".parse::<Wanted>().is_err());
    }

    #[test]
    fn a_write_names_a_whole_version_or_none() {
        let target: Target = "churn:1.2.0".parse().unwrap();
        assert_eq!(target.version, Some("1.2.0".parse().unwrap()));
        assert_eq!("churn".parse::<Target>().unwrap().version, None);
        assert!("churn:^1".parse::<Target>().unwrap_err().message().contains("^1"));
    }
}
