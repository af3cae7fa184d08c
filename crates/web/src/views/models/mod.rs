//! The model registry: models, their versions, and what is said of them.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use modelry_core::version::Version;

use crate::parts::Snippet;

pub mod bin;
pub mod compare;
pub mod delete;
pub mod files;
pub mod form;
pub mod list;
pub mod model;
pub mod promote;
pub mod version;

/// Whether the files of a version may still change, as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<span class="tag {{ self.class() }}" title="{{ self.meaning() }}">{{ self.word() }}</span>"#
)]
pub enum State {
    /// They may.
    Draft,
    /// They do not.
    Published,
}

impl HtmlSafe for State {}

impl State {
    /// The word on the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Published => "Published",
        }
    }

    /// What the word means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Draft => "Its files may still change. No range and no stage finds it.",
            Self::Published => "Its files do not change any more.",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Draft => "tag-busy",
            Self::Published => "tag-good",
        }
    }
}

/// What speaks against a version, as a word; nothing where nothing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"{% if *self != Self::Fine %}<span class="tag tag-bad" title="{{ self.meaning() }}">{{ self.word() }}</span>{% endif %}"#
)]
pub enum Standing {
    /// Nothing.
    Fine,
    /// It should not be used any more.
    Deprecated,
    /// It must not be used any more.
    Yanked,
}

impl HtmlSafe for Standing {}

impl Standing {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Fine, Self::Deprecated, Self::Yanked];

    /// The word on the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "Fine",
            Self::Deprecated => "Deprecated",
            Self::Yanked => "Yanked",
        }
    }

    /// The word in forms.
    pub fn value(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Deprecated => "deprecated",
            Self::Yanked => "yanked",
        }
    }

    /// What the word means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "Nothing speaks against using it.",
            Self::Deprecated => "It should not be used any more; it is found as before.",
            Self::Yanked => "It must not be used any more: only who names it exactly finds it.",
        }
    }
}

/// A version in a list, as a link.
#[derive(Clone, Debug)]
pub struct VersionLink {
    /// `1.2.0 (#2)`.
    pub label: String,
    /// Its page.
    pub href: String,
}

/// How a client names a version of a model: `models:/churn/1.2.0`.
#[derive(Clone, Debug)]
pub struct Address<'a> {
    model: &'a str,
    rest: String,
}

impl<'a> Address<'a> {
    /// Just this version.
    pub fn exact(model: &'a str, version: &Version) -> Self {
        Self { model, rest: format!("/{version}") }
    }

    /// This version, or a later one that is compatible with it.
    pub fn compatible(model: &'a str, version: &Version) -> Self {
        Self { model, rest: format!("/^{version}") }
    }

    /// Whatever the alias is at.
    pub fn alias(model: &'a str, alias: &str) -> Self {
        Self { model, rest: format!("@{alias}") }
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "models:/{}{}", self.model, self.rest)
    }
}

/// How clients get at a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// As a model that predicts, which needs the file `MLmodel`.
    Load,
    /// As files.
    Download,
}

/// Code that gets what each address means, under a comment that says it.
pub fn use_model(usage: Usage, addresses: &[(&str, Address<'_>)]) -> Snippet {
    let line = |(meaning, address): &(&str, Address<'_>)| {
        // A JSON string is a Python string, whatever the name holds.
        let uri = serde_json::Value::from(address.to_string());
        match usage {
            Usage::Load => format!("\n# {meaning}\nmodel = mlflow.pyfunc.load_model({uri})\n"),
            Usage::Download => format!("\n# {meaning}\npath = mlflow.artifacts.download_artifacts({uri})\n"),
        }
    };
    let lines: String = addresses.iter().map(line).collect();
    let label = match usage {
        Usage::Load => "Use this model",
        Usage::Download => "Download it",
    };
    Snippet { label: label.to_owned(), code: format!("import mlflow\n{lines}") }
}

/// Code that registers a version while it logs a model.
pub fn register(name: &str) -> Snippet {
    let name = serde_json::Value::from(name);
    let code = format!(
        "import mlflow\n\nwith mlflow.start_run():\n    mlflow.sklearn.log_model(\n        model,\n        \
         name=\"model\",\n        registered_model_name={name},\n    )\n"
    );
    Snippet { label: "Register while logging".to_owned(), code }
}

/// Code that registers what a run logged before.
pub fn register_later(name: &str) -> Snippet {
    let name = serde_json::Value::from(name);
    let code = format!("import mlflow\n\nmlflow.register_model(\"runs:/<run id>/model\", {name})\n");
    Snippet { label: "Register later".to_owned(), code }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::shell::{Crumb, Section, Shell};
    use crate::views::testing::project_shell;

    pub(crate) const HREF: &str = "/research/churn/-/ml/models/3";

    /// The surroundings of a page below a model's.
    pub(crate) fn shell(title: &str) -> Shell {
        let mut shell = project_shell(title, Section::Models);
        shell.crumbs.insert(1, Crumb::link("Model registry", "/research/churn/-/ml/models"));
        shell.crumbs.insert(2, Crumb::link("churn", HREF));
        shell
    }

    #[test]
    fn an_address_is_a_python_string_whatever_the_name_holds() {
        let version: Version = "1.2.0".parse().expect("a version");
        let snippet = use_model(Usage::Load, &[("just this version", Address::exact("a \"b\"", &version))]);
        assert!(snippet.code.contains(r#"load_model("models:/a \"b\"/1.2.0")"#), "{}", snippet.code);
    }
}
