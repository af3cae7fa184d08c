//! What the files of a version are: a snapshot of its source at that moment.

use modelry_core::Kind;
use modelry_core::ids::{CandidateId, ModelId};
use modelry_core::status::CandidateStatus;
use modelry_core::time::Timestamp;
use modelry_db::Db;
use modelry_store::blobs;
use modelry_store::candidates;
use modelry_store::files;
use modelry_store::models;
use modelry_store::versions::{self, NewVersion, Source};
use modelry_testkit::both;

use crate::given::{
    self, LATER, NOW, PROJECT, candidate, churn, contents, delete, draft, eid, files_below, insert_model,
    model_eid, new_model, new_prompt, new_version, of_candidate, of_logged_model, of_version, path,
    published, put, read, references, refused, register, wishing, write,
};

fn expected(files: &[(&str, u8)]) -> Vec<(String, u8)> {
    files.iter().map(|(path, content)| ((*path).to_owned(), *content)).collect()
}

/// A candidate of number 7 with files at the top and in `model`.
async fn trained(db: &Db) {
    churn(db).await;
    candidate(db, 7).await;
    for (at, content) in [("log.txt", 1), ("model/MLmodel", 2), ("model/data/w", 3), ("model-2/w", 3)] {
        put(db, of_candidate(7), at, content).await;
    }
}

async fn delete_files(db: &Db, number: i64) {
    write(db, move |tx| files::delete(tx, of_candidate(number), None, 1_000, LATER)).await;
}

/// The blobs that are collected when all that is unreferenced is.
async fn collected(db: &Db) -> Vec<i64> {
    write(db, |tx| blobs::mark_dying(tx, Timestamp(i64::MAX), 100)).await;
    read(db, |tx| blobs::list_dying(tx, 100)).await.into_iter().map(|blob| blob.id.0).collect()
}

both! {
    async fn a_directory_of_a_candidate_is_taken_without_what_lies_beside_it(db: Db) {
        trained(&db).await;
        let made = register(&db, new_version(1), files_below(of_candidate(7), Some("model"))).await;
        assert_eq!(contents(&db, of_version(&made)).await, expected(&[("MLmodel", 2), ("data/w", 3)]));
        assert_eq!((made.published_at, made.candidate_id), (Some(NOW), Some(CandidateId(7))));
    }

    async fn a_whole_candidate_is_taken(db: Db) {
        trained(&db).await;
        let made = register(&db, new_version(1), files_below(of_candidate(7), None)).await;
        assert_eq!(contents(&db, of_version(&made)).await, contents(&db, of_candidate(7)).await);
    }

    async fn a_whole_candidate_is_taken_whatever_its_files_are_called(db: Db) {
        churn(&db).await;
        candidate(&db, 7).await;
        let last = format!("{0}/{0}{0}", char::MAX);
        for at in ["!", "é/è", &last] {
            put(&db, of_candidate(7), at, 1).await;
        }
        let made = register(&db, new_version(1), files_below(of_candidate(7), None)).await;
        assert_eq!(contents(&db, of_version(&made)).await, expected(&[("!", 1), ("é/è", 1), (&last, 1)]));
    }

    async fn a_directory_whose_name_is_not_ascii_is_cut_at_its_end(db: Db) {
        churn(&db).await;
        candidate(&db, 7).await;
        put(&db, of_candidate(7), "modèle🦀/données/w", 1).await;
        let made = register(&db, new_version(1), files_below(of_candidate(7), Some("modèle🦀"))).await;
        assert_eq!(contents(&db, of_version(&made)).await, expected(&[("données/w", 1)]));
    }

    async fn a_single_file_is_taken_by_its_name(db: Db) {
        trained(&db).await;
        let made = register(&db, new_version(1), files_below(of_candidate(7), Some("model/MLmodel"))).await;
        assert_eq!(contents(&db, of_version(&made)).await, expected(&[("MLmodel", 2)]));
    }

    async fn a_logged_model_is_taken_and_tells_its_run(db: Db) {
        trained(&db).await;
        given::logged_model(&db, 1, Some(7), &[]).await;
        put(&db, of_logged_model(1), "MLmodel", 4).await;
        let new = NewVersion { logged_model_eid: Some(model_eid(1).to_string()), ..new_version(1) };
        let made = register(&db, new, files_below(of_logged_model(1), None)).await;
        assert_eq!(contents(&db, of_version(&made)).await, expected(&[("MLmodel", 4)]));
        assert_eq!((made.run_eid, made.candidate_id), (Some(eid(7)), Some(CandidateId(7))));
    }

    async fn a_logged_model_tells_its_run_even_where_only_its_files_are_named(db: Db) {
        trained(&db).await;
        given::logged_model(&db, 1, Some(7), &[]).await;
        put(&db, of_logged_model(1), "MLmodel", 4).await;
        let made = register(&db, new_version(1), files_below(of_logged_model(1), None)).await;
        assert_eq!((made.run_eid, made.candidate_id), (Some(eid(7)), Some(CandidateId(7))));
        assert_eq!(made.logged_model_eid, Some(model_eid(1).to_string()));
    }

    async fn the_run_that_was_sent_is_kept(db: Db) {
        trained(&db).await;
        candidate(&db, 8).await;
        let in_run = |number, run: &str| NewVersion { run_eid: Some(run.to_owned()), ..new_version(number) };
        let other = register(&db, in_run(1, &eid(8)), files_below(of_candidate(7), None)).await;
        let unknown = register(&db, in_run(2, "no run"), files_below(of_candidate(7), None)).await;
        assert!(!other.is_draft() && !unknown.is_draft());
        assert_eq!((other.run_eid, other.candidate_id), (Some(eid(8)), Some(CandidateId(8))));
        assert_eq!((unknown.run_eid.as_deref(), unknown.candidate_id), (Some("no run"), None));
    }

    async fn what_says_no_run_gets_a_candidate_that_has_ended(db: Db) {
        churn(&db).await;
        let made = published(&db, 1, "1.0.0").await;
        assert_eq!((made.run_eid, made.candidate_id), (Some(eid(1_001)), Some(CandidateId(1_001))));
        let own = read(&db, |tx| candidates::find(tx, PROJECT, CandidateId(1_001))).await.expect("it is there");
        assert_eq!((own.name.as_str(), own.status), ("churn 1.0.0", CandidateStatus::Finished));
        assert_eq!((own.experiment_id.0, own.end_time), (1, Some(NOW.ms())));
    }

    async fn a_source_without_files_makes_a_draft_of_what_will_be_there(db: Db) {
        churn(&db).await;
        candidate(&db, 7).await;
        let made = register(&db, new_version(1), files_below(of_candidate(7), Some("model"))).await;
        assert_eq!((made.is_draft(), made.draft_dir.as_deref()), (true, Some("model")));
        assert_eq!(made.candidate_id, Some(CandidateId(7)));
    }

    async fn a_source_outside_is_published_and_has_no_files(db: Db) {
        churn(&db).await;
        let made = published(&db, 1, "1.0.0").await;
        assert_eq!(made.published_at, Some(NOW));
        assert_eq!(contents(&db, of_version(&made)).await, []);
    }

    async fn a_version_of_a_prompt_is_published_and_has_no_run(db: Db) {
        insert_model(&db, new_prompt(1, "churn")).await;
        let made = register(&db, new_version(1), Source::Nothing).await;
        assert_eq!((made.published_at, made.run_eid, made.candidate_id), (Some(NOW), None, None));
    }

    async fn an_unknown_model_takes_no_version(db: Db) {
        let error = refused(&db, |tx| versions::register(tx, PROJECT, &new_version(1), &Source::Nothing)).await;
        let message = "Registered Model with name=churn not found";
        assert_eq!((error.kind(), error.message()), (Kind::NotFound, message));
    }

    async fn a_snapshot_shares_the_bytes_and_counts_them(db: Db) {
        trained(&db).await;
        assert_eq!(references(&db).await, [(1, 1), (2, 1), (3, 2)]);
        register(&db, new_version(1), files_below(of_candidate(7), None)).await;
        assert_eq!(references(&db).await, [(1, 2), (2, 2), (3, 4)]);
        register(&db, new_version(2), files_below(of_candidate(7), Some("model"))).await;
        assert_eq!(references(&db).await, [(1, 2), (2, 3), (3, 5)]);
        register(&db, new_version(3), files_below(of_candidate(7), Some("log.txt"))).await;
        assert_eq!(references(&db).await, [(1, 3), (2, 3), (3, 5)]);
    }

    async fn what_is_written_later_changes_no_version(db: Db) {
        trained(&db).await;
        let made = register(&db, new_version(1), files_below(of_candidate(7), Some("model"))).await;
        put(&db, of_candidate(7), "model/MLmodel", 9).await;
        put(&db, of_candidate(7), "model/new", 9).await;
        assert_eq!(contents(&db, of_version(&made)).await, expected(&[("MLmodel", 2), ("data/w", 3)]));
        references(&db).await;
    }

    async fn what_is_deleted_later_changes_no_version_and_its_bytes_stay(db: Db) {
        trained(&db).await;
        let made = register(&db, new_version(1), files_below(of_candidate(7), Some("model"))).await;
        delete_files(&db, 7).await;
        assert_eq!(contents(&db, of_version(&made)).await, expected(&[("MLmodel", 2), ("data/w", 3)]));
        assert_eq!(references(&db).await, [(2, 1), (3, 1)]);
        assert_eq!(collected(&db).await, [1]);
    }

    async fn a_version_in_the_bin_keeps_its_bytes(db: Db) {
        trained(&db).await;
        let made = register(&db, new_version(1), files_below(of_candidate(7), Some("model"))).await;
        delete_files(&db, 7).await;
        delete(&db, &made).await;
        write(&db, |tx| models::delete(tx, PROJECT, "churn", LATER)).await;
        assert_eq!(collected(&db).await, [1]);
    }

    async fn one_candidate_becomes_versions_of_two_models(db: Db) {
        trained(&db).await;
        insert_model(&db, new_model(2, "other")).await;
        let first = register(&db, new_version(1), files_below(of_candidate(7), None)).await;
        let other = NewVersion { model: "other".to_owned(), ..new_version(2) };
        let second = register(&db, other, files_below(of_candidate(7), None)).await;
        assert_eq!((first.model_id, second.model_id), (ModelId(1), ModelId(2)));
        assert_eq!(first.candidate_id, second.candidate_id);
        assert_eq!(contents(&db, of_version(&first)).await, contents(&db, of_version(&second)).await);
    }

    async fn a_copy_has_the_files_and_the_version_of_its_original(db: Db) {
        trained(&db).await;
        insert_model(&db, new_model(2, "other")).await;
        let original = register(&db, wishing(1, "2.3.4-rc.1"), files_below(of_candidate(7), Some("model"))).await;
        let new = NewVersion { model: "other".to_owned(), ..new_version(2) };
        let copy = register(&db, new, Source::Copy(Box::new(original.clone()))).await;
        assert_eq!((copy.number, copy.version.clone()), (1, original.version.clone()));
        assert_eq!(contents(&db, of_version(&copy)).await, contents(&db, of_version(&original)).await);
        assert_eq!(references(&db).await, [(1, 1), (2, 3), (3, 4)]);
    }

    async fn a_copy_in_the_same_model_is_the_next_patch(db: Db) {
        churn(&db).await;
        let original = published(&db, 1, "1.0.0").await;
        published(&db, 2, "1.0.1").await;
        let metadata = given::pairs(&[("gitlab.version", "1.0.0")]);
        let new = NewVersion { metadata, ..new_version(3) };
        let copy = register(&db, new, Source::Copy(Box::new(original))).await;
        assert_eq!((copy.number, copy.version.to_string()), (3, "1.0.2".to_owned()));
    }

    async fn a_copy_of_a_draft_takes_the_files_it_has_so_far(db: Db) {
        churn(&db).await;
        let original = draft(&db, 1, "1.0.0").await;
        put(&db, of_candidate(1_001), "w", 1).await;
        let copy = register(&db, new_version(2), Source::Copy(Box::new(original.clone()))).await;
        put(&db, of_candidate(1_001), "w", 2).await;
        assert!(!copy.is_draft());
        assert_eq!(contents(&db, of_version(&copy)).await, expected(&[("w", 1)]));
        let original = given::after_slash(&db, "1").await.expect("the original is there");
        assert!(original.is_draft());
    }

    async fn a_copy_of_a_draft_without_files_is_one(db: Db) {
        churn(&db).await;
        candidate(&db, 7).await;
        let original = register(&db, new_version(1), files_below(of_candidate(7), Some("model"))).await;
        let new = NewVersion { run_eid: Some(eid(7)), ..new_version(2) };
        let copy = register(&db, new, Source::Copy(Box::new(original))).await;
        assert_eq!((copy.is_draft(), copy.draft_dir.as_deref()), (true, Some("model")));
    }

    async fn a_copy_of_a_version_outside_is_published_as_that_is(db: Db) {
        churn(&db).await;
        let new = NewVersion { source: "s3://bucket/model".to_owned(), ..new_version(1) };
        let original = register(&db, new, Source::Outside).await;
        let of = |number, source: &str| NewVersion { source: source.to_owned(), ..new_version(number) };
        let copy = register(&db, of(2, "models:/churn/1"), Source::Copy(Box::new(original.clone()))).await;
        let copy_of_copy = register(&db, of(3, "models:/churn/2"), Source::Copy(Box::new(copy.clone()))).await;
        assert_eq!((original.location, copy.source.as_str()), (None, "models:/churn/1"));
        for made in [copy, copy_of_copy] {
            assert_eq!((made.published_at, made.location.as_deref()), (Some(NOW), Some("s3://bucket/model")));
        }
    }

    async fn a_copy_that_has_files_needs_no_location(db: Db) {
        trained(&db).await;
        let original = register(&db, new_version(1), files_below(of_candidate(7), None)).await;
        let copy = register(&db, new_version(2), Source::Copy(Box::new(original))).await;
        assert_eq!(copy.location, None);
    }

    async fn a_file_where_a_directory_is_asked_for_is_no_version_of_its_neighbours(db: Db) {
        trained(&db).await;
        let made = register(&db, new_version(1), files_below(of_candidate(7), Some("mod"))).await;
        assert!(made.is_draft());
        assert_eq!(path("mod").as_str(), made.draft_dir.as_deref().unwrap_or_default());
    }
}
