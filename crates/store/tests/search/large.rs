//! What searches find in an experiment of thousands, and in how many steps: whatever is asked for, no plan of an engine may
//! look at all candidates for each candidate.

use modelry_core::Result;
use modelry_core::ids::{CandidateId, ExperimentId};
use modelry_db::{Engine, Tx};
use modelry_store::search::candidates::{Findings, Known, Query, page};
use modelry_testkit::both;

use crate::candidates::{any_queries, query};
use crate::effort::steps;
use crate::filters::{FIELDS, TESTS};
use crate::given::{self, PROJECT, Run, read, write};
use crate::reference;

/// The experiment that all copies are in. It keeps its artifacts elsewhere.
const LARGE: ExperimentId = ExperimentId(1);

/// How many copies there are of each candidate: more than 20,000 in all, which is what no search gathers and sorts.
const COPIES: i64 = 500;

/// How far the losses of copies are from each other: a fraction of two, so that sums are the same wherever they are made.
const LOSS_STEP: f64 = 0.000_976_562_5;

/// A page so far behind.
const BEHIND: usize = 3_000;

/// The most steps of a page for each candidate: as many as it takes to look up all that is asked for.
const MOST_FOR_EACH: i64 = 200;

/// A copy of a candidate, with a start, an end, a name, a loss and an optimizer that follow from the number of the copy.
fn copy(run: &Run, copy: i64) -> Run {
    let mut made = run.clone();
    made.number += given::COUNT * copy;
    made.experiment = LARGE;
    made.start += copy * 13 % 97 * 10;
    made.end = run.end.map(|end| end + copy);
    if copy % 2 == 1 {
        made.name.push_str(&copy.to_string());
    }
    for (key, value) in &mut made.metrics {
        if *key == "loss" {
            *value += f64::from(i32::try_from(copy * 7919 % 1000).expect("less than 1,000")) * LOSS_STEP;
        }
    }
    if let Some(optimizer) = made.params.get_mut("optimizer") {
        optimizer.push_str(&copy.to_string());
    }
    made
}

/// Makes the copies out of what is stored of each candidate, as [`copy`] does.
fn insert_copies(tx: &mut Tx<'_>) -> Result<()> {
    let (count, large) = (given::COUNT, LARGE.0);
    let key = |name| format!("(SELECT k.id FROM keys k WHERE k.project_id = 1 AND k.name = '{name}')");
    let loss = key("loss");
    let number = |column: &str| format!("{column} + {count} * copy");
    let (start, from) = ("start_time + copy * 13 % 97 * 10", |table: &str| {
        format!(
            "FROM {table} CROSS JOIN (WITH RECURSIVE copies (copy) AS
               (SELECT CAST(1 AS BIGINT) UNION ALL SELECT copy + 1 FROM copies WHERE copy < {COPIES}) SELECT copy FROM copies) k"
        )
    });
    let id = number("id");
    let candidate = number("candidate_id");
    let optimizer =
        format!("CASE WHEN key_id = {} THEN value || CAST(copy AS TEXT) ELSE value END", key("optimizer"));
    for statement in [
        format!(
            "INSERT INTO candidates (project_id, id, experiment_id, eid, name, user_name, status, start_time, end_time,
                                     created_at, deleted_at)
             SELECT project_id, {id}, {large}, substr(CAST(1000000000000 + copy AS TEXT), 2) || substr(eid, 13),
                    CASE WHEN copy % 2 = 1 THEN name || CAST(copy AS TEXT) ELSE name END, user_name, status, {start},
                    end_time + copy, created_at, deleted_at {}",
            from("candidates")
        ),
        format!(
            "INSERT INTO metric_latest (project_id, candidate_id, key_id, experiment_id, rank, value, step, recorded_at,
                                        start_time)
             SELECT project_id, {candidate}, key_id, {large}, rank,
                    CASE WHEN key_id = {loss} THEN value + (copy * 7919 % 1000) * {LOSS_STEP} ELSE value END, step, recorded_at, {start} {}",
            from("metric_latest")
        ),
        format!(
            "INSERT INTO params (project_id, candidate_id, key_id, experiment_id, sort, value, start_time)
             SELECT project_id, {candidate}, key_id, {large}, substr({optimizer}, 1, 128), {optimizer}, {start} {}",
            from("params")
        ),
        format!(
            "INSERT INTO metadata (project_id, candidate_id, key_id, experiment_id, sort, value, start_time)
             SELECT project_id, {candidate}, key_id, {large}, sort, value, {start} {}",
            from("metadata")
        ),
        format!(
            "INSERT INTO candidate_datasets (project_id, candidate_id, dataset_id, context, tags)
             SELECT project_id, {candidate}, dataset_id, context, tags {}",
            from("candidate_datasets")
        ),
    ] {
        tx.execute(&statement, &[])?;
    }
    // As a server does by itself after a while; it is nothing to SQLite's plans.
    if tx.engine() == Engine::Postgres {
        tx.execute("ANALYZE", &[])?;
    }
    Ok(())
}

/// Every test by two fields in the large experiment, and searches that differ in everything.
fn searches() -> Vec<Query> {
    let mut searches = any_queries(100);
    for (index, test) in TESTS.iter().enumerate() {
        for (field, direction) in [(index, "DESC"), (index * 7 + 3, "ASC")] {
            let order = format!("{} {direction}", FIELDS[field % FIELDS.len()]);
            searches.push(Query { experiments: vec![LARGE], limit: 100, ..query(test, &[&order]) });
        }
    }
    searches
}

/// The candidates of the first two pages, of one far behind, and how many steps the dearest page took.
fn pages(tx: &mut Tx<'_>, known: &Known, query: &Query) -> Result<([Vec<i64>; 2], i64)> {
    let mut dearest = 0;
    let mut turn = |tx: &mut Tx<'_>, query: &Query| {
        let before = steps(tx)?;
        let found = page(tx, known, PROJECT, query)?;
        dearest = dearest.max(steps(tx)? - before);
        let numbers = found.candidates.iter().map(|CandidateId(number)| *number).collect::<Vec<_>>();
        Ok((numbers, found.next_page_token))
    };
    let mut found = [Vec::new(), Vec::new()];
    for (found, behind) in found.iter_mut().zip([query.limit, BEHIND]) {
        let (mut first, next) = turn(tx, &Query { limit: behind, ..query.clone() })?;
        found.append(&mut first);
        if next.is_some() {
            found.append(&mut turn(tx, &Query { page_token: next, ..query.clone() })?.0);
        }
    }
    Ok((found, dearest))
}

both! {
    async fn any_search_among_thousands_finds_what_the_reference_finds_and_looks_at_none_too_often(db: Db) {
        let mut runs = given::seed(&db).await;
        write(&db, insert_copies).await;
        let copies = |run: &Run| (1..=COPIES).map(|number| copy(run, number)).collect::<Vec<_>>();
        let mut made: Vec<Run> = runs.iter().flat_map(copies).collect();
        runs.append(&mut made);
        let all = i64::try_from(runs.len()).expect("they are few");
        let findings = Findings::default();
        for query in searches() {
            let (known, asked) = (findings.known(), query.clone());
            let (found, dearest) = read(&db, move |tx| pages(tx, &known, &asked)).await;
            let expected = reference::search(&runs, &query);
            for (found, behind) in found.into_iter().zip([query.limit, BEHIND]) {
                let expected: Vec<i64> = expected.iter().copied().take(behind + query.limit).collect();
                assert!(found == expected, "{query:#?}\nfound    {found:?}\nexpected {expected:?}");
            }
            assert!(dearest <= all * MOST_FOR_EACH, "{dearest} steps: {query:#?}");
        }
    }
}
