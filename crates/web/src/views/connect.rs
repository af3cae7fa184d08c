//! How to point an MLflow client at a project: the two lines to paste, for a terminal and for a notebook.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::parts::Snippet;

/// The section that tells a reader how to connect.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/connect.html")]
pub struct Connect {
    /// Whether the reader can make a token.
    pub is_signed_in: bool,
    /// The lines for a terminal.
    pub terminal: Snippet,
    /// The lines for a notebook or a script.
    pub python: Snippet,
}

impl HtmlSafe for Connect {}

/// What stands where the token belongs, on pages that do not know one.
const TOKEN_PLACE: &str = "<your access token>";

impl Connect {
    /// For the project at `tracking_uri`, without a token.
    pub fn without_token(tracking_uri: &str, is_signed_in: bool) -> Self {
        Self {
            is_signed_in,
            terminal: terminal(tracking_uri, TOKEN_PLACE),
            python: python(tracking_uri, TOKEN_PLACE),
        }
    }
}

/// The lines for a terminal, with `token` in its place.
pub fn terminal(tracking_uri: &str, token: &str) -> Snippet {
    let code = format!("export MLFLOW_TRACKING_URI={tracking_uri}\nexport MLFLOW_TRACKING_TOKEN='{token}'\n");
    Snippet { label: "Shell".to_owned(), code }
}

/// The lines for a notebook, with `token` in its place.
pub fn python(tracking_uri: &str, token: &str) -> Snippet {
    let code = format!(
        "import os\n\nos.environ[\"MLFLOW_TRACKING_URI\"] = \"{tracking_uri}\"\n\
         os.environ[\"MLFLOW_TRACKING_TOKEN\"] = \"{token}\"\n"
    );
    Snippet { label: "Python".to_owned(), code }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A project of a server on the reader's own machine.
    pub(crate) fn sample() -> Connect {
        Connect::without_token("http://127.0.0.1:8080/api/v4/projects/7/ml/mlflow", true)
    }

    #[test]
    fn a_token_stands_where_the_client_looks_for_it() {
        let code = terminal("http://host/api/v4/projects/1/ml/mlflow", "mdl-abc").code;
        assert!(code.contains("export MLFLOW_TRACKING_TOKEN='mdl-abc'\n"), "{code}");
    }
}
