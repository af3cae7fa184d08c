//! From draft to published.

use modelry_core::ids::CandidateId;
use modelry_core::{Error, Kind};
use modelry_db::Db;
use modelry_store::files::Owner;
use modelry_store::versions::{self, ModelVersion, NewVersion, Source};
use modelry_testkit::both;

use crate::given::{
    self, LATER, NOW, PROJECT, candidate, churn, contents, delete, draft, eid, files_below, find_model,
    new_version, of_candidate, of_version, published, put, read, references, refused, register, write,
};

async fn publish(db: &Db, version: &ModelVersion) -> ModelVersion {
    let version = version.clone();
    write(db, move |tx| versions::publish(tx, PROJECT, version.clone(), LATER)).await
}

async fn refused_publication(db: &Db, version: &ModelVersion) -> Error {
    let version = version.clone();
    refused(db, move |tx| versions::publish(tx, PROJECT, version.clone(), LATER)).await
}

/// What the end of the candidate of this number publishes, as sequence numbers.
async fn published_by_end_of(db: &Db, number: i64) -> Vec<i64> {
    let ids = write(db, move |tx| versions::publish_drafts_of(tx, PROJECT, CandidateId(number), LATER)).await;
    ids.into_iter().map(|id| id.0 - 1_000_000).collect()
}

both! {
    async fn the_files_of_a_draft_are_those_of_its_candidate(db: Db) {
        churn(&db).await;
        let made = draft(&db, 1, "1.2.0").await;
        let place = versions::place(PROJECT, &made).expect("a place");
        assert_eq!(place, Some((of_candidate(1_001), None)));
    }

    async fn the_files_of_a_published_version_are_its_own(db: Db) {
        churn(&db).await;
        let made = published(&db, 1, "1.2.0").await;
        let place = versions::place(PROJECT, &made).expect("a place");
        assert_eq!(place.map(|(tree, dir)| (tree.owner, dir)), Some((Owner::Version(made.id), None)));
    }

    async fn publishing_takes_a_snapshot(db: Db) {
        churn(&db).await;
        let made = draft(&db, 1, "1.2.0").await;
        put(&db, of_candidate(1_001), "model/w", 1).await;
        let now = publish(&db, &made).await;
        assert_eq!((now.published_at, now.updated_at, now.version.to_string()), (Some(LATER), LATER, "1.2.0".into()));
        put(&db, of_candidate(1_001), "model/w", 2).await;
        assert_eq!(contents(&db, of_version(&made)).await, [("model/w".to_owned(), 1)]);
        assert_eq!(references(&db).await, [(1, 1), (2, 1)]);
        assert_eq!(read(&db, move |tx| versions::find_by_id(tx, PROJECT, made.id)).await, Some(now));
    }

    async fn publishing_changes_the_model(db: Db) {
        churn(&db).await;
        let made = draft(&db, 1, "1.2.0").await;
        put(&db, of_candidate(1_001), "w", 1).await;
        publish(&db, &made).await;
        assert_eq!(find_model(&db, "churn").await.map(|model| model.updated_at), Some(LATER));
    }

    async fn publishing_again_changes_nothing(db: Db) {
        churn(&db).await;
        let made = draft(&db, 1, "1.2.0").await;
        put(&db, of_candidate(1_001), "w", 1).await;
        let once = publish(&db, &made).await;
        put(&db, of_candidate(1_001), "v", 2).await;
        let twice = publish(&db, &once).await;
        assert_eq!(once, twice);
        assert_eq!(contents(&db, of_version(&made)).await, [("w".to_owned(), 1)]);
    }

    async fn a_draft_without_files_is_not_published(db: Db) {
        churn(&db).await;
        let made = draft(&db, 1, "1.2.0").await;
        let error = refused_publication(&db, &made).await;
        let message = "version 1.2.0 of model churn has no files yet: log or upload them first";
        assert_eq!((error.kind(), error.message()), (Kind::Conflict, message));
    }

    async fn a_draft_of_an_unknown_run_is_not_published(db: Db) {
        churn(&db).await;
        let new = NewVersion { run_eid: Some("unknown".to_owned()), ..new_version(1) };
        let made = register(&db, new, Source::Nothing).await;
        assert_eq!(versions::place(PROJECT, &made).expect("a place"), None);
        assert_eq!(refused_publication(&db, &made).await.kind(), Kind::Conflict);
    }

    async fn a_draft_of_a_directory_is_published_with_what_is_in_it(db: Db) {
        churn(&db).await;
        candidate(&db, 7).await;
        let made = register(&db, new_version(1), files_below(of_candidate(7), Some("model"))).await;
        put(&db, of_candidate(7), "log.txt", 1).await;
        assert_eq!(refused_publication(&db, &made).await.kind(), Kind::Conflict);
        put(&db, of_candidate(7), "model/w", 2).await;
        publish(&db, &made).await;
        assert_eq!(contents(&db, of_version(&made)).await, [("w".to_owned(), 2)]);
    }

    async fn the_end_of_a_candidate_publishes_its_drafts(db: Db) {
        churn(&db).await;
        draft(&db, 1, "1.0.0").await;
        draft(&db, 2, "1.0.1").await;
        put(&db, of_candidate(1_001), "w", 1).await;
        put(&db, of_candidate(1_002), "w", 1).await;
        assert_eq!(published_by_end_of(&db, 1_001).await, [1]);
        assert_eq!(published_by_end_of(&db, 1_001).await, [0; 0]);
    }

    async fn the_end_of_a_candidate_leaves_drafts_without_files(db: Db) {
        churn(&db).await;
        candidate(&db, 7).await;
        let in_run = |number| NewVersion { run_eid: Some(eid(7)), ..new_version(number) };
        register(&db, in_run(1), files_below(of_candidate(7), Some("model"))).await;
        register(&db, in_run(2), Source::Nothing).await;
        put(&db, of_candidate(7), "log.txt", 1).await;
        assert_eq!(published_by_end_of(&db, 7).await, [2]);
        let left = given::after_slash(&db, "1").await.expect("the first is there");
        assert!(left.is_draft());
    }

    async fn the_end_of_a_candidate_publishes_a_draft_of_a_single_file(db: Db) {
        churn(&db).await;
        candidate(&db, 7).await;
        let made = register(&db, new_version(1), files_below(of_candidate(7), Some("model.bin"))).await;
        put(&db, of_candidate(7), "model.bin", 1).await;
        assert_eq!(published_by_end_of(&db, 7).await, [1]);
        assert_eq!(contents(&db, of_version(&made)).await, [("model.bin".to_owned(), 1)]);
    }

    async fn the_end_of_a_candidate_leaves_what_is_in_the_bin(db: Db) {
        churn(&db).await;
        let made = draft(&db, 1, "1.0.0").await;
        put(&db, of_candidate(1_001), "w", 1).await;
        delete(&db, &made).await;
        assert_eq!(published_by_end_of(&db, 1_001).await, [0; 0]);
    }

    async fn a_write_to_a_published_version_is_told_the_next_free_one(db: Db) {
        churn(&db).await;
        let made = published(&db, 1, "1.0.0").await;
        draft(&db, 2, "1.0.1").await;
        let error = read(&db, move |tx| versions::is_published(tx, PROJECT, made.id)).await;
        let message = "version 1.0.0 of model churn is published, so its files do not change any more. The next free \
                       version is 1.0.2";
        assert_eq!((error.kind(), error.message()), (Kind::Conflict, message));
    }

    async fn what_was_published_stays_so_from_its_making_on(db: Db) {
        churn(&db).await;
        let made = published(&db, 1, "1.0.0").await;
        assert_eq!(publish(&db, &made).await.published_at, Some(NOW));
    }
}
