//! The list of projects, which is the first page, and the form for a new one.

use askama::Template;
use modelry_core::policy::Visibility;

use crate::format::Moment;
use crate::parts::{Pager, Seen};
use crate::shell::Shell;

/// `/`.
#[derive(Clone, Debug, Template)]
#[template(path = "projects.html")]
pub struct ProjectsPage {
    /// The surroundings.
    pub shell: Shell,
    /// The text that names are searched for; empty for all.
    pub search: String,
    /// The projects that the caller may see.
    pub projects: Vec<ProjectRow>,
    /// The way to the other pages.
    pub pager: Pager,
    /// Whether the caller may create one.
    pub can_create: bool,
}

/// One project of the list.
#[derive(Clone, Debug)]
pub struct ProjectRow {
    /// The name for people.
    pub name: String,
    /// The path of the namespace it lies in.
    pub namespace: String,
    /// The project's page.
    pub href: String,
    /// The description; may be empty.
    pub description: String,
    /// Who may see it.
    pub visibility: Seen,
    /// The caller's role, where the caller is a member.
    pub role: Option<String>,
    /// When it was made.
    pub created: Moment,
}

/// `/projects/new`.
#[derive(Clone, Debug, Template)]
#[template(path = "project_new.html")]
pub struct NewProjectPage {
    /// The surroundings.
    pub shell: Shell,
    /// The path of the namespace it will lie in.
    pub namespace: String,
    /// What was filled in so far.
    pub form: ProjectForm,
    /// Why it was refused.
    pub problem: Option<String>,
}

/// The fields of a project.
#[derive(Clone, Debug)]
pub struct ProjectForm {
    /// The name for people.
    pub name: String,
    /// The last part of its address.
    pub path: String,
    /// The description.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{check, minutes_ago, shell};

    fn row(name: &str, description: &str, visibility: Visibility, role: Option<&str>) -> ProjectRow {
        ProjectRow {
            name: name.to_owned(),
            namespace: "research".to_owned(),
            href: format!("/research/{}", name.to_lowercase()),
            description: description.to_owned(),
            visibility: Seen(visibility),
            role: role.map(str::to_owned),
            created: minutes_ago(3 * 1_440),
        }
    }

    fn sample() -> ProjectsPage {
        ProjectsPage {
            shell: shell("Projects", "/"),
            search: String::new(),
            projects: vec![
                row("Churn", "Who is about to leave, and why.", Visibility::Private, Some("owner")),
                row(
                    "Demand",
                    "Weekly demand per shop & article <forecast>",
                    Visibility::Internal,
                    Some("reporter"),
                ),
                row("Playground", "", Visibility::Public, None),
            ],
            pager: Pager { first: None, next: Some("/?page_token=abc".to_owned()) },
            can_create: true,
        }
    }

    #[test]
    fn the_projects_page_lists_what_the_caller_may_see() {
        let html = sample().to_string();
        check("projects", &html);
        assert!(
            html.contains("Weekly demand per shop &#38; article &#60;forecast&#62;"),
            "descriptions are text"
        );
    }

    #[test]
    fn the_projects_page_offers_a_first_project() {
        let page = ProjectsPage { projects: Vec::new(), pager: Pager::default(), ..sample() };
        let html = page.to_string();
        check("projects_empty", &html);
        assert!(html.contains("No projects yet"));
    }

    #[test]
    fn a_new_project_that_is_refused_keeps_what_was_typed() {
        let page = NewProjectPage {
            shell: shell("New project", "/projects/new"),
            namespace: "ada".to_owned(),
            form: ProjectForm {
                name: "Churn 2".to_owned(),
                path: "churn".to_owned(),
                description: "Second try".to_owned(),
                visibility: Visibility::Internal,
            },
            problem: Some("a project `ada/churn` exists already".to_owned()),
        };
        let html = page.to_string();
        check("project_new", &html);
        assert!(html.contains(r#"value="internal" checked"#));
    }
}
