//! The number and the semantic version that a version gets where it does not say.

use modelry_db::Db;
use modelry_store::versions::{NewVersion, Source, Wish};
use modelry_testkit::both;

use crate::given::{
    all_published, churn, delete, draft, find_model, insert_model, new_model, new_version, pairs, published,
    register,
};

/// The version that comes next by this step, or without a wish.
async fn next(db: &Db, number: i64, step: Option<&str>) -> String {
    let metadata = step.map(|step| pairs(&[("modelry.bump", step)])).unwrap_or_default();
    let new = NewVersion { metadata, ..new_version(number) };
    register(db, new, Source::Outside).await.version.to_string()
}

/// What comes after these versions, by this step.
async fn after(db: &Db, versions: &[&str], step: Option<&str>) -> String {
    churn(db).await;
    all_published(db, versions).await;
    next(db, 90, step).await
}

both! {
    async fn the_first_version_is_1_0_0(db: Db) {
        assert_eq!(after(&db, &[], None).await, "1.0.0");
    }

    async fn the_first_version_is_1_0_0_whatever_step_is_wished_for(db: Db) {
        assert_eq!(after(&db, &[], Some("minor")).await, "1.0.0");
    }

    async fn the_next_is_a_patch_of_the_greatest(db: Db) {
        assert_eq!(after(&db, &["1.2.3", "2.0.9", "1.9.0"], None).await, "2.0.10");
    }

    async fn the_greatest_stable_one_counts_and_no_prerelease(db: Db) {
        assert_eq!(after(&db, &["1.2.3", "2.0.0-rc.1"], None).await, "1.2.4");
    }

    async fn prereleases_of_very_many_later_releases_do_not_count(db: Db) {
        let announced: Vec<String> = (0..20).map(|patch| format!("2.0.{patch}-rc.1")).collect();
        let all: Vec<&str> = ["1.2.3"].into_iter().chain(announced.iter().map(String::as_str)).collect();
        assert_eq!(after(&db, &all, None).await, "1.2.4");
    }

    async fn a_minor_step_starts_its_patches_anew(db: Db) {
        assert_eq!(after(&db, &["1.2.3"], Some("minor")).await, "1.3.0");
    }

    async fn a_major_step_starts_both_anew(db: Db) {
        assert_eq!(after(&db, &["1.2.3"], Some("major")).await, "2.0.0");
    }

    async fn prereleases_alone_are_followed_by_their_release(db: Db) {
        assert_eq!(after(&db, &["1.0.0-alpha", "2.1.0-rc.2", "2.1.0-rc.1"], None).await, "2.1.0");
    }

    async fn a_step_greater_than_the_announced_one_is_taken(db: Db) {
        assert_eq!(after(&db, &["2.1.0-rc.2"], Some("major")).await, "3.0.0");
    }

    async fn a_draft_counts_as_what_is_there(db: Db) {
        churn(&db).await;
        draft(&db, 1, "3.0.0").await;
        assert_eq!(next(&db, 2, None).await, "3.0.1");
    }

    async fn build_metadata_is_left_behind(db: Db) {
        assert_eq!(after(&db, &["1.2.3+linux"], None).await, "1.2.4");
    }

    async fn a_long_row_of_taken_patches_is_passed_over_at_once(db: Db) {
        churn(&db).await;
        let taken: Vec<String> = (0..40).map(|patch| format!("1.2.{patch}")).chain(["1.3.0".to_owned()]).collect();
        all_published(&db, &taken.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let wish = Some(Wish::Rather("1.2.0".parse().unwrap()));
        let new = NewVersion { wish, ..new_version(90) };
        assert_eq!(register(&db, new, Source::Outside).await.version.to_string(), "1.2.40");
    }

    async fn a_taken_number_is_passed_over(db: Db) {
        // The release that the greatest prerelease announces was published once, and so was the patch after it.
        churn(&db).await;
        for (number, version) in [(1, "1.0.0"), (2, "1.0.1")] {
            let made = published(&db, number, version).await;
            delete(&db, &made).await;
        }
        published(&db, 3, "1.0.0-rc.1").await;
        assert_eq!(next(&db, 4, None).await, "1.0.2");
    }

    async fn a_published_number_is_never_given_again(db: Db) {
        churn(&db).await;
        let made = published(&db, 1, "1.0.0").await;
        delete(&db, &made).await;
        assert_eq!(next(&db, 2, None).await, "1.0.1");
    }

    async fn a_minor_step_passes_over_taken_minors(db: Db) {
        churn(&db).await;
        published(&db, 1, "1.0.0").await;
        let made = published(&db, 2, "1.1.0").await;
        delete(&db, &made).await;
        assert_eq!(next(&db, 3, Some("minor")).await, "1.2.0");
    }

    async fn a_deleted_drafts_number_is_free_again(db: Db) {
        churn(&db).await;
        let made = draft(&db, 1, "1.0.0").await;
        delete(&db, &made).await;
        assert_eq!(next(&db, 2, None).await, "1.0.0");
    }

    async fn sequence_numbers_are_never_given_again(db: Db) {
        churn(&db).await;
        let first = draft(&db, 1, "1.0.0").await;
        let second = published(&db, 2, "1.0.1").await;
        delete(&db, &first).await;
        delete(&db, &second).await;
        let third = draft(&db, 3, "1.0.0").await;
        assert_eq!([first.number, second.number, third.number], [1, 2, 3]);
    }

    async fn each_model_counts_for_itself(db: Db) {
        churn(&db).await;
        insert_model(&db, new_model(2, "other")).await;
        published(&db, 1, "4.0.0").await;
        let new = NewVersion { model: "other".to_owned(), ..new_version(2) };
        let made = register(&db, new, Source::Nothing).await;
        assert_eq!((made.number, made.version.to_string()), (1, "1.0.0".to_owned()));
    }

    async fn a_model_made_anew_counts_anew(db: Db) {
        churn(&db).await;
        published(&db, 1, "1.0.0").await;
        crate::given::write(&db, |tx| {
            modelry_store::models::delete(tx, crate::given::PROJECT, "churn", crate::given::NOW)
        })
        .await;
        insert_model(&db, new_model(2, "churn")).await;
        let made = register(&db, new_version(2), Source::Outside).await;
        assert_eq!((made.number, made.version.to_string()), (1, "1.0.0".to_owned()));
    }

    async fn a_new_version_changes_its_model(db: Db) {
        churn(&db).await;
        let later = NewVersion { created_at: crate::given::LATER, ..new_version(1) };
        register(&db, later, Source::Nothing).await;
        assert_eq!(find_model(&db, "churn").await.map(|model| model.updated_at), Some(crate::given::LATER));
    }
}
