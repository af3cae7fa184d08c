//! The signed-in user's own password.

use askama::Template;

use crate::shell::Shell;

/// `/-/user_settings/password`.
#[derive(Clone, Debug, Template)]
#[template(path = "password.html")]
pub struct PasswordPage {
    /// The surroundings.
    pub shell: Shell,
    /// Whether there is a password to be asked for first.
    pub has_password: bool,
    /// Why the last change was refused.
    pub problem: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{check, shell};

    fn sample(has_password: bool) -> String {
        let shell = shell("Password", "/-/user_settings/password");
        PasswordPage { shell, has_password, problem: Some("The current password is wrong.".to_owned()) }
            .to_string()
    }

    #[test]
    fn the_current_password_is_asked_for_only_where_there_is_one() {
        let with = sample(true);
        check("password", &with);
        assert!(with.contains(r#"name="current""#));
        assert!(with.contains("The current password is wrong."));
        assert!(!sample(false).contains(r#"name="current""#));
    }
}
