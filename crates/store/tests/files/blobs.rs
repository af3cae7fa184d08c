use modelry_core::Result;
use modelry_core::checksums::{BLOCK_BYTES, Checksums};
use modelry_core::digest::Sha256;
use modelry_core::ids::BlobId;
use modelry_db::Db;
use modelry_store::blobs::{self, Dying, NewBlob, Stored};
use modelry_testkit::both;

use crate::given::{
    self, ELSEWHERE, LATER, NOW, TREE, delete, dying_after_marking, key, new_blob, put, read, write,
};

/// No blob is dying.
const NONE: [i64; 0] = [];

/// Whether a new upload of the bytes `content` is given the blob that is there.
async fn is_shared(db: &Db, content: u8) -> bool {
    let tried: Result<()> = db
        .write(move |tx| match blobs::insert_or_share(tx, &new_blob(200, content))? {
            Stored::Shared(_) => Ok(()),
            // Fails the transaction, so that asking leaves nothing behind.
            Stored::Inserted(_) => Err(modelry_core::Error::not_found("not shared")),
        })
        .await;
    tried.is_ok()
}

both! {
    async fn the_same_bytes_are_stored_once(db: Db) {
        assert_eq!(put(&db, TREE, "a", (1, 5)).await, Stored::Inserted(BlobId(1)));
        assert_eq!(put(&db, TREE, "b", (2, 5)).await, Stored::Shared(BlobId(1)));
        assert_eq!(put(&db, ELSEWHERE, "a", (3, 5)).await, Stored::Shared(BlobId(1)));

        assert_eq!(given::key_of(&db, ELSEWHERE, "a").await, key(1));
    }
}

both! {
    async fn other_bytes_are_not_shared(db: Db) {
        put(&db, TREE, "a", (1, 5)).await;
        let other_size = NewBlob { size_bytes: 104, ..new_blob(2, 5) };
        let other_digest = NewBlob { sha256: Sha256([6; 32]), ..new_blob(3, 5) };

        for (id, new) in [(2, other_size), (3, other_digest)] {
            let stored = write(&db, move |tx| blobs::insert_or_share(tx, &new)).await;
            assert_eq!(stored, Stored::Inserted(BlobId(id)));
        }
    }
}

both! {
    async fn a_blob_dies_with_its_last_file(db: Db) {
        put(&db, TREE, "a", (1, 5)).await;
        put(&db, TREE, "dir/b", (2, 5)).await;
        put(&db, ELSEWHERE, "a", (3, 5)).await;

        delete(&db, TREE, None, NOW).await;
        assert_eq!(dying_after_marking(&db, LATER).await, NONE);

        delete(&db, ELSEWHERE, Some("a"), NOW).await;
        assert_eq!(dying_after_marking(&db, LATER).await, [1]);
    }
}

both! {
    async fn a_blob_dies_when_its_file_is_replaced(db: Db) {
        put(&db, TREE, "a", (1, 1)).await;
        put(&db, TREE, "a", (2, 2)).await;
        assert_eq!(dying_after_marking(&db, LATER).await, [1]);
    }
}

both! {
    async fn putting_the_same_bytes_again_counts_once(db: Db) {
        put(&db, TREE, "a", (1, 1)).await;
        put(&db, TREE, "a", (2, 1)).await;
        assert_eq!(dying_after_marking(&db, LATER).await, NONE);

        delete(&db, TREE, Some("a"), NOW).await;
        assert_eq!(dying_after_marking(&db, LATER).await, [1]);
    }
}

both! {
    async fn a_blob_is_spared_until_it_was_unreferenced_for_long_enough(db: Db) {
        put(&db, TREE, "a", (1, 1)).await;
        delete(&db, TREE, Some("a"), LATER).await;

        assert_eq!(dying_after_marking(&db, LATER).await, NONE);
        assert_eq!(dying_after_marking(&db, LATER.plus_ms(1)).await, [1]);
    }
}

both! {
    async fn a_blob_without_a_file_from_the_start_dies_too(db: Db) {
        write(&db, |tx| blobs::insert_or_share(tx, &new_blob(1, 1))).await;
        assert_eq!(dying_after_marking(&db, NOW).await, NONE);
        assert_eq!(dying_after_marking(&db, LATER).await, [1]);
    }
}

both! {
    async fn an_upload_of_the_same_bytes_revives_a_blob(db: Db) {
        put(&db, TREE, "a", (1, 1)).await;
        delete(&db, TREE, Some("a"), NOW).await;

        assert_eq!(put(&db, TREE, "b", (2, 1)).await, Stored::Shared(BlobId(1)));

        assert_eq!(dying_after_marking(&db, LATER).await, NONE);
    }
}

both! {
    async fn a_dying_blob_is_not_given_out_again(db: Db) {
        put(&db, TREE, "a", (1, 1)).await;
        assert!(is_shared(&db, 1).await);
        delete(&db, TREE, Some("a"), NOW).await;
        assert_eq!(dying_after_marking(&db, LATER).await, [1]);

        assert!(!is_shared(&db, 1).await);
    }
}

both! {
    async fn a_slice_of_the_collection_is_no_larger_than_asked_for(db: Db) {
        for number in 1..=3 {
            put(&db, TREE, &format!("{number}"), (number, number)).await;
        }
        delete(&db, TREE, None, NOW).await;

        assert_eq!(write(&db, |tx| blobs::mark_dying(tx, LATER, 2)).await, 2);
        assert_eq!(write(&db, |tx| blobs::mark_dying(tx, LATER, 2)).await, 1);
        assert_eq!(read(&db, |tx| blobs::list_dying(tx, 2)).await.len(), 2);
    }
}

both! {
    async fn a_blob_has_checksums_of_any_part(db: Db) {
        let stored: Vec<u8> = (0..40).collect();
        let new = NewBlob {
            checksums: Checksums::from_bytes(&stored).expect("ten of four bytes"),
            size_bytes: 9 * BLOCK_BYTES as u64 + 1,
            ..new_blob(1, 5)
        };
        write(&db, move |tx| blobs::insert_or_share(tx, &new)).await;

        let block = BLOCK_BYTES as u64;
        let parts =
            [(0..1, 0..4), (block - 1..block + 1, 0..8), (3 * block..4 * block, 12..16), (0..9 * block + 1, 0..40)];
        for (range, expected) in parts {
            let found = read(&db, move |tx| blobs::checksums(tx, &key(1), &range)).await.expect("there are some");
            assert_eq!(found.to_bytes(), stored[expected]);
        }
        assert_eq!(read(&db, |tx| blobs::checksums(tx, &key(1), &(5..5))).await, None);
        assert_eq!(read(&db, |tx| blobs::checksums(tx, &key(2), &(0..1))).await, None);
    }
}

both! {
    async fn only_a_dying_blob_loses_its_row(db: Db) {
        put(&db, TREE, "live", (1, 1)).await;
        put(&db, TREE, "dead", (2, 2)).await;
        delete(&db, TREE, Some("dead"), NOW).await;
        assert_eq!(dying_after_marking(&db, LATER).await, [2]);
        assert_eq!(read(&db, |tx| blobs::list_dying(tx, 9)).await, [Dying { id: BlobId(2), store_key: key(2) }]);

        assert!(!write(&db, |tx| blobs::delete_dying(tx, BlobId(1))).await);
        assert!(write(&db, |tx| blobs::delete_dying(tx, BlobId(2))).await);
        assert!(!write(&db, |tx| blobs::delete_dying(tx, BlobId(2))).await);
        assert_eq!(given::with_checksums(&db).await, [1]);

        let without = read(&db, |tx| blobs::without_row(tx, &[key(1), key(2), key(3)])).await;
        assert_eq!(without, [key(2), key(3)]);
    }
}
