//! What searches for candidates find, against the reference.

use modelry_core::Result;
use modelry_core::ids::{CandidateId, ExperimentId};
use modelry_core::search::entity::CANDIDATES;
use modelry_core::search::{parse_filter, parse_order_by};
use modelry_db::{Db, Tx};
use modelry_store::search::View;
use modelry_store::search::candidates::{Known, Query, page};
use modelry_testkit::both;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::filters::{self, FIELDS, TESTS, written};
use crate::given::{self, EXPERIMENTS, PROJECT, Run};
use crate::reference;

/// A search in all experiments, ten candidates a page.
pub(crate) fn query(filter: &str, order: &[&str]) -> Query {
    let order: Vec<String> = order.iter().map(|&field| field.to_owned()).collect();
    Query {
        experiments: EXPERIMENTS.to_vec(),
        filter: parse_filter(&CANDIDATES, &written(filter)).expect(filter),
        order: parse_order_by(&CANDIDATES, &order).expect("an order"),
        view: View::Active,
        limit: 10,
        page_token: None,
    }
}

/// The numbers on all pages, one after the other.
pub(crate) fn walk(tx: &mut Tx<'_>, query: &Query) -> Result<Vec<i64>> {
    let mut found = Vec::new();
    let mut query = query.clone();
    loop {
        let page = page(tx, &Known::default(), PROJECT, &query)?;
        assert!(page.candidates.len() <= query.limit, "a page is longer than asked for");
        found.extend(page.candidates.iter().map(|CandidateId(number)| *number));
        match page.next_page_token {
            Some(token) => query.page_token = Some(token),
            None => return Ok(found),
        }
    }
}

/// Compares what searches find with what the reference says.
async fn check(db: &Db, runs: &[Run], queries: Vec<Query>) {
    let asked = queries.clone();
    let found =
        given::read(db, move |tx| asked.iter().map(|query| walk(tx, query)).collect::<Result<Vec<_>>>());
    let wrong = queries.iter().zip(found.await).find_map(|(query, found)| {
        let expected = reference::search(runs, query);
        (found != expected).then(|| format!("{query:#?}\nfound    {found:?}\nexpected {expected:?}"))
    });
    assert_eq!(wrong, None, "{}", wrong.as_deref().unwrap_or_default());
}

/// Searches that differ in everything, always the same ones.
pub(crate) fn any_queries(count: usize) -> Vec<Query> {
    let views = select(vec![View::Active, View::Deleted, View::All]);
    let experiments = subsequence(&EXPERIMENTS, 0..=4).prop_shuffle();
    let limits = select(vec![1, 3, 7, 100]);
    let queries = (filters::filter(), filters::order(), views, experiments, limits);
    let queries = queries.prop_map(|(filter, order, view, experiments, limit)| {
        let order: Vec<&str> = order.iter().map(String::as_str).collect();
        Query { experiments, view, limit, ..query(&filter, &order) }
    });
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| queries.new_tree(&mut runner).expect("a query").current()).collect()
}

both! {
    async fn each_test_finds_what_it_says(db: Db) {
        let runs = given::seed(&db).await;
        check(&db, &runs, TESTS.iter().map(|test| query(test, &[])).collect()).await;
    }

    async fn each_field_orders_in_both_directions(db: Db) {
        let runs = given::seed(&db).await;
        let orders = FIELDS.iter().flat_map(|field| ["ASC", "DESC"].map(|down| format!("{field} {down}")));
        let queries = orders.map(|order| Query { limit: 3, view: View::All, ..query("", &[&order]) });
        check(&db, &runs, queries.collect()).await;
    }

    async fn any_search_finds_what_a_filter_and_a_sort_of_all_find(db: Db) {
        let runs = given::seed(&db).await;
        check(&db, &runs, any_queries(200)).await;
    }

    async fn a_condition_on_the_key_that_orders_is_kept_in_every_phase(db: Db) {
        let runs = given::seed(&db).await;
        let fields = [("metrics.loss", "metrics.loss != 7"), ("metrics.loss", "metrics.loss >= 0"),
            ("params.lr", "params.lr IS NULL"), ("params.lr", "params.lr LIKE 'a%'"), ("tags.team", "NOT tags.team = '9'")];
        let queries = fields.map(|(field, filter)| Query { limit: 2, ..query(filter, &[field]) });
        check(&db, &runs, queries.to_vec()).await;
    }

    async fn what_a_condition_drives_is_in_the_phase_of_its_metric(db: Db) {
        let runs = given::seed(&db).await;
        // A page with room for all that satisfy the condition.
        let all = |(filter, order): (&str, &[&str])| Query { limit: 100, ..query(filter, order) };
        let orders: [&[&str]; 3] = [&["metrics.loss"], &["metrics.loss DESC", "metrics.acc"], &["status", "metrics.acc DESC"]];
        let filters = ["metrics.acc >= 0", "user_id = 'ada'", "status = 'FINISHED'", "metrics.acc != 7", "start_time >= 1000"];
        let queries: Vec<Query> = filters.iter().flat_map(|filter| orders.map(|order| all((filter, order)))).collect();
        let nan = |run: &&Run| run.metrics.get("loss").is_some_and(|loss| loss.is_nan()) && run.metrics.contains_key("acc");
        assert!(runs.iter().filter(nan).count() > 1, "no candidate is in the phase");
        check(&db, &runs, queries).await;
    }

    async fn pages_of_any_length_are_merged_from_all_experiments(db: Db) {
        let runs = given::seed(&db).await;
        let queries = (1..=20).map(|limit| Query { limit, view: View::All, ..query("user_id = 'ada'", &["run_name"]) });
        check(&db, &runs, queries.collect()).await;
    }

    async fn many_conditions_and_long_lists_fit_one_statement(db: Db) {
        let runs = given::seed(&db).await;
        let list = |from: usize| (from..from + 900).map(|number| format!("'{number}'")).collect::<Vec<_>>().join(",");
        let lists = (0..3).map(|part| format!("params.lr NOT IN ({})", list(part * 900 + 100)));
        let tests = (0..400).map(|number| format!("metrics.loss != {number}"));
        let both = [lists.collect::<Vec<_>>().join(" AND "), tests.collect::<Vec<_>>().join(" AND ")];
        check(&db, &runs, both.map(|filter| query(&filter, &["metrics.loss"])).to_vec()).await;
    }

    async fn all_fields_at_once_order(db: Db) {
        let runs = given::seed(&db).await;
        let fields: Vec<&str> = FIELDS.iter().copied().filter(|field| *field != "start_time").collect();
        check(&db, &runs, vec![Query { limit: 2, ..query("", &fields) }]).await;
    }

    async fn an_experiment_that_is_not_there_holds_nothing(db: Db) {
        given::seed(&db).await;
        let query = Query { experiments: vec![ExperimentId(99)], ..query("", &[]) };
        assert_eq!(given::read(&db, move |tx| walk(tx, &query)).await, [] as [i64; 0]);
    }
}
