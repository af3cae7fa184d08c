//! What tests start from. Everything happens at [`NOW`].

use modelry_core::digest::Sha256;
use modelry_core::ids::{NamespaceId, ProjectId, TokenId, UserId};
use modelry_core::policy::{Scope, Visibility};
use modelry_core::time::Timestamp;
use modelry_core::{Kind, Result};
use modelry_db::{Db, Tx};
use modelry_store::projects::{self, NewProject, Project};
use modelry_store::tokens::{self, NewToken};
use modelry_store::users::{self, NewUser};

/// The time of every test.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// A hash that is all `byte`.
pub(crate) fn hash(byte: u8) -> Sha256 {
    Sha256([byte; 32])
}

/// A user who is not inserted yet; the namespace has the user's number plus 100.
pub(crate) fn new_user(id: i64, username: &str) -> NewUser {
    NewUser {
        id: UserId(id),
        namespace: NamespaceId(id + 100),
        username: username.parse().expect("a username"),
        name: format!("Name of {username}"),
        password_hash: Some(format!("hash of {username}")),
        admin: false,
        created_at: NOW,
    }
}

/// Inserts a user.
pub(crate) async fn user(db: &Db, id: i64, username: &str) -> UserId {
    insert_user(db, new_user(id, username)).await
}

/// Inserts an administrator.
pub(crate) async fn administrator(db: &Db, id: i64, username: &str) -> UserId {
    insert_user(db, NewUser { admin: true, ..new_user(id, username) }).await
}

async fn insert_user(db: &Db, new: NewUser) -> UserId {
    let id = new.id;
    write(db, move |tx| users::insert(tx, &new)).await;
    id
}

/// A project in the namespace of `creator` who has not made it yet.
pub(crate) fn new_project(id: i64, creator: UserId, path: &str, visibility: Visibility) -> NewProject {
    NewProject {
        id: ProjectId(id),
        namespace: NamespaceId(creator.0 + 100),
        path: path.parse().expect("a path"),
        name: format!("Name of {path}").parse().expect("a name"),
        description: String::new(),
        visibility,
        creator,
        created_at: NOW,
    }
}

/// Inserts a project.
pub(crate) async fn project(
    db: &Db,
    id: i64,
    creator: UserId,
    path: &str,
    visibility: Visibility,
) -> Project {
    let new = new_project(id, creator, path, visibility);
    write(db, move |tx| projects::insert(tx, &new)).await
}

/// Inserts a token of scope `api` whose hash is all `byte`.
pub(crate) async fn token(db: &Db, user: UserId, byte: u8, expires_at: Option<Timestamp>) -> TokenId {
    let new = NewToken {
        id: TokenId(i64::from(byte)),
        user,
        name: format!("token {byte}"),
        hash: hash(byte),
        scope: Scope::Api,
        created_at: NOW,
        expires_at,
    };
    let id = new.id;
    write(db, move |tx| tokens::insert(tx, &new)).await;
    id
}

/// Runs a write that has to succeed.
pub(crate) async fn write<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> T {
    db.write(work).await.expect("the write succeeds")
}

/// Runs a write that has to fail, and answers how it did.
pub(crate) async fn refused<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> Kind {
    match db.write(work).await {
        Ok(_) => panic!("the write was to be refused"),
        Err(error) => error.kind(),
    }
}

/// Runs a read that has to succeed.
pub(crate) async fn read<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> T {
    db.read(work).await.expect("the read succeeds")
}
