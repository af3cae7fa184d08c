use modelry_core::ids::{ExperimentId, KeyId, ProjectId};
use modelry_core::points::Point;
use modelry_core::points::tail::PointsByKey;
use modelry_core::search::entity::CANDIDATES;
use modelry_core::search::{parse_filter, parse_order_by};
use modelry_core::status::CandidateStatus;
use modelry_core::time::Timestamp;
use modelry_db::Db;
use modelry_testkit::{Schema, sqlite};

use super::*;
use crate::candidates::{self, Changes, NewCandidate};
use crate::experiments;
use crate::metrics::{self, Tails};
use crate::search::View;
use crate::search::candidates::order::Sorting;
use crate::search::candidates::range::Range;
use crate::search::candidates::{Known, Search, filter};

pub(in crate::search::candidates) const PROJECT: ProjectId = ProjectId(1);
pub(in crate::search::candidates) const EXPERIMENT: ExperimentId = ExperimentId(1);
pub(in crate::search::candidates) const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// 60 candidates: `loss` is the number, `triple` the same for three in a row, `coarse` has three values, and `acc` is above
/// 0.5 for every second one. `size` is the number too, but for two strays, and so is `cost`, but for one that is NaN and
/// one that is not there. `tenth` is above 0.5 for every tenth one. All start at once; every third one failed, and four
/// names are theirs.
pub(in crate::search::candidates) async fn seed(db: &Db) {
    db.write(|tx| {
        experiments::insert(tx, PROJECT, &experiment(), &[])?;
        for (id, name) in
            [(1, "loss"), (2, "triple"), (3, "coarse"), (4, "acc"), (5, "size"), (6, "tenth"), (7, "cost")]
        {
            let insert = "INSERT INTO keys (project_id, id, name) VALUES ($1, $2, $3)";
            tx.execute(insert, &[&PROJECT.0, &i64::from(id), &name])?;
        }
        (0..60).try_for_each(|number| insert(tx, number))
    })
    .await
    .expect("the candidates can be made");
}

pub(in crate::search::candidates) fn experiment() -> experiments::Experiment {
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

/// A candidate without anything logged.
pub(in crate::search::candidates) fn new_candidate(id: i64, start_time: i64) -> Result<NewCandidate> {
    Ok(NewCandidate {
        id: CandidateId(id),
        eid: format!("{id:032x}").parse()?,
        experiment_id: EXPERIMENT,
        name: String::new(),
        user_name: String::new(),
        creator_id: None,
        start_time,
        created_at: NOW,
    })
}

fn insert(tx: &mut Tx<'_>, number: i32) -> Result<()> {
    let new =
        NewCandidate { name: format!("name {}", number % 4), ..new_candidate(number.into(), NOW.ms())? };
    let place = candidates::insert(tx, PROJECT, &new)?.place(PROJECT);
    if number % 3 == 0 {
        let (status, end_time) = (Some(CandidateStatus::Failed), Some(NOW.ms() + i64::from(number / 2)));
        candidates::update(tx, PROJECT, &new.eid, &Changes { status, end_time, ..Changes::default() })?;
    }
    let size = if number == 3 || number == 7 { 100 } else { number };
    let tenth = i32::from(number % 10 == 0);
    let mut values =
        [number, number / 3, number % 3, number % 2, size, tenth, number].map(f64::from).to_vec();
    match number {
        50 => values[6] = f64::NAN,
        51 => values.truncate(6),
        _ => {}
    }
    let point = |value| vec![Point::new(NOW.ms(), 1, value)];
    let points: PointsByKey = (1..).map(KeyId).zip(values.into_iter().map(point)).collect();
    metrics::append(tx, &Tails::default(), place, number.into(), &points)
}

/// Does something with a search. Keys of the order are separated by commas.
pub(in crate::search::candidates) fn with_search<T>(
    tx: &mut Tx<'_>,
    (filter, order): (&str, &str),
    start: Option<&Place>,
    work: impl Fn(&mut Tx<'_>, &Search<'_>) -> Result<T>,
) -> Result<T> {
    let order: Vec<_> = order.split(", ").map(str::to_owned).collect();
    let order = parse_order_by(&CANDIDATES, &order)?;
    let sorting = Sorting::resolve(tx, PROJECT, &order, true)?;
    let filter = parse_filter(&CANDIDATES, filter)?;
    let plan = filter::plan(tx, PROJECT, filter.as_ref())?.expect("something can be found");
    let search = Search {
        engine: tx.engine(),
        project: PROJECT,
        known: &Known::default(),
        sorting: &sorting,
        plan: &plan,
        view: View::Active,
        start,
    };
    work(tx, &search)
}

/// Does something with the first step of a search for five candidates, which the first condition drives.
pub(in crate::search::candidates) fn with_step<T>(
    tx: &mut Tx<'_>,
    asked: (&str, &str),
    start: Option<&Place>,
    work: impl Fn(&mut Tx<'_>, Step<'_>) -> Result<T>,
) -> Result<T> {
    with_search(tx, asked, start, |tx, search| {
        let condition = search.plan.conditions.first().and_then(|node| Range::of(node, search.sorting));
        let condition = condition.expect("the condition is a range of an index");
        let experiment = experiment();
        let numbers = condition.gather(tx, search, &experiment, 100)?;
        let driver = Driver::Gathered(Gathered { condition: Some(condition), numbers: &numbers });
        let (experiment, phase, before) = (&experiment, Phase::Present, None);
        work(tx, Step { search, experiment, driver, unseen: false, phase, before, wanted: 5 })
    })
}

/// How SQLite reads a piece of an order.
async fn plan(order: &'static str, piece: Piece<'static>) -> String {
    let database = sqlite(Schema::Product).await;
    let db = database.db();
    seed(&db).await;
    let plan = db.read(move |tx| {
        with_step(tx, ("metrics.acc > 0.5", order), None, |tx, step| {
            let along = Along::of(step).expect("an index has the order");
            let (text, binds) = along.numbers_statement(piece, 10);
            tx.query(&format!("EXPLAIN QUERY PLAN {text}"), &binds.as_params(), |row| row.get::<String>(3))
        })
    });
    let plan = plan.await.expect("the statement has a plan").join("\n");
    database.finish().await;
    plan
}

const START: Piece<'_> = Piece::Values { begin: Begin::Start, to: None, is_backward: false };

#[tokio::test]
async fn a_piece_of_the_order_is_read_from_its_index_alone() {
    const VALUE: SortValue = SortValue::Number(0.5);
    let order = "metrics.loss DESC";
    insta::assert_snapshot!(plan(order, START).await, @r"
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=?)
    ");
    let piece = Piece::Values { begin: Begin::With(&VALUE), to: Some(&VALUE), is_backward: false };
    insta::assert_snapshot!(plan(order, piece).await, @r"
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=? AND value>? AND value<?)
    ");
    let piece = Piece::Values { begin: Begin::Beyond(&VALUE), to: Some(&VALUE), is_backward: true };
    insta::assert_snapshot!(plan(order, piece).await, @r"
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=? AND value>? AND value<?)
    ");
    let piece = Piece::Ties { value: &VALUE, behind: None };
    insta::assert_snapshot!(plan(order, piece).await, @r"
    SEARCH o USING COVERING INDEX metric_latest_by_value (project_id=? AND experiment_id=? AND key_id=? AND rank=? AND value=?)
    ");
}

#[tokio::test]
async fn a_piece_of_an_attributes_order_is_read_from_its_index() {
    let mut plans = Vec::new();
    for order in ["start_time DESC", "end_time ASC", "run_name ASC", "user_id DESC", "status ASC"] {
        plans.push(plan(order, START).await);
    }
    insta::assert_snapshot!(plans.join("\n"), @r"
    SEARCH c USING COVERING INDEX candidates_by_start (project_id=? AND experiment_id=?)
    SEARCH c USING COVERING INDEX candidates_by_end (project_id=? AND experiment_id=? AND end_time>?)
    SEARCH c USING COVERING INDEX candidates_by_name (project_id=? AND experiment_id=?)
    SEARCH c USING COVERING INDEX candidates_by_user (project_id=? AND experiment_id=?)
    SEARCH c USING COVERING INDEX candidates_by_status (project_id=? AND experiment_id=?)
    ");
    let behind = Place { keys: Vec::new(), start_time: 1, id: CandidateId(1) };
    let value = Box::leak(Box::new(SortValue::Text("a".to_owned())));
    let piece = Piece::Ties { value, behind: Some(Box::leak(Box::new(behind))) };
    insta::assert_snapshot!(plan("run_name ASC", piece).await, @r"
    SEARCH c USING COVERING INDEX candidates_by_name (project_id=? AND experiment_id=? AND <expr>=? AND (start_time,id)<(?,?))
    ");
}
