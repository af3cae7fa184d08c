//! From a candidate to a version.

use askama::Template;

use crate::shell::Shell;

/// `/:full_path/-/ml/candidates/:iid/promote`.
#[derive(Clone, Debug, Template)]
#[template(path = "models/promote.html")]
pub struct PromotePage {
    /// The surroundings.
    pub shell: Shell,
    /// The candidate's name.
    pub candidate: String,
    /// The candidate's page.
    pub candidate_href: String,
    /// Where the form posts to.
    pub action: String,
    /// The name of the model typed so far.
    pub model: String,
    /// Names to choose from.
    pub models: Vec<String>,
    /// The semantic version typed so far.
    pub version: String,
    /// What an empty version means; `None` where the model is not chosen yet.
    pub next: Option<String>,
    /// What may become the version's files.
    pub sources: Vec<SourceChoice>,
    /// The description typed so far.
    pub description: String,
    /// Why the last try was refused.
    pub problem: Option<String>,
}

/// Something whose files may become a version's.
#[derive(Clone, Debug)]
pub struct SourceChoice {
    /// The value in the form: `models:/m-...` or `runs:/...`.
    pub value: String,
    /// What it is.
    pub label: String,
    /// How much it is: `5 files, 1.2 MB`.
    pub note: String,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::candidate::tests::shell;
    use crate::views::testing::check;

    #[test]
    fn the_models_there_are_can_be_chosen() {
        let page = PromotePage {
            shell: shell(),
            candidate: "calm-heron-11".to_owned(),
            candidate_href: "/research/churn/-/ml/candidates/12".to_owned(),
            action: "/research/churn/-/ml/candidates/12/promote".to_owned(),
            model: "churn".to_owned(),
            models: vec!["churn".to_owned(), "demand".to_owned()],
            version: String::new(),
            next: Some("1.2.1".to_owned()),
            sources: vec![SourceChoice {
                value: "models:/m-1".to_owned(),
                label: "Logged model model".to_owned(),
                note: "5 files, 1.2 MB".to_owned(),
                is_chosen: true,
            }],
            description: String::new(),
            problem: None,
        };
        let html = page.to_string();
        check("promote", &html);
        assert!(html.contains(r#"<option value="demand">"#) && html.contains("1.2.1"));
    }
}
