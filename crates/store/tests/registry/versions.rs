//! What may change of a version after it was made, and the bin.

use modelry_core::Kind;
use modelry_core::ids::VersionId;
use modelry_core::version::Version;
use modelry_core::version::stage::Stage;
use modelry_db::Db;
use modelry_store::models;
use modelry_store::versions::{self, ModelVersion, NewVersion, Source};
use modelry_testkit::both;

use crate::given::{
    self, LATER, PROJECT, after_slash, all_published, churn, delete, draft, find_model, mover, new_version,
    of_candidate, pairs, published, put, read, refused, register, wishing, write,
};

async fn find(db: &Db, version: &ModelVersion) -> Option<ModelVersion> {
    let id = version.id;
    read(db, move |tx| versions::find_by_id(tx, PROJECT, id)).await
}

async fn metadata(db: &Db, id: VersionId) -> Vec<(String, String)> {
    let other = VersionId(id.0 + 1);
    let mut all = read(db, move |tx| versions::details(tx, PROJECT, &[id, other])).await;
    all.remove(&id).unwrap_or_default().metadata
}

async fn restore(db: &Db, version: &ModelVersion) -> ModelVersion {
    let id = version.id;
    write(db, move |tx| versions::restore(tx, PROJECT, id, LATER)).await
}

async fn refused_restoration(db: &Db, version: &ModelVersion) -> modelry_core::Error {
    let id = version.id;
    refused(db, move |tx| versions::restore(tx, PROJECT, id, LATER)).await
}

async fn publish(db: &Db, version: &ModelVersion) {
    let version = version.clone();
    put(db, of_candidate(version.candidate_id.expect("a candidate").0), "w", 1).await;
    write(db, move |tx| versions::publish(tx, PROJECT, version.clone(), LATER)).await;
}

/// Moves the version of this number to a stage.
async fn set_stage(db: &Db, number: i64, stage: Stage, archive_others: bool) {
    let version = after_slash(db, &number.to_string()).await.expect("the version is there");
    write(db, move |tx| versions::set_stage(tx, PROJECT, version.clone(), (stage, archive_others), LATER))
        .await;
}

/// The stages of the first versions.
async fn stages(db: &Db, count: i64) -> Vec<Stage> {
    let mut stages = Vec::new();
    for number in 1..=count {
        stages.push(after_slash(db, &number.to_string()).await.expect("the version is there").stage);
    }
    stages
}

both! {
    async fn a_version_is_read_back_as_it_was_made(db: Db) {
        churn(&db).await;
        let new = NewVersion {
            description: "better".to_owned(),
            source: "1.2.0-rc.1+b".to_owned(),
            run_link: "https://ci.example/1".to_owned(),
            logged_model_eid: Some("m-unknown".to_owned()),
            metadata: pairs(&[("modelry.version", "1.2.0-rc.1+b"), ("a", "1")]),
            ..new_version(1)
        };
        let made = register(&db, new, Source::Nothing).await;
        assert_eq!(find(&db, &made).await.as_ref(), Some(&made));
        assert_eq!(metadata(&db, made.id).await, pairs(&[("a", "1"), ("modelry.version", "1.2.0-rc.1+b")]));
        assert_eq!(made.label(), "1.2.0-rc.1+b (#1)");
    }

    async fn a_description_is_replaced(db: Db) {
        churn(&db).await;
        let made = draft(&db, 1, "1.0.0").await;
        let of = made.clone();
        let set = write(&db, move |tx| versions::set_description(tx, PROJECT, of.clone(), "new", LATER)).await;
        assert_eq!(set, ModelVersion { description: "new".to_owned(), updated_at: LATER, ..made });
        assert_eq!(find(&db, &set).await.as_ref(), Some(&set));
    }

    async fn the_last_value_of_metadata_stands_until_it_is_removed(db: Db) {
        churn(&db).await;
        let made = register(&db, new_version(1), Source::Nothing).await;
        let of = made.clone();
        write(&db, move |tx| {
            versions::set_metadata(tx, PROJECT, &of, ("a", "1"), LATER)?;
            versions::set_metadata(tx, PROJECT, &of, ("a", "2"), LATER)
        })
        .await;
        assert_eq!(metadata(&db, made.id).await, pairs(&[("a", "2")]));
        assert_eq!(find(&db, &made).await.map(|version| version.updated_at), Some(LATER));
        let remove = move |tx: &mut modelry_db::Tx<'_>| versions::delete_metadata(tx, PROJECT, made.id, "a", LATER);
        assert_eq!((write(&db, remove).await, write(&db, remove).await), (true, false));
    }

    async fn metadata_never_says_another_version(db: Db) {
        churn(&db).await;
        let made = draft(&db, 1, "1.2.0").await;
        for name in ["gitlab.version", "modelry.version"] {
            let of = made.clone();
            write(&db, move |tx| versions::set_metadata(tx, PROJECT, &of, (name, "1.2.0"), LATER)).await;
            let of = made.clone();
            let error =
                refused(&db, move |tx| versions::set_metadata(tx, PROJECT, &of, (name, "1.2.1"), LATER)).await;
            let message =
                format!("{name} cannot be set to \"1.2.1\": this is version 1.2.0, which stays so; make another version instead");
            assert_eq!((error.kind(), error.message()), (Kind::Invalid, message.as_str()));
        }
    }

    async fn a_version_moves_between_stages(db: Db) {
        churn(&db).await;
        all_published(&db, &["1.0.0", "1.1.0"]).await;
        set_stage(&db, 1, Stage::Production, false).await;
        set_stage(&db, 2, Stage::Production, false).await;
        assert_eq!(stages(&db, 2).await, [Stage::Production, Stage::Production]);
        assert_eq!(find_model(&db, "churn").await.map(|model| model.updated_at), Some(LATER));
    }

    async fn the_others_of_a_stage_are_archived(db: Db) {
        churn(&db).await;
        all_published(&db, &["1.0.0", "1.1.0", "1.2.0", "1.3.0"]).await;
        for (number, stage) in [(1, Stage::Production), (2, Stage::Staging), (3, Stage::Production)] {
            set_stage(&db, number, stage, false).await;
        }
        set_stage(&db, 3, Stage::Production, true).await;
        assert_eq!(stages(&db, 4).await, [Stage::Archived, Stage::Staging, Stage::Production, Stage::None]);
    }

    async fn a_deleted_version_is_found_by_nothing(db: Db) {
        churn(&db).await;
        all_published(&db, &["1.0.0"]).await;
        let made = published(&db, 2, "1.1.0").await;
        delete(&db, &made).await;
        assert_eq!(find(&db, &made).await, None);
        for text in ["2", "1.1.0", "=1.1.0"] {
            let error = after_slash(&db, text).await.expect_err("it is in the bin");
            assert_eq!(error.kind(), Kind::NotFound, "{text}: {error}");
        }
        assert_eq!(after_slash(&db, "latest").await.expect("one is left").number, 1);
        let model = find_model(&db, "churn").await.expect("the model is there");
        let (id, target) = (model.id, "2".parse().expect("a number"));
        let error = refused(&db, move |tx| versions::get_target(tx, PROJECT, &model, &target)).await;
        assert_eq!((error.kind(), id.0), (Kind::NotFound, 1));
    }

    async fn a_deleted_version_changes_its_model(db: Db) {
        churn(&db).await;
        let made = draft(&db, 1, "1.0.0").await;
        delete(&db, &made).await;
        assert_eq!(find_model(&db, "churn").await.map(|model| model.updated_at), Some(mover(1).now));
    }

    async fn the_versions_of_a_deleted_model_are_found_by_nothing(db: Db) {
        churn(&db).await;
        let made = published(&db, 1, "1.0.0").await;
        write(&db, |tx| models::delete(tx, PROJECT, "churn", LATER)).await;
        assert_eq!(find(&db, &made).await, None);
    }

    async fn a_version_comes_back_from_the_bin_as_it_was(db: Db) {
        churn(&db).await;
        let made = published(&db, 1, "1.0.0").await;
        delete(&db, &made).await;
        let restored = restore(&db, &made).await;
        assert_eq!(restored, ModelVersion { updated_at: LATER, ..made });
        assert_eq!(after_slash(&db, "^1").await.expect("it is back"), restored);
        assert_eq!(refused_restoration(&db, &restored).await.kind(), Kind::NotFound);
    }

    async fn a_draft_whose_version_was_given_away_stays_in_the_bin(db: Db) {
        churn(&db).await;
        let first = draft(&db, 1, "1.0.0").await;
        delete(&db, &first).await;
        draft(&db, 2, "1.0.0").await;
        let error = refused_restoration(&db, &first).await;
        let message = "version 1.0.0 (#1) cannot be restored: number 2 has that version by now. The next free one is \
                       1.0.1";
        assert_eq!((error.kind(), error.message()), (Kind::Conflict, message));
    }

    async fn a_draft_whose_version_was_published_by_another_stays_in_the_bin(db: Db) {
        // Else it could be published, and one version would have been given to two sets of bytes.
        churn(&db).await;
        let first = draft(&db, 1, "1.0.0").await;
        delete(&db, &first).await;
        let second = published(&db, 2, "1.0.0").await;
        delete(&db, &second).await;
        let error = refused_restoration(&db, &first).await;
        assert_eq!(error.kind(), Kind::Conflict, "{error}");
        restore(&db, &second).await;
    }

    async fn a_draft_published_before_its_deletion_comes_back(db: Db) {
        churn(&db).await;
        let made = draft(&db, 1, "1.0.0").await;
        publish(&db, &made).await;
        delete(&db, &made).await;
        assert!(!restore(&db, &made).await.is_draft());
    }

    async fn a_job_that_runs_again_writes_the_same(db: Db) {
        churn(&db).await;
        let made = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        for undone in [true, false] {
            let made = made.clone();
            let new = wishing(1, "1.0.0");
            let tried = db.write(move |tx| {
                let version = versions::register(tx, PROJECT, &new, &Source::Nothing)?;
                made.lock().expect("nobody panics").push(version);
                if undone { Err(modelry_core::Error::not_found("undone")) } else { Ok(()) }
            });
            assert_eq!(tried.await.is_err(), undone);
        }
        let made = made.lock().expect("nobody panics").clone();
        assert_eq!(made[0], made[made.len() - 1]);
        assert_eq!(find(&db, &made[0]).await.as_ref(), Some(&made[0]));
        assert_eq!(made[0].version, Version::first());
    }

    async fn the_versions_of_logged_models_are_listed(db: Db) {
        churn(&db).await;
        let of_model = |number, eid: &str| NewVersion {
            logged_model_eid: Some(eid.to_owned()),
            ..new_version(number)
        };
        for (number, eid) in [(1, "m-1"), (2, "m-2"), (3, "m-1"), (4, "m-1")] {
            register(&db, of_model(number, eid), Source::Nothing).await;
        }
        let deleted = after_slash(&db, "3").await.expect("it is there");
        delete(&db, &deleted).await;
        let asked = ["m-1", "m-2", "m-3"].map(str::to_owned);
        let found = read(&db, move |tx| versions::of_logged_models(tx, PROJECT, &asked)).await;
        let churn = |number| ("churn".to_owned(), number);
        assert_eq!((&found["m-1"], &found["m-2"], found.len()), (&vec![churn(1), churn(4)], &vec![churn(2)], 2));
        given::references(&db).await;
    }
}

both! {
    async fn versions_in_the_bin_are_listed_page_by_page_and_found_by_number(db: Db) {
        let model = churn(&db).await.id;
        for number in 1..=4 {
            let version = published(&db, number, &format!("{number}.0.0")).await;
            if number != 2 {
                delete(&db, &version).await;
            }
        }
        let page = async |after| read(&db, move |tx| versions::list_deleted(tx, PROJECT, model, after, 2)).await;
        let first = page(None).await;
        let last = first.last().and_then(|version| Some((version.deleted_at?, version.number)));
        let second = page(last).await;
        let numbers: Vec<i64> = first.iter().chain(&second).map(|version| version.number).collect();
        assert_eq!((first.len(), numbers), (2, vec![4, 3, 1]));

        let find = async |number| read(&db, move |tx| versions::find_deleted(tx, PROJECT, model, number)).await;
        assert_eq!(find(3).await.map(|version| version.number), Some(3));
        assert!(find(2).await.is_none() && find(9).await.is_none());
    }
}
