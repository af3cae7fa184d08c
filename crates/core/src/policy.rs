//! Who may do what: roles, visibilities, actions and the one table that joins them.
//!
//! Every protocol asks [`decide`] and works with the [`Access`] it hands out; there is no other rule anywhere.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::ids::{ProjectId, UserId};
use crate::{Error, Kind, Result};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word for it in URLs, JSON and forms.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The number that stands for it in the database (GitLab's).
            pub fn number(self) -> i64 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The value that the database's number stands for.
            pub fn from_number(number: i64) -> Result<Self> {
                match number {
                    $($number => Ok(Self::$variant),)*
                    _ => Err(Error::internal(format!("{number} is no {}", stringify!($name)))),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                match text.to_lowercase().as_str() {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(Error::invalid(format!(
                        "`{text}` is not a {}: it is one of {}",
                        stringify!($name).to_lowercase(),
                        [$($word),*].join(", ")
                    ))),
                }
            }
        }
    };
}

words! {
    /// What a member of a project may do. Ordered: "at least" is `>=`.
    Role {
        /// Reads.
        Guest = 10 "guest",
        /// Reads.
        Planner = 15 "planner",
        /// Reads and writes models, versions, experiments and candidates.
        Reporter = 20 "reporter",
        /// As Reporter; more with later features.
        Developer = 30 "developer",
        /// Settings, members, project tokens.
        Maintainer = 40 "maintainer",
        /// Everything, deletion of the project included.
        Owner = 50 "owner",
    }
}

words! {
    /// Who sees a project without being a member.
    Visibility {
        /// Nobody.
        Private = 0 "private",
        /// Every signed-in user.
        Internal = 10 "internal",
        /// Everybody.
        Public = 20 "public",
    }
}

words! {
    /// What a personal access token may do on its owner's behalf.
    Scope {
        /// Everything its owner may.
        Api = 1 "api",
        /// Only what reads.
        ReadApi = 2 "read_api",
    }
}

/// Something a caller wants to do with a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// See that the project exists, its name and description.
    ReadProject,
    /// Read experiments, candidates, logged models and their files.
    ReadExperiments,
    /// Create, change, delete and restore experiments, candidates, logged models and their files.
    WriteExperiments,
    /// Read models, versions and packages.
    ReadModels,
    /// Create, change, delete and restore models, versions and packages.
    WriteModels,
    /// Move protected aliases of models, and say which are.
    MoveProtectedAliases,
    /// Remove for good what is in the bin.
    Purge,
    /// See who is a member.
    ReadMembers,
    /// Add, change and remove members.
    ManageMembers,
    /// Change name, description and visibility.
    ManageSettings,
    /// Delete the project.
    DeleteProject,
}

/// A part of a project with rights of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Models, versions and their packages.
    Models,
    /// Experiments, candidates, logged models, and what clients keep without an owner.
    Experiments,
}

/// What somebody wants to do with a [`Feature`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// See what there is.
    Reading,
    /// Create, change, delete and restore.
    Writing,
}

impl Feature {
    /// The action that is asked for.
    pub fn action(self, doing: Doing) -> Action {
        match (self, doing) {
            (Self::Models, Doing::Reading) => Action::ReadModels,
            (Self::Models, Doing::Writing) => Action::WriteModels,
            (Self::Experiments, Doing::Reading) => Action::ReadExperiments,
            (Self::Experiments, Doing::Writing) => Action::WriteExperiments,
        }
    }
}

/// Who gets a read without being a member.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// Whoever the visibility lets see the project.
    ToVisitors,
    /// Members only.
    ToMembers,
}

impl Action {
    /// Every action, in order.
    pub const ALL: &[Self] = &[
        Self::ReadProject,
        Self::ReadExperiments,
        Self::WriteExperiments,
        Self::ReadModels,
        Self::WriteModels,
        Self::MoveProtectedAliases,
        Self::Purge,
        Self::ReadMembers,
        Self::ManageMembers,
        Self::ManageSettings,
        Self::DeleteProject,
    ];

    /// The policy table: the least role, and whether visitors may without one.
    fn rule(self) -> (Role, Open) {
        match self {
            Self::ReadProject | Self::ReadExperiments | Self::ReadModels => (Role::Guest, Open::ToVisitors),
            Self::ReadMembers => (Role::Guest, Open::ToMembers),
            Self::WriteExperiments | Self::WriteModels => (Role::Reporter, Open::ToMembers),
            Self::MoveProtectedAliases | Self::Purge | Self::ManageMembers | Self::ManageSettings => {
                (Role::Maintainer, Open::ToMembers)
            }
            Self::DeleteProject => (Role::Owner, Open::ToMembers),
        }
    }

    /// Whether a token of scope `read_api` is enough.
    pub fn only_reads(self) -> bool {
        match self {
            Self::ReadProject | Self::ReadExperiments | Self::ReadModels | Self::ReadMembers => true,
            Self::WriteExperiments
            | Self::WriteModels
            | Self::MoveProtectedAliases
            | Self::Purge
            | Self::ManageMembers
            | Self::ManageSettings
            | Self::DeleteProject => false,
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::ReadProject => "see the project",
            Self::ReadExperiments => "read experiments",
            Self::WriteExperiments => "write experiments and candidates",
            Self::ReadModels => "read models",
            Self::WriteModels => "write models and versions",
            Self::MoveProtectedAliases => "move protected aliases",
            Self::Purge => "remove for good what is in the bin",
            Self::ReadMembers => "see the members",
            Self::ManageMembers => "manage members",
            Self::ManageSettings => "change the project's settings",
            Self::DeleteProject => "delete the project",
        }
    }
}

/// Who somebody is to one project: all that a decision rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The signed-in user, if any.
    pub user: Option<UserId>,
    /// Whether this user administers the instance, and so may do everything.
    pub admin: bool,
    /// The role in the project, if a member.
    pub role: Option<Role>,
    /// What the token allows; `Api` for a browser session and for nobody.
    pub scope: Scope,
    /// The project's visibility.
    pub visibility: Visibility,
}

impl Standing {
    fn effective_role(&self) -> Option<Role> {
        if self.admin { Some(Role::Owner) } else { self.role }
    }

    fn sees_project(&self) -> bool {
        self.effective_role().is_some()
            || match self.visibility {
                Visibility::Private => false,
                Visibility::Internal => self.user.is_some(),
                Visibility::Public => true,
            }
    }
}

/// Proof that somebody may do something in a project. Only [`decide`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    project: ProjectId,
    action: Action,
    standing: Standing,
}

impl Access {
    /// The project this access is for.
    pub fn project(&self) -> ProjectId {
        self.project
    }

    /// What was asked for.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Who has it, if signed in.
    pub fn user(&self) -> Option<UserId> {
        self.standing.user
    }

    /// The role that counts: administrators have every right of an Owner.
    pub fn role(&self) -> Option<Role> {
        self.standing.effective_role()
    }

    /// Fails with `Forbidden` unless this caller may give or take away `role`: nobody hands out more than they have.
    pub fn require_rank(&self, role: Role) -> Result<()> {
        if self.role() >= Some(role) {
            return Ok(());
        }
        Err(Error::new(Kind::Forbidden, format!("only who has the role {role} may give or take it away")))
    }

    /// Whether the same caller may also do `action`, for pages that show or hide a control.
    pub fn also(&self, action: Action) -> bool {
        self.require(action).is_ok()
    }

    /// Fails as [`decide`] does unless the same caller may also do `action`.
    pub fn require(&self, action: Action) -> Result<()> {
        decide(self.project, self.standing, action).map(drop)
    }
}

/// Decides whether somebody of this `standing` may do `action` in `project`.
///
/// Fails with `NotFound` when the caller may not know that the project exists, with `Unauthenticated` when signing in
/// could help somebody anonymous who may see it, and with `Forbidden` otherwise.
pub fn decide(project: ProjectId, standing: Standing, action: Action) -> Result<Access> {
    if !standing.sees_project() {
        return Err(Error::not_found("project not found"));
    }
    let (least, open) = action.rule();
    let allowed = open == Open::ToVisitors || standing.effective_role().is_some_and(|role| role >= least);
    if !allowed && standing.user.is_none() {
        return Err(Error::new(
            Kind::Unauthenticated,
            format!("sign in or send a token to {}", action.phrase()),
        ));
    }
    if !allowed {
        return Err(Error::new(
            Kind::Forbidden,
            format!("you need the role {least} or higher in this project to {}", action.phrase()),
        ));
    }
    if standing.scope == Scope::ReadApi && !action.only_reads() {
        return Err(Error::new(
            Kind::Forbidden,
            format!(
                "this token has the scope read_api; a token of scope api is needed to {}",
                action.phrase()
            ),
        ));
    }
    Ok(Access { project, action, standing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    fn cell(standing: Standing, action: Action) -> &'static str {
        match decide(ProjectId(1), standing, action) {
            Ok(_) => "yes",
            Err(error) => match error.kind() {
                Kind::Unauthenticated => "401",
                Kind::Forbidden => "403",
                Kind::NotFound => "404",
                other => panic!("a decision never fails with {other:?}"),
            },
        }
    }

    fn standings(visibility: Visibility) -> Vec<(String, Standing)> {
        let nobody = Standing { user: None, admin: false, role: None, scope: Scope::Api, visibility };
        let stranger = Standing { user: Some(UserId(2)), ..nobody };
        let mut all = vec![("anonymous".to_owned(), nobody), ("stranger".to_owned(), stranger)];
        for role in Role::ALL {
            all.push((role.to_string(), Standing { role: Some(*role), ..stranger }));
        }
        all.push((
            "read_api".into(),
            Standing { role: Some(Role::Owner), scope: Scope::ReadApi, ..stranger },
        ));
        all.push(("admin".into(), Standing { admin: true, ..stranger }));
        all
    }

    #[test]
    fn the_policy_table_is_as_published() {
        let mut table = String::new();
        for visibility in Visibility::ALL {
            let standings = standings(*visibility);
            write!(table, "{:<20}", format!("{visibility} project")).expect("a string takes all");
            for (who, _) in &standings {
                write!(table, " {who:<10}").expect("a string takes all");
            }
            for action in Action::ALL {
                write!(table, "\n{:<20}", format!("{action:?}")).expect("a string takes all");
                for (_, standing) in &standings {
                    write!(table, " {:<10}", cell(*standing, *action)).expect("a string takes all");
                }
            }
            table.push_str("\n\n");
        }
        let table: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
        let published = include_str!("policy_table.txt");
        assert!(table == published, "the policy changed: update policy_table.txt knowingly\n{table}");
    }

    #[test]
    fn nobody_hands_out_more_than_they_have() {
        let maintainer = Standing {
            user: Some(UserId(2)),
            admin: false,
            role: Some(Role::Maintainer),
            scope: Scope::Api,
            visibility: Visibility::Public,
        };
        let rank = |standing| {
            let access = decide(ProjectId(1), standing, Action::ReadProject).expect("a public project");
            Role::ALL.iter().filter(|role| access.require_rank(**role).is_ok()).max().copied()
        };
        assert_eq!(rank(maintainer), Some(Role::Maintainer));
        assert_eq!(rank(Standing { admin: true, ..maintainer }), Some(Role::Owner));
        assert_eq!(rank(Standing { role: None, ..maintainer }), None);
    }

    #[test]
    fn what_may_not_be_seen_answers_like_what_does_not_exist() {
        let stranger = Standing {
            user: Some(UserId(2)),
            admin: false,
            role: None,
            scope: Scope::Api,
            visibility: Visibility::Private,
        };
        for action in Action::ALL {
            let error = decide(ProjectId(1), stranger, *action).expect_err("hidden");
            assert_eq!((error.kind(), error.message()), (Kind::NotFound, "project not found"));
        }
    }
}
