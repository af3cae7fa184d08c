//! Writers at once.

use modelry_core::ids::{ExperimentId, ModelId};
use modelry_core::{Kind, Result};
use modelry_db::{Db, Tx};
use modelry_store::models::{self, NewModel};
use modelry_store::versions::{self, ModelVersion, Source};
use modelry_testkit::both;

use crate::given::{PROJECT, after_at, all_published, churn, mover, new_model, new_version, wishing};

/// How many write at once.
const WRITERS: i64 = 8;

/// What became of a write for each writer, who are numbered from 1, all at once.
async fn at_once<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>, i64) -> Result<T> + Clone + Send + 'static,
) -> Vec<Result<T>> {
    let writers: Vec<_> = (1..=WRITERS)
        .map(|number| {
            let (db, work) = (db.clone(), work.clone());
            tokio::spawn(async move { db.write(move |tx| work(tx, number)).await })
        })
        .collect();
    let mut answers = Vec::new();
    for writer in writers {
        answers.push(writer.await.expect("no writer panics"));
    }
    answers
}

/// The kind of failure of those that failed.
fn failures<T>(answers: &[Result<T>]) -> Vec<Kind> {
    answers.iter().filter_map(|answer| answer.as_ref().err().map(modelry_core::Error::kind)).collect()
}

/// How often `kind` is there where one writer alone succeeds.
fn all_but_one(kind: Kind) -> Vec<Kind> {
    (1..WRITERS).map(|_| kind).collect()
}

both! {
    async fn registrations_at_once_get_a_version_each(db: Db) {
        churn(&db).await;
        let made = at_once(&db, |tx, number| {
            versions::register(tx, PROJECT, &new_version(number), &Source::Outside)
        })
        .await;
        let made: Vec<ModelVersion> = made.into_iter().map(|version| version.expect("none fails")).collect();
        let mut numbers: Vec<i64> = made.iter().map(|version| version.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=WRITERS).collect::<Vec<_>>());
        let mut versions: Vec<String> = made.iter().map(|version| version.version.to_string()).collect();
        versions.sort();
        assert_eq!(versions, (0..WRITERS).map(|patch| format!("1.0.{patch}")).collect::<Vec<_>>());
    }

    async fn of_wishes_for_one_version_at_once_one_is_granted(db: Db) {
        churn(&db).await;
        let made = at_once(&db, |tx, number| {
            versions::register(tx, PROJECT, &wishing(number, "1.0.0"), &Source::Nothing)
        })
        .await;
        assert_eq!(failures(&made), all_but_one(Kind::Exists));
    }

    async fn of_models_of_one_name_at_once_one_is_made(db: Db) {
        let made = at_once(&db, |tx, number| {
            let new = NewModel {
                id: ModelId(number),
                experiment_id: ExperimentId(number),
                ..new_model(number, "churn")
            };
            models::insert(tx, PROJECT, &new)
        })
        .await;
        assert_eq!(failures(&made), all_but_one(Kind::Exists));
    }

    async fn moves_of_an_alias_at_once_follow_each_other(db: Db) {
        churn(&db).await;
        all_published(&db, &["1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5", "1.0.6", "1.0.7"]).await;
        let moved = at_once(&db, |tx, number| {
            let model = models::get_by_name(tx, PROJECT, "churn")?;
            let version = versions::get_target(tx, PROJECT, &model, &number.to_string().parse()?)?;
            versions::set_alias(tx, PROJECT, &version, "champion", &mover(number))
        })
        .await;
        assert_eq!(failures(&moved), []);
        let chain = crate::given::read(&db, |tx| {
            tx.query(
                "SELECT from_version_id, to_version_id FROM alias_moves WHERE project_id = $1",
                &[&PROJECT.0],
                |row| Ok((row.get::<Option<i64>>(0)?, row.get::<Option<i64>>(1)?)),
            )
        })
        .await;
        // Each starts where another ended, so that no move was lost.
        let now = after_at(&db, "champion").await.expect("it points somewhere").id.0;
        let mut froms: Vec<_> = chain.iter().map(|(from, _)| *from).collect();
        froms.push(Some(now));
        let mut tos: Vec<_> = chain.iter().map(|(_, to)| *to).collect();
        tos.push(None);
        froms.sort_unstable();
        tos.sort_unstable();
        assert_eq!((chain.len(), froms), (8, tos));
    }

    async fn of_deletions_at_once_one_finds_the_version(db: Db) {
        churn(&db).await;
        all_published(&db, &["1.0.0"]).await;
        let deleted = at_once(&db, |tx, number| {
            let model = models::get_by_name(tx, PROJECT, "churn")?;
            let version = versions::get_target(tx, PROJECT, &model, &"1".parse()?)?;
            versions::delete(tx, PROJECT, &version, &mover(number))
        })
        .await;
        assert_eq!(failures(&deleted), all_but_one(Kind::NotFound));
    }

    async fn a_deletion_and_registrations_at_once_all_succeed(db: Db) {
        churn(&db).await;
        all_published(&db, &["1.0.0"]).await;
        let done = at_once(&db, |tx, number| {
            if number == WRITERS {
                let model = models::get_by_name(tx, PROJECT, "churn")?;
                let version = versions::get_target(tx, PROJECT, &model, &"1".parse()?)?;
                return versions::delete(tx, PROJECT, &version, &mover(number)).map(|()| None);
            }
            versions::register(tx, PROJECT, &new_version(number + 1), &Source::Outside).map(Some)
        })
        .await;
        let mut versions: Vec<String> =
            done.into_iter().filter_map(|one| one.expect("none fails")).map(|made| made.version.to_string()).collect();
        versions.sort();
        assert_eq!(versions, (1..WRITERS).map(|patch| format!("1.0.{patch}")).collect::<Vec<_>>());
    }
}
