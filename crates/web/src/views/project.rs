//! A project's first page: what it is, how to connect, what happened lately.

use askama::Template;

use crate::format::Moment;
use crate::parts::Seen;
use crate::shell::Shell;
use crate::views::connect::Connect;
use crate::views::models::list::ModelRow;

/// `/:full_path`.
#[derive(Clone, Debug, Template)]
#[template(path = "project.html")]
pub struct ProjectPage {
    /// The surroundings.
    pub shell: Shell,
    /// The name for people.
    pub name: String,
    /// `/:full_path`.
    pub href: String,
    /// The number in API addresses.
    pub number: i64,
    /// The description; may be empty.
    pub description: String,
    /// Who may see it.
    pub visibility: Seen,
    /// When it was made.
    pub created: Moment,
    /// How to point a client at it.
    pub connect: Connect,
    /// The newest models.
    pub models: Vec<ModelRow>,
    /// The experiments that were active last.
    pub experiments: Vec<RecentExperiment>,
}

/// An experiment that was active lately.
#[derive(Clone, Debug)]
pub struct RecentExperiment {
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// How many candidates it holds.
    pub candidates: u32,
    /// When something was last logged to it.
    pub active: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::Section;
    use crate::views::connect;
    use crate::views::models::VersionLink;
    use crate::views::testing::{check, minutes_ago, project_shell};
    use modelry_core::policy::Visibility;

    fn sample() -> ProjectPage {
        let recent = |name: &str, candidates, minutes| RecentExperiment {
            name: name.to_owned(),
            href: "/research/churn/-/ml/experiments/3".to_owned(),
            candidates,
            active: minutes_ago(minutes),
        };
        ProjectPage {
            shell: project_shell("Overview", Section::Overview),
            name: "Churn".to_owned(),
            href: "/research/churn".to_owned(),
            number: 7,
            description: "Who is about to leave, and why.\nFed nightly from the warehouse.".to_owned(),
            visibility: Seen(Visibility::Private),
            created: minutes_ago(90_000),
            connect: connect::tests::sample(),
            models: vec![ModelRow {
                name: "churn".to_owned(),
                href: "/research/churn/-/ml/models/1".to_owned(),
                latest: Some(VersionLink {
                    label: "1.2.0 (#4)".to_owned(),
                    href: "/research/churn/-/ml/models/1/versions/4".to_owned(),
                }),
                versions: 4,
                owner: Some("ada".to_owned()),
                changed: minutes_ago(6),
            }],
            experiments: vec![
                recent("gradient boosting, wide features", 214, 2),
                recent("baseline", 12, 300),
                recent("Default", 1, 44_000),
            ],
        }
    }

    #[test]
    fn the_project_page_says_how_to_connect() {
        let html = sample().to_string();
        check("project", &html);
        assert!(
            html.contains("export MLFLOW_TRACKING_URI=http://127.0.0.1:8080/api/v4/projects/7/ml/mlflow")
        );
    }

    #[test]
    fn the_project_page_of_a_new_project_says_that_it_is_empty() {
        let html = ProjectPage { models: Vec::new(), experiments: Vec::new(), ..sample() }.to_string();
        check("project_empty", &html);
        assert!(html.contains("None yet"));
    }
}
