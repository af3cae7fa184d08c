//! Making projects and changing their settings.

use modelry_core::ids::{ProjectId, UserId};
use modelry_core::names::{ProjectName, ProjectPath, check_length};
use modelry_core::policy::Visibility;
use modelry_core::{Error, Kind, Result};
use modelry_store::ids::Series;
use modelry_store::projects::{self, Change, NewProject, Project};
use modelry_store::{namespaces, users};

use super::decide_again;
use crate::App;
use crate::access::Granted;

/// The longest description, in characters.
const LONGEST_DESCRIPTION: usize = 2_000;

/// A project that is to be made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its name for people.
    pub name: ProjectName,
    /// The last segment of its URL; made from the name when it is not said.
    pub path: Option<ProjectPath>,
    /// What it is about; may be empty.
    pub description: String,
    /// Who sees it without being a member.
    pub visibility: Visibility,
}

/// Makes a project in the creator's own namespace, with the creator as its Owner.
///
/// Fails with `Exists` when the path is taken there, and with `Invalid` for a description that is too long or a name
/// that no path can be made from.
pub async fn create(app: &App, creator: UserId, draft: Draft) -> Result<Project> {
    check_length("description", &draft.description, LONGEST_DESCRIPTION)?;
    let path = match draft.path {
        Some(path) => path,
        None => ProjectPath::from_name(&draft.name)?,
    };
    let id = ProjectId(app.ids.next_global(Series::Project).await?);
    let now = app.clock.now();
    let created = app.callers.change(move |tx| {
        if users::get(tx, creator)?.blocked_at.is_some() {
            return Err(Error::new(Kind::Forbidden, "you are blocked"));
        }
        let namespace = namespaces::find_of_user(tx, creator)?
            .ok_or_else(|| Error::internal(format!("the user {creator} has no namespace")))?;
        let new = NewProject {
            id,
            namespace: namespace.id,
            path: path.clone(),
            name: draft.name.clone(),
            description: draft.description.clone(),
            visibility: draft.visibility,
            creator,
            created_at: now,
        };
        projects::insert(tx, &new)
    });
    created.await
}

/// Changes a project's settings and answers it as it is then.
///
/// Fails with `Invalid` for a description that is too long.
pub async fn update(app: &App, granted: &Granted, change: Change) -> Result<Project> {
    if let Some(description) = &change.description {
        check_length("description", description, LONGEST_DESCRIPTION)?;
    }
    let now = app.clock.now();
    let granted = granted.clone();
    let updated = app.callers.change(move |tx| {
        let access = decide_again(tx, &granted, now)?;
        projects::update(tx, access.project(), &change, now)
    });
    updated.await
}
