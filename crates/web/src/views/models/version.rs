//! One version: what is said of it, what is in its files, what can be done with it.

use askama::Template;

use super::{Standing, State};
use crate::format::Moment;
use crate::markdown::Markdown;
use crate::parts::Snippet;
use crate::shell::Shell;
use crate::views::Pair;
use crate::views::facts::FileFacts;
use crate::views::table::Number;

/// What stands above every part of a version's page.
#[derive(Clone, Debug)]
pub struct VersionHead {
    /// The model's name.
    pub model: String,
    /// The model's page.
    pub model_href: String,
    /// Its semantic version.
    pub version: String,
    /// Its sequence number.
    pub number: i64,
    /// Its page.
    pub href: String,
    /// Draft or published.
    pub state: State,
    /// What speaks against it.
    pub standing: Standing,
    /// Its stage, where it is in one.
    pub stage: Option<&'static str>,
    /// The aliases that point at it.
    pub aliases: Vec<String>,
    /// When it was made.
    pub created: Moment,
    /// Who made it, if known.
    pub owner: Option<String>,
    /// Whether the reader may change it.
    pub can_write: bool,
    /// The part that is shown.
    pub tab: Tab,
}

/// A part of a version's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// What is said of it.
    Overview,
    /// Its files.
    Artifacts,
}

/// `/:full_path/-/ml/models/:id/versions/:number`.
#[derive(Clone, Debug, Template)]
#[template(path = "models/version.html")]
pub struct VersionPage {
    /// The surroundings.
    pub shell: Shell,
    /// What stands above.
    pub head: VersionHead,
    /// Why the last change was refused.
    pub problem: Option<String>,
    /// Why it is deprecated or yanked, in the words of who said so; may be empty.
    pub standing_reason: String,
    /// What the signatures ask for, where the version's numbers promise more than that.
    pub warning: Option<String>,
    /// What its run holds by now in another way than when it was published: key, then, now.
    pub changed_since: Vec<[String; 3]>,
    /// What its maker says of it.
    pub description: Markdown,
    /// How much its files are: `5 files, 1.2 MB`.
    pub amount: String,
    /// Whether it has any.
    pub has_files: bool,
    /// Its files as a package.
    pub package: PackageBrief,
    /// The first of its files.
    pub files: Vec<FileLink>,
    /// What is in the files that are models.
    pub facts: Vec<FileFacts>,
    /// The metrics of its candidate.
    pub metrics: Vec<Metric>,
    /// The parameters of its candidate.
    pub params: Vec<Pair>,
    /// What people set on the version.
    pub metadata: Vec<Pair>,
    /// What people set on its candidate.
    pub candidate_metadata: Vec<Pair>,
    /// Where it comes from.
    pub origin: Origin,
    /// The stages to choose from.
    pub stages: Vec<StageOption>,
    /// Names of the model's aliases that point elsewhere.
    pub other_aliases: Vec<String>,
    /// Code that uses it.
    pub usage: Vec<Snippet>,
}

/// The files of a version as a package.
#[derive(Clone, Debug)]
pub struct PackageBrief {
    /// The packages of the model.
    pub list_href: String,
    /// What package routes call it.
    pub id: String,
    /// All files in one; none where there are no files.
    pub archives: Vec<Archive>,
    /// The digest of the manifest, where it is known without much ado.
    pub digest: Option<String>,
}

/// All files of a version in one.
#[derive(Clone, Debug)]
pub struct Archive {
    /// How its name ends.
    pub extension: &'static str,
    /// Where it is.
    pub href: String,
}

/// A file, as a link to its page.
#[derive(Clone, Debug)]
pub struct FileLink {
    /// Its path.
    pub path: String,
    /// Its page.
    pub href: String,
    /// How large it is.
    pub size: String,
}

/// Where a version comes from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The run that clients are told.
    pub run_id: Option<String>,
    /// The candidate that the run is: name and page. `None` where the project does not know the run.
    pub candidate: Option<(String, String)>,
    /// The logged model: id and page.
    pub logged_model: Option<(String, String)>,
    /// The source as it was sent; may be empty.
    pub source: String,
}

/// The latest value of a metric.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its key.
    pub key: String,
    /// The value.
    pub value: Number,
    /// The step it was logged for.
    pub step: i64,
}

/// A stage to choose.
#[derive(Clone, Debug)]
pub struct StageOption {
    /// Its name.
    pub name: &'static str,
    /// Whether the version is in it.
    pub is_chosen: bool,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::views::artifacts::{SignatureColumn, SignatureHalf};
    use crate::views::models::tests::{HREF, shell};
    use crate::views::testing::{check, minutes_ago};

    pub(crate) fn head(tab: Tab) -> VersionHead {
        VersionHead {
            model: "churn".to_owned(),
            model_href: HREF.to_owned(),
            version: "1.2.0".to_owned(),
            number: 2,
            href: format!("{HREF}/versions/2"),
            state: State::Published,
            standing: Standing::Fine,
            stage: Some("Production"),
            aliases: vec!["champion".to_owned()],
            created: minutes_ago(61),
            owner: Some("ada".to_owned()),
            can_write: true,
            tab,
        }
    }

    fn sample() -> VersionPage {
        let pair = |key: &str, value: &str| Pair { key: key.to_owned(), value: value.to_owned() };
        let signature = SignatureHalf {
            title: "Inputs",
            columns: vec![SignatureColumn {
                name: "age".to_owned(),
                kind: "long".to_owned(),
                is_required: true,
            }],
        };
        VersionPage {
            shell: shell("1.2.0 (#2)"),
            head: head(Tab::Overview),
            problem: None,
            standing_reason: String::new(),
            warning: Some("declared patch, looks like major: required column \"age\" added".to_owned()),
            changed_since: vec![["auc".to_owned(), "0.9".to_owned(), "0.8".to_owned()]],
            description: Markdown::render("Retrained."),
            amount: "5 files, 1.2 MB".to_owned(),
            has_files: true,
            package: PackageBrief {
                list_href: "/research/churn/-/packages?type=version&search=churn".to_owned(),
                id: "1000002".to_owned(),
                archives: vec![Archive {
                    extension: "tar",
                    href: "/api/v4/projects/7/models/churn/versions/1.2.0/archive.tar".to_owned(),
                }],
                digest: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned()),
            },
            files: vec![FileLink {
                path: "MLmodel".to_owned(),
                href: format!("{HREF}/versions/2/artifacts/MLmodel"),
                size: "812 B".to_owned(),
            }],
            facts: vec![
                FileFacts {
                    path: "MLmodel".to_owned(),
                    format: "MLmodel",
                    flavours: vec!["sklearn".to_owned()],
                    signature: vec![signature],
                    ..FileFacts::default()
                },
                FileFacts {
                    path: "model.pkl".to_owned(),
                    format: "Pickle",
                    runs_code: true,
                    ..FileFacts::default()
                },
            ],
            metrics: vec![Metric { key: "auc".to_owned(), value: 0.934_211.into(), step: 4 }],
            params: vec![pair("depth", "6")],
            metadata: vec![pair("team", "growth")],
            candidate_metadata: Vec::new(),
            origin: Origin {
                run_id: Some("4f1d2a90c3b74e57a8e0c1d2b3a4f5e6".to_owned()),
                candidate: Some((
                    "calm-heron-11".to_owned(),
                    "/research/churn/-/ml/candidates/12".to_owned(),
                )),
                logged_model: None,
                source: "runs:/4f1d2a90c3b74e57a8e0c1d2b3a4f5e6/model".to_owned(),
            },
            stages: vec![
                StageOption { name: "None", is_chosen: false },
                StageOption { name: "Production", is_chosen: true },
            ],
            other_aliases: vec!["challenger".to_owned()],
            usage: Vec::new(),
        }
    }

    #[test]
    fn a_version_says_what_is_in_its_files() {
        let html = sample().to_string();
        check("version", &html);
        assert!(html.contains("runs code when loaded") && html.contains("<code>long</code>"));
        assert!(!html.contains("/publish"), "it is published");
        assert!(
            html.contains(r#"href="/api/v4/projects/7/models/churn/versions/1.2.0/archive.tar" download"#)
        );
    }

    #[test]
    fn a_draft_can_be_published_by_whoever_may_change_it() {
        let mut page = sample();
        page.head.state = State::Draft;
        let html = page.to_string();
        check("version_draft", &html);
        assert!(html.contains(r#"action="/research/churn/-/ml/models/3/versions/2/publish""#));
    }

    #[test]
    fn a_yanked_version_says_why() {
        let mut page = sample();
        page.head.standing = Standing::Yanked;
        page.standing_reason = "trained on <wrong> data".to_owned();
        let html = page.to_string();
        check("version_yanked", &html);
        assert!(html.contains("trained on &#60;wrong&#62; data"));
        assert!(html.contains(r#"<option value="yanked" selected>"#));
    }

    #[test]
    fn a_reader_sees_no_forms() {
        let mut page = sample();
        page.head.can_write = false;
        let html = page.to_string();
        check("version_read_only", &html);
        assert!(!html.contains("/alias") && !html.contains("/delete"));
    }
}
