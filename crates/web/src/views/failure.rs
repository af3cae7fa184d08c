//! A page that could not be shown, with a way out.

use askama::Template;

use crate::shell::Shell;

/// What a browser sees when a request fails.
#[derive(Clone, Debug, Template)]
#[template(path = "failure.html")]
pub struct FailurePage {
    /// The surroundings.
    pub shell: Shell,
    /// The HTTP status.
    pub code: u16,
    /// What happened, in a few words.
    pub title: String,
    /// What that means for the reader.
    pub explanation: String,
    /// Where to go from here, the best first.
    pub ways: Vec<Way>,
}

/// A way out.
#[derive(Clone, Debug)]
pub struct Way {
    /// The word.
    pub label: String,
    /// Where it leads.
    pub href: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{check, shell};

    fn way(label: &str, href: &str) -> Way {
        Way { label: label.to_owned(), href: href.to_owned() }
    }

    #[test]
    fn an_unknown_page_offers_to_sign_in() {
        let page = FailurePage {
            shell: Shell { user: None, ..shell("Not found", "/research/secret") },
            code: 404,
            title: "Page not found".to_owned(),
            explanation: "It does not exist, or you may not see it.".to_owned(),
            ways: vec![way("Sign in", "/users/sign_in?back=%2Fresearch%2Fsecret"), way("All projects", "/")],
        };
        let html = page.to_string();
        check("failure_404", &html);
        assert!(html.contains(r#"href="/users/sign_in?back=%2Fresearch%2Fsecret""#));
    }

    #[test]
    fn a_defect_has_a_way_out() {
        let page = FailurePage {
            shell: shell("Something broke", "/research/churn"),
            code: 500,
            title: "Something broke on our side".to_owned(),
            explanation: "internal error; the server's log says more".to_owned(),
            ways: vec![way("All projects", "/")],
        };
        let html = page.to_string();
        check("failure_500", &html);
        assert!(html.contains(r#"<a class="button primary" href="/">All projects</a>"#));
    }
}
