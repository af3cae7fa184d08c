//! Searches for experiments.

use modelry_core::ids::ExperimentId;
use modelry_core::search::entity::{EXPERIMENTS, ExperimentAttribute};
use modelry_core::search::{parse_filter, parse_order_by};
use modelry_core::{Kind, Result};
use modelry_db::{Db, Tx};
use modelry_store::experiments::{self, Experiment};
use modelry_store::search::View;
use modelry_store::search::rows::page;
use modelry_testkit::both;

type Query = modelry_store::search::rows::Query<ExperimentAttribute>;

use crate::given::{NOW, PROJECT, read, write};

/// Five experiments: 1 and 2 were made at the same time, 5 is deleted.
async fn five(db: &Db) {
    let all = [
        (1, "vision", 10, vec![("team", "a")]),
        (2, "Vision_2", 10, vec![("team", "b"), ("kind", "image")]),
        (3, "Visionx2", 20, vec![]),
        (4, "speech", 30, vec![("team", "A")]),
        (5, "old", 40, vec![("team", "a")]),
    ];
    write(db, move |tx| {
        for (id, name, created, metadata) in &all {
            let experiment = Experiment {
                id: ExperimentId(*id),
                name: (*name).to_owned(),
                artifact_location: None,
                creator_id: None,
                created_at: NOW.plus_ms(*created),
                updated_at: NOW.plus_ms(1_000 - id),
                deleted_at: None,
            };
            let metadata: Vec<_> =
                metadata.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
            experiments::insert(tx, PROJECT, &experiment, &metadata)?;
        }
        experiments::delete(tx, PROJECT, ExperimentId(5), NOW.plus_ms(5_000))
    })
    .await;
}

fn query(filter: &str, order: &[&str]) -> Query {
    let order: Vec<String> = order.iter().map(|&field| field.to_owned()).collect();
    Query {
        filter: parse_filter(&EXPERIMENTS, filter).expect(filter),
        order: parse_order_by(&EXPERIMENTS, &order).expect("an order"),
        view: View::Active,
        limit: 2,
        page_token: None,
    }
}

fn walk(tx: &mut Tx<'_>, query: &Query) -> Result<Vec<i64>> {
    let (mut found, mut query) = (Vec::new(), query.clone());
    loop {
        let page = page::<Experiment>(tx, PROJECT, &query)?;
        found.extend(page.rows.iter().map(|experiment| experiment.id.0));
        match page.next_page_token {
            Some(token) => query.page_token = Some(token),
            None => return Ok(found),
        }
    }
}

async fn found(db: &Db, query: Query) -> Vec<i64> {
    read(db, move |tx| walk(tx, &query)).await
}

both! {
    async fn the_newest_come_first_and_of_two_the_lower_number(db: Db) {
        five(&db).await;
        assert_eq!(found(&db, query("", &[])).await, [4, 3, 1, 2]);
    }

    async fn the_view_says_whether_deleted_ones_are_shown(db: Db) {
        five(&db).await;
        let deleted = found(&db, Query { view: View::Deleted, ..query("", &[]) }).await;
        let all = found(&db, Query { view: View::All, ..query("", &[]) }).await;
        assert_eq!((deleted, all), (vec![5], vec![5, 4, 3, 1, 2]));
    }

    async fn each_test_finds_what_it_says(db: Db) {
        five(&db).await;
        let at = |time: i64| NOW.plus_ms(time).ms();
        let tests = [
            ("name = 'vision'".to_owned(), vec![1]),
            ("name != 'vision'".to_owned(), vec![4, 3, 2]),
            ("name LIKE 'Vision_2'".to_owned(), vec![3, 2]),
            ("name ILIKE 'vision%'".to_owned(), vec![3, 1, 2]),
            ("name IN ('vision', 'speech')".to_owned(), vec![4, 1]),
            ("experiment_id = '3'".to_owned(), vec![3]),
            ("experiment_id NOT IN ('3', '4')".to_owned(), vec![1, 2]),
            ("experiment_id LIKE '%2'".to_owned(), vec![2]),
            (format!("creation_time > {}", at(10)), vec![4, 3]),
            (format!("last_update_time <= {}", at(998)), vec![4, 3, 2]),
            ("tags.team = 'a'".to_owned(), vec![1]),
            ("tags.team != 'a'".to_owned(), vec![4, 2]),
            ("NOT tags.team = 'a'".to_owned(), vec![4, 3, 2]),
            ("tags.team ILIKE 'a'".to_owned(), vec![4, 1]),
            ("tags.kind IS NULL".to_owned(), vec![4, 3, 1]),
            ("tags.kind IS NOT NULL AND name LIKE 'V%'".to_owned(), vec![2]),
            ("name = 'speech' OR tags.kind = 'image'".to_owned(), vec![4, 2]),
        ];
        for (test, expected) in tests {
            assert_eq!(found(&db, query(&test, &[])).await, expected, "{test}");
        }
    }

    async fn each_field_orders_in_both_directions(db: Db) {
        five(&db).await;
        let orders = [
            ("name", [2, 3, 4, 1]),
            ("name DESC", [1, 4, 3, 2]),
            ("experiment_id DESC", [4, 3, 2, 1]),
            ("creation_time ASC", [1, 2, 3, 4]),
            ("last_update_time", [4, 3, 2, 1]),
        ];
        for (order, expected) in orders {
            assert_eq!(found(&db, query("", &[order])).await, expected, "{order}");
        }
    }

    async fn later_fields_order_what_earlier_ones_leave_open(db: Db) {
        five(&db).await;
        assert_eq!(found(&db, query("", &["creation_time", "name"])).await, [2, 1, 3, 4]);
    }

    async fn a_token_goes_with_its_search_alone(db: Db) {
        five(&db).await;
        let first = read(&db, |tx| page::<Experiment>(tx, PROJECT, &query("", &[]))).await;
        let other = Query { page_token: first.next_page_token, ..query("", &["name"]) };
        let refused = db.read(move |tx| page::<Experiment>(tx, PROJECT, &other)).await.expect_err("the token was to be refused");
        assert_eq!(refused.kind(), Kind::Invalid);
    }
}
