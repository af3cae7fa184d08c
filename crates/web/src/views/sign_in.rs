//! Signing in: by password, and by a one-time link.

use askama::Template;

use crate::shell::Shell;

/// `/users/sign_in`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// The surroundings.
    pub shell: Shell,
    /// The user name of the attempt before.
    pub username: String,
    /// Why that attempt failed.
    pub problem: Option<String>,
    /// The path to go to afterwards.
    pub back: String,
}

/// `/users/sign_in/link/:token`: asks before it signs in, so that a mail scanner or a link preview does not use the
/// link up.
#[derive(Clone, Debug, Template)]
#[template(path = "sign_in_link.html")]
pub struct SignInLinkPage {
    /// The surroundings.
    pub shell: Shell,
    /// Where the button posts to: the page's own path.
    pub action: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{check, shell};

    fn anonymous(title: &str) -> Shell {
        Shell { user: None, ..shell(title, "/users/sign_in") }
    }

    #[test]
    fn the_sign_in_page_says_why_it_failed() {
        let problem = Some("Wrong user name or password.".to_owned());
        let page = SignInPage {
            shell: anonymous("Sign in"),
            username: "ada".to_owned(),
            problem,
            back: "/research/churn".to_owned(),
        };
        check("sign_in", &page.to_string());
        assert!(page.to_string().contains("Wrong user name or password."));
    }

    #[test]
    fn the_link_page_signs_in_by_a_button() {
        let page = SignInLinkPage {
            shell: anonymous("Sign in with a link"),
            action: "/users/sign_in/link/s3cret".to_owned(),
        };
        check("sign_in_link", &page.to_string());
        assert!(page.to_string().contains(r#"method="post" action="/users/sign_in/link/s3cret""#));
    }
}
