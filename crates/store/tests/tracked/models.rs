use modelry_core::Kind;
use modelry_core::ids::{ExperimentId, LoggedModelId};
use modelry_core::status::LoggedModelStatus;
use modelry_db::Db;
use modelry_store::datasets::{self, ModelOutput};
use modelry_store::experiments;
use modelry_store::logged_models::{self, Deleted, Details, LoggedModel, NewLoggedModel};
use modelry_testkit::both;

use crate::given::{
    self, EXPERIMENT, NOW, PROJECT, insert_model, model_eid, new_model, pairs, read, refused, write,
};

async fn get(db: &Db, number: i64) -> LoggedModel {
    read(db, move |tx| logged_models::get(tx, PROJECT, &model_eid(number), Deleted::Hidden)).await
}

async fn details(db: &Db, number: i64) -> Details {
    let id = LoggedModelId(number);
    read(db, move |tx| Ok(logged_models::details(tx, PROJECT, &[id])?.remove(&id).expect("an entry"))).await
}

both! {
    async fn a_new_model_is_pending_and_has_what_it_was_made_with(db: Db) {
        given::experiments(&db).await;
        let new = NewLoggedModel {
            model_type: "agent".to_owned(),
            source_eid: Some("run1".to_owned()),
            params: pairs(&[("depth", "3")]),
            metadata: pairs(&[("team", "a")]),
            ..new_model(1, "churn")
        };
        insert_model(&db, new).await;
        let model = get(&db, 1).await;
        assert_eq!((model.name.as_str(), model.model_type.as_str()), ("churn", "agent"));
        assert_eq!((model.status, model.source_eid.as_deref()), (LoggedModelStatus::Pending, Some("run1")));
        assert_eq!((model.created_at, model.updated_at, model.deleted_at), (NOW, NOW, None));
        let details = details(&db, 1).await;
        assert_eq!((details.params, details.metadata), (pairs(&[("depth", "3")]), pairs(&[("team", "a")])));
    }
}

both! {
    async fn the_files_of_a_model_are_below_its_experiment(db: Db) {
        given::experiments(&db).await;
        write(&db, |tx| given::experiment(tx, ExperimentId(2), Some("team/vision"))).await;
        given::model(&db, 1, "plain").await;
        let elsewhere = NewLoggedModel { experiment_id: ExperimentId(2), ..new_model(2, "elsewhere") };
        insert_model(&db, elsewhere).await;
        let uris = [get(&db, 1).await.artifact_uri(), get(&db, 2).await.artifact_uri()];
        assert_eq!(uris, [
            format!("mlflow-artifacts:/1/models/{}/artifacts", model_eid(1)),
            format!("mlflow-artifacts:/team/vision/models/{}/artifacts", model_eid(2)),
        ]);
    }
}

both! {
    async fn a_model_needs_an_experiment(db: Db) {
        given::experiments(&db).await;
        let nowhere = NewLoggedModel { experiment_id: ExperimentId(9), ..new_model(1, "m") };
        let error = refused(&db, move |tx| logged_models::insert(tx, PROJECT, &nowhere)).await;
        assert_eq!((error.kind(), error.message()), (Kind::NotFound, "No Experiment with id=9 exists"));
    }
}

both! {
    async fn a_model_cannot_be_made_in_a_deleted_experiment(db: Db) {
        given::experiments(&db).await;
        write(&db, |tx| experiments::delete(tx, PROJECT, EXPERIMENT, NOW)).await;
        let error = refused(&db, |tx| logged_models::insert(tx, PROJECT, &new_model(1, "m"))).await;
        assert_eq!(error.kind(), Kind::Invalid);
    }
}

both! {
    async fn another_project_does_not_find_a_model(db: Db) {
        given::experiments(&db).await;
        given::model(&db, 1, "m").await;
        let other = modelry_core::ids::ProjectId(2);
        let found = read(&db, move |tx| logged_models::find(tx, other, &model_eid(1), Deleted::Shown)).await;
        assert_eq!(found, None);
    }
}

both! {
    async fn finalizing_changes_status_and_time(db: Db) {
        given::experiments(&db).await;
        given::model(&db, 1, "m").await;
        let later = NOW.plus_ms(5);
        let answer = write(&db, move |tx| {
            logged_models::finalize(tx, PROJECT, &model_eid(1), LoggedModelStatus::Ready, later)
        });
        let answer = answer.await;
        assert_eq!((answer.status, answer.updated_at), (LoggedModelStatus::Ready, later));
        assert_eq!(get(&db, 1).await, answer);
    }
}

both! {
    async fn a_deleted_model_is_found_only_on_request(db: Db) {
        given::experiments(&db).await;
        given::model(&db, 1, "m").await;
        write(&db, |tx| logged_models::delete(tx, PROJECT, &model_eid(1), NOW.plus_ms(1))).await;
        let hidden = read(&db, |tx| logged_models::find(tx, PROJECT, &model_eid(1), Deleted::Hidden)).await;
        let shown = read(&db, |tx| logged_models::find(tx, PROJECT, &model_eid(1), Deleted::Shown)).await;
        assert_eq!((hidden, shown.and_then(|model| model.deleted_at)), (None, Some(NOW.plus_ms(1))));
    }
}

both! {
    async fn deleting_again_keeps_the_first_time(db: Db) {
        given::experiments(&db).await;
        given::model(&db, 1, "m").await;
        for delay in [1, 2] {
            write(&db, move |tx| logged_models::delete(tx, PROJECT, &model_eid(1), NOW.plus_ms(delay))).await;
        }
        let shown = read(&db, |tx| logged_models::get(tx, PROJECT, &model_eid(1), Deleted::Shown)).await;
        assert_eq!(shown.deleted_at, Some(NOW.plus_ms(1)));
    }
}

both! {
    async fn an_unknown_model_cannot_be_deleted(db: Db) {
        let error = refused(&db, |tx| logged_models::delete(tx, PROJECT, &model_eid(1), NOW)).await;
        let words = format!("Logged model with ID '{}' not found.", model_eid(1));
        assert_eq!((error.kind(), error.message()), (Kind::NotFound, words.as_str()));
    }
}

both! {
    async fn a_deleted_model_cannot_be_changed(db: Db) {
        given::experiments(&db).await;
        given::model(&db, 1, "m").await;
        write(&db, |tx| logged_models::delete(tx, PROJECT, &model_eid(1), NOW)).await;
        let errors = [
            refused(&db, |tx| {
                logged_models::finalize(tx, PROJECT, &model_eid(1), LoggedModelStatus::Ready, NOW)
            }).await,
            refused(&db, |tx| logged_models::log_params(tx, PROJECT, &model_eid(1), &[], NOW)).await,
            refused(&db, |tx| logged_models::set_metadata(tx, PROJECT, &model_eid(1), &[], NOW)).await,
            refused(&db, |tx| logged_models::delete_metadata(tx, PROJECT, &model_eid(1), "a", NOW).map(drop)).await,
        ];
        assert_eq!(errors.map(|error| error.kind()), [Kind::NotFound; 4]);
    }
}

both! {
    async fn params_are_added_to_those_there(db: Db) {
        given::experiments(&db).await;
        insert_model(&db, NewLoggedModel { params: pairs(&[("b", "1")]), ..new_model(1, "m") }).await;
        write(&db, |tx| {
            logged_models::log_params(tx, PROJECT, &model_eid(1), &pairs(&[("a", "2")]), NOW)
        }).await;
        assert_eq!(details(&db, 1).await.params, pairs(&[("a", "2"), ("b", "1")]));
    }
}

both! {
    async fn a_param_is_refused_the_second_time_and_so_are_those_with_it(db: Db) {
        given::experiments(&db).await;
        insert_model(&db, NewLoggedModel { params: pairs(&[("b", "1")]), ..new_model(1, "m") }).await;
        let error = refused(&db, |tx| {
            logged_models::log_params(tx, PROJECT, &model_eid(1), &pairs(&[("a", "2"), ("b", "1")]), NOW)
        });
        assert_eq!(error.await.kind(), Kind::Invalid);
        assert_eq!(details(&db, 1).await.params, pairs(&[("b", "1")]));
    }
}

both! {
    async fn the_last_write_of_metadata_wins(db: Db) {
        given::experiments(&db).await;
        given::model(&db, 1, "m").await;
        let later = NOW.plus_ms(7);
        let answer = write(&db, move |tx| {
            let metadata = pairs(&[("a", "1"), ("b", "1"), ("a", "2")]);
            logged_models::set_metadata(tx, PROJECT, &model_eid(1), &metadata, later)
        });
        assert_eq!(answer.await.updated_at, later);
        assert_eq!(details(&db, 1).await.metadata, pairs(&[("a", "2"), ("b", "1")]));
    }
}

both! {
    async fn metadata_is_deleted_once(db: Db) {
        given::experiments(&db).await;
        insert_model(&db, NewLoggedModel { metadata: pairs(&[("a", "1")]), ..new_model(1, "m") }).await;
        let delete = || write(&db, |tx| logged_models::delete_metadata(tx, PROJECT, &model_eid(1), "a", NOW));
        assert!(delete().await);
        assert_eq!(details(&db, 1).await.metadata, []);
        assert!(!delete().await);
    }
}

both! {
    async fn a_candidates_models_are_those_it_made_and_those_that_name_it(db: Db) {
        given::experiments(&db).await;
        let candidate = given::candidate(&db, 1).await;
        for number in [1, 2, 3, 4, 5] {
            let source = (2..=4).contains(&number).then(|| candidate.eid.clone());
            insert_model(&db, NewLoggedModel { source_eid: source, ..new_model(number, "m") }).await;
        }
        let place = candidate.place(PROJECT);
        write(&db, move |tx| {
            let output = |number| ModelOutput { model_eid: model_eid(number).to_string(), step: 0 };
            datasets::log_outputs(tx, place, &[output(1), output(2)])?;
            logged_models::delete(tx, PROJECT, &model_eid(4), NOW)
        })
        .await;
        let models = read(&db, move |tx| logged_models::list_of_candidate(tx, PROJECT, &candidate, 10)).await;
        assert_eq!(models.iter().map(|model| model.id.0).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
