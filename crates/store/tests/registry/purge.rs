//! Removing for good what is in the bin, and what it frees.

use modelry_core::ids::{CandidateId, ExperimentId, ModelId, VersionId};
use modelry_core::time::Timestamp;
use modelry_core::{Kind, Result};
use modelry_db::Db;
use modelry_store::files::Deleted;
use modelry_store::ids::{Ids, Series};
use modelry_store::purge::{self, Thing};
use modelry_store::versions::{self, Source};
use modelry_store::{blobs, candidates, experiments, models};
use modelry_testkit::both;

use crate::given::{
    LATER, NOW, PROJECT, candidate, churn, contents, delete, eid, experiment, files_below, find_model,
    insert_model, logged_model, mover, new_model, of_candidate, of_logged_model, of_version, published, put,
    read, references, register, wishing, write,
};

/// Purges a thing in slices of `limit` rows.
async fn purge_in(db: &Db, thing: Thing, limit: i64) -> Result<()> {
    db.write(move |tx| purge::begin(tx, PROJECT, thing, LATER)).await?;
    loop {
        let pending = read(db, |tx| purge::pending(tx, 10)).await;
        let Some((project, thing)) = pending.first().copied() else { return Ok(()) };
        while write(db, move |tx| purge::slice(tx, project, thing, limit)).await == Deleted::Some {}
    }
}

async fn purge(db: &Db, thing: Thing) -> Result<()> {
    purge_in(db, thing, 100).await
}

async fn frees(db: &Db, thing: Thing) -> u64 {
    read(db, move |tx| purge::frees(tx, PROJECT, thing)).await
}

async fn delete_model(db: &Db, name: &'static str) {
    write(db, move |tx| models::delete(tx, PROJECT, name, LATER)).await;
}

async fn delete_candidate(db: &Db, number: i64) {
    let eid = eid(number).parse().expect("a public id");
    write(db, move |tx| candidates::delete(tx, PROJECT, &eid, LATER)).await;
}

/// The blobs that are to be collected at once.
async fn collected(db: &Db) -> u64 {
    write(db, |tx| blobs::mark_dying(tx, NOW, 100)).await
}

both! {
    async fn a_versions_files_go_and_what_it_was_stays_in_the_history(db: Db) {
        let model = churn(&db).await;
        candidate(&db, 1).await;
        put(&db, of_candidate(1), "own", 1).await;
        let version = register(&db, wishing(1, "1.0.0"), files_below(of_candidate(1), None)).await;
        let named = version.clone();
        write(&db, move |tx| versions::set_alias(tx, PROJECT, &named, "champion", &mover(1))).await;
        delete(&db, &version).await;

        purge(&db, Thing::Version(version.id)).await.expect("it is in the bin");

        assert_eq!(contents(&db, of_version(&version)).await, []);
        assert_eq!(references(&db).await, [(1, 1)]);
        let history = read(&db, move |tx| versions::alias_history(tx, PROJECT, &model, "champion", None, 10)).await;
        assert_eq!(history[1].to, Some(("1.0.0".to_owned(), 1)));
        let restored = db.write(move |tx| versions::restore(tx, PROJECT, version.id, LATER)).await;
        assert_eq!(restored.expect_err("it is gone for good").kind(), Kind::NotFound);
    }

    async fn what_is_not_in_the_bin_is_not_purged(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        let version = published(&db, 1, "1.0.0").await;
        for thing in [
            Thing::Version(version.id),
            Thing::Model(ModelId(1)),
            Thing::Experiment(ExperimentId(1)),
            Thing::Candidate(CandidateId(1)),
            Thing::Candidate(CandidateId(77)),
        ] {
            let error = purge(&db, thing).await.expect_err("it is not in the bin");
            assert!(matches!(error.kind(), Kind::NotFound | Kind::Conflict), "{thing:?}: {error}");
        }
        assert!(find_model(&db, "churn").await.is_some());
    }

    async fn a_model_goes_with_its_versions_and_the_experiment_that_was_made_with_it(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        logged_model(&db, 2, None, &[("a", "b")]).await;
        put(&db, of_candidate(1), "a", 1).await;
        put(&db, of_logged_model(2), "b", 2).await;
        let version = register(&db, wishing(1, "1.0.0"), files_below(of_candidate(1), None)).await;
        let binned = register(&db, wishing(2, "1.1.0"), files_below(of_logged_model(2), None)).await;
        delete(&db, &binned).await;
        delete_model(&db, "churn").await;

        assert_eq!(frees(&db, Thing::Model(ModelId(1))).await, 101 + 102);
        purge_in(&db, Thing::Model(ModelId(1)), 1).await.expect("it is in the bin");

        assert_eq!(references(&db).await, []);
        assert_eq!(collected(&db).await, 2);
        assert_eq!(contents(&db, of_version(&version)).await, []);
        let rows = read(&db, |tx| {
            let mut left = 0;
            for table in ["models", "versions", "experiments", "candidates", "logged_models", "metadata",
                          "version_metadata", "logged_model_metadata", "published_versions", "purges"] {
                let sql = format!("SELECT count(*) FROM {table} WHERE project_id = $1");
                left += tx.query_one(&sql, &[&PROJECT.0], |row| row.get::<i64>(0))?;
            }
            Ok(left)
        }).await;
        assert_eq!(rows, 0);
    }

    async fn an_adopted_experiment_stays_when_its_model_goes(db: Db) {
        experiment(&db, 5, "churn").await;
        churn(&db).await;
        delete_model(&db, "churn").await;

        purge(&db, Thing::Model(ModelId(1))).await.expect("it is in the bin");

        let kept = read(&db, |tx| experiments::find(tx, PROJECT, ExperimentId(5))).await;
        assert!(kept.is_some_and(|kept| kept.deleted_at.is_none()));
    }

    async fn the_experiment_of_a_model_in_the_bin_goes_with_that_alone(db: Db) {
        churn(&db).await;
        delete_model(&db, "churn").await;

        let error = purge(&db, Thing::Experiment(ExperimentId(1))).await.expect_err("it is the model's");

        assert_eq!(error.kind(), Kind::Conflict);
        write(&db, |tx| models::restore(tx, PROJECT, ModelId(1), LATER)).await;
    }

    async fn a_purge_frees_what_nothing_else_in_the_project_refers_to(db: Db) {
        churn(&db).await;
        for number in [1, 2] {
            candidate(&db, number).await;
            put(&db, of_candidate(number), "shared", 1).await;
        }
        put(&db, of_candidate(1), "own", 2).await;
        put(&db, of_candidate(1), "own again", 2).await;

        assert_eq!(frees(&db, Thing::Candidate(CandidateId(1))).await, 102);
        delete_candidate(&db, 1).await;
        purge(&db, Thing::Candidate(CandidateId(1))).await.expect("it is in the bin");

        assert_eq!(references(&db).await, [(1, 1)]);
        assert_eq!(collected(&db).await, 1);
    }

    async fn a_version_survives_its_candidate(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        put(&db, of_candidate(1), "a", 1).await;
        let version = register(&db, wishing(1, "1.0.0"), files_below(of_candidate(1), None)).await;
        delete_candidate(&db, 1).await;

        purge(&db, Thing::Candidate(CandidateId(1))).await.expect("it is in the bin");

        assert_eq!(contents(&db, of_version(&version)).await, [("a".to_owned(), 1)]);
        let found = read(&db, move |tx| versions::find_by_id(tx, PROJECT, version.id)).await.expect("a version");
        assert_eq!((found.candidate_id, found.run_eid), (None, version.run_eid));
    }

    async fn what_is_in_the_bin_for_too_long_is_found_oldest_first_and_greater_first(db: Db) {
        churn(&db).await;
        insert_model(&db, new_model(2, "other")).await;
        for number in [1, 2] {
            candidate(&db, number).await;
            delete_candidate(&db, number).await;
        }
        let version = register(&db, wishing(1, "1.0.0"), Source::Outside).await;
        delete(&db, &version).await;
        delete_model(&db, "other").await;

        let expired = |cutoff| read(&db, move |tx| purge::expired(tx, cutoff, 10));
        assert_eq!(expired(LATER).await, []);
        let things: Vec<Thing> =
            expired(Timestamp(LATER.ms() + 1)).await.into_iter().map(|(_, thing)| thing).collect();

        assert_eq!(things, [
            Thing::Model(ModelId(2)),
            Thing::Version(VersionId(1_000_001)),
            Thing::Candidate(CandidateId(1)),
            Thing::Candidate(CandidateId(2)),
        ]);
    }

    async fn a_purge_that_was_cut_off_is_still_pending(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        for at in ["a", "b", "c"] {
            put(&db, of_candidate(1), at, 1).await;
        }
        delete_candidate(&db, 1).await;
        let thing = Thing::Candidate(CandidateId(1));
        write(&db, move |tx| purge::begin(tx, PROJECT, thing, LATER)).await;
        write(&db, move |tx| purge::slice(tx, PROJECT, thing, 1)).await;

        assert_eq!(read(&db, |tx| purge::pending(tx, 10)).await, [(PROJECT, thing)]);
        assert_eq!(references(&db).await, [(1, 2)]);
    }

    async fn the_number_of_what_was_purged_is_not_given_again(db: Db) {
        churn(&db).await;
        candidate(&db, 7).await;
        delete_candidate(&db, 7).await;
        purge(&db, Thing::Candidate(CandidateId(7))).await.expect("it is in the bin");

        let ids = Ids::new(db.clone());

        assert!(ids.next(PROJECT, Series::Candidate).await.expect("a number") > 7);
    }

    async fn the_bin_is_listed_by_kind_in_pages(db: Db) {
        churn(&db).await;
        for number in 1..=3 {
            candidate(&db, number).await;
            delete_candidate(&db, number).await;
        }
        let version = register(&db, wishing(1, "1.0.0"), Source::Outside).await;
        delete(&db, &version).await;

        let names = |kind: &'static str, after| {
            let listed = read(&db, move |tx| purge::list(tx, PROJECT, kind, after, 2));
            async move { listed.await.into_iter().map(|found| found.name).collect::<Vec<_>>() }
        };

        assert_eq!(names("candidates", None).await, ["candidate 3", "candidate 2"]);
        assert_eq!(names("candidates", Some((LATER, 2))).await, ["candidate 1"]);
        assert_eq!(names("versions", None).await, ["churn 1.0.0"]);
        assert!(names("models", None).await.is_empty());
        let unknown = db.read(|tx| purge::list(tx, PROJECT, "users", None, 2)).await;
        assert_eq!(unknown.expect_err("no such kind").kind(), Kind::NotFound);
    }
}
