use modelry_core::Kind;
use modelry_core::digest::Sha256;
use modelry_core::ids::{BlobId, LoggedModelId, ProjectId};
use modelry_store::blobs::Whereabouts;
use modelry_store::files::{self, Deleted, File, Found, Owner, Tree};
use modelry_testkit::both;

use crate::given::{
    self, ELSEWHERE, LATER, NOW, TREE, delete, find, key, path, paths, put, put_at, read, write,
};

both! {
    async fn a_file_is_found_as_it_was_put(db: Db) {
        put(&db, TREE, "plots/größe 100%.png", (1, 5)).await;

        let found = find(&db, TREE, "plots/größe 100%.png").await;

        assert_eq!(found, Some(Found {
            file: File { path: "plots/größe 100%.png".into(), size_bytes: 105, modified_at: NOW },
            blob: BlobId(1),
            sha256: Some(Sha256([5; 32])),
            bytes: Whereabouts::sound(key(1)),
        }));
        assert_eq!(find(&db, TREE, "plots").await, None);
        assert_eq!(find(&db, TREE, "plots/größe").await, None);
    }
}

both! {
    async fn owners_do_not_share_files(db: Db) {
        let others = [
            ELSEWHERE,
            Tree { owner: Owner::Project, ..TREE },
            Tree { owner: Owner::LoggedModel(LoggedModelId(7)), ..TREE },
            Tree { project: ProjectId(1), owner: Owner::Candidate(modelry_core::ids::CandidateId(8)) },
        ];
        put(&db, TREE, "a", (1, 1)).await;
        for (number, other) in (2..).zip(others) {
            assert_eq!(find(&db, other, "a").await, None);
            put(&db, other, "a", (number, number)).await;
        }

        delete(&db, TREE, None, NOW).await;

        for other in others {
            assert_eq!(paths(&db, other).await, ["a"]);
        }
    }
}

both! {
    async fn a_file_is_replaced_by_the_next_one_at_its_path(db: Db) {
        put(&db, TREE, "a", (1, 1)).await;
        put_at(&db, TREE, "a", (2, 2), LATER).await.expect("put");

        let found = find(&db, TREE, "a").await.expect("there");

        assert_eq!((found.bytes, found.file.size_bytes, found.file.modified_at), (Whereabouts::sound(key(2)), 102, LATER));
        assert_eq!(paths(&db, TREE).await, ["a"]);
    }
}

both! {
    async fn nothing_is_stored_below_a_file(db: Db) {
        put(&db, TREE, "model/data", (1, 1)).await;

        for below in ["model/data/weights", "model/data/a/b/c"] {
            let error = put_at(&db, TREE, below, (2, 2), NOW).await.expect_err("a file is in the way");
            assert_eq!(error.kind(), Kind::Conflict);
            assert_eq!(error.message(), "`model/data` is a file, so nothing can be stored below it");
        }
    }
}

both! {
    async fn no_file_takes_the_place_of_a_directory(db: Db) {
        put(&db, TREE, "model/data/weights", (1, 1)).await;

        for above in ["model/data", "model"] {
            let error = put_at(&db, TREE, above, (2, 2), NOW).await.expect_err("a directory is in the way");
            assert_eq!(error.kind(), Kind::Conflict);
            assert_eq!(error.message(), format!("`{above}` is a directory, so no file can be stored there"));
        }
    }
}

both! {
    async fn names_that_start_alike_are_not_in_each_others_way(db: Db) {
        for (number, name) in (1..).zip(["a/b", "a-b", "a0", "a.b", "ab", "a/b0", "a/b-"]) {
            put(&db, TREE, name, (number, number)).await;
        }
        assert_eq!(paths(&db, TREE).await, ["a-b", "a.b", "a/b", "a/b-", "a/b0", "a0", "ab"]);
    }
}

both! {
    async fn deleting_a_directory_spares_its_neighbours(db: Db) {
        for (number, name) in (1..).zip(["a-b", "a/b", "a/c/d", "a/c/e", "a0", "ab/c"]) {
            put(&db, TREE, name, (number, number)).await;
        }

        delete(&db, TREE, Some("a"), NOW).await;

        assert_eq!(paths(&db, TREE).await, ["a-b", "a0", "ab/c"]);
    }
}

both! {
    async fn deleting_a_file_spares_its_neighbours(db: Db) {
        for (number, name) in (1..).zip(["a", "a-b", "a0"]) {
            put(&db, TREE, name, (number, number)).await;
        }

        delete(&db, TREE, Some("a"), NOW).await;

        assert_eq!(paths(&db, TREE).await, ["a-b", "a0"]);
    }
}

both! {
    async fn deleting_what_is_not_there_changes_nothing(db: Db) {
        put(&db, TREE, "a/b", (1, 1)).await;

        let deleted = write(&db, |tx| files::delete(tx, TREE, Some(&path("a/c")), 10, NOW)).await;

        assert_eq!(deleted, Deleted::All);
        assert_eq!(paths(&db, TREE).await, ["a/b"]);
    }
}

both! {
    async fn a_slice_of_a_deletion_is_no_larger_than_asked_for(db: Db) {
        for number in 1..=5 {
            put(&db, TREE, &format!("a/{number}"), (number, number)).await;
        }

        let deleted = write(&db, |tx| files::delete(tx, TREE, Some(&path("a")), 2, NOW)).await;

        assert_eq!(deleted, Deleted::Some);
        assert_eq!(paths(&db, TREE).await, ["a/3", "a/4", "a/5"]);
    }
}

both! {
    async fn a_directory_is_what_lies_above_files(db: Db) {
        put(&db, TREE, "a/b/c", (1, 1)).await;
        for (name, expected) in [("a", true), ("a/b", true), ("a/b/c", false), ("a/b/c/d", false), ("b", false)] {
            let is_directory = read(&db, move |tx| files::is_directory(tx, TREE, &given::path(name))).await;
            assert_eq!(is_directory, expected, "{name}");
        }
    }
}
