//! The page behind the links that MLflow clients print.
//!
//! They look like `<tracking address>/#/experiments/3/runs/4f1d...`: what follows `#` never reaches a server, so a
//! script on this page leads on; without scripts there is a link to the project's experiments.

use askama::Template;

use crate::shell::Shell;

/// `/api/v4/projects/:id/ml/mlflow/`.
#[derive(Clone, Debug, Template)]
#[template(path = "mlflow_links.html")]
pub struct MlflowLinksPage {
    /// The surroundings.
    pub shell: Shell,
    /// The project's name.
    pub project: String,
    /// `/:full_path`.
    pub project_href: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{check, shell};

    #[test]
    fn without_scripts_there_is_a_link_to_the_experiments() {
        let page = MlflowLinksPage {
            shell: shell("Churn", "/api/v4/projects/7/ml/mlflow/"),
            project: "Churn".to_owned(),
            project_href: "/research/churn".to_owned(),
        };
        let html = page.to_string();
        check("mlflow_links", &html);
        assert!(html.contains(r#"href="/research/churn/-/ml/experiments""#));
    }
}
