//! The users of the server, for administrators.

use askama::Template;

use crate::format::Moment;
use crate::parts::Pager;
use crate::shell::Shell;

/// `/admin/users`.
#[derive(Clone, Debug, Template)]
#[template(path = "users.html")]
pub struct UsersPage {
    /// The surroundings.
    pub shell: Shell,
    /// What was filled in so far.
    pub form: UserForm,
    /// Why the last change was refused.
    pub problem: Option<String>,
    /// The users.
    pub users: Vec<UserRow>,
    /// The way to the other pages.
    pub pager: Pager,
}

/// The fields of a new user; the password is never shown again.
#[derive(Clone, Debug, Default)]
pub struct UserForm {
    /// The name to sign in with.
    pub username: String,
    /// Whether it will be an administrator.
    pub is_admin: bool,
}

/// One user.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// The name one signs in with.
    pub username: String,
    /// Whether it is an administrator.
    pub is_admin: bool,
    /// Whether it is kept out.
    pub is_blocked: bool,
    /// When it was made.
    pub created: Moment,
    /// Blocking or letting in again; `None` for the caller.
    pub action: Option<UserAction>,
}

/// A button beside a user.
#[derive(Clone, Debug)]
pub struct UserAction {
    /// `Block` or `Unblock`.
    pub word: &'static str,
    /// Where it posts to.
    pub href: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{check, minutes_ago, shell};

    #[test]
    fn an_administrator_can_block_others() {
        let user = |username: &str, is_admin, is_blocked, word: Option<&'static str>| UserRow {
            username: username.to_owned(),
            is_admin,
            is_blocked,
            created: minutes_ago(80_000),
            action: word.map(|word| UserAction { word, href: format!("/admin/users/{username}/block") }),
        };
        let page = UsersPage {
            shell: shell("Users", "/admin/users"),
            form: UserForm::default(),
            problem: None,
            users: vec![
                user("ada", true, false, None),
                user("grace", false, false, Some("Block")),
                user("mallory", false, true, Some("Unblock")),
            ],
            pager: Pager::default(),
        };
        let html = page.to_string();
        check("users", &html);
        assert!(html.contains(r#"action="/admin/users/grace/block""#));
        assert!(!html.contains(r#"action="/admin/users/ada/block""#));
    }
}
