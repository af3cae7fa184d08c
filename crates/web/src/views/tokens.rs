//! The caller's access tokens: made, shown once, listed, revoked.

use askama::Template;
use modelry_core::policy::Scope;

use crate::format::Moment;
use crate::parts::{Pager, Snippet};
use crate::shell::Shell;

/// `/-/user_settings/personal_access_tokens`.
#[derive(Clone, Debug, Template)]
#[template(path = "tokens.html")]
pub struct TokensPage {
    /// The surroundings.
    pub shell: Shell,
    /// The token made by the request that this page answers: the only time that its secret is shown.
    pub created: Option<NewToken>,
    /// What was filled in so far.
    pub form: TokenForm,
    /// Why it was refused.
    pub problem: Option<String>,
    /// The caller's tokens.
    pub tokens: Vec<TokenRow>,
    /// The way to the other pages.
    pub pager: Pager,
}

/// A token that was just made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its name.
    pub name: String,
    /// The secret.
    pub secret: String,
    /// How to use it with the project the caller worked in last; `None` without any project.
    pub connect: Option<TokenConnect>,
}

/// The lines that connect a client to one project with a new token.
#[derive(Clone, Debug)]
pub struct TokenConnect {
    /// The project's path.
    pub project: String,
    /// The project's page.
    pub href: String,
    /// The lines for a terminal.
    pub terminal: Snippet,
    /// The lines for a notebook.
    pub python: Snippet,
}

/// The fields of a new token.
#[derive(Clone, Debug)]
pub struct TokenForm {
    /// Its name.
    pub name: String,
    /// The last day it works, `2026-05-04`; empty for ever.
    pub expires_at: String,
    /// The first day that may be chosen.
    pub earliest: String,
    /// What it may do.
    pub scopes: Vec<ScopeChoice>,
}

/// A scope to choose.
#[derive(Clone, Debug)]
pub struct ScopeChoice {
    /// The value in the form and in the API.
    pub value: &'static str,
    /// What it allows.
    pub meaning: &'static str,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

/// One token of the list.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scope: &'static str,
    /// When it was made.
    pub created: Moment,
    /// When it was last used.
    pub last_used: Option<Moment>,
    /// The last day it works, or worked.
    pub expires: Option<String>,
    /// Whether that day is over.
    pub is_expired: bool,
    /// Where the button that revokes it posts to.
    pub revoke_href: String,
}

/// Every scope, with `chosen` chosen.
pub fn scope_choices(chosen: Scope) -> Vec<ScopeChoice> {
    let choice = |scope: Scope| ScopeChoice {
        value: scope.as_str(),
        meaning: meaning(scope),
        is_chosen: scope == chosen,
    };
    Scope::ALL.iter().copied().map(choice).collect()
}

fn meaning(scope: Scope) -> &'static str {
    match scope {
        Scope::Api => "Everything that you may do: read, log, change, delete.",
        Scope::ReadApi => "Only what reads.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::connect;
    use crate::views::testing::{check, minutes_ago, shell};

    fn sample() -> TokensPage {
        let row = |name: &str, scope: Scope, used: Option<i64>, expires: Option<&str>| TokenRow {
            name: name.to_owned(),
            scope: scope.as_str(),
            created: minutes_ago(40_000),
            last_used: used.map(minutes_ago),
            expires: expires.map(str::to_owned),
            is_expired: name == "old laptop",
            revoke_href: "/-/user_settings/personal_access_tokens/4/revoke".to_owned(),
        };
        TokensPage {
            shell: shell("Access tokens", "/-/user_settings/personal_access_tokens"),
            created: None,
            form: TokenForm {
                name: String::new(),
                expires_at: String::new(),
                earliest: "2026-05-04".to_owned(),
                scopes: scope_choices(Scope::Api),
            },
            problem: None,
            tokens: vec![
                row("laptop", Scope::Api, Some(3), None),
                row("dashboard", Scope::ReadApi, None, Some("2026-12-31")),
                row("old laptop", Scope::Api, Some(500_000), Some("2025-01-01")),
            ],
            pager: Pager::default(),
        }
    }

    #[test]
    fn the_tokens_page_lists_tokens_without_their_secrets() {
        let html = sample().to_string();
        check("tokens", &html);
        assert!(html.contains("dashboard"));
        assert!(!html.contains("MLFLOW_TRACKING_TOKEN"));
    }

    #[test]
    fn a_new_token_is_shown_with_the_lines_that_use_it() {
        let uri = "http://127.0.0.1:8080/api/v4/projects/7/ml/mlflow";
        let secret = "mdl-3q2-7wABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij".to_owned();
        let connect = TokenConnect {
            project: "research/churn".to_owned(),
            href: "/research/churn".to_owned(),
            terminal: connect::terminal(uri, &secret),
            python: connect::python(uri, &secret),
        };
        let created = NewToken { name: "laptop".to_owned(), secret, connect: Some(connect) };
        let html = TokensPage { created: Some(created), ..sample() }.to_string();
        check("tokens_created", &html);
        assert!(html.contains("export MLFLOW_TRACKING_TOKEN=&#39;mdl-3q2-7w"));
    }

    #[test]
    fn a_refused_token_keeps_its_scope() {
        let form = TokenForm { scopes: scope_choices(Scope::ReadApi), ..sample().form };
        let problem = Some("the expiry lies in the past".to_owned());
        let html = TokensPage { form, problem, tokens: Vec::new(), ..sample() }.to_string();
        check("tokens_refused", &html);
        assert!(html.contains(r#"value="read_api" checked"#));
    }
}
