use modelry_core::ids::ExperimentId;
use modelry_core::search::entity::LOGGED_MODELS;
use modelry_core::search::parse_filter;
use modelry_core::status::LoggedModelStatus;
use modelry_core::{Error, Kind, paging};
use modelry_db::Db;
use modelry_store::logged_models::{self, Measured, Metric, NewLoggedModel};
use modelry_store::search::logged_models::{DatasetFilter, MAX_EXPERIMENTS, Page, Query, SortKey, page};
use modelry_testkit::both;

use crate::given::{self, EXPERIMENT, NOW, PROJECT, insert_model, model_eid, new_model, pairs, read, write};

/// Five models; a later number is newer. Model 5 is in experiment 2, model 6 is deleted.
async fn models(db: &Db) {
    given::experiments(db).await;
    write(db, |tx| given::experiment(tx, ExperimentId(2), Some("team/vision"))).await;
    let model = |number, name, params: &[(&str, &str)], metadata: &[(&str, &str)]| NewLoggedModel {
        params: pairs(params),
        metadata: pairs(metadata),
        ..new_model(number, name)
    };
    let models = [
        NewLoggedModel { source_eid: Some("run1".to_owned()), ..model(1, "alpha", &[("depth", "3")], &[]) },
        NewLoggedModel {
            model_type: "agent".to_owned(),
            ..model(2, "beta", &[("depth", "10")], &[("t", "A_b")])
        },
        model(3, "alpha", &[], &[("t", "axb")]),
        model(4, "Gamma", &[], &[]),
        NewLoggedModel { experiment_id: ExperimentId(2), ..model(5, "delta", &[], &[]) },
        model(6, "deleted", &[], &[]),
    ];
    for new in models {
        insert_model(db, NewLoggedModel { created_at: NOW.plus_ms(new.id.0), ..new }).await;
    }
    write(db, |tx| {
        logged_models::finalize(tx, PROJECT, &model_eid(1), LoggedModelStatus::Ready, NOW.plus_ms(100))?;
        logged_models::finalize(tx, PROJECT, &model_eid(2), LoggedModelStatus::Failed, NOW.plus_ms(90))?;
        logged_models::delete(tx, PROJECT, &model_eid(6), NOW)
    })
    .await;
    measure(db).await;
}

/// Model 1: f1 of 0.5 on `eval`, then 0.9 on no dataset. Model 2: f1 of 0.7 on `eval`, and on `test`. Model 3: f1 of
/// 0.7 on no dataset.
async fn measure(db: &Db) {
    let f1 = |model, step, value, dataset: &str, digest: &str| Measured {
        model: model_eid(model),
        metric: Metric {
            name: "f1".to_owned(),
            value,
            step,
            timestamp: 1,
            dataset_name: dataset.to_owned(),
            dataset_digest: digest.to_owned(),
            candidate_eid: "run".to_owned(),
        },
    };
    let measured = [
        f1(1, 1, 0.5, "eval", "d1"),
        f1(1, 2, 0.9, "", ""),
        f1(2, 1, 0.7, "eval", "d2"),
        f1(2, 0, 0.1, "test", "d3"),
        f1(3, 1, 0.7, "", ""),
    ];
    write(db, move |tx| logged_models::attach_metrics(tx, PROJECT, &measured)).await;
}

fn dataset(name: &str, digest: Option<&str>) -> DatasetFilter {
    DatasetFilter { name: name.to_owned(), digest: digest.map(str::to_owned) }
}

fn query(filter: &str) -> Query {
    Query {
        experiments: vec![EXPERIMENT, ExperimentId(2)],
        filter: parse_filter(&LOGGED_MODELS, filter).expect("a filter"),
        limit: 100,
        ..Query::default()
    }
}

fn ordered(field: &str, descending: bool, dataset: Option<DatasetFilter>) -> Query {
    Query { order: vec![SortKey::parse(field, descending, dataset).expect("a field")], ..query("") }
}

async fn search(db: &Db, query: Query) -> Page {
    read(db, move |tx| page(tx, PROJECT, &query)).await
}

async fn refused(db: &Db, query: Query) -> Error {
    db.read(move |tx| page(tx, PROJECT, &query)).await.expect_err("the search was to be refused")
}

fn numbers(page: &Page) -> Vec<i64> {
    page.models.iter().map(|model| model.id.0).collect()
}

async fn found(db: &Db, query: Query) -> Vec<i64> {
    numbers(&search(db, query).await)
}

/// What a search with this filter finds.
async fn matching(db: &Db, filter: &str) -> Vec<i64> {
    found(db, query(filter)).await
}

both! {
    async fn without_a_filter_all_but_deleted_models_are_found_newest_first(db: Db) {
        models(&db).await;
        assert_eq!(matching(&db, "").await, [5, 4, 3, 2, 1]);
    }
}

both! {
    async fn only_the_experiments_asked_for_are_searched(db: Db) {
        models(&db).await;
        for (experiments, expected) in [(vec![2], vec![5]), (vec![9], vec![]), (vec![], vec![])] {
            let experiments = experiments.into_iter().map(ExperimentId).collect();
            assert_eq!(found(&db, Query { experiments, ..query("") }).await, expected);
        }
    }
}

both! {
    async fn attributes_are_compared(db: Db) {
        models(&db).await;
        let created = NOW.ms() + 3;
        let cases = [
            ("name = 'alpha'", vec![3, 1]),
            ("name != 'alpha'", vec![5, 4, 2]),
            ("name LIKE '%a'", vec![5, 4, 3, 2, 1]),
            ("name LIKE 'g%'", vec![]),
            ("name ILIKE 'g%'", vec![4]),
            ("name IN ('beta', 'delta')", vec![5, 2]),
            ("name NOT IN ('beta', 'delta')", vec![4, 3, 1]),
            ("status = 'READY'", vec![1]),
            ("status = 'FAILED'", vec![2]),
            ("status = 'PENDING'", vec![5, 4, 3]),
            ("status = 'LOGGED_MODEL_READY'", vec![]),
            ("model_type = 'agent'", vec![2]),
            ("source_run_id = 'run1'", vec![1]),
            ("experiment_id = '2'", vec![5]),
            ("experiment_id LIKE '1%'", vec![4, 3, 2, 1]),
            ("artifact_location LIKE 'mlflow-artifacts:/team/vision/models/m-%/artifacts'", vec![5]),
        ];
        for (filter, expected) in cases {
            assert_eq!(matching(&db, filter).await, expected, "{filter}");
        }
        assert_eq!(matching(&db, &format!("creation_timestamp <= {created}")).await, [3, 2, 1]);
        assert_eq!(matching(&db, &format!("last_updated_timestamp >= {}", NOW.ms() + 90)).await, [2, 1]);
        assert_eq!(matching(&db, &format!("model_id = '{}'", model_eid(4))).await, [4]);
    }
}

both! {
    async fn what_is_missing_satisfies_no_comparison_and_its_negation(db: Db) {
        models(&db).await;
        for (filter, expected) in [
            ("model_type != 'other'", vec![2]),
            ("NOT model_type = 'other'", vec![5, 4, 3, 2, 1]),
            ("source_run_id NOT IN ('other')", vec![1]),
            ("NOT source_run_id IN ('run1')", vec![5, 4, 3, 2]),
            ("params.depth != '3'", vec![2]),
            ("NOT params.depth = '3'", vec![5, 4, 3, 2]),
            ("NOT metrics.f1 > 0", vec![5, 4]),
        ] {
            assert_eq!(matching(&db, filter).await, expected, "{filter}");
        }
    }
}

both! {
    async fn params_and_metadata_are_compared_as_text(db: Db) {
        models(&db).await;
        for (filter, expected) in [
            ("params.depth = '10'", vec![2]),
            ("params.depth = 10", vec![2]),
            ("params.depth IS NULL", vec![5, 4, 3]),
            ("params.depth IS NOT NULL", vec![2, 1]),
            ("tags.t LIKE 'a_b'", vec![3]),
            ("tags.t ILIKE 'a_b'", vec![3, 2]),
            ("tags.t IN ('A_b', 'none')", vec![2]),
        ] {
            assert_eq!(matching(&db, filter).await, expected, "{filter}");
        }
    }
}

both! {
    async fn a_backslash_in_a_pattern_is_itself(db: Db) {
        given::experiments(&db).await;
        let metadata = pairs(&[("t", r"50\%x")]);
        insert_model(&db, NewLoggedModel { metadata, ..new_model(1, "m") }).await;
        assert_eq!(matching(&db, r"tags.t LIKE '50\%'").await, [1]);
        assert_eq!(matching(&db, r"tags.t LIKE '50\%y'").await, [0; 0]);
    }
}

both! {
    async fn a_metric_matches_by_one_of_its_values(db: Db) {
        models(&db).await;
        for (filter, expected) in [
            ("metrics.f1 > 0.8", vec![1]),
            ("metrics.f1 < 0.2", vec![2]),
            ("metrics.f1 = 0.7", vec![3, 2]),
            ("metrics.f1 > 0.6 AND metrics.f1 < 0.2", vec![2]),
            ("metrics.other > 0", vec![]),
        ] {
            assert_eq!(matching(&db, filter).await, expected, "{filter}");
        }
    }
}

both! {
    async fn tests_are_joined_as_written(db: Db) {
        models(&db).await;
        for (filter, expected) in [
            ("name = 'alpha' AND status = 'READY'", vec![1]),
            ("name = 'delta' OR name = 'alpha' AND status = 'READY'", vec![5, 1]),
            ("(name = 'delta' OR name = 'alpha') AND status = 'PENDING'", vec![5, 3]),
            ("NOT (name = 'delta' OR model_type = 'agent')", vec![4, 3, 1]),
        ] {
            assert_eq!(matching(&db, filter).await, expected, "{filter}");
        }
    }
}

both! {
    async fn datasets_narrow_models_and_their_metrics(db: Db) {
        models(&db).await;
        for (filter, datasets, expected) in [
            ("", vec![dataset("eval", None)], vec![2, 1]),
            ("", vec![dataset("eval", Some("d1"))], vec![1]),
            ("", vec![dataset("test", None), dataset("eval", Some("d1"))], vec![2, 1]),
            ("", vec![dataset("none", None)], vec![]),
            ("metrics.f1 >= 0.7", vec![dataset("eval", None)], vec![2]),
            ("metrics.f1 > 0.8", vec![dataset("eval", None)], vec![]),
        ] {
            let query = Query { datasets: datasets.clone(), ..query(filter) };
            assert_eq!(found(&db, query).await, expected, "{filter} {datasets:?}");
        }
    }
}

both! {
    async fn models_are_ordered_by_an_attribute_and_then_newest_first(db: Db) {
        models(&db).await;
        assert_eq!(found(&db, ordered("name", false, None)).await, [4, 3, 1, 2, 5]);
        assert_eq!(found(&db, ordered("name", true, None)).await, [5, 2, 3, 1, 4]);
        assert_eq!(found(&db, ordered("creation_timestamp", false, None)).await, [1, 2, 3, 4, 5]);
        assert_eq!(found(&db, ordered("last_updated_timestamp", true, None)).await, [1, 2, 5, 4, 3]);
    }
}

both! {
    async fn models_are_ordered_by_the_latest_value_of_a_metric(db: Db) {
        models(&db).await;
        assert_eq!(found(&db, ordered("metrics.f1", true, None)).await, [1, 3, 2, 5, 4]);
        assert_eq!(found(&db, ordered("metrics.f1", false, None)).await, [3, 2, 1, 5, 4]);
    }
}

both! {
    async fn a_metric_can_be_ordered_by_on_one_dataset(db: Db) {
        models(&db).await;
        let on_eval = ordered("metrics.f1", false, Some(dataset("eval", None)));
        assert_eq!(found(&db, on_eval).await, [1, 2, 5, 4, 3]);
        let on_one_digest = ordered("metrics.f1", false, Some(dataset("eval", Some("d2"))));
        assert_eq!(found(&db, on_one_digest).await, [2, 5, 4, 3, 1]);
    }
}

/// The orders whose pages are put together below.
fn orders() -> Vec<Vec<SortKey>> {
    let key = |field, descending| SortKey::parse(field, descending, None).expect("a field");
    vec![
        vec![],
        vec![key("creation_timestamp", false)],
        vec![key("name", false)],
        vec![key("name", true), key("creation_timestamp", false)],
        vec![key("metrics.f1", true)],
        vec![key("metrics.f1", false), key("name", true)],
        vec![key("metrics.none", true), key("metrics.f1", true), key("last_updated_timestamp", false)],
    ]
}

/// The numbers of at most 5 pages and one.
async fn put_together(db: &Db, order: &[SortKey], limit: usize) -> Vec<i64> {
    let mut all = Vec::new();
    let mut page_token = None;
    for _ in 0..=5 {
        let page = search(db, Query { order: order.to_vec(), limit, page_token, ..query("") }).await;
        all.extend(numbers(&page));
        page_token = page.next_page_token;
        if page_token.is_none() {
            break;
        }
    }
    all
}

both! {
    async fn pages_put_together_are_the_whole(db: Db) {
        models(&db).await;
        for order in orders() {
            let whole = found(&db, Query { order: order.clone(), ..query("") }).await;
            assert_eq!(whole.len(), 5);
            for limit in [1, 2, 5] {
                let pages = put_together(&db, &order, limit).await;
                assert_eq!(pages, whole, "{order:?} by {limit}");
            }
        }
    }
}

both! {
    async fn a_page_starts_where_the_last_one_ended_whatever_was_added_meanwhile(db: Db) {
        models(&db).await;
        let first = search(&db, Query { limit: 2, ..query("") }).await;
        insert_model(&db, NewLoggedModel { created_at: NOW.plus_ms(7), ..new_model(7, "new") }).await;
        let second = search(&db, Query { page_token: first.next_page_token, ..query("") }).await;
        assert_eq!(numbers(&second), [3, 2, 1]);
    }
}

both! {
    async fn a_token_belongs_to_its_search(db: Db) {
        models(&db).await;
        let page_token = search(&db, Query { limit: 1, ..query("") }).await.next_page_token;
        let others = [
            query("name != 'x'"),
            Query { experiments: vec![EXPERIMENT], ..query("") },
            Query { datasets: vec![dataset("eval", None)], ..query("") },
            ordered("name", false, None),
        ];
        for other in others {
            let error = refused(&db, Query { page_token: page_token.clone(), ..other }).await;
            assert_eq!(error.kind(), Kind::Invalid);
        }
    }
}

both! {
    async fn a_token_of_something_else_is_refused(db: Db) {
        models(&db).await;
        for token in ["%%%".to_owned(), paging::encode_token(&"text")] {
            let error = refused(&db, Query { page_token: Some(token), ..query("") }).await;
            assert_eq!(error.kind(), Kind::Invalid);
        }
    }
}

both! {
    async fn a_search_names_a_limited_number_of_experiments(db: Db) {
        let experiments = |count: usize| (0..).map(ExperimentId).take(count).collect();
        assert_eq!(found(&db, Query { experiments: experiments(MAX_EXPERIMENTS), ..query("") }).await, [0; 0]);
        let error = refused(&db, Query { experiments: experiments(MAX_EXPERIMENTS + 1), ..query("") }).await;
        assert_eq!(error.kind(), Kind::Invalid);
    }
}

#[test]
fn only_a_metric_is_ordered_by_on_a_dataset() {
    let error = SortKey::parse("name", false, Some(dataset("eval", None))).expect_err("no metric");
    assert_eq!(error.kind(), Kind::Invalid);
}
