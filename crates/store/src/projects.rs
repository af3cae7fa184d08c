//! Projects: the boundary of tenancy. What belongs to one is in the other modules.

use modelry_core::ids::{NamespaceId, ProjectId, UserId};
use modelry_core::names::{ProjectName, ProjectPath};
use modelry_core::policy::{Role, Visibility};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};

use crate::search::escape_like;
use crate::users::fold;
use crate::{experiments, members, namespaces};

/// The figures of [`totals`] end here, so that a start does not wait for a count of millions.
pub const TOTALS_END: i64 = 100_000;

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Number of the project.
    pub id: ProjectId,
    /// Where it lives.
    pub namespace: NamespaceId,
    /// The last segment of its URL.
    pub path: String,
    /// Its whole path, `namespace/path`.
    pub full_path: String,
    /// Its name for people.
    pub name: String,
    /// What it is about; may be empty.
    pub description: String,
    /// Who sees it without being a member.
    pub visibility: Visibility,
    /// Whether a version is refused whose step is less than what its signature asks for.
    pub refuses_wrong_steps: bool,
    /// Who made it.
    pub creator: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings last changed.
    pub updated_at: Timestamp,
}

/// What [`insert`] needs to know.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// A fresh number.
    pub id: ProjectId,
    /// Where it is to live.
    pub namespace: NamespaceId,
    /// The last segment of its URL.
    pub path: ProjectPath,
    /// Its name for people.
    pub name: ProjectName,
    /// What it is about; may be empty.
    pub description: String,
    /// Who sees it without being a member.
    pub visibility: Visibility,
    /// Who makes it, and becomes its Owner.
    pub creator: UserId,
    /// Now.
    pub created_at: Timestamp,
}

/// New settings of a project; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Its name for people.
    pub name: Option<ProjectName>,
    /// What it is about.
    pub description: Option<String>,
    /// Who sees it without being a member.
    pub visibility: Option<Visibility>,
    /// Whether a version is refused whose step is less than what its signature asks for.
    pub refuses_wrong_steps: Option<bool>,
}

/// Whose list of projects is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Somebody who is not signed in.
    Anonymous,
    /// A user.
    User(UserId),
    /// Somebody who administers the instance, and so sees all.
    Administrator,
}

/// How much the instance holds; each figure is at most [`TOTALS_END`], which then means "that or more".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Projects.
    pub projects: i64,
    /// Experiments that are not in the bin.
    pub experiments: i64,
    /// Candidates that are not in the bin.
    pub candidates: i64,
}

/// Creates a project with its experiment `Default`, and makes its creator the Owner.
///
/// Fails with `NotFound` when there is no such namespace, and with `Exists` when the path is taken there, whatever
/// its case.
pub fn insert(tx: &mut Tx<'_>, new: &NewProject) -> Result<Project> {
    let namespace = namespaces::find(tx, new.namespace)?
        .ok_or_else(|| Error::not_found(format!("there is no namespace {}", new.namespace)))?;
    let full_path = format!("{}/{}", namespace.full_path, new.path);
    let inserted = tx.execute(
        "INSERT INTO projects (id, namespace_id, path, full_path, full_path_key, name, description, visibility,
                               refuses_wrong_steps, creator_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, FALSE, $9, $10, $10)
         ON CONFLICT (full_path_key) DO NOTHING",
        &[
            &new.id.0,
            &new.namespace.0,
            &new.path.as_str(),
            &full_path,
            &fold(&full_path),
            &new.name.as_str(),
            &new.description,
            &new.visibility.number(),
            &new.creator.0,
            &new.created_at.0,
        ],
    )?;
    if inserted == 0 {
        return Err(Error::exists(format!("the project `{full_path}` exists already")));
    }
    members::set(tx, new.id, new.creator, Role::Owner, new.created_at)?;
    experiments::insert_default(tx, new.id, new.created_at)?;
    get(tx, new.id)
}

/// The project of that number.
pub fn find(tx: &mut Tx<'_>, id: ProjectId) -> Result<Option<Project>> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM projects p WHERE p.id = $1"), &[&id.0], read)
}

/// The project of that number. Fails with `NotFound`.
pub fn get(tx: &mut Tx<'_>, id: ProjectId) -> Result<Project> {
    find(tx, id)?.ok_or_else(|| Error::not_found("project not found"))
}

/// The project at that path, whatever its case.
pub fn find_by_full_path(tx: &mut Tx<'_>, full_path: &str) -> Result<Option<Project>> {
    tx.query_opt(
        &format!("SELECT {COLUMNS} FROM projects p WHERE p.full_path_key = $1"),
        &[&fold(full_path)],
        read,
    )
}

/// Up to `limit` projects that `viewer` may see, the newest first, those made before `after`.
///
/// With `search`, only those whose name or path contains that text, whatever its case.
pub fn list_visible(
    tx: &mut Tx<'_>,
    viewer: Viewer,
    search: Option<&str>,
    after: Option<ProjectId>,
    limit: i64,
) -> Result<Vec<Project>> {
    let (open_from, user) = match viewer {
        Viewer::Anonymous => (Visibility::Public, NO_USER),
        Viewer::User(user) => (Visibility::Internal, user),
        Viewer::Administrator => (Visibility::Private, NO_USER),
    };
    let after = after.map_or(i64::MAX, |id| id.0);
    let pattern = format!("%{}%", escape_like(&search.unwrap_or("").to_lowercase()));
    tx.query(
        &format!(
            "SELECT {COLUMNS}
               FROM projects p
              WHERE p.id < $1
                AND (p.visibility >= $2
                     OR EXISTS (SELECT 1 FROM members m WHERE m.project_id = p.id AND m.user_id = $3))
                AND (lower(p.name) LIKE $4 ESCAPE '\\' OR p.full_path_key LIKE $4 ESCAPE '\\')
              ORDER BY p.id DESC LIMIT $5"
        ),
        &[&after, &open_from.number(), &user.0, &pattern, &limit],
        read,
    )
}

/// Changes settings, and answers the project as it is then. Fails with `NotFound`.
pub fn update(tx: &mut Tx<'_>, id: ProjectId, change: &Change, now: Timestamp) -> Result<Project> {
    let before = get(tx, id)?;
    let name = change.name.as_ref().map_or(before.name.as_str(), ProjectName::as_str);
    let description = change.description.as_ref().unwrap_or(&before.description);
    let visibility = change.visibility.unwrap_or(before.visibility);
    let refuses_wrong_steps = change.refuses_wrong_steps.unwrap_or(before.refuses_wrong_steps);
    tx.execute(
        "UPDATE projects
            SET name = $2, description = $3, visibility = $4, refuses_wrong_steps = $5, updated_at = $6
          WHERE id = $1",
        &[&id.0, &name, description, &visibility.number(), &refuses_wrong_steps, &now.0],
    )?;
    get(tx, id)
}

/// How much the instance holds.
pub fn totals(tx: &mut Tx<'_>) -> Result<Totals> {
    let mut count = |sql: &str| tx.query_one(sql, &[&TOTALS_END], |row| row.get::<i64>(0));
    Ok(Totals {
        projects: count("SELECT count(*) FROM (SELECT 1 FROM projects LIMIT $1) AS counted")?,
        experiments: count(
            "SELECT count(*) FROM (SELECT 1 FROM experiments WHERE deleted_at IS NULL LIMIT $1) AS counted",
        )?,
        candidates: count(
            "SELECT count(*) FROM (SELECT 1 FROM candidates WHERE deleted_at IS NULL LIMIT $1) AS counted",
        )?,
    })
}

/// Member of nothing: users are numbered from 1.
const NO_USER: UserId = UserId(0);

/// The columns of a [`Project`] from `projects p`, in the order that [`read`] reads.
const COLUMNS: &str = "p.id, p.namespace_id, p.path, p.full_path, p.name, p.description, p.visibility, \
                       p.refuses_wrong_steps, p.creator_id, p.created_at, p.updated_at";

fn read(row: &Row<'_>) -> Result<Project> {
    Ok(Project {
        id: ProjectId(row.get(0)?),
        namespace: NamespaceId(row.get(1)?),
        path: row.get(2)?,
        full_path: row.get(3)?,
        name: row.get(4)?,
        description: row.get(5)?,
        visibility: Visibility::from_number(row.get(6)?)?,
        refuses_wrong_steps: row.get(7)?,
        creator: UserId(row.get(8)?),
        created_at: Timestamp(row.get(9)?),
        updated_at: Timestamp(row.get(10)?),
    })
}
