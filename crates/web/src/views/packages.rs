//! The package registry: what versions and candidates have as files.

use askama::Template;

use super::ViewChoice;
use super::models::State;
use crate::format::Moment;
use crate::parts::{Pager, Snippet};
use crate::shell::Shell;

/// `/:full_path/-/packages`.
#[derive(Clone, Debug, Template)]
#[template(path = "packages.html")]
pub struct PackagesPage {
    /// The surroundings.
    pub shell: Shell,
    /// The page itself.
    pub href: String,
    /// The text that names are searched for; empty for all.
    pub search: String,
    /// The kind as it stands in the URL; empty for both.
    pub kind: String,
    /// Both kinds, or one of them.
    pub kinds: Vec<ViewChoice>,
    /// One page of packages.
    pub packages: Vec<PackageRow>,
    /// The way to the other pages.
    pub pager: Pager,
    /// Where a model is made; `None` where the reader may not.
    pub new_model_href: Option<String>,
    /// How files get here.
    pub upload: [Snippet; 2],
}

impl PackagesPage {
    /// Whether the list is narrowed down.
    pub fn is_narrowed(&self) -> bool {
        !self.search.is_empty() || !self.kind.is_empty()
    }
}

/// One package of the list.
#[derive(Clone, Debug)]
pub struct PackageRow {
    /// Its name: that of the model, or of the experiment.
    pub name: String,
    /// `1.2.0`, or `candidate_7`.
    pub version: String,
    /// Its files.
    pub href: String,
    /// Draft or published; `None` for a candidate, whose files may always change.
    pub state: Option<State>,
    /// How many files it has.
    pub files: u64,
    /// How large they are together.
    pub size: String,
    /// When the version or candidate was made.
    pub created: Moment,
    /// Who made it, if known.
    pub creator: Option<String>,
}

/// How files get into the project number `project` of the server at `base_url`, whose page is at `project_href`.
pub fn upload(base_url: &str, project: i64, project_href: &str) -> [Snippet; 2] {
    let curl = format!(
        "# The page of a draft shows its version ID; candidate:<number> in its place means a candidate.\n\
         curl --upload-file weights.safetensors \\\n  \
         --header 'PRIVATE-TOKEN: <your access token>' \\\n  \
         '{base_url}/api/v4/projects/{project}/packages/ml_models/<version id>/files/model/weights.safetensors'\n"
    );
    let push = format!("modelry login {base_url}{project_href}\nmodelry push path/to/files my-model\n");
    [
        Snippet { label: "Upload a directory as a new version".to_owned(), code: push },
        Snippet { label: "Upload one file to a draft".to_owned(), code: curl },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::Section;
    use crate::views::testing::{check, minutes_ago, project_shell};

    const HREF: &str = "/research/churn/-/packages";

    fn sample() -> PackagesPage {
        let choice = |label, value, is_chosen| ViewChoice { label, value, href: HREF.to_owned(), is_chosen };
        let row = |version: &str, state, minutes| PackageRow {
            name: "churn <b>".to_owned(),
            version: version.to_owned(),
            href: "/research/churn/-/ml/models/3/versions/2/artifacts".to_owned(),
            state,
            files: 5,
            size: "1.20 MB".to_owned(),
            created: minutes_ago(minutes),
            creator: Some("ada".to_owned()),
        };
        PackagesPage {
            shell: project_shell("Package registry", Section::Packages),
            href: HREF.to_owned(),
            search: String::new(),
            kind: String::new(),
            kinds: vec![choice("All", "", true), choice("Versions", "version", false)],
            packages: vec![
                row("candidate_7", None, 1),
                row("1.1.0", Some(State::Draft), 4),
                row("1.0.0", Some(State::Published), 90),
            ],
            pager: Pager { first: None, next: Some(format!("{HREF}?after=1.2")) },
            new_model_href: Some("/research/churn/-/ml/models/new".to_owned()),
            upload: upload("https://ml.example", 7, "/research/churn"),
        }
    }

    #[test]
    fn packages_lead_to_their_files() {
        let html = sample().to_string();
        check("packages", &html);
        assert!(
            html.contains(
                r#"<a href="/research/churn/-/ml/models/3/versions/2/artifacts">churn &#60;b&#62;"#
            )
        );
        assert!(html.contains("1.20 MB") && html.contains(">Published</span>"));
    }

    #[test]
    fn a_registry_without_packages_shows_how_to_upload() {
        let html = PackagesPage { packages: Vec::new(), pager: Pager::default(), ..sample() }.to_string();
        check("packages_empty", &html);
        assert!(
            html.contains(
                "https://ml.example/api/v4/projects/7/packages/ml_models/&#60;version id&#62;/files/"
            )
        );
        assert!(html.contains("modelry login https://ml.example/research/churn"));
    }

    #[test]
    fn a_search_without_hits_leads_back_or_goes_on() {
        let page = PackagesPage { search: "x".to_owned(), packages: Vec::new(), ..sample() };
        let html = page.to_string();
        check("packages_not_found_yet", &html);
        assert!(html.contains("Nothing found yet") && html.contains("?after=1.2"), "{html}");
        let html = PackagesPage { pager: Pager::default(), ..page }.to_string();
        check("packages_not_found", &html);
        assert!(html.contains("No package matches"), "{html}");
    }
}
