use modelry_core::Kind;
use modelry_core::ids::LoggedModelId;
use modelry_db::Db;
use modelry_store::logged_models::{self, Measured, Metric};
use modelry_testkit::both;

use crate::given::{self, NOW, PROJECT, model_eid, read, refused, write};

/// `loss` of model 1, measured by `run` on no dataset.
fn loss(step: i64, timestamp: i64, value: f64) -> Measured {
    Measured {
        model: model_eid(1),
        metric: Metric {
            name: "loss".to_owned(),
            value,
            step,
            timestamp,
            dataset_name: String::new(),
            dataset_digest: String::new(),
            candidate_eid: "run".to_owned(),
        },
    }
}

async fn attach(db: &Db, measured: Vec<Measured>) {
    write(db, move |tx| logged_models::attach_metrics(tx, PROJECT, &measured)).await;
}

async fn metrics(db: &Db) -> Vec<Metric> {
    let id = LoggedModelId(1);
    read(db, move |tx| Ok(logged_models::details(tx, PROJECT, &[id])?.remove(&id).expect("an entry")))
        .await
        .metrics
}

/// Attaches the points (step, timestamp, value), request by request, and checks which value is kept.
async fn assert_latest(db: &Db, requests: &[&[(i64, i64, f64)]], expected: f64) {
    given::experiments(db).await;
    given::model(db, 1, "m").await;
    for points in requests {
        attach(db, points.iter().map(|(step, at, value)| loss(*step, *at, *value)).collect()).await;
    }
    let metrics = metrics(db).await;
    assert_eq!(metrics.iter().map(|metric| metric.value).collect::<Vec<_>>(), [expected]);
}

both! {
    async fn the_latest_value_is_of_the_greatest_step(db: Db) {
        assert_latest(&db, &[&[(2, 1, 0.2)], &[(1, 9, 0.9)]], 0.2).await;
    }
}

both! {
    async fn of_one_step_the_latest_time_counts(db: Db) {
        assert_latest(&db, &[&[(2, 1, 0.9)], &[(2, 3, 0.2)], &[(2, 2, 0.9)]], 0.2).await;
    }
}

both! {
    async fn of_one_step_and_time_the_greatest_value_counts(db: Db) {
        assert_latest(&db, &[&[(2, 1, 0.4)], &[(2, 1, 0.5)], &[(2, 1, 0.1)]], 0.5).await;
    }
}

both! {
    async fn within_one_request_it_is_the_same(db: Db) {
        assert_latest(&db, &[&[(1, 1, 0.1), (3, 1, 0.3), (2, 1, 0.2)]], 0.3).await;
    }
}

both! {
    async fn nan_is_kept_as_zero(db: Db) {
        assert_latest(&db, &[&[(1, 1, 0.1)], &[(2, 1, f64::NAN)]], 0.0).await;
    }
}

both! {
    async fn infinity_is_kept_as_the_greatest_number(db: Db) {
        assert_latest(&db, &[&[(1, 1, f64::NEG_INFINITY)]], f64::MIN).await;
    }
}

both! {
    async fn each_dataset_and_candidate_has_a_value_of_its_own(db: Db) {
        given::experiments(&db).await;
        given::model(&db, 1, "m").await;
        let plain = loss(1, 1, 0.1).metric;
        let (name, digest) = ("eval".to_owned(), "abc".to_owned());
        let on_eval = Metric { value: 0.2, dataset_name: name, dataset_digest: digest, ..plain.clone() };
        let by_other = Metric { value: 0.3, candidate_eid: "other".to_owned(), ..plain.clone() };
        let metrics_of_model = [by_other, plain, on_eval];
        let measured = |metric: &Metric| Measured { model: model_eid(1), metric: metric.clone() };
        attach(&db, metrics_of_model.iter().map(measured).collect()).await;
        assert_eq!(metrics(&db).await, metrics_of_model);
    }
}

both! {
    async fn a_deleted_model_is_measured_on(db: Db) {
        given::experiments(&db).await;
        given::model(&db, 1, "m").await;
        write(&db, |tx| logged_models::delete(tx, PROJECT, &model_eid(1), NOW)).await;
        attach(&db, vec![loss(1, 1, 0.1)]).await;
        assert_eq!(metrics(&db).await.len(), 1);
    }
}

both! {
    async fn an_unknown_model_cannot_be_measured(db: Db) {
        let error = refused(&db, |tx| logged_models::attach_metrics(tx, PROJECT, &[loss(1, 1, 0.1)])).await;
        assert_eq!(error.kind(), Kind::NotFound);
    }
}
