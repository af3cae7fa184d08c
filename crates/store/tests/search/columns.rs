//! The keys that experiments have, and the cells of candidates.

use std::collections::BTreeSet;

use modelry_core::Result;
use modelry_core::ids::{CandidateId, Eid, ExperimentId, KeyId};
use modelry_core::points::Point;
use modelry_core::search::column::KeyKind;
use modelry_core::search::parse_column;
use modelry_core::time::Timestamp;
use modelry_db::{Db, Tx};
use modelry_store::candidates::{self, NewCandidate};
use modelry_store::columns::{Cell, Count, KeyPlace, KeyQuery, Selection, UsedKeys};
use modelry_store::experiments;
use modelry_store::ids::Ids;
use modelry_store::keys::Keys;
use modelry_store::metrics::{self, Tails};
use modelry_testkit::both;

use crate::given::{self, EXPERIMENTS, NOW, PROJECT, Run, read, write};

/// The cells of these candidates in these columns.
async fn cells(db: &Db, columns: &[&str], ids: Vec<CandidateId>) -> Vec<Vec<Cell>> {
    let columns: Vec<_> = columns.iter().map(|column| parse_column(column).expect(column)).collect();
    read(db, move |tx| {
        let rows = Selection::resolve(tx, PROJECT, &columns)?.read(tx, PROJECT, &ids)?;
        Ok(rows.into_iter().map(|row| row.cells).collect())
    })
    .await
}

/// What the reference says of [`COLUMNS`].
const COLUMNS: [&str; 8] = [
    "tags.team",
    "metrics.loss",
    "params.lr",
    "status",
    "metadata.lr",
    "name",
    "end_time",
    "metrics.unknown",
];

fn expected(run: &Run) -> Vec<Cell> {
    let text = |text: Option<&String>| text.cloned().map(Cell::Text).unwrap_or_default();
    vec![
        text(run.metadata.get("team")),
        run.metrics.get("loss").map(|value| Cell::Number(*value)).unwrap_or_default(),
        text(run.params.get("lr")),
        Cell::Text(run.status.as_str().to_lowercase()),
        text(run.metadata.get("lr")),
        Cell::Text(run.name.clone()),
        run.end.map(Cell::Integer).unwrap_or_default(),
        Cell::Missing,
    ]
}

/// NaN equals NaN here.
fn shown(rows: &[Vec<Cell>]) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

/// Makes one candidate of the experiment `Default` that has these keys.
async fn one_with(db: &Db, names: Vec<String>) {
    let texts: Vec<&str> = names.iter().map(String::as_str).collect();
    let keys =
        Keys::default().intern(db, &Ids::new(db.clone()), PROJECT, &texts).await.expect("keys can be made");
    write(db, |tx| experiments::insert_default(tx, PROJECT, NOW)).await;
    write(db, move |tx| insert(tx, (0, 1), &keys)).await;
}

fn insert(tx: &mut Tx<'_>, (experiment, number): (i64, i64), keys: &[KeyId]) -> Result<()> {
    let eid: Eid = format!("{number:032x}").parse()?;
    let new = NewCandidate {
        id: CandidateId(number),
        eid,
        experiment_id: ExperimentId(experiment),
        name: "calm-fox-1".to_owned(),
        user_name: String::new(),
        creator_id: None,
        start_time: number,
        created_at: NOW,
    };
    let place = candidates::insert(tx, PROJECT, &new)?.place(PROJECT);
    let points = keys.iter().map(|key| (*key, vec![Point::new(0, 0, 0.5)])).collect();
    metrics::append(tx, &Tails::default(), place, number, &points)
}

fn place(experiment: ExperimentId) -> KeyPlace {
    KeyPlace { project: PROJECT, experiment }
}

/// The names of a page, and whether there are more.
async fn names(db: &Db, used: &UsedKeys, query: KeyQuery, now: Timestamp) -> (Vec<String>, bool) {
    let used = used.clone();
    let page = read(db, move |tx| used.page(tx, place(ExperimentId(0)), &query, now)).await;
    (page.keys.iter().map(|key| key.name.to_string()).collect(), page.has_more)
}

both! {
    async fn cells_are_what_was_logged(db: Db) {
        let runs = given::seed(&db).await;
        // Backwards, so that the order is the one asked for.
        let ids = runs.iter().rev().map(|run| CandidateId(run.number)).collect();
        let expected: Vec<_> = runs.iter().rev().map(expected).collect();
        assert_eq!(shown(&cells(&db, &COLUMNS, ids).await), shown(&expected));
    }

    async fn a_metric_has_its_latest_least_and_greatest_value(db: Db) {
        one_with(&db, vec!["loss".to_owned()]).await;
        write(&db, |tx| {
            let place = candidates::get_active_place(tx, PROJECT, &format!("{:032x}", 1).parse()?)?;
            let values = [7.0, -2.0, f64::NAN];
            let points = values.iter().zip(1..).map(|(value, step)| Point::new(step, step, *value)).collect();
            metrics::append(tx, &Tails::default(), place, 2, &[(KeyId(1), points)].into())
        })
        .await;
        let found = cells(&db, &["metrics.loss", "min(metrics.loss)", "max(metrics.loss)"], vec![CandidateId(1)]).await;
        let expected = vec![vec![Cell::Number(f64::NAN), Cell::Number(-2.0), Cell::Number(7.0)]];
        assert_eq!(shown(&found), shown(&expected));
    }

    async fn a_column_may_be_asked_for_twice(db: Db) {
        one_with(&db, vec!["loss".to_owned()]).await;
        let found = cells(&db, &["metrics.loss", "metrics.loss"], vec![CandidateId(1)]).await;
        assert_eq!(found, [[Cell::Number(0.5), Cell::Number(0.5)]]);
    }

    async fn very_many_columns_are_filled(db: Db) {
        let keys: Vec<String> = (0..700).map(|number| format!("m{number}")).collect();
        one_with(&db, keys.clone()).await;
        let columns: Vec<String> = keys.iter().map(|key| format!("metrics.{key}")).collect();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let found = cells(&db, &columns, vec![CandidateId(1)]).await;
        assert_eq!(found, [vec![Cell::Number(0.5); 700]]);
    }

    async fn a_candidate_that_is_not_there_has_no_row(db: Db) {
        one_with(&db, vec!["loss".to_owned()]).await;
        let found = cells(&db, &["metrics.loss"], vec![CandidateId(9), CandidateId(1)]).await;
        assert_eq!(found, [[Cell::Number(0.5)]]);
    }

    async fn an_experiment_lists_the_keys_that_its_candidates_have(db: Db) {
        let runs = given::seed(&db).await;
        let used = UsedKeys::new(Keys::default());
        for experiment in EXPERIMENTS {
            let here = || runs.iter().filter(|run| run.experiment == experiment);
            let mut expected: Vec<(KeyKind, &str)> = Vec::new();
            expected.extend(here().flat_map(|run| run.metrics.keys()).map(|key| (KeyKind::Metrics, *key)));
            expected.extend(here().flat_map(|run| run.params.keys()).map(|key| (KeyKind::Params, *key)));
            expected.extend(here().flat_map(|run| run.metadata.keys()).map(|key| (KeyKind::Metadata, *key)));
            let expected: BTreeSet<_> = expected.into_iter().map(|(kind, key)| (kind, key.to_owned())).collect();
            let (used, query) = (used.clone(), KeyQuery { limit: 100, ..KeyQuery::default() });
            let page = read(&db, move |tx| used.page(tx, place(experiment), &query, NOW)).await;
            let found: Vec<_> = page.keys.iter().map(|key| (key.kind, key.name.to_string())).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "experiment {experiment}");
        }
    }

    async fn keys_of_other_experiments_are_not_listed(db: Db) {
        one_with(&db, vec!["here".to_owned(), "there".to_owned()]).await;
        write(&db, |tx| {
            given::experiment(tx, ExperimentId(1), None)?;
            insert(tx, (1, 2), &[KeyId(2)])
        })
        .await;
        let used = UsedKeys::new(Keys::default());
        let listed = read(&db, move |tx| {
            let list = used.all(tx, place(ExperimentId(1)), KeyKind::Metrics, NOW)?;
            let counts = list.iter().map(|key| used.count(tx, place(ExperimentId(1)), key, NOW)).collect::<Result<Vec<_>>>()?;
            Ok((list.iter().map(|key| key.name.to_string()).collect::<Vec<_>>(), counts))
        });
        let once = Count { candidates: 1, is_capped: false };
        assert_eq!(listed.await, (vec!["there".to_owned()], vec![once]));
    }

    async fn a_count_says_how_many_candidates_have_a_key(db: Db) {
        let runs = given::seed(&db).await;
        let used = UsedKeys::new(Keys::default());
        let counts = read(&db, move |tx| {
            let keys = used.all(tx, place(ExperimentId(0)), KeyKind::Params, NOW)?;
            keys.iter().map(|key| used.count(tx, place(ExperimentId(0)), key, NOW)).collect::<Result<Vec<_>>>()
        })
        .await;
        let count = |key: &str| {
            let has = runs.iter().filter(|run| run.experiment.0 == 0 && run.params.contains_key(key));
            Count { candidates: i64::try_from(has.count()).unwrap(), is_capped: false }
        };
        assert_eq!(counts, [count("lr"), count("optimizer")]);
    }

    async fn keys_are_found_by_their_start_by_a_part_and_page_by_page(db: Db) {
        let keys = ["train/loss", "train/Loss 2", "val/loss", "acc"].map(str::to_owned);
        one_with(&db, keys.to_vec()).await;
        let used = UsedKeys::new(Keys::default());
        let query = || KeyQuery { kind: Some(KeyKind::Metrics), limit: 10, ..KeyQuery::default() };
        let prefix = KeyQuery { prefix: "train/l".to_owned(), ..query() };
        assert_eq!(names(&db, &used, prefix, NOW).await, (vec!["train/loss".to_owned()], false));
        let part = KeyQuery { part: "LOSS".to_owned(), limit: 2, ..query() };
        let (first, has_more) = names(&db, &used, part.clone(), NOW).await;
        assert_eq!((first, has_more), (vec!["train/Loss 2".to_owned(), "train/loss".to_owned()], true));
        let after = Some((KeyKind::Metrics, "train/loss".to_owned()));
        assert_eq!(names(&db, &used, KeyQuery { after, ..part }, NOW).await, (vec!["val/loss".to_owned()], false));
    }

    async fn only_a_long_list_is_kept_and_only_for_a_minute(db: Db) {
        one_with(&db, vec!["m0".to_owned()]).await;
        let used = UsedKeys::new(Keys::default());
        let count = async |now| names(&db, &used, KeyQuery { limit: 2_000, ..KeyQuery::default() }, now).await.0.len();
        assert_eq!(count(NOW).await, 1);
        let more: Vec<String> = (1..=600).map(|number| format!("m{number}")).collect();
        let texts: Vec<&str> = more.iter().map(String::as_str).collect();
        let ids = Ids::new(db.clone());
        let keys = Keys::default().intern(&db, &ids, PROJECT, &texts).await.expect("keys can be made");
        let (first, last) = (keys[..599].to_vec(), keys[599..].to_vec());
        write(&db, move |tx| insert(tx, (0, 2), &first)).await;
        assert_eq!(count(NOW).await, 600, "a short list is not kept");
        write(&db, move |tx| insert(tx, (0, 3), &last)).await;
        assert_eq!(count(Timestamp(NOW.ms() + 59_999)).await, 600, "a long list is kept");
        assert_eq!(count(Timestamp(NOW.ms() + 60_000)).await, 601, "a minute later it is read again");
    }
}
