//! Pages of searches for candidates: small worlds with what is expected written out, and page tokens.

use modelry_core::ids::{CandidateId, Eid, ExperimentId, KeyId};
use modelry_core::points::Point;
use modelry_core::{Error, Kind, Result, paging};
use modelry_db::{Db, Tx};
use modelry_store::candidates::{self, Changes, NewCandidate};
use modelry_store::experiments;
use modelry_store::ids::Ids;
use modelry_store::keys::Keys;
use modelry_store::metrics::{self, Tails};
use modelry_store::purge::{self, Thing};
use modelry_store::search::View;
use modelry_store::search::candidates::{Known, Page, Query, page};
use modelry_testkit::both;

use crate::candidates::{query, walk};
use crate::given::{self, NOW, PROJECT, read, write};

/// A candidate in the experiment `Default`, with the metric `loss` (key 1) if there is a value.
fn insert(tx: &mut Tx<'_>, number: i64, start: i64, loss: Option<f64>) -> Result<()> {
    let eid: Eid = format!("{number:032x}").parse()?;
    let new = NewCandidate {
        id: CandidateId(number),
        eid,
        experiment_id: ExperimentId(0),
        name: "calm-fox-1".to_owned(),
        user_name: String::new(),
        creator_id: None,
        start_time: start,
        created_at: NOW,
    };
    candidates::insert(tx, PROJECT, &new)?;
    loss.map_or(Ok(()), |value| log(tx, number, value))
}

fn end(tx: &mut Tx<'_>, number: i64) -> Result<()> {
    let eid: Eid = format!("{number:032x}").parse()?;
    let changes = Changes { end_time: Some(number), ..Changes::default() };
    candidates::update(tx, PROJECT, &eid, &changes).map(drop)
}

fn log(tx: &mut Tx<'_>, number: i64, loss: f64) -> Result<()> {
    let candidate = candidates::find(tx, PROJECT, CandidateId(number))?.expect("the candidate is there");
    let points = [(KeyId(1), vec![Point::new(0, 0, loss)])].into();
    metrics::append(tx, &Tails::default(), candidate.place(PROJECT), number, &points)
}

/// Removes a candidate for good, but for what was logged to it.
fn remove(tx: &mut Tx<'_>, number: i64) -> Result<()> {
    candidates::delete(tx, PROJECT, &format!("{number:032x}").parse()?, NOW)?;
    purge::begin(tx, PROJECT, Thing::Candidate(CandidateId(number)), NOW)
}

/// Candidates 1 to 6; their losses are as listed, and a later one started later.
async fn six(db: &Db) {
    let ids = Ids::new(db.clone());
    Keys::default().intern(db, &ids, PROJECT, &["loss"]).await.expect("a key can be made");
    write(db, |tx| {
        experiments::insert_default(tx, PROJECT, NOW)?;
        let losses = [Some(2.0), None, Some(f64::NAN), Some(1.0), Some(2.0), None];
        (1..).zip(losses).try_for_each(|(number, loss)| insert(tx, number, number * 10, loss))
    })
    .await;
}

async fn found(db: &Db, query: Query) -> Vec<i64> {
    read(db, move |tx| walk(tx, &query)).await
}

async fn first_page(db: &Db, query: Query) -> Page {
    read(db, move |tx| page(tx, &Known::default(), PROJECT, &query)).await
}

async fn refused(db: &Db, query: Query, token: String) -> Error {
    let query = Query { page_token: Some(token), ..query };
    let error = db
        .read(move |tx| page(tx, &Known::default(), PROJECT, &query))
        .await
        .expect_err("the token was to be refused");
    assert_eq!(error.kind(), Kind::Invalid, "{error}");
    error
}

fn two(filter: &str, order: &[&str]) -> Query {
    Query { limit: 2, ..query(filter, order) }
}

both! {
    async fn the_newest_come_first(db: Db) {
        six(&db).await;
        assert_eq!(found(&db, two("", &[])).await, [6, 5, 4, 3, 2, 1]);
    }

    async fn numbers_come_before_nan_and_nan_before_nothing_in_both_directions(db: Db) {
        six(&db).await;
        let up = found(&db, two("", &["metrics.loss ASC"])).await;
        let down = found(&db, two("", &["metrics.loss DESC"])).await;
        assert_eq!((up, down), (vec![4, 5, 1, 3, 6, 2], vec![5, 1, 4, 3, 6, 2]));
    }

    async fn not_holds_for_what_is_missing_and_unequal_does_not(db: Db) {
        six(&db).await;
        let not = found(&db, two("NOT metrics.loss = 2", &[])).await;
        let unequal = found(&db, two("metrics.loss != 2", &[])).await;
        assert_eq!((not, unequal), (vec![6, 4, 3, 2], vec![4, 3]));
    }

    async fn a_candidate_of_a_deleted_experiment_counts_as_deleted(db: Db) {
        six(&db).await;
        write(&db, |tx| experiments::delete(tx, PROJECT, ExperimentId(0), NOW)).await;
        let active = found(&db, two("", &[])).await;
        let deleted = found(&db, Query { view: View::Deleted, ..two("", &[]) }).await;
        assert_eq!((active, deleted), (vec![], vec![6, 5, 4, 3, 2, 1]));
    }

    async fn what_is_left_of_one_that_is_removed_is_not_found(db: Db) {
        six(&db).await;
        write(&db, |tx| remove(tx, 5)).await;
        for (view, filter) in [(View::Active, ""), (View::All, ""), (View::All, "metrics.loss > 0")] {
            let first = Query { view, limit: 1, ..two(filter, &["metrics.loss DESC"]) };
            assert_eq!(first_page(&db, first).await.candidates, [CandidateId(1)], "{view:?} {filter}");
        }
    }

    async fn one_that_lacks_the_key_is_found_while_another_is_removed(db: Db) {
        six(&db).await;
        write(&db, |tx| (100..1_200).try_for_each(|number| insert(tx, number, number * 10, Some(0.5)))).await;
        write(&db, |tx| {
            log(tx, 6, 4.0)?;
            remove(tx, 5)
        })
        .await;
        let last = Query { limit: 2_000, ..two("", &["metrics.loss ASC"]) };
        assert_eq!(first_page(&db, last).await.candidates.last(), Some(&CandidateId(2)));
    }

    async fn a_page_that_ends_with_the_last_one_has_no_next(db: Db) {
        six(&db).await;
        let page = first_page(&db, Query { limit: 6, ..two("", &[]) }).await;
        assert_eq!((page.candidates.len(), page.next_page_token), (6, None));
    }

    async fn one_that_arrives_in_between_moves_nothing(db: Db) {
        six(&db).await;
        let first = first_page(&db, two("", &["metrics.loss DESC"])).await;
        write(&db, |tx| insert(tx, 7, 70, Some(9.0))).await;
        let rest = found(&db, Query { page_token: first.next_page_token, ..two("", &["metrics.loss DESC"]) }).await;
        assert_eq!(rest, [4, 3, 6, 2]);
    }

    async fn few_that_lack_a_key_are_found_behind_many_that_have_it(db: Db) {
        six(&db).await;
        write(&db, |tx| (7..2_000).try_for_each(|number| insert(tx, number, number * 10, Some(0.0)))).await;
        for order in ["metrics.loss", "metrics.loss DESC"] {
            let whole = found(&db, Query { limit: 700, ..query("", &[order]) }).await;
            assert_eq!((whole.len(), &whole[1_996..]), (1_999, &[3, 6, 2][..]), "{order}");
        }
        write(&db, |tx| (2..2_000).try_for_each(|number| end(tx, number))).await;
        let whole = found(&db, Query { limit: 700, ..query("", &["end_time"]) }).await;
        assert_eq!((whole.len(), whole.last()), (1_999, Some(&1)));
        write(&db, |tx| [2, 6].into_iter().try_for_each(|number| log(tx, number, 1.0))).await;
        let whole = found(&db, Query { limit: 700, ..query("", &["metrics.loss DESC"]) }).await;
        assert_eq!((whole.len(), &whole[..5], whole.last()), (1_999, &[5, 1, 6, 4, 2][..], Some(&3)));
    }

    async fn a_token_goes_with_its_search_alone(db: Db) {
        given::seed(&db).await;
        let token = first_page(&db, two("", &["metrics.loss"])).await.next_page_token.expect("a next page");
        let others = [
            two("", &["metrics.loss DESC"]),
            two("metrics.loss > 0", &["metrics.loss"]),
            Query { view: View::All, ..two("", &["metrics.loss"]) },
            Query { experiments: vec![ExperimentId(0)], ..two("", &["metrics.loss"]) },
        ];
        for other in others {
            let error = refused(&db, other, token.clone()).await;
            assert!(error.message().starts_with("Invalid page token"), "{error}");
        }
    }

    async fn a_token_holds_whatever_the_order_of_experiments(db: Db) {
        given::seed(&db).await;
        let first = first_page(&db, two("", &[])).await;
        let mut turned = Query { page_token: first.next_page_token, ..two("", &[]) };
        turned.experiments.reverse();
        assert_eq!(first_page(&db, turned).await.candidates.len(), 2);
    }

    async fn a_forged_place_is_refused(db: Db) {
        given::seed(&db).await;
        let token = first_page(&db, two("", &["metrics.loss"])).await.next_page_token.expect("a next page");
        let token: serde_json::Value = paging::decode_token(&token).expect("a token");
        let places = [
            serde_json::json!({"keys": [], "start_time": 0, "id": 1}),
            serde_json::json!({"keys": [[0, {"t": "text"}]], "start_time": 0, "id": 1}),
            serde_json::json!({"keys": [[3, {"n": 1.0}]], "start_time": 0, "id": 1}),
            serde_json::json!({"keys": [[0, {"n": 1.0}], [0, {"n": 1.0}]], "start_time": 0, "id": 1}),
        ];
        for place in places {
            let mut forged = token.clone();
            forged["last"] = place;
            refused(&db, two("", &["metrics.loss"]), paging::encode_token(&forged)).await;
        }
    }
}
