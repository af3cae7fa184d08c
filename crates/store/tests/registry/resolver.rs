//! Which version a text behind `models:/churn` asks for.

use modelry_core::Kind;
use modelry_core::version::stage::Stage;
use modelry_db::Db;
use modelry_store::models;
use modelry_store::versions::{self, Advice, Source};
use modelry_testkit::both;

use crate::given::{
    PROJECT, after_at, after_slash, all_published, candidate, churn, draft, files_below, mover, new_version,
    of_candidate, published, put, register, wishing, write,
};

/// The number that `text` behind the slash selects; 0 where it selects none.
async fn slash(db: &Db, text: &str) -> i64 {
    after_slash(db, text).await.map_or(0, |version| version.number)
}

/// As [`slash`], behind the at sign.
async fn at(db: &Db, text: &str) -> i64 {
    after_at(db, text).await.map_or(0, |version| version.number)
}

async fn assert_selects(db: &Db, cases: &[(&str, i64)]) {
    for (text, number) in cases {
        assert_eq!(slash(db, text).await, *number, "/{text}");
        assert_eq!(at(db, text).await, *number, "@{text}");
    }
}

/// What `text` behind the slash is answered where nothing is there.
async fn missing(db: &Db, text: &str) -> String {
    let error = after_slash(db, text).await.expect_err("nothing is there");
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
    error.message().to_owned()
}

async fn set_stage(db: &Db, number: i64, stage: Stage) {
    write(db, move |tx| {
        let model = models::get_by_name(tx, PROJECT, "churn")?;
        let version = versions::get_target(tx, PROJECT, &model, &number.to_string().parse()?)?;
        versions::set_stage(tx, PROJECT, version, (stage, false), crate::given::NOW)
    })
    .await;
}

async fn set_alias(db: &Db, alias: &'static str, number: i64) {
    let version = after_slash(db, &number.to_string()).await.expect("it is there");
    write(db, move |tx| versions::set_alias(tx, PROJECT, &version, alias, &mover(number))).await;
}

/// Versions in an order that is not theirs.
async fn many(db: &Db) {
    churn(db).await;
    all_published(
        db,
        &["1.0.0", "2.0.0-rc.1", "1.10.0", "1.2.0", "1.2.5", "0.9.0", "2.0.0-rc.2", "1.10.1-beta", "0.9.1"],
    )
    .await;
}

/// So many releases of which there is only a prerelease that not all of them are stepped over at once.
const ANNOUNCED: i64 = 20;

/// `1.2.0`, and above it prereleases of so many releases, two of each.
async fn announced(db: &Db, releases: i64) {
    churn(db).await;
    published(db, 1, "1.2.0").await;
    for release in 1..=releases {
        for (place, tag) in [(0, "alpha"), (1, "beta")] {
            published(db, release * 2 + place, &format!("1.3.{release}-{tag}")).await;
        }
    }
}

both! {
    async fn prereleases_of_later_releases_are_stepped_over(db: Db) {
        announced(&db, 3).await;
        assert_selects(&db, &[("latest", 1), ("*", 1), ("^1", 1), ("~1.3", 0), ("1.3.2-alpha", 4), (">=1.3.2-0", 5)]).await;
    }

    async fn prereleases_of_very_many_later_releases_are_stepped_over(db: Db) {
        announced(&db, ANNOUNCED).await;
        assert_selects(&db, &[("latest", 1), ("*", 1), ("^1", 1), ("~1.3", 0)]).await;
    }

    async fn versions_are_selected_by_number_version_and_requirement(db: Db) {
        many(&db).await;
        assert_selects(
            &db,
            &[
                ("1", 1),
                ("3", 3),
                ("007", 7),
                ("10", 0),
                ("0", 0),
                ("1.2.0", 4),
                ("v1.2.0", 4),
                ("2.0.0-rc.1", 2),
                ("2.0.0", 0),
                ("latest", 3),
                ("LATEST", 3),
                ("*", 3),
                ("^1", 3),
                ("~1.2", 5),
                ("1.2", 5),
                ("1.x", 3),
                ("^1.2,<1.10", 5),
                (">1.2.0 <1.2.5", 0),
                ("^0.9", 9),
                ("0.9.x", 9),
                ("=1.2.0", 4),
                ("<1.0.0", 9),
                ("^3", 0),
            ],
        )
        .await;
    }

    async fn a_prerelease_matches_only_what_names_one_of_its_release(db: Db) {
        many(&db).await;
        assert_selects(
            &db,
            &[
                (">=2.0.0-rc.0", 7),
                (">=2.0.0-rc.0,<2.0.0-rc.2", 2),
                ("^2.0.0-alpha", 7),
                (">=2.0.0", 0),
                (">=1.10.1-alpha,<2", 8),
                ("~1.10.1-alpha", 8),
                (">=1.0.0-alpha", 3),
                ("^1.10", 3),
            ],
        )
        .await;
    }

    async fn of_equal_precedence_the_later_is_taken(db: Db) {
        churn(&db).await;
        all_published(&db, &["1.0.0+a", "1.0.0", "1.0.0+b", "0.9.0"]).await;
        assert_selects(&db, &[("^1", 3), ("latest", 3), ("=1.0.0", 3), ("1.0.0", 2), ("1.0.0+a", 1)]).await;
        assert_eq!(missing(&db, "1.0.0+c").await, "Model Version (name=churn, version=1.0.0+c) not found");
    }

    async fn latest_is_the_greatest_prerelease_where_nothing_is_stable(db: Db) {
        churn(&db).await;
        all_published(&db, &["1.0.0-rc.2", "1.0.0-rc.10", "1.0.0-beta"]).await;
        assert_selects(&db, &[("latest", 2)]).await;
        assert_eq!(slash(&db, "*").await, 0);
    }

    async fn a_model_without_versions_says_so(db: Db) {
        churn(&db).await;
        assert_eq!(missing(&db, "latest").await, "model churn has no version yet that has files");
        assert_eq!(missing(&db, "^1").await, "no version of model churn matches ^1: it has no published version");
        assert_eq!(missing(&db, "Production").await, "model churn has no published version in the stage Production");
        assert_eq!(missing(&db, "1").await, "Model Version (name=churn, version=1) not found");
    }

    async fn what_matches_nothing_is_told_the_greatest_there_are(db: Db) {
        many(&db).await;
        let message = "no version of model churn matches ^7: its greatest are 2.0.0-rc.2, 2.0.0-rc.1, 1.10.1-beta";
        assert_eq!(missing(&db, "^7").await, message);
    }

    async fn drafts_are_found_by_what_names_them(db: Db) {
        churn(&db).await;
        published(&db, 1, "1.0.0").await;
        draft(&db, 2, "1.1.0").await;
        put(&db, of_candidate(1_002), "w", 1).await;
        set_alias(&db, "next", 2).await;
        set_stage(&db, 2, Stage::Production).await;
        assert_selects(&db, &[("2", 2), ("1.1.0", 2), ("next", 2)]).await;
        assert_selects(&db, &[("latest", 1), ("*", 1), ("^1", 1), ("=1.1.0", 0), ("Production", 0)]).await;
    }

    async fn latest_is_a_draft_with_files_while_nothing_is_published(db: Db) {
        churn(&db).await;
        for (number, version) in [(1, "1.0.0"), (2, "1.1.0"), (3, "1.2.0")] {
            draft(&db, number, version).await;
        }
        assert_eq!(slash(&db, "latest").await, 0);
        put(&db, of_candidate(1_001), "w", 1).await;
        put(&db, of_candidate(1_002), "w", 1).await;
        assert_eq!(slash(&db, "latest").await, 2);
        published(&db, 4, "0.1.0-rc.1").await;
        assert_eq!(slash(&db, "latest").await, 4);
    }

    async fn a_draft_has_the_files_of_its_directory_and_no_others(db: Db) {
        churn(&db).await;
        candidate(&db, 7).await;
        register(&db, wishing(1, "1.0.0"), files_below(of_candidate(7), Some("model"))).await;
        for at in ["log.txt", "model-2/w", "model.txt", "mode"] {
            put(&db, of_candidate(7), at, 1).await;
        }
        assert_eq!(slash(&db, "latest").await, 0);
        put(&db, of_candidate(7), "model/w", 1).await;
        assert_eq!(slash(&db, "latest").await, 1);
    }

    async fn a_stage_is_the_greatest_in_it(db: Db) {
        many(&db).await;
        for (number, stage) in [
            (1, Stage::Production),
            (5, Stage::Production),
            (6, Stage::Production),
            (7, Stage::Staging),
            (2, Stage::Staging),
        ] {
            set_stage(&db, number, stage).await;
        }
        assert_selects(
            &db,
            &[("Production", 5), ("production", 5), ("Staging", 7), ("Archived", 0), ("None", 8)],
        )
        .await;
    }

    async fn behind_the_slash_a_stage_comes_before_an_alias_and_behind_the_at_after_it(db: Db) {
        many(&db).await;
        set_stage(&db, 5, Stage::Production).await;
        set_alias(&db, "production", 1).await;
        assert_eq!((slash(&db, "production").await, at(&db, "production").await), (5, 1));
        // An alias is called as it is called, a stage in any case.
        assert_eq!((slash(&db, "Production").await, at(&db, "Production").await), (5, 5));
    }

    async fn an_alias_is_found_behind_both(db: Db) {
        many(&db).await;
        set_alias(&db, "champion", 4).await;
        assert_selects(&db, &[("champion", 4), ("Champion", 0)]).await;
        assert_eq!(missing(&db, "nobody").await, "Registered model alias nobody not found.");
    }

    async fn what_was_deleted_is_passed_over(db: Db) {
        many(&db).await;
        let third = after_slash(&db, "3").await.expect("it is there");
        crate::given::delete(&db, &third).await;
        assert_selects(&db, &[("^1", 5), ("latest", 5), ("3", 0), ("1.10.0", 0)]).await;
    }

    async fn a_yanked_version_is_found_by_what_names_it_and_a_deprecated_one_as_before(db: Db) {
        churn(&db).await;
        all_published(&db, &["1.0.0", "1.1.0", "1.2.0"]).await;
        set_alias(&db, "champion", 3).await;
        for (number, advice) in [(2, Advice::Deprecated), (3, Advice::Yanked)] {
            set_stage(&db, number, Stage::Production).await;
            let version = after_slash(&db, &number.to_string()).await.expect("it is there");
            write(&db, move |tx| {
                versions::set_advice(tx, PROJECT, version.clone(), (advice, "broken"), crate::given::NOW)
            })
            .await;
        }
        assert_selects(&db, &[("3", 3), ("1.2.0", 3), ("champion", 3)]).await;
        assert_selects(&db, &[("^1", 2), ("=1.2.0", 0), ("*", 2), ("latest", 2), ("Production", 2)]).await;
        assert_eq!(
            missing(&db, "^2").await,
            "no version of model churn matches ^2: its greatest are 1.1.0, 1.0.0"
        );
        let next = register(&db, new_version(4), Source::Outside).await;
        assert_eq!(next.version.to_string(), "1.2.1");
    }

    async fn among_ten_thousand_versions_the_greatest_is_found(db: Db) {
        churn(&db).await;
        for from in (0..10_000).step_by(500) {
            write(&db, move |tx| insert_versions(tx, from..from + 500)).await;
        }
        // The last of each hundred is a prerelease.
        assert_selects(
            &db,
            &[
                ("^1", 9_999),
                ("latest", 9_999),
                ("~1.50", 5_099),
                (">=1.20.0,<1.30", 2_999),
                ("^1.99.99-rc", 10_000),
                ("1.7.7", 708),
                ("Production", 0),
            ],
        )
        .await;
        let new = register(&db, new_version(10_001), Source::Outside).await;
        assert_eq!((new.number, new.version.to_string()), (10_001, "1.99.99".to_owned()));
    }
}

/// Versions `1.0.0`, `1.0.1` ... `1.99.99`, every hundredth of which is a prerelease only.
fn insert_versions(tx: &mut modelry_db::Tx<'_>, numbers: std::ops::Range<i64>) -> modelry_core::Result<()> {
    for number in numbers {
        let (minor, patch) = (number / 100, number % 100);
        let pre = if patch == 99 { "-rc.1" } else { "" };
        let new = wishing(number + 1, &format!("1.{minor}.{patch}{pre}"));
        versions::register(tx, PROJECT, &new, &Source::Outside)?;
    }
    Ok(())
}
