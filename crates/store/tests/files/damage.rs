use modelry_core::Kind;
use modelry_core::checksums::Checksums;
use modelry_core::ids::{BlobId, ProjectId, VersionId};
use modelry_db::Db;
use modelry_store::blobs::{self, Stored};
use modelry_store::damage::{self, BlobFile, Named};
use modelry_store::files::{Owner, Tree};
use modelry_testkit::both;

use crate::given::{
    self, ELSEWHERE, LATER, NOW, TREE, delete, dying_after_marking, new_blob, put, read, write,
};

/// Marks a blob as damaged.
async fn mark(db: &Db, id: i64) -> bool {
    write(db, move |tx| damage::mark(tx, BlobId(id))).await
}

both! {
    async fn the_bytes_of_a_damaged_blob_are_not_to_be_read(db: Db) {
        put(&db, TREE, "a", (1, 5)).await;
        assert!(mark(&db, 1).await);

        let found = given::find(&db, TREE, "a").await.expect("the file is there");

        let error = found.bytes.intact("a").expect_err("damaged");
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.message().starts_with("the bytes of a are damaged"), "{error}");
    }
}

both! {
    async fn a_damaged_blob_is_not_shared_until_it_is_sound_again(db: Db) {
        put(&db, TREE, "a", (1, 5)).await;
        mark(&db, 1).await;
        assert_eq!(put(&db, TREE, "b", (2, 5)).await, Stored::Inserted(BlobId(2)));
        delete(&db, TREE, Some("b"), NOW).await;

        assert!(write(&db, |tx| damage::clear(tx, BlobId(1))).await);

        assert_eq!(put(&db, TREE, "c", (3, 5)).await, Stored::Shared(BlobId(1)));
    }
}

both! {
    async fn a_damaged_blob_dies_with_its_last_file(db: Db) {
        put(&db, TREE, "a", (1, 5)).await;
        mark(&db, 1).await;
        delete(&db, TREE, None, NOW).await;
        assert_eq!(dying_after_marking(&db, LATER).await, [1]);
    }
}

both! {
    async fn a_dying_blob_is_not_looked_at_and_not_marked(db: Db) {
        write(&db, |tx| blobs::insert_or_share(tx, &new_blob(1, 5))).await;
        dying_after_marking(&db, LATER).await;

        assert!(!mark(&db, 1).await);
        write(&db, |tx| damage::add_checksums(tx, BlobId(7), &Checksums::default())).await;
        assert_eq!(given::with_checksums(&db).await, [1]);
        assert_eq!(read(&db, |tx| damage::list_blobs(tx, BlobId(0), 10)).await, []);
    }
}

both! {
    async fn blobs_and_files_are_listed_page_by_page(db: Db) {
        for (number, tree, at) in [(1, TREE, "a"), (2, TREE, "b"), (3, ELSEWHERE, "a")] {
            put(&db, tree, at, (number, number)).await;
        }
        mark(&db, 3).await;

        let blobs = read(&db, |tx| damage::list_blobs(tx, BlobId(1), 5)).await;
        let first = read(&db, |tx| damage::list_files(tx, None, 2)).await;
        let last = first.last().cloned();
        let second = read(&db, move |tx| damage::list_files(tx, last.as_ref(), 2)).await;

        let blobs: Vec<_> = blobs.iter().map(|blob| (blob.id.0, blob.is_damaged)).collect();
        assert_eq!(blobs, [(2, false), (3, true)]);
        let file = |tree, path: &str, blob| BlobFile { tree, path: path.into(), blob: BlobId(blob), has_blob: true };
        assert_eq!(first, [file(TREE, "a", 1), file(TREE, "b", 2)]);
        assert_eq!(second, [file(ELSEWHERE, "a", 3)]);
    }
}

both! {
    async fn a_file_whose_blob_is_gone_shows(db: Db) {
        put(&db, TREE, "a", (1, 5)).await;
        write(&db, |tx| tx.execute("DELETE FROM blobs", &[])).await;
        let files = read(&db, |tx| damage::list_files(tx, None, 2)).await;
        assert!(!files[0].has_blob);
    }
}

both! {
    async fn owners_are_named_also_where_they_are_gone(db: Db) {
        let project = ProjectId(9);
        let named = read(&db, move |tx| damage::name(tx, Tree { project, ..TREE })).await;
        assert_eq!(named, Named { project: "project 9".into(), owner: "candidate 7".into() });
        let version = Tree { project, owner: Owner::Version(VersionId(5)) };
        let named = read(&db, move |tx| damage::name(tx, version)).await;
        assert_eq!(named.owner, "version 5, which is gone");
    }
}
