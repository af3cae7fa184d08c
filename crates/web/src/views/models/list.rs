//! The models of a project.

use askama::Template;

use super::VersionLink;
use crate::format::Moment;
use crate::parts::{Pager, Snippet};
use crate::shell::Shell;
use crate::views::connect::Connect;

/// `/:full_path/-/ml/models`.
#[derive(Clone, Debug, Template)]
#[template(path = "models/list.html")]
pub struct ModelsPage {
    /// The surroundings.
    pub shell: Shell,
    /// The page itself.
    pub href: String,
    /// Whether the reader may change models.
    pub can_write: bool,
    /// The text that names are searched for; empty for all.
    pub search: String,
    /// One page of models.
    pub models: Vec<ModelRow>,
    /// The way to the other pages.
    pub pager: Pager,
    /// How many models are in the bin, for who may take them out.
    pub in_bin: usize,
    /// Code that registers a version.
    pub register: Snippet,
    /// How to point a client at the project, for the empty state.
    pub connect: Connect,
}

/// One model of the list.
#[derive(Clone, Debug)]
pub struct ModelRow {
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// What `latest` means; `None` while no version has files.
    pub latest: Option<VersionLink>,
    /// How many versions it has.
    pub versions: u32,
    /// Who made it, if known.
    pub owner: Option<String>,
    /// When it changed last.
    pub changed: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::Section;
    use crate::views::connect;
    use crate::views::models::register;
    use crate::views::testing::{check, minutes_ago, project_shell};

    fn sample() -> ModelsPage {
        let row = |name: &str, latest: Option<&str>, versions, minutes| ModelRow {
            name: name.to_owned(),
            href: "/research/churn/-/ml/models/3".to_owned(),
            latest: latest.map(|label| VersionLink {
                label: label.to_owned(),
                href: "/research/churn/-/ml/models/3/versions/2".to_owned(),
            }),
            versions,
            owner: Some("ada".to_owned()),
            changed: minutes_ago(minutes),
        };
        ModelsPage {
            shell: project_shell("Model registry", Section::Models),
            href: "/research/churn/-/ml/models".to_owned(),
            can_write: true,
            search: String::new(),
            models: vec![row("churn", Some("1.2.0 (#4)"), 4, 3), row("demand <b>", None, 0, 4_000)],
            pager: Pager { first: None, next: Some("?page_token=abc".to_owned()) },
            in_bin: 1,
            register: register("my-model"),
            connect: connect::tests::sample(),
        }
    }

    #[test]
    fn the_list_shows_the_latest_version_with_its_number() {
        let html = sample().to_string();
        check("models", &html);
        assert!(html.contains(r#"<a href="/research/churn/-/ml/models/3/versions/2">1.2.0 (#4)</a>"#));
        assert!(html.contains("demand &#60;b&#62;"));
    }

    #[test]
    fn a_reader_sees_no_forms() {
        let html = ModelsPage { can_write: false, in_bin: 0, ..sample() }.to_string();
        check("models_read_only", &html);
        assert!(!html.contains("Create model") && !html.contains("In the bin"));
    }

    #[test]
    fn a_registry_without_models_shows_what_to_run() {
        let html = ModelsPage { models: Vec::new(), pager: Pager::default(), ..sample() }.to_string();
        check("models_empty", &html);
        assert!(html.contains("registered_model_name=&#34;my-model&#34;"));
    }
}
