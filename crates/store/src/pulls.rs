//! Who fetched files of versions: one row for each caller and door, however often they come.

use modelry_core::Result;
use modelry_core::ids::{ProjectId, TokenId, UserId, VersionId};
use modelry_core::lineage::{Door, Node, Pull};
use modelry_core::time::Timestamp;
use modelry_db::{Row, Tx};

/// Who fetches files. The order is that of the rows of [`record`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Puller {
    /// Nobody who is known.
    Anonymous,
    /// A user without a token: in the browser.
    User(UserId),
    /// A personal access token of a user.
    Token(TokenId, UserId),
}

impl Puller {
    /// The columns `token_id` and `user_id`.
    fn columns(self) -> (i64, i64) {
        match self {
            Self::Anonymous => (0, 0),
            Self::User(user) => (0, user.0),
            Self::Token(token, user) => (token.0, user.0),
        }
    }

    /// Reads two columns from `first` on.
    fn read(row: &Row<'_>, first: usize) -> Result<Self> {
        Ok(match (row.get(first)?, row.get(first + 1)?) {
            (0, 0) => Self::Anonymous,
            (0, user) => Self::User(UserId(user)),
            (token, user) => Self::Token(TokenId(token), UserId(user)),
        })
    }

    /// It in a lineage.
    pub fn node(self) -> Node {
        match self {
            Self::Anonymous => Node::Anonymous,
            Self::User(user) => Node::User(user),
            Self::Token(token, _) => Node::Token(token),
        }
    }
}

/// What is fetched by whom. The order is that of the rows' key, and so the one that they are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PullKey {
    /// The project.
    pub project: ProjectId,
    /// The version.
    pub version: VersionId,
    /// Who.
    pub puller: Puller,
    /// Through which door.
    pub door: Door,
}

/// How often and when, as it is added to what is written already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// When the first file was fetched.
    pub first_at: Timestamp,
    /// When the last file was fetched.
    pub last_at: Timestamp,
    /// How many files were fetched.
    pub files: i64,
}

/// Adds to what was fetched.
pub fn record(tx: &mut Tx<'_>, key: &PullKey, count: &Count) -> Result<()> {
    let (token, user) = key.puller.columns();
    tx.execute(
        "INSERT INTO pulls (project_id, version_id, token_id, user_id, door, first_at, last_at, files)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (project_id, version_id, token_id, user_id, door) DO UPDATE
            SET first_at = CASE WHEN excluded.first_at < pulls.first_at THEN excluded.first_at ELSE pulls.first_at END,
                last_at = CASE WHEN excluded.last_at > pulls.last_at THEN excluded.last_at ELSE pulls.last_at END,
                files = pulls.files + excluded.files",
        &[
            &key.project.0,
            &key.version.0,
            &token,
            &user,
            &key.door.number(),
            &count.first_at.0,
            &count.last_at.0,
            &count.files,
        ],
    )?;
    Ok(())
}

/// Up to `limit` pulls of a version, in the order of callers and doors.
pub(crate) fn list_of_version(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: VersionId,
    limit: i64,
) -> Result<Vec<(Puller, Pull)>> {
    tx.query(
        "SELECT door, first_at, last_at, files, token_id, user_id FROM pulls
         WHERE project_id = $1 AND version_id = $2
         ORDER BY token_id, user_id, door
         LIMIT $3",
        &[&project.0, &version.0, &limit],
        |row| Ok((Puller::read(row, 4)?, read_pull(row)?)),
    )
}

/// Up to `limit` pulls by this node of a lineage, in the order of versions and doors; none where it is nobody.
pub(crate) fn list_of_puller(
    tx: &mut Tx<'_>,
    project: ProjectId,
    puller: &Node,
    limit: i64,
) -> Result<Vec<(VersionId, Pull)>> {
    let (token, user) = match puller {
        Node::Token(token) => (token.0, None),
        Node::User(user) => (0, Some(user.0)),
        Node::Anonymous => (0, Some(0)),
        _ => return Ok(Vec::new()),
    };
    // A token is one user's, so its number alone is a range of the index, too.
    tx.query(OF_PULLER, &[&project.0, &token, &user.unwrap_or(0), &user.unwrap_or(i64::MAX), &limit], |row| {
        Ok((VersionId(row.get(4)?), read_pull(row)?))
    })
}

pub(crate) const OF_PULLER: &str = "SELECT p.door, p.first_at, p.last_at, p.files, p.version_id
     FROM pulls i CROSS JOIN pulls p
     WHERE i.project_id = $1 AND i.token_id = $2 AND i.user_id >= $3 AND i.user_id <= $4
       AND p.project_id = i.project_id AND p.version_id = i.version_id AND p.token_id = i.token_id
       AND p.user_id = i.user_id AND p.door = i.door
     ORDER BY i.user_id, i.version_id, i.door
     LIMIT $5";

fn read_pull(row: &Row<'_>) -> Result<Pull> {
    Ok(Pull {
        door: Door::from_number(row.get(0)?)?,
        first_at: Timestamp(row.get(1)?),
        last_at: Timestamp(row.get(2)?),
        files: row.get(3)?,
    })
}
