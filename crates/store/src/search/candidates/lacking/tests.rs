use std::sync::mpsc;

use modelry_core::ids::{ExperimentId, KeyId};
use modelry_core::points::Point;
use modelry_core::points::tail::PointsByKey;
use modelry_core::search::entity::CANDIDATES;
use modelry_core::search::{parse_filter, parse_order_by};
use modelry_db::{Db, Engine};
use modelry_testkit::{Schema, both, sqlite};

use super::*;
use crate::candidates::{self, Changes, Entry};
use crate::metrics::{self, Tails};
use crate::search::View;
use crate::search::candidates::along::tests::{EXPERIMENT, NOW, PROJECT, experiment, new_candidate, seed};
use crate::search::candidates::order::Sorting;
use crate::search::candidates::{Findings, Query, filter, page};

/// A search for those that lack what it is ordered by first.
#[derive(Clone, Copy)]
struct Asked {
    order: &'static [&'static str],
    filter: &'static str,
    /// The number of the candidate that the page comes after.
    after: Option<i64>,
    /// How many are listed at most.
    most: usize,
}

const BY_COST: Asked = Asked { order: &["metrics.cost DESC"], filter: "", after: None, most: 5 };

/// Does something with the phase, of which three candidates are asked for.
fn with_lacks<T>(
    tx: &mut Tx<'_>,
    findings: &Findings,
    asked: Asked,
    work: impl Fn(&mut Tx<'_>, Lacks<'_>) -> Result<T>,
) -> Result<T> {
    let known = findings.known();
    let orders: Vec<String> = asked.order.iter().map(|&order| order.to_owned()).collect();
    let sorting = Sorting::resolve(tx, PROJECT, &parse_order_by(&CANDIDATES, &orders)?, true)?;
    let filter = parse_filter(&CANDIDATES, asked.filter)?;
    let plan = filter::plan(tx, PROJECT, filter.as_ref())?.expect("something can be found");
    let start = asked.after.map(|id| Place {
        keys: sorting.keys.iter().map(|key| (2, key.source.blank())).collect(),
        start_time: NOW.ms(),
        id: CandidateId(id),
    });
    let search = Search {
        engine: tx.engine(),
        project: PROJECT,
        known: &known,
        sorting: &sorting,
        plan: &plan,
        view: View::Active,
        start: start.as_ref(),
    };
    let (experiment, phase) = (&experiment(), Phase::Missing);
    let (driver, unseen, before) = (Driver::Order, false, None);
    let step = Step { search: &search, experiment, driver, unseen, phase, before, wanted: 3 };
    let about = About::of(&step).expect("an index has what is ordered by");
    work(tx, Lacks { step, about, most: asked.most })
}

/// What is found with what is known by now; it has to be what a walk of all candidates finds.
async fn found(db: &Db, findings: &Findings, asked: Asked) -> Vec<i64> {
    let findings = findings.clone();
    let found = db.read(move |tx| {
        with_lacks(tx, &findings, asked, |tx, lacks| {
            let known = lacks.step.search.known.lists.get(&lacks.about).cloned();
            let known = known.map(|known| lacks.caught_up(tx, &known)).transpose()?.flatten();
            let known = match known {
                Some(known) => known,
                None => lacks.found_out(tx)?.expect("nothing is being removed"),
            };
            Ok((lacks.of_known(tx, known)?, lacks.step.query(tx, Reach::All)?))
        })
    });
    let (known, whole) = found.await.expect("the search can be made");
    assert_eq!(known, whole);
    known.into_iter().map(|place| place.id.0).collect()
}

/// Checks the list that is kept, and its frontier. PostgreSQL's says more while transactions of other tests are under way.
fn check_kept(db: &Db, findings: &Findings, expected: (&[i64], Option<i64>)) {
    if db.engine() == Engine::Postgres {
        return;
    }
    let known = findings.known();
    let list = known.lists.values().next().expect("there is one");
    let candidates: Vec<i64> = list.candidates.iter().map(|(_, id)| *id).collect();
    assert_eq!((candidates.as_slice(), list.frontier.map(|(_, id)| id)), expected);
}

async fn make(db: &Db, ids: impl IntoIterator<Item = i64>) {
    let ids: Vec<i64> = ids.into_iter().collect();
    db.write(move |tx| ids.iter().try_for_each(|id| make_one(tx, *id, NOW.ms())))
        .await
        .expect("they can be made");
}

fn make_one(tx: &mut Tx<'_>, id: i64, start_time: i64) -> Result<()> {
    let new = new_candidate(id, start_time)?;
    candidates::insert(tx, PROJECT, &new).map(drop)
}

fn place(id: i64) -> candidates::Place {
    candidates::Place {
        project: PROJECT,
        experiment: ExperimentId(1),
        candidate: CandidateId(id),
        start_time: NOW.ms(),
    }
}

async fn log_cost(db: &Db, id: i64) {
    let points = PointsByKey::from([(KeyId(7), vec![Point::new(NOW.ms(), 1, 0.5)])]);
    let append = db.append(move |tx| metrics::append(tx, &Tails::default(), place(id), 1_000 + id, &points));
    append.await.expect("it can be logged");
}

both! {
    async fn who_lacks_a_metric_is_found_out_once_and_then_added_to(db: Db) {
        seed(&db).await;
        let findings = Findings::default();
        assert_eq!(found(&db, &findings, BY_COST).await, [51]);
        make(&db, [60, 61]).await;
        assert_eq!(found(&db, &findings, BY_COST).await, [61, 60, 51]);
        log_cost(&db, 60).await;
        make(&db, [62, 63]).await;
        assert_eq!(found(&db, &findings, BY_COST).await, [63, 62, 61]);
        assert_eq!(found(&db, &findings, Asked { after: Some(61), ..BY_COST }).await, [51]);
        assert_eq!(found(&db, &findings, Asked { filter: "metrics.acc > 0.5", ..BY_COST }).await, [51]);
        check_kept(&db, &findings, (&[63, 62, 61, 51], None));
        let eid = format!("{:032x}", 62).parse().expect("it is an id");
        db.write(move |tx| candidates::delete(tx, PROJECT, &eid, NOW)).await.expect("it is there");
        assert_eq!(found(&db, &findings, BY_COST).await, [63, 61, 51]);
    }

    async fn nobody_may_lack_it(db: Db) {
        seed(&db).await;
        let (findings, by_loss) = (Findings::default(), Asked { order: &["metrics.loss"], ..BY_COST });
        assert_eq!(found(&db, &findings, by_loss).await, [0; 0]);
        check_kept(&db, &findings, (&[], None));
        make(&db, [60]).await;
        assert_eq!(found(&db, &findings, by_loss).await, [60]);
    }

    async fn where_many_lack_it_the_rest_is_walked(db: Db) {
        seed(&db).await;
        make(&db, 60..70).await;
        let findings = Findings::default();
        let pages = [(None, [69, 68, 67]), (Some(67), [66, 65, 64]), (Some(64), [63, 62, 61]), (Some(61), [60, 51, -1])];
        for (after, page) in pages {
            let page: Vec<i64> = page.into_iter().filter(|id| *id >= 0).collect();
            assert_eq!(found(&db, &findings, Asked { after, ..BY_COST }).await, page);
        }
        check_kept(&db, &findings, (&[69, 68, 67, 66, 65], Some(65)));
        // What is behind the frontier is not known, so that it stays there when those ahead of it become fewer.
        for id in [69, 68, 66] {
            log_cost(&db, id).await;
        }
        make(&db, [70]).await;
        // It started before all others, so that it stands behind the frontier.
        db.write(|tx| make_one(tx, 90, NOW.ms() - 1)).await.expect("it can be made");
        assert_eq!(found(&db, &findings, BY_COST).await, [70, 67, 65]);
        check_kept(&db, &findings, (&[70, 67, 65], Some(65)));
        assert_eq!(found(&db, &findings, Asked { after: Some(67), ..BY_COST }).await, [65, 64, 63]);
        make(&db, 71..80).await;
        assert_eq!(found(&db, &findings, BY_COST).await, [79, 78, 77]);
        check_kept(&db, &findings, (&[79, 78, 77, 76, 75], Some(75)));
    }

    async fn a_list_of_those_that_have_it_by_now_is_made_anew(db: Db) {
        seed(&db).await;
        make(&db, 60..80).await;
        let findings = Findings::default();
        let listed = Asked { most: 10, ..BY_COST };
        assert_eq!(found(&db, &findings, listed).await, [79, 78, 77]);
        check_kept(&db, &findings, (&[79, 78, 77, 76, 75, 74, 73, 72, 71, 70], Some(70)));
        for id in 60..80 {
            log_cost(&db, id).await;
        }
        assert_eq!(found(&db, &findings, listed).await, [51]);
        check_kept(&db, &findings, (&[51], None));
    }

    async fn oldest_first_is_a_list_of_its_own(db: Db) {
        seed(&db).await;
        make(&db, 60..64).await;
        let findings = Findings::default();
        let oldest_first = Asked { order: &["metrics.cost", "start_time ASC"], ..BY_COST };
        assert_eq!(found(&db, &findings, BY_COST).await, [63, 62, 61]);
        assert_eq!(found(&db, &findings, oldest_first).await, [51, 60, 61]);
        assert_eq!(found(&db, &findings, Asked { after: Some(60), ..oldest_first }).await, [61, 62, 63]);
    }

    async fn those_that_lack_it_are_put_in_order_by_further_keys(db: Db) {
        seed(&db).await;
        make(&db, [60, 61, 62]).await;
        for (id, lr) in [(60, "b"), (61, "a")] {
            let insert = "INSERT INTO keys (project_id, id, name) VALUES ($1, 8, 'lr') ON CONFLICT (project_id, id) DO NOTHING";
            db.write(move |tx| tx.execute(insert, &[&PROJECT.0])).await.expect("a key can be made");
            let entry = Entry { key: KeyId(8), name: "lr".to_owned(), value: lr.to_owned() };
            let eid = format!("{id:032x}").parse().expect("it is an id");
            db.append(move |tx| candidates::log_params(tx, place(id), &eid, std::slice::from_ref(&entry))).await.expect("logged");
        }
        let findings = Findings::default();
        for most in [5, 2] {
            let by_two = Asked { order: &["metrics.cost", "params.lr ASC"], most, ..BY_COST };
            assert_eq!(found(&db, &findings, by_two).await, [61, 60, 62]);
        }
    }

    async fn who_has_not_ended_lacks_an_end(db: Db) {
        seed(&db).await;
        let end = |id: i64| {
            let eid = format!("{id:032x}").parse().expect("it is an id");
            let ended = Changes { end_time: Some(NOW.ms()), ..Changes::default() };
            db.write(move |tx| candidates::update(tx, PROJECT, &eid, &ended))
        };
        for id in 5..60 {
            end(id).await.expect("it is there");
        }
        let (findings, by_end) = (Findings::default(), Asked { order: &["end_time DESC"], ..BY_COST });
        assert_eq!(found(&db, &findings, by_end).await, [4, 2, 1]);
        end(2).await.expect("it is there");
        make(&db, [60]).await;
        assert_eq!(found(&db, &findings, by_end).await, [60, 4, 1]);
    }

    async fn who_loses_metadata_is_looked_at_again(db: Db) {
        seed(&db).await;
        let insert = "INSERT INTO keys (project_id, id, name) VALUES ($1, 8, 'team')";
        db.write(move |tx| tx.execute(insert, &[&PROJECT.0])).await.expect("a key can be made");
        let set = db.append(|tx| {
            let team = Entry { key: KeyId(8), name: "team".to_owned(), value: "red".to_owned() };
            (0..58).try_for_each(|id| candidates::set_metadata(tx, place(id), std::slice::from_ref(&team)))
        });
        set.await.expect("it can be set");
        let (findings, by_team) = (Findings::default(), Asked { order: &["tags.team"], ..BY_COST });
        assert_eq!(found(&db, &findings, by_team).await, [59, 58]);
        let delete = db.append(|tx| candidates::delete_metadata(tx, place(7), "team"));
        assert!(delete.await.expect("it can be deleted"));
        assert_eq!(found(&db, &findings, by_team).await, [59, 58, 7]);
    }

    async fn who_is_made_while_it_is_found_out_is_added(db: Db) {
        seed(&db).await;
        let ((is_made, made), (go_on, may_go_on)) = (mpsc::channel(), mpsc::channel::<()>());
        let writer = tokio::spawn({
            let (db, may_go_on) = (db.clone(), std::sync::Mutex::new(may_go_on));
            async move {
                db.write(move |tx| {
                    make_one(tx, 60, NOW.ms())?;
                    is_made.send(()).expect("it is waited for");
                    may_go_on.lock().expect("one thread waits").recv().expect("it is told to go on");
                    Ok(())
                })
                .await
            }
        });
        let made = tokio::task::spawn_blocking(move || made.recv());
        made.await.expect("no panic").expect("the candidate is made");
        if db.engine() == Engine::Postgres {
            // One with a greater number, and a later stamp, is there before.
            make(&db, [61]).await;
        }
        let findings = Findings::default();
        let before = found(&db, &findings, BY_COST).await;
        assert_eq!(before, if db.engine() == Engine::Postgres { vec![61, 51] } else { vec![51] });
        go_on.send(()).expect("it is waited for");
        writer.await.expect("no panic").expect("the candidate can be made");
        let after = found(&db, &findings, BY_COST).await;
        assert_eq!(after, if db.engine() == Engine::Postgres { vec![61, 60, 51] } else { vec![60, 51] });
    }
}

both! {
    async fn a_search_finds_out_who_lacks_a_metric_where_many_have_it(db: Db) {
        seed(&db).await;
        make(&db, 60..1_200).await;
        let log = "INSERT INTO metric_latest
                (project_id, candidate_id, key_id, experiment_id, rank, value, step, recorded_at, start_time)
             SELECT project_id, id, 7, experiment_id, 0, id, 1, 0, start_time FROM candidates WHERE id > 59";
        db.write(|tx| tx.execute(log, &[])).await.expect("it can be logged");
        let findings = Findings::default();
        let last_two = async || {
            let known = findings.known();
            let found = db.read(move |tx| {
                let order = parse_order_by(&CANDIDATES, &["metrics.cost".to_owned()])?;
                let query = Query { experiments: vec![EXPERIMENT], order, limit: 1_300, ..Query::default() };
                page(tx, &known, PROJECT, &query)
            });
            let found = found.await.expect("the search can be made").candidates;
            [found[found.len() - 2].0, found[found.len() - 1].0]
        };
        assert_eq!(last_two().await, [50, 51]);
        check_kept(&db, &findings, (&[51], None));
        make(&db, [1_200]).await;
        assert_eq!(last_two().await, [1_200, 51]);
    }
}

#[tokio::test]
async fn lists_are_made_by_indexes() {
    let database = sqlite(Schema::Product).await;
    let db = database.db();
    seed(&db).await;
    let plans = db.read(|tx| {
        with_lacks(tx, &Findings::default(), BY_COST, |tx, lacks| {
            let among = [Among::Start, Among::Stamp(7), Among::These(Numbers(vec![1]))];
            let mut steps = Vec::new();
            for among in among {
                let (text, binds) = lacks.list_statement(among, 10);
                let text = format!("EXPLAIN QUERY PLAN {text}");
                steps.append(&mut tx.query(&text, &binds.as_params(), |row| row.get::<String>(3))?);
            }
            Ok(steps.join("\n"))
        })
    });
    let plans = plans.await.expect("the statements have plans");
    database.finish().await;
    insta::assert_snapshot!(plans, @r"
    SEARCH c USING COVERING INDEX candidates_by_start (project_id=? AND experiment_id=?)
    CORRELATED SCALAR SUBQUERY 1
    SEARCH p USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    SEARCH c USING INDEX candidates_by_stamp (project_id=? AND experiment_id=? AND stamp>?)
    CORRELATED SCALAR SUBQUERY 1
    SEARCH p USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    SCAN rarray VIRTUAL TABLE INDEX 1:
    SEARCH c USING PRIMARY KEY (project_id=? AND id=?)
    CORRELATED SCALAR SUBQUERY 2
    SEARCH p USING PRIMARY KEY (project_id=? AND candidate_id=? AND key_id=?)
    ");
}
