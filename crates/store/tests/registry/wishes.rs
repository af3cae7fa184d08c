//! The version that is wished for: on the version, on the logged model, on the candidate.

use modelry_core::Kind;
use modelry_core::ids::KeyId;
use modelry_db::Db;
use modelry_store::candidates::{self, Entry};
use modelry_store::ids::Ids;
use modelry_store::keys::Keys;
use modelry_store::versions::{NewVersion, Source};
use modelry_testkit::both;

use crate::given::{
    self, PROJECT, candidate, churn, delete, draft, eid, files_below, model_eid, new_version, of_candidate,
    of_logged_model, pairs, published, refused_version, register, wishing, write,
};

/// A version with this metadata, as it is answered.
async fn with(db: &Db, number: i64, metadata: &[(&str, &str)]) -> String {
    let new = NewVersion { metadata: pairs(metadata), ..new_version(number) };
    register(db, new, Source::Nothing).await.version.to_string()
}

/// Sets metadata of a candidate.
async fn tag(db: &Db, number: i64, name: &str, value: &str) {
    let ids = Ids::new(db.clone());
    let [key]: [KeyId; 1] = Keys::default()
        .intern(db, &ids, PROJECT, &[name])
        .await
        .expect("a key can be made")
        .try_into()
        .expect("one key");
    let entry = Entry { key, name: name.to_owned(), value: value.to_owned() };
    write(db, move |tx| {
        let candidate = candidates::get_by_eid(tx, PROJECT, &eid(number).parse()?)?;
        candidates::set_metadata(tx, candidate.place(PROJECT), std::slice::from_ref(&entry))
    })
    .await;
}

/// A version made in the run of the candidate of this number.
fn in_run(number: i64, run: i64) -> NewVersion {
    NewVersion { run_eid: Some(eid(run)), ..new_version(number) }
}

/// A version made from the logged model of this number.
fn from_model(number: i64, model: i64) -> NewVersion {
    NewVersion { logged_model_eid: Some(model_eid(model).to_string()), ..new_version(number) }
}

both! {
    async fn either_name_wishes_for_a_version(db: Db) {
        churn(&db).await;
        assert_eq!(with(&db, 1, &[("gitlab.version", "1.4.0")]).await, "1.4.0");
        assert_eq!(with(&db, 2, &[("modelry.version", "0.1.0-rc.1+b.5")]).await, "0.1.0-rc.1+b.5");
    }

    async fn gitlabs_name_comes_before_ours_and_both_before_a_step(db: Db) {
        churn(&db).await;
        let all = [("modelry.bump", "major"), ("modelry.version", "2.0.0"), ("gitlab.version", "1.4.0")];
        assert_eq!(with(&db, 1, &all).await, "1.4.0");
        assert_eq!(with(&db, 2, &all[..2]).await, "2.0.0");
    }

    async fn a_version_that_is_there_is_refused_with_the_next_free_one(db: Db) {
        churn(&db).await;
        published(&db, 1, "1.0.0").await;
        draft(&db, 2, "1.0.1").await;
        let error = refused_version(&db, wishing(3, "1.0.0"), Source::Nothing).await;
        let message = "version 1.0.0 of model churn exists already, or did: a version that was published once is not \
                       given again. The next free one is 1.0.2";
        assert_eq!((error.kind(), error.message()), (Kind::Exists, message));
    }

    async fn a_version_that_was_published_once_is_refused(db: Db) {
        churn(&db).await;
        let made = published(&db, 1, "1.0.0").await;
        delete(&db, &made).await;
        let error = refused_version(&db, wishing(2, "1.0.0"), Source::Nothing).await;
        assert_eq!(error.kind(), Kind::Exists, "{error}");
    }

    async fn versions_that_differ_in_build_metadata_are_different(db: Db) {
        churn(&db).await;
        published(&db, 1, "1.0.0+cpu").await;
        assert_eq!(with(&db, 2, &[("modelry.version", "1.0.0+gpu")]).await, "1.0.0+gpu");
    }

    async fn what_is_no_version_is_refused_with_the_nearest(db: Db) {
        churn(&db).await;
        let error = refused_version(&db, wishing(1, "v1.2"), Source::Nothing).await;
        assert_eq!(error.kind(), Kind::Invalid, "{error}");
        assert!(error.message().ends_with("did you mean 1.2.0?"), "{error}");
    }

    async fn what_is_no_step_is_refused(db: Db) {
        churn(&db).await;
        let new = NewVersion { metadata: pairs(&[("modelry.bump", "huge")]), ..new_version(1) };
        let error = refused_version(&db, new, Source::Nothing).await;
        assert_eq!((error.kind(), error.message().contains("major, minor or patch")), (Kind::Invalid, true));
    }

    async fn a_refused_version_leaves_nothing_behind(db: Db) {
        churn(&db).await;
        refused_version(&db, wishing(1, "x"), Source::Nothing).await;
        let made = register(&db, new_version(1), Source::Nothing).await;
        assert_eq!(made.number, 1);
    }

    async fn the_logged_models_wish_counts(db: Db) {
        churn(&db).await;
        given::logged_model(&db, 1, None, &[("modelry.version", "3.1.0")]).await;
        let made = register(&db, from_model(1, 1), Source::Nothing).await;
        assert_eq!(made.version.to_string(), "3.1.0");
    }

    async fn the_candidates_wish_counts(db: Db) {
        churn(&db).await;
        published(&db, 1, "1.0.0").await;
        candidate(&db, 7).await;
        tag(&db, 7, "modelry.bump", "minor").await;
        let made = register(&db, in_run(2, 7), Source::Nothing).await;
        assert_eq!(made.version.to_string(), "1.1.0");
    }

    async fn the_logged_models_wish_comes_before_the_candidates(db: Db) {
        churn(&db).await;
        candidate(&db, 7).await;
        tag(&db, 7, "modelry.version", "2.0.0").await;
        given::logged_model(&db, 1, Some(7), &[("modelry.version", "3.0.0")]).await;
        given::logged_model(&db, 2, Some(7), &[]).await;
        let of_model = register(&db, from_model(1, 1), Source::Nothing).await;
        let of_candidate = register(&db, from_model(2, 2), Source::Nothing).await;
        let versions = [of_model.version.to_string(), of_candidate.version.to_string()];
        assert_eq!(versions, ["3.0.0", "2.0.0"]);
    }

    async fn the_versions_own_wish_comes_before_both(db: Db) {
        churn(&db).await;
        candidate(&db, 7).await;
        tag(&db, 7, "modelry.version", "2.0.0").await;
        given::logged_model(&db, 1, Some(7), &[("modelry.version", "3.0.0")]).await;
        let new = NewVersion { metadata: pairs(&[("modelry.version", "4.0.0")]), ..from_model(1, 1) };
        assert_eq!(register(&db, new, Source::Nothing).await.version.to_string(), "4.0.0");
    }

    async fn the_wish_of_a_source_counts_where_nothing_else_names_it(db: Db) {
        churn(&db).await;
        candidate(&db, 7).await;
        tag(&db, 7, "modelry.version", "2.0.0").await;
        given::logged_model(&db, 1, Some(7), &[("modelry.version", "3.0.0")]).await;
        given::put(&db, of_candidate(7), "a", 1).await;
        given::put(&db, of_logged_model(1), "a", 1).await;
        let of_candidate = register(&db, new_version(1), files_below(of_candidate(7), None)).await;
        let of_model = register(&db, new_version(2), files_below(of_logged_model(1), None)).await;
        let versions = [of_candidate.version.to_string(), of_model.version.to_string()];
        assert_eq!(versions, ["2.0.0", "3.0.0"]);
    }

    async fn a_wish_that_is_only_inherited_gives_way(db: Db) {
        churn(&db).await;
        published(&db, 1, "2.0.0").await;
        candidate(&db, 7).await;
        tag(&db, 7, "modelry.version", "2.0.0").await;
        given::logged_model(&db, 1, None, &[("gitlab.version", "2.0.0")]).await;
        let of_candidate = register(&db, in_run(2, 7), Source::Nothing).await;
        let of_model = register(&db, from_model(3, 1), Source::Nothing).await;
        let versions = [of_candidate.version.to_string(), of_model.version.to_string()];
        assert_eq!(versions, ["2.0.1", "2.0.2"]);
    }
}
