//! Searches for models.

use modelry_core::ids::ModelId;
use modelry_core::search::entity::{MODELS, ModelAttribute};
use modelry_core::search::{order, parse_filter, parse_order_by};
use modelry_core::{Kind, Result};
use modelry_db::Db;
use modelry_store::models::{self, Model, NewModel};
use modelry_store::search::View;
use modelry_store::search::rows::{self, Page, Query};
use modelry_testkit::both;

use crate::given::{NOW, PROJECT, insert_model, new_model, new_prompt, pairs, write};

/// Models 1 to 5, changed at 30, 10, 20, 20 and 20 ms; the prompts 6 and 7; and the model 8 in the bin.
async fn seed(db: &Db) {
    let model = |number, name, metadata: &[(&str, &str)]| NewModel {
        metadata: pairs(metadata),
        ..new_model(number, name)
    };
    let prompt = |number, name, metadata: &[(&str, &str)]| NewModel {
        metadata: pairs(metadata),
        ..new_prompt(number, name)
    };
    let all = [
        (model(1, "alpha", &[("team", "a")]), 30),
        (model(2, "Beta", &[("team", "b"), ("stage", "")]), 10),
        (model(3, "alp_x", &[("team", "A")]), 20),
        (model(4, "alpqx", &[]), 20),
        (model(5, "gamma", &[("team", "b"), ("mlflow.prompt.is_prompt", "false")]), 20),
        (prompt(6, "greeting", &[("mlflow.prompt.is_prompt", "true"), ("team", "a")]), 40),
        (prompt(7, "farewell", &[("mlflow.prompt.is_prompt", "true")]), 40),
        (model(8, "deleted", &[("team", "a")]), 50),
    ];
    for (new, ms) in all {
        insert_model(db, NewModel { created_at: NOW.plus_ms(ms), ..new }).await;
    }
    write(db, |tx| models::delete(tx, PROJECT, "deleted", NOW)).await;
}

fn query(filter: &str, orders: &[&str]) -> Query<ModelAttribute> {
    let orders: Vec<String> = orders.iter().map(|&order| order.to_owned()).collect();
    Query {
        filter: parse_filter(&MODELS, filter).expect("a filter"),
        order: order::of_models(parse_order_by(&MODELS, &orders).expect("an order")),
        view: View::Active,
        limit: 100,
        page_token: None,
    }
}

async fn page(db: &Db, query: Query<ModelAttribute>) -> Result<Page<Model>> {
    db.read(move |tx| rows::page::<Model>(tx, PROJECT, &query)).await
}

fn numbers(page: &Page<Model>) -> Vec<i64> {
    page.rows.iter().map(|model| model.id.0).collect()
}

async fn found(db: &Db, query: Query<ModelAttribute>) -> Vec<i64> {
    numbers(&page(db, query).await.expect("the search succeeds"))
}

/// What all pages of this size find together.
async fn walk(db: &Db, query: Query<ModelAttribute>, limit: usize) -> Vec<i64> {
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
    async fn models_are_found_by_name(db: Db) {
        seed(&db).await;
        assert_eq!(found(&db, query("", &[])).await, [2, 3, 1, 4, 5]);
    }

    async fn a_filter_is_what_it_says(db: Db) {
        seed(&db).await;
        let cases: [(&str, &[i64]); 18] = [
            ("name = 'alpha'", &[1]),
            ("name = 'ALPHA'", &[]),
            ("name != 'alpha'", &[2, 3, 4, 5]),
            ("name LIKE 'alp%'", &[3, 1, 4]),
            ("name LIKE 'alp_x'", &[3, 4]),
            ("name LIKE 'b%'", &[]),
            ("name ILIKE 'b%'", &[2]),
            ("name IN ('alpha', 'gamma', 'greeting')", &[1, 5]),
            ("name NOT IN ('alpha', 'gamma')", &[2, 3, 4]),
            ("tags.team = 'b'", &[2, 5]),
            ("tag.team ILIKE 'A'", &[3, 1]),
            ("tags.team != 'b'", &[3, 1]),
            ("NOT tags.team = 'b'", &[3, 1, 4]),
            ("metadata.stage = ''", &[2]),
            ("tags.team = 'a' OR name = 'Beta'", &[2, 1]),
            ("NOT (tags.team = 'a' OR name = 'Beta') AND name LIKE '%a%'", &[3, 4, 5]),
            ("tags.team IN ('a', 'A')", &[3, 1]),
            ("name = 'deleted'", &[]),
        ];
        for (filter, expected) in cases {
            assert_eq!(found(&db, query(filter, &[])).await, expected, "{filter}");
        }
    }

    async fn prompts_are_found_where_the_filter_speaks_of_them(db: Db) {
        seed(&db).await;
        let cases: [(&str, &[i64]); 8] = [
            ("tags.`mlflow.prompt.is_prompt` = 'true'", &[7, 6]),
            ("tags.`mlflow.prompt.is_prompt` != 'true'", &[2, 3, 1, 4, 5]),
            ("tags.`mlflow.prompt.is_prompt` = 'false'", &[2, 3, 1, 4, 5]),
            ("NOT tags.`mlflow.prompt.is_prompt` = 'true'", &[2, 3, 1, 4, 5]),
            ("tags.`mlflow.prompt.is_prompt` ILIKE 'TRUE' AND tags.team = 'a'", &[6]),
            ("tags.`mlflow.prompt.is_prompt` = 'true' OR name = 'alpha'", &[1, 7, 6]),
            ("tags.`mlflow.prompt.is_prompt` IN ('true', 'false')", &[2, 3, 1, 4, 7, 5, 6]),
            ("name = 'greeting'", &[]),
        ];
        for (filter, expected) in cases {
            assert_eq!(found(&db, query(filter, &[])).await, expected, "{filter}");
        }
    }

    async fn the_bin_is_searched_where_it_is_asked_for(db: Db) {
        seed(&db).await;
        assert_eq!(found(&db, Query { view: View::Deleted, ..query("", &[]) }).await, [8]);
        assert_eq!(found(&db, Query { view: View::All, ..query("tags.team = 'a'", &[]) }).await, [1, 8]);
    }

    async fn pages_follow_each_other_in_every_order(db: Db) {
        seed(&db).await;
        let orders: [(&[&str], &[i64]); 6] = [
            (&[], &[2, 3, 1, 4, 5]),
            (&["name ASC"], &[2, 3, 1, 4, 5]),
            (&["name DESC"], &[5, 4, 1, 3, 2]),
            (&["last_updated_timestamp"], &[2, 3, 4, 5, 1]),
            (&["last_updated_timestamp DESC"], &[1, 3, 4, 5, 2]),
            (&["timestamp DESC", "name DESC"], &[1, 5, 4, 3, 2]),
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
            one("", &["name DESC"]),
            one("", &["last_updated_timestamp"]),
            one("name != 'x'", &[]),
            Query { view: View::All, ..one("", &[]) },
        ];
        for other in others {
            let answer = page(&db, Query { page_token: token.clone(), ..other }).await;
            let error = answer.expect_err("it is another search's");
            assert_eq!(error.kind(), Kind::Invalid);
            assert!(error.message().starts_with("Invalid page token"), "{error}");
        }
    }

    async fn another_project_is_not_searched(db: Db) {
        seed(&db).await;
        let other = modelry_core::ids::ProjectId(2);
        write(&db, move |tx| models::insert(tx, other, &new_model(1, "alpha"))).await;
        let page = db.read(move |tx| rows::page::<Model>(tx, other, &query("", &[]))).await.expect("a page");
        assert_eq!(page.rows.iter().map(|model| model.id).collect::<Vec<_>>(), [ModelId(1)]);
        assert_eq!(found(&db, query("name = 'alpha'", &[])).await, [1]);
    }
}
