//! The forms for models and versions: new ones, and what is said of those that are there.

use askama::Template;

use crate::shell::Shell;

/// `/:full_path/-/ml/models/new`, and `/:full_path/-/ml/models/:id/edit`.
#[derive(Clone, Debug, Template)]
#[template(path = "models/form.html")]
pub struct ModelFormPage {
    /// The surroundings.
    pub shell: Shell,
    /// Where the form posts to.
    pub action: String,
    /// Where giving up leads.
    pub cancel_href: String,
    /// Whether the model is there already.
    pub is_edit: bool,
    /// The name typed so far.
    pub name: String,
    /// The model card typed so far.
    pub description: String,
    /// Why the last try was refused.
    pub problem: Option<String>,
}

/// `/:full_path/-/ml/models/:id/versions/new`, and `/:full_path/-/ml/models/:id/versions/:number/edit`.
#[derive(Clone, Debug, Template)]
#[template(path = "models/version_form.html")]
pub struct VersionFormPage {
    /// The surroundings.
    pub shell: Shell,
    /// Where the form posts to.
    pub action: String,
    /// Where giving up leads.
    pub cancel_href: String,
    /// What stands above the form.
    pub title: String,
    /// The semantic version; `None` where it is fixed.
    pub version: Option<VersionField>,
    /// The description typed so far.
    pub description: String,
    /// Why the last try was refused.
    pub problem: Option<String>,
}

/// The field for the semantic version of a new version.
#[derive(Clone, Debug)]
pub struct VersionField {
    /// What was typed so far.
    pub typed: String,
    /// What an empty field means.
    pub next: String,
    /// What `latest` means now: `1.2.0 (#2)`.
    pub latest: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::models::tests::{HREF, shell};
    use crate::views::testing::check;

    #[test]
    fn a_form_keeps_what_was_typed() {
        let page = ModelFormPage {
            shell: shell("New model"),
            action: "/research/churn/-/ml/models".to_owned(),
            cancel_href: "/research/churn/-/ml/models".to_owned(),
            is_edit: false,
            name: "a/b".to_owned(),
            description: "</textarea><b>".to_owned(),
            problem: Some("Invalid model name 'a/b'.".to_owned()),
        };
        let html = page.to_string();
        check("model_new", &html);
        assert!(html.contains(r#"value="a/b""#) && html.contains("&#60;/textarea&#62;"));
    }

    #[test]
    fn an_empty_version_says_which_one_it_would_be() {
        let version = VersionField {
            typed: String::new(),
            next: "1.2.1".to_owned(),
            latest: Some("1.2.0 (#4)".to_owned()),
        };
        let page = VersionFormPage {
            shell: shell("New version"),
            action: format!("{HREF}/versions"),
            cancel_href: HREF.to_owned(),
            title: "New version of churn".to_owned(),
            version: Some(version),
            description: String::new(),
            problem: None,
        };
        let html = page.to_string();
        check("version_new", &html);
        assert!(html.contains(r#"placeholder="1.2.1""#));
    }
}
