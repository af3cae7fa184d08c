//! The list of a project's experiments.

use askama::Template;

use crate::format::Moment;
use crate::parts::{Pager, Snippet};
use crate::shell::Shell;
use crate::views::connect::Connect;

/// `/:full_path/-/ml/experiments`.
#[derive(Clone, Debug, Template)]
#[template(path = "experiments.html")]
pub struct ExperimentsPage {
    /// The surroundings.
    pub shell: Shell,
    /// `/:full_path`.
    pub project_href: String,
    /// The text that names are searched for; empty for all.
    pub search: String,
    /// One page of experiments.
    pub experiments: Vec<ExperimentRow>,
    /// The way to the other pages.
    pub pager: Pager,
    /// Code that makes an experiment.
    pub create: Snippet,
    /// How to point a client at the project, for the empty state.
    pub connect: Connect,
}

/// One experiment of the list.
#[derive(Clone, Debug)]
pub struct ExperimentRow {
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// How many candidates it holds.
    pub candidates: u32,
    /// Who made it; `None` when that user is gone or it was there from the start.
    pub creator: Option<String>,
    /// When something was last logged to it.
    pub active: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::Section;
    use crate::views::testing::{check, minutes_ago, project_shell};
    use crate::views::{connect, first_candidate};

    fn sample() -> ExperimentsPage {
        let row = |name: &str, candidates, creator: Option<&str>, minutes| ExperimentRow {
            name: name.to_owned(),
            href: "/research/churn/-/ml/experiments/3".to_owned(),
            candidates,
            creator: creator.map(str::to_owned),
            active: minutes_ago(minutes),
        };
        ExperimentsPage {
            shell: project_shell("Model experiments", Section::Experiments),
            project_href: "/research/churn".to_owned(),
            search: String::new(),
            experiments: vec![
                row("gradient boosting, wide features", 214, Some("ada"), 2),
                row("neural net", 10_412, Some("grace"), 61),
                row("baseline", 12, Some("grace"), 300),
                row("Default", 0, None, 90_000),
            ],
            pager: Pager { first: Some("?".to_owned()), next: Some("?page_token=abc".to_owned()) },
            create: first_candidate("My first experiment"),
            connect: connect::tests::sample(),
        }
    }

    #[test]
    fn the_experiments_page_counts_candidates() {
        let html = sample().to_string();
        check("experiments", &html);
        assert!(html.contains("10,412"));
    }

    #[test]
    fn the_experiments_page_without_experiments_shows_what_to_run() {
        let html =
            ExperimentsPage { experiments: Vec::new(), pager: Pager::default(), ..sample() }.to_string();
        check("experiments_empty", &html);
        assert!(html.contains("mlflow.set_experiment(&#34;My first experiment&#34;)"));
        assert!(html.contains("/-/user_settings/personal_access_tokens"));
    }

    #[test]
    fn a_search_without_a_hit_leads_back_to_all() {
        let page = ExperimentsPage {
            search: "<x>".to_owned(),
            experiments: Vec::new(),
            pager: Pager::default(),
            ..sample()
        };
        let html = page.to_string();
        check("experiments_no_hit", &html);
        assert!(html.contains("No experiment is called like “&#60;x&#62;”"));
    }
}
