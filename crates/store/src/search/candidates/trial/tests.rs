use modelry_core::ids::{ExperimentId, KeyId, ProjectId};
use modelry_core::points::Point;
use modelry_core::points::tail::PointsByKey;
use modelry_core::search::entity::CANDIDATES;
use modelry_core::search::{parse_filter, parse_order_by};
use modelry_core::time::Timestamp;
use modelry_db::Db;
use modelry_testkit::{Schema, both, sqlite};

use super::*;
use crate::candidates::{self, NewCandidate};
use crate::metrics::{self, Tails};
use crate::search::View;
use crate::search::candidates::driver::Way;
use crate::search::candidates::order::Sorting;
use crate::search::candidates::{Search, filter};
use crate::{experiments, keys};

const PROJECT: ProjectId = ProjectId(1);
const EXPERIMENT: ExperimentId = ExperimentId(1);
const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// 60 candidates: `loss` is the number, `triple` the same for three in a row, `coarse` has three values, and `acc` is above
/// 0.5 for every second one.
async fn seed(db: &Db) {
    db.write(|tx| {
        experiments::insert(tx, PROJECT, &experiment(), &[])?;
        for (id, name) in [(1, "loss"), (2, "triple"), (3, "coarse"), (4, "acc")] {
            let insert = "INSERT INTO keys (project_id, id, name) VALUES ($1, $2, $3)";
            tx.execute(insert, &[&PROJECT.0, &i64::from(id), &name])?;
        }
        (0..60).try_for_each(|number| insert(tx, number))
    })
    .await
    .expect("the candidates can be made");
}

fn experiment() -> experiments::Experiment {
    experiments::Experiment {
        id: EXPERIMENT,
        name: "experiment".to_owned(),
        artifact_location: None,
        creator_id: None,
        created_at: NOW,
        updated_at: NOW,
        deleted_at: None,
    }
}

fn insert(tx: &mut Tx<'_>, number: i32) -> Result<()> {
    let new = NewCandidate {
        id: CandidateId(number.into()),
        eid: format!("{number:032x}").parse()?,
        experiment_id: EXPERIMENT,
        name: String::new(),
        user_name: String::new(),
        creator_id: None,
        start_time: NOW.ms(),
        created_at: NOW,
    };
    let place = candidates::insert(tx, PROJECT, &new)?.place(PROJECT);
    let values = [number, number / 3, number % 3, number % 2].map(f64::from);
    let point = |value| vec![Point::new(NOW.ms(), 1, value)];
    let points: PointsByKey = (1..).map(KeyId).zip(values.map(point)).collect();
    metrics::append(tx, &Tails::default(), place, number.into(), &points)
}

/// What a trial of so many rows finds of a page of those with `acc` above 0.5, and what the whole search finds of it.
async fn tried(
    db: &Db,
    (order, start): (&'static str, Option<Place>),
    first: i64,
    all: i64,
) -> (Option<Vec<i64>>, Vec<i64>) {
    let found = db.read(move |tx| {
        with_step(tx, order, start.as_ref(), |tx, step| {
            Ok((run(tx, step, Legs { first, all })?, step.run(tx)?))
        })
    });
    let (trial, whole) = found.await.expect("the search can be made");
    let numbers = |places: Vec<Place>| places.into_iter().map(|place| place.id.0).collect::<Vec<_>>();
    (trial.map(numbers), numbers(whole))
}

/// Does something with the first step of a search for five candidates, which the condition drives.
fn with_step<T>(
    tx: &mut Tx<'_>,
    order: &str,
    start: Option<&Place>,
    work: impl Fn(&mut Tx<'_>, Step<'_>) -> Result<T>,
) -> Result<T> {
    let order = parse_order_by(&CANDIDATES, &[order.to_owned()])?;
    let sorting = Sorting::resolve(tx, PROJECT, &order, true)?;
    let filter = parse_filter(&CANDIDATES, "metrics.acc > 0.5")?;
    let plan = filter::plan(tx, PROJECT, filter.as_ref())?.expect("something can be found");
    let Some(filter::Node::Logged(condition)) = plan.conditions.first() else {
        panic!("the condition is on a metric")
    };
    let search = Search {
        engine: tx.engine(),
        project: PROJECT,
        sorting: &sorting,
        plan: &plan,
        view: View::Active,
        start,
    };
    let experiment = experiment();
    let way = Way::Logged(condition);
    let numbers = way.gather(tx, &search, &experiment)?;
    let driver = way.driver(&numbers);
    let (phase, before) = (Phase::Present, None);
    work(
        tx,
        Step {
            search: &search,
            experiment: &experiment,
            driver,
            among: None,
            unseen: false,
            phase,
            before,
            wanted: 5,
        },
    )
}

both! {
    async fn a_trial_that_fills_the_page_finds_what_the_whole_search_finds(db: Db) {
        seed(&db).await;
        for order in ["metrics.loss ASC", "metrics.loss DESC", "metrics.triple ASC", "metrics.triple DESC"] {
            let (trial, whole) = tried(&db, (order, None), 10, 10).await;
            assert_eq!(trial, Some(whole), "{order}");
        }
    }

    async fn a_trial_of_a_later_page_begins_where_the_page_does(db: Db) {
        seed(&db).await;
        for (order, value, page) in [
            ("metrics.loss ASC", 30.0, [31, 33, 35, 37, 39]),
            ("metrics.loss DESC", 30.0, [29, 27, 25, 23, 21]),
        ] {
            let start = Place {
                keys: vec![(0, SortValue::Number(value))],
                start_time: NOW.ms(),
                id: CandidateId(30),
            };
            assert_eq!(tried(&db, (order, Some(start)), 12, 12).await.0, Some(page.to_vec()), "{order}");
        }
    }

    async fn a_trial_that_does_not_fill_the_page_finds_nothing(db: Db) {
        seed(&db).await;
        assert_eq!(tried(&db, ("metrics.loss ASC", None), 4, 4).await.0, None);
    }

    async fn what_satisfies_the_condition_and_is_in_the_bin_is_passed_over(db: Db) {
        seed(&db).await;
        assert_eq!(tried(&db, ("metrics.loss DESC", None), 4, 4).await.1, [59, 57, 55, 53, 51]);
        db.write(|tx| candidates::delete(tx, PROJECT, &format!("{:032x}", 57).parse()?, NOW)).await.expect("it is there");
        assert_eq!(tried(&db, ("metrics.loss DESC", None), 4, 4).await.1, [59, 55, 53, 51, 49]);
        assert_eq!(tried(&db, ("metrics.loss ASC", None), 4, 4).await.1, [1, 3, 5, 7, 9]);
    }

    async fn a_trial_goes_on_where_that_may_fill_the_page(db: Db) {
        seed(&db).await;
        let (trial, whole) = tried(&db, ("metrics.loss ASC", None), 4, 12).await;
        assert_eq!(trial, Some(whole));
        // Two of the five are among the first four rows, so that five are not to be expected among eight.
        assert_eq!(tried(&db, ("metrics.loss ASC", None), 4, 8).await.0, None);
    }

    async fn a_trial_gives_up_where_too_many_are_equal(db: Db) {
        seed(&db).await;
        assert_eq!(tried(&db, ("metrics.coarse ASC", None), 9, 9).await.0, None);
    }

    async fn an_order_that_is_over_before_the_trial_is_walked_to_its_end(db: Db) {
        seed(&db).await;
        let (trial, whole) = tried(&db, ("metrics.loss DESC", None), 60, 60).await;
        assert_eq!(trial, Some(whole));
    }
}

#[test]
fn few_matches_are_not_worth_a_trial() {
    let all = |matches| legs(matches).map(|legs| legs.all);
    assert_eq!([1_999, 2_000, 20_000].map(all), [None, Some(20_000), Some(50_000)]);
}

#[tokio::test]
async fn the_end_of_a_trial_is_found_in_the_orders_index_alone() {
    let database = sqlite(Schema::Product).await;
    let db = database.db();
    seed(&db).await;
    let plan = db.read(|tx| {
        let loss = keys::find(tx, PROJECT, "loss")?.expect("the key is there");
        with_step(tx, "metrics.loss DESC", None, |tx, step| {
            let key = LoggedKey { table: Table::Metrics, id: loss };
            let (text, binds) = value_statement(&step, (key, step.search.sorting.keys[0]), None, 10);
            tx.query(&format!("EXPLAIN QUERY PLAN {text}"), &binds.as_params(), |row| row.get::<String>(3))
        })
    });
    let plan = plan.await.expect("the statement has a plan").join("\n");
    database.finish().await;
    insta::assert_snapshot!(plan, @"SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=?)");
}
