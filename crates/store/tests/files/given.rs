//! What tests start from.

use modelry_core::Result;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::checksums::Checksums;
use modelry_core::digest::Sha256;
use modelry_core::ids::{BlobId, CandidateId, ProjectId};
use modelry_core::store_key::StoreKey;
use modelry_core::time::Timestamp;
use modelry_db::{Db, Tx};
use modelry_store::blobs::{self, NewBlob, Stored};
use modelry_store::files::{self, Deleted, Found, NewFile, Owner, Tree};

/// The time of every test, unless it says otherwise.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);
/// After [`NOW`].
pub(crate) const LATER: Timestamp = Timestamp(1_700_000_000_001);

/// The files of a candidate.
pub(crate) const TREE: Tree = Tree { project: ProjectId(1), owner: Owner::Candidate(CandidateId(7)) };
/// The files of another project's candidate of the same number.
pub(crate) const ELSEWHERE: Tree = Tree { project: ProjectId(2), owner: Owner::Candidate(CandidateId(7)) };

pub(crate) fn path(text: &str) -> ArtifactPath {
    text.parse().expect("a path")
}

pub(crate) fn key(number: u8) -> StoreKey {
    StoreKey::new([number; 16])
}

/// A blob of number `number`, lying under the key of that number, whose bytes are those of every other `content`.
pub(crate) fn new_blob(number: u8, content: u8) -> NewBlob {
    NewBlob {
        id: BlobId(i64::from(number)),
        sha256: Sha256([content; 32]),
        checksums: Checksums::from_bytes(&[content; 4]).expect("one"),
        size_bytes: 100 + u64::from(content),
        store_key: key(number),
        created_at: NOW,
    }
}

/// Puts a file with the bytes `content`, as an upload does; `number` is what the upload brought along.
pub(crate) async fn put(db: &Db, tree: Tree, at: &str, (number, content): (u8, u8)) -> Stored {
    put_at(db, tree, at, (number, content), NOW).await.expect("the file is put")
}

/// As [`put`], at another time, and it may fail.
pub(crate) async fn put_at(
    db: &Db,
    tree: Tree,
    at: &str,
    (number, content): (u8, u8),
    now: Timestamp,
) -> Result<Stored> {
    let (path, new) = (path(at), new_blob(number, content));
    db.write(move |tx| {
        let stored = blobs::insert_or_share(tx, &new)?;
        let file =
            NewFile { path: path.clone(), blob: stored.id(), size_bytes: new.size_bytes, modified_at: now };
        files::put(tx, tree, &file)?;
        Ok(stored)
    })
    .await
}

pub(crate) async fn find(db: &Db, tree: Tree, at: &str) -> Option<Found> {
    let path = path(at);
    read(db, move |tx| files::find(tx, tree, &path)).await
}

/// Where the bytes of a file lie, which are sound.
pub(crate) async fn key_of(db: &Db, tree: Tree, at: &str) -> StoreKey {
    find(db, tree, at).await.expect("there").bytes.intact(at).expect("sound").clone()
}

/// Deletes all there is at `target`.
pub(crate) async fn delete(db: &Db, tree: Tree, target: Option<&str>, now: Timestamp) {
    let target = target.map(path);
    while write(db, {
        let target = target.clone();
        move |tx| files::delete(tx, tree, target.as_ref(), 2, now)
    })
    .await
        != Deleted::All
    {}
}

/// Every path of the tree.
pub(crate) async fn paths(db: &Db, tree: Tree) -> Vec<String> {
    let files = read(db, move |tx| files::list_all(tx, tree, None, None, 10_000)).await;
    files.into_iter().map(|file| file.path).collect()
}

/// Marks what is unreferenced since before `cutoff`, and answers the numbers of all dying blobs.
pub(crate) async fn dying_after_marking(db: &Db, cutoff: Timestamp) -> Vec<i64> {
    write(db, move |tx| blobs::mark_dying(tx, cutoff, 100)).await;
    read(db, |tx| blobs::list_dying(tx, 100)).await.into_iter().map(|blob| blob.id.0).collect()
}

/// Runs a write that has to succeed.
pub(crate) async fn write<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> T {
    db.write(work).await.expect("the write succeeds")
}

/// Runs a read that has to succeed.
pub(crate) async fn read<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> T {
    db.read(work).await.expect("the read succeeds")
}

/// The numbers of the blobs that have checksums.
pub(crate) async fn with_checksums(db: &Db) -> Vec<i64> {
    read(db, |tx| tx.query("SELECT blob_id FROM blob_checksums ORDER BY blob_id", &[], |row| row.get(0)))
        .await
}
