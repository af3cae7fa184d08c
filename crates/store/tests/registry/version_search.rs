//! Searches for versions.

use modelry_core::search::entity::{VERSIONS, VersionAttribute};
use modelry_core::search::{order, parse_filter, parse_order_by};
use modelry_core::{Kind, Result};
use modelry_db::Db;
use modelry_store::models;
use modelry_store::search::View;
use modelry_store::search::rows::{self, Page, Query};
use modelry_store::versions::{self, ModelVersion, NewVersion, Source};
use modelry_testkit::both;

use crate::given::{
    NOW, PROJECT, delete, eid, insert_model, new_model, new_prompt, new_version, pairs, register, write,
};

/// Versions 1 to 4 of `churn`, of which 3 is in the bin; 5 and 6 of `Fraud`; 7 of the prompt `greeting`; and 8 of a
/// model in the bin.
async fn seed(db: &Db) {
    insert_model(db, new_model(1, "churn")).await;
    insert_model(db, new_model(2, "Fraud")).await;
    insert_model(db, new_prompt(3, "greeting")).await;
    insert_model(db, new_model(4, "gone")).await;
    let tagged =
        |number, metadata: &[(&str, &str)]| NewVersion { metadata: pairs(metadata), ..new_version(number) };
    let all = [
        ("churn", 10, NewVersion { source: "s3://a/1".to_owned(), ..tagged(1, &[("team", "a")]) }),
        ("churn", 30, tagged(2, &[("team", "b"), ("modelry.bump", "minor")])),
        ("churn", 30, tagged(3, &[("team", "a")])),
        ("churn", 20, NewVersion { run_eid: Some("Run 4".to_owned()), ..tagged(4, &[]) }),
        ("Fraud", 30, NewVersion { source: "S3://b/1".to_owned(), ..tagged(5, &[("team", "A")]) }),
        ("Fraud", 20, tagged(6, &[("modelry.version", "1.1.0")])),
        ("greeting", 30, tagged(7, &[("mlflow.prompt.is_prompt", "true"), ("team", "a")])),
        ("gone", 30, tagged(8, &[("team", "a")])),
    ];
    for (model, ms, new) in all {
        let new = NewVersion { model: model.to_owned(), created_at: NOW.plus_ms(ms), ..new };
        let made = register(db, new, Source::Outside).await;
        if made.id.0 == 1_000_003 {
            delete(db, &made).await;
        }
    }
    write(db, |tx| models::delete(tx, PROJECT, "gone", NOW)).await;
}

fn query(filter: &str, orders: &[&str]) -> Query<VersionAttribute> {
    let orders: Vec<String> = orders.iter().map(|&order| order.to_owned()).collect();
    Query {
        filter: parse_filter(&VERSIONS, filter).expect("a filter"),
        order: order::of_versions(parse_order_by(&VERSIONS, &orders).expect("an order")),
        view: View::Active,
        limit: 100,
        page_token: None,
    }
}

async fn page(db: &Db, query: Query<VersionAttribute>) -> Result<Page<ModelVersion>> {
    db.read(move |tx| rows::page::<ModelVersion>(tx, PROJECT, &query)).await
}

fn numbers(page: &Page<ModelVersion>) -> Vec<i64> {
    page.rows.iter().map(|version| version.id.0 - 1_000_000).collect()
}

async fn found(db: &Db, query: Query<VersionAttribute>) -> Vec<i64> {
    numbers(&page(db, query).await.expect("the search succeeds"))
}

/// What a filter finds, in the order of numbers.
async fn matching(db: &Db, filter: &str) -> Vec<i64> {
    let mut numbers = found(db, query(filter, &[])).await;
    numbers.sort_unstable();
    numbers
}

async fn walk(db: &Db, query: Query<VersionAttribute>, limit: usize) -> Vec<i64> {
    let mut all = Vec::new();
    let mut query = Query { limit, ..query };
    loop {
        let page = page(db, query.clone()).await.expect("the search succeeds");
        assert!(page.rows.len() <= limit);
        all.extend(numbers(&page));
        query.page_token = page.next_page_token;
        if query.page_token.is_none() || all.len() > 20 {
            return all;
        }
    }
}

both! {
    async fn the_last_changed_come_first(db: Db) {
        seed(&db).await;
        assert_eq!(found(&db, query("", &[])).await, [5, 2, 6, 4, 1]);
    }

    async fn a_filter_is_what_it_says(db: Db) {
        seed(&db).await;
        let run = format!("run_id = '{}'", eid(1_002));
        let cases: [(&str, &[i64]); 24] = [
            ("name = 'churn'", &[1, 2, 4]),
            ("name != 'churn'", &[5, 6]),
            ("name LIKE 'c%'", &[1, 2, 4]),
            ("name ILIKE 'f%'", &[5, 6]),
            ("name IN ('churn', 'greeting', 'gone')", &[1, 2, 4]),
            ("name NOT IN ('churn')", &[5, 6]),
            ("version_number = 1", &[1, 5]),
            ("version_number > 1", &[2, 4, 6]),
            ("version_number != 2", &[1, 4, 5]),
            ("version_number <= 2 AND name = 'churn'", &[1, 2]),
            (&run, &[2]),
            ("run_id = 'Run 4'", &[4]),
            ("run_id LIKE 'Run%'", &[4]),
            ("run_id ILIKE 'run 4'", &[4]),
            ("run_id IN ('Run 4', 'x')", &[4]),
            ("NOT run_id = 'Run 4'", &[1, 2, 5, 6]),
            ("source_path = 's3://a/1'", &[1]),
            ("source_path ILIKE 's3%'", &[1, 5]),
            ("tags.team = 'a'", &[1]),
            ("tags.team != 'a'", &[2, 5]),
            ("NOT tags.team = 'a'", &[2, 4, 5, 6]),
            ("tag.team IN ('a', 'b')", &[1, 2]),
            ("tags.team = 'b' OR version_number = 4", &[2, 4]),
            ("NOT (name = 'churn' OR tags.team ILIKE 'a')", &[6]),
        ];
        for (filter, expected) in cases {
            assert_eq!(matching(&db, filter).await, expected, "{filter}");
        }
    }

    async fn the_semantic_version_is_metadata_of_every_version(db: Db) {
        seed(&db).await;
        let cases: [(&str, &[i64]); 8] = [
            ("tags.`gitlab.version` = '1.0.0'", &[1, 5]),
            ("tags.gitlab.version = '1.1.0'", &[2, 6]),
            ("tags.modelry.version = '1.1.1'", &[]),
            ("tags.modelry.version LIKE '1.1%'", &[2, 4, 6]),
            ("tags.gitlab.version != '1.1.0'", &[1, 4, 5]),
            ("tags.gitlab.version IN ('1.0.0', '1.1.2') AND name = 'churn'", &[1, 4]),
            ("NOT tags.modelry.version = '1.0.0'", &[2, 4, 6]),
            ("tags.`modelry.bump` = 'minor'", &[2]),
        ];
        for (filter, expected) in cases {
            assert_eq!(matching(&db, filter).await, expected, "{filter}");
        }
    }

    async fn versions_of_prompts_are_found_where_the_filter_speaks_of_them(db: Db) {
        seed(&db).await;
        let cases: [(&str, &[i64]); 6] = [
            ("tags.`mlflow.prompt.is_prompt` = 'true'", &[7]),
            ("tags.`mlflow.prompt.is_prompt` = 'true' AND tags.team = 'a'", &[7]),
            ("tags.`mlflow.prompt.is_prompt` != 'true'", &[1, 2, 4, 5, 6]),
            ("tags.`mlflow.prompt.is_prompt` = 'false'", &[1, 2, 4, 5, 6]),
            ("name = 'greeting'", &[]),
            // It has no run, so that every comparison with one fails.
            ("tags.`mlflow.prompt.is_prompt` = 'true' AND NOT run_id = 'x'", &[7]),
        ];
        for (filter, expected) in cases {
            assert_eq!(matching(&db, filter).await, expected, "{filter}");
        }
        assert_eq!(matching(&db, "tags.`mlflow.prompt.is_prompt` = 'true' AND run_id != 'x'").await, [0; 0]);
    }

    async fn the_bin_is_searched_where_it_is_asked_for(db: Db) {
        seed(&db).await;
        assert_eq!(found(&db, Query { view: View::Deleted, ..query("", &[]) }).await, [3]);
    }

    async fn pages_follow_each_other_in_every_order(db: Db) {
        seed(&db).await;
        // Models by name: Fraud (5 is its number 1, 6 its 2) before churn (1, 2 and 4).
        let orders: [(&[&str], &[i64]); 9] = [
            (&[], &[5, 2, 6, 4, 1]),
            (&["name"], &[6, 5, 4, 2, 1]),
            (&["name DESC"], &[4, 2, 1, 6, 5]),
            (&["version_number"], &[5, 1, 6, 2, 4]),
            (&["version_number DESC"], &[4, 6, 2, 5, 1]),
            (&["creation_timestamp"], &[1, 6, 4, 5, 2]),
            (&["creation_timestamp DESC", "name DESC"], &[2, 5, 4, 6, 1]),
            (&["last_updated_timestamp"], &[1, 6, 4, 5, 2]),
            (&["last_updated_timestamp DESC", "version_number"], &[5, 2, 6, 4, 1]),
        ];
        for (order, expected) in orders {
            for limit in [1, 2, 5, 6] {
                assert_eq!(walk(&db, query("", order), limit).await, expected, "{order:?} by {limit}");
            }
        }
    }

    async fn a_page_token_goes_with_its_search_alone(db: Db) {
        seed(&db).await;
        let one = |filter, order: &[&str]| Query { limit: 1, ..query(filter, order) };
        let token = page(&db, one("", &[])).await.expect("a page").next_page_token;
        assert!(token.is_some());
        let others = [
            one("", &["last_updated_timestamp"]),
            one("", &["name"]),
            one("name = 'churn'", &[]),
            Query { view: View::All, ..one("", &[]) },
        ];
        for other in others {
            let answer = page(&db, Query { page_token: token.clone(), ..other }).await;
            let error = answer.expect_err("it is another search's");
            assert_eq!(error.kind(), Kind::Invalid);
            assert!(error.message().starts_with("Invalid page token"), "{error}");
        }
    }

    async fn one_that_arrives_in_between_moves_nothing(db: Db) {
        seed(&db).await;
        let first = page(&db, Query { limit: 2, ..query("", &[]) }).await.expect("a page");
        let new = NewVersion { created_at: NOW.plus_ms(99), ..new_version(9) };
        register(&db, new, Source::Outside).await;
        let rest = found(&db, Query { page_token: first.next_page_token.clone(), ..query("", &[]) }).await;
        assert_eq!((numbers(&first), rest), (vec![5, 2], vec![6, 4, 1]));
    }

    async fn a_version_is_found_as_it_is_read(db: Db) {
        seed(&db).await;
        let id = modelry_core::ids::VersionId(1_000_002);
        let read = crate::given::read(&db, move |tx| versions::find_by_id(tx, PROJECT, id)).await;
        let found = page(&db, query("tags.team = 'b'", &[])).await.expect("a page").rows;
        assert_eq!(found, read.into_iter().collect::<Vec<_>>());
    }
}
