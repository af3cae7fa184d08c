//! Who is a member of a project, and in which role.

use modelry_core::ids::{ProjectId, UserId};
use modelry_core::policy::Role;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Row, Tx};

/// A member as lists show one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user: UserId,
    /// The user's name in URLs.
    pub username: String,
    /// The user's name for people.
    pub name: String,
    /// What the member may do.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
}

/// Makes `user` a member, or gives a member another role.
///
/// Fails with `NotFound` when there is no such user, and with `Conflict` when the last Owner would lose that role.
pub fn set(tx: &mut Tx<'_>, project: ProjectId, user: UserId, role: Role, now: Timestamp) -> Result<()> {
    if role < Role::Owner {
        leave_an_owner(tx, project, user)?;
    }
    let changed = tx.execute(
        "INSERT INTO members (project_id, user_id, role, created_at)
         SELECT $1, id, $3, $4 FROM users WHERE id = $2
         ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role",
        &[&project.0, &user.0, &role.number(), &now.0],
    )?;
    if changed == 0 {
        return Err(Error::not_found(format!("there is no user {user}")));
    }
    Ok(())
}

/// Ends a membership and answers whether there was one. Fails with `Conflict` for the last Owner.
pub fn delete(tx: &mut Tx<'_>, project: ProjectId, user: UserId) -> Result<bool> {
    leave_an_owner(tx, project, user)?;
    let deleted =
        tx.execute("DELETE FROM members WHERE project_id = $1 AND user_id = $2", &[&project.0, &user.0])?;
    Ok(deleted == 1)
}

/// The member `user` of `project`.
pub fn find(tx: &mut Tx<'_>, project: ProjectId, user: UserId) -> Result<Option<Member>> {
    tx.query_opt(
        "SELECT m.user_id, u.username, u.name, m.role, m.created_at
           FROM members m JOIN users u ON u.id = m.user_id
          WHERE m.project_id = $1 AND m.user_id = $2",
        &[&project.0, &user.0],
        read,
    )
}

/// Up to `limit` members in the order of the users' numbers, those after `after`.
pub fn list(tx: &mut Tx<'_>, project: ProjectId, after: Option<UserId>, limit: i64) -> Result<Vec<Member>> {
    let after = after.map_or(i64::MIN, |id| id.0);
    tx.query(
        "SELECT m.user_id, u.username, u.name, m.role, m.created_at
           FROM members m JOIN users u ON u.id = m.user_id
          WHERE m.project_id = $1 AND m.user_id > $2
          ORDER BY m.user_id LIMIT $3",
        &[&project.0, &after, &limit],
        read,
    )
}

/// The role of `user` in `project`, if a member.
pub fn role_of(tx: &mut Tx<'_>, project: ProjectId, user: UserId) -> Result<Option<Role>> {
    tx.query_opt(
        "SELECT role FROM members WHERE project_id = $1 AND user_id = $2",
        &[&project.0, &user.0],
        |row| Role::from_number(row.get(0)?),
    )
}

/// Fails with `Conflict` when `user` is the only Owner of `project`.
fn leave_an_owner(tx: &mut Tx<'_>, project: ProjectId, user: UserId) -> Result<()> {
    let owners = tx.query(
        "SELECT user_id FROM members WHERE project_id = $1 AND role = $2 ORDER BY user_id LIMIT 2",
        &[&project.0, &Role::Owner.number()],
        |row| row.get::<i64>(0),
    )?;
    if owners == [user.0] {
        return Err(Error::conflict("this is the project's last owner: give somebody else that role first"));
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Member> {
    Ok(Member {
        user: UserId(row.get(0)?),
        username: row.get(1)?,
        name: row.get(2)?,
        role: Role::from_number(row.get(3)?)?,
        created_at: Timestamp(row.get(4)?),
    })
}
