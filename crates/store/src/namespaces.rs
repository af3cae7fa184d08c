//! Where projects live: so far the space that every user has.

use modelry_core::Result;
use modelry_core::ids::{NamespaceId, UserId};
use modelry_db::{Row, Tx};

use crate::users::{NewUser, fold};

/// A place for projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Number of the namespace.
    pub id: NamespaceId,
    /// Whose own space it is; nobody's for a group.
    pub user: Option<UserId>,
    /// The path in URLs.
    pub full_path: String,
}

/// Creates the space of a new user and answers whether its path was free.
pub(crate) fn insert_of_user(tx: &mut Tx<'_>, new: &NewUser) -> Result<bool> {
    let path = new.username.as_str();
    let inserted = tx.execute(
        "INSERT INTO namespaces (id, user_id, parent_id, full_path, full_path_key, created_at)
         VALUES ($1, $2, NULL, $3, $4, $5)
         ON CONFLICT (full_path_key) DO NOTHING",
        &[&new.namespace.0, &new.id.0, &path, &fold(path), &new.created_at.0],
    )?;
    Ok(inserted == 1)
}

/// The namespace of that number.
pub fn find(tx: &mut Tx<'_>, id: NamespaceId) -> Result<Option<Namespace>> {
    tx.query_opt("SELECT id, user_id, full_path FROM namespaces WHERE id = $1", &[&id.0], read)
}

/// The user's own space.
pub fn find_of_user(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Namespace>> {
    tx.query_opt("SELECT id, user_id, full_path FROM namespaces WHERE user_id = $1", &[&user.0], read)
}

fn read(row: &Row<'_>) -> Result<Namespace> {
    Ok(Namespace {
        id: NamespaceId(row.get(0)?),
        user: row.get::<Option<i64>>(1)?.map(UserId),
        full_path: row.get(2)?,
    })
}
