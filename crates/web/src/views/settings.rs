//! A project's general settings.

use askama::Template;

use crate::shell::Shell;
use crate::views::projects::ProjectForm;

/// `/:full_path/edit`.
#[derive(Clone, Debug, Template)]
#[template(path = "settings.html")]
pub struct SettingsPage {
    /// The surroundings.
    pub shell: Shell,
    /// Where the form posts to.
    pub action: String,
    /// The address, which does not change.
    pub full_path: String,
    /// The number, which does not change.
    pub number: i64,
    /// Whether versions are refused whose step is too little.
    pub refuses_wrong_steps: bool,
    /// The fields.
    pub form: ProjectForm,
    /// Why the last change was refused.
    pub problem: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::Section;
    use crate::views::testing::{check, project_shell};
    use modelry_core::policy::Visibility;

    #[test]
    fn the_settings_page_holds_what_is_set() {
        let shell = crate::shell::Shell {
            notice: Some("Saved.".to_owned()),
            ..project_shell("General", Section::General)
        };
        let form = ProjectForm {
            name: "Churn".to_owned(),
            path: "churn".to_owned(),
            description: "</textarea><script>".to_owned(),
            visibility: Visibility::Public,
        };
        let page = SettingsPage {
            shell,
            action: "/research/churn/edit".to_owned(),
            full_path: "research/churn".to_owned(),
            number: 7,
            refuses_wrong_steps: true,
            form,
            problem: None,
        };
        let html = page.to_string();
        check("settings", &html);
        assert!(html.contains(r#"value="public" checked"#));
        assert!(html.contains(r#"name="refuses_wrong_steps" checked"#));
        assert!(!html.contains("</textarea><script>"));
    }
}
