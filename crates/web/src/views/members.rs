//! Who works on a project, and as what.

use askama::Template;
use askama::filters::HtmlSafe;
use modelry_core::policy::Role;

use crate::format::Moment;
use crate::parts::Pager;
use crate::shell::Shell;

/// `/:full_path/-/project_members`.
#[derive(Clone, Debug, Template)]
#[template(path = "members.html")]
pub struct MembersPage {
    /// The surroundings.
    pub shell: Shell,
    /// The page itself, where the form that adds a member posts to.
    pub href: String,
    /// Whether the caller may change members.
    pub can_change: bool,
    /// The user name typed so far.
    pub username: String,
    /// The role for the new member.
    pub role_choice: RoleChoice,
    /// Why the last change was refused.
    pub problem: Option<String>,
    /// The members.
    pub members: Vec<MemberRow>,
    /// The way to the other pages.
    pub pager: Pager,
}

/// One member.
#[derive(Clone, Debug)]
pub struct MemberRow {
    /// The name one signs in with.
    pub username: String,
    /// The role.
    pub role: &'static str,
    /// Whether this is the caller.
    pub is_viewer: bool,
    /// The roles the caller may give; `None` where the caller may not change this member.
    pub role_choice: Option<RoleChoice>,
    /// Where changing posts to; `/delete` behind it removes.
    pub href: String,
    /// Since when.
    pub since: Moment,
}

/// A list of roles to choose from.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/role_choice.html")]
pub struct RoleChoice {
    /// The id of the field.
    pub id: String,
    /// Its label, where no label element names it.
    pub label: Option<String>,
    /// The roles.
    pub roles: Vec<RoleOption>,
}

impl HtmlSafe for RoleChoice {}

/// A role to choose.
#[derive(Clone, Debug)]
pub struct RoleOption {
    /// The value in the form and in the API.
    pub value: &'static str,
    /// The word on the page.
    pub word: &'static str,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

/// The roles up to `highest`, with `chosen` chosen.
pub fn role_options(highest: Role, chosen: Role) -> Vec<RoleOption> {
    let option =
        |role: Role| RoleOption { value: role.as_str(), word: role_word(role), is_chosen: role == chosen };
    Role::ALL.iter().copied().filter(|role| *role <= highest).map(option).collect()
}

/// The word for a role on a page.
pub fn role_word(role: Role) -> &'static str {
    match role {
        Role::Guest => "Guest",
        Role::Planner => "Planner",
        Role::Reporter => "Reporter",
        Role::Developer => "Developer",
        Role::Maintainer => "Maintainer",
        Role::Owner => "Owner",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::Section;
    use crate::views::testing::{check, minutes_ago, project_shell};

    fn sample() -> MembersPage {
        let member = |username: &str, role: Role, can_change: bool| MemberRow {
            username: username.to_owned(),
            role: role_word(role),
            is_viewer: username == "ada",
            role_choice: can_change.then(|| RoleChoice {
                id: format!("role-{username}"),
                label: Some(format!("Role of {username}")),
                roles: role_options(Role::Maintainer, role),
            }),
            href: format!("/research/churn/-/project_members/{username}"),
            since: minutes_ago(9_000),
        };
        MembersPage {
            shell: project_shell("Members", Section::Members),
            href: "/research/churn/-/project_members".to_owned(),
            can_change: true,
            username: String::new(),
            role_choice: RoleChoice {
                id: "role".to_owned(),
                label: None,
                roles: role_options(Role::Maintainer, Role::Developer),
            },
            problem: None,
            members: vec![
                member("root", Role::Owner, false),
                member("ada", Role::Maintainer, true),
                member("grace", Role::Reporter, true),
            ],
            pager: Pager::default(),
        }
    }

    #[test]
    fn a_maintainer_cannot_give_a_role_above_the_own() {
        let html = sample().to_string();
        check("members", &html);
        assert!(!html.contains(r#"<option value="owner""#));
        assert!(html.contains(r#"<option value="maintainer" selected>"#));
    }

    #[test]
    fn whoever_may_not_change_members_sees_no_forms() {
        let mut page = MembersPage { can_change: false, ..sample() };
        for member in &mut page.members {
            member.role_choice = None;
        }
        let html = page.to_string();
        check("members_read_only", &html);
        assert!(!html.contains("/-/project_members/grace"));
    }
}
