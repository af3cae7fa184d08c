//! The default experiments of models.

use modelry_core::ids::{ExperimentId, ModelId};
use modelry_core::{Kind, Result};
use modelry_db::{Db, Tx};
use modelry_store::experiments::{self, Experiment};
use modelry_store::models;
use modelry_testkit::both;

use crate::given::{
    self, LATER, NOW, PROJECT, churn, find_model, insert_model, new_model, new_prompt, read, refused, write,
};

const FIRST: ExperimentId = ExperimentId(1);

async fn find(db: &Db, id: ExperimentId) -> Experiment {
    read(db, move |tx| experiments::get(tx, PROJECT, id)).await
}

/// Whether the experiment is in the bin.
async fn is_deleted(db: &Db, id: ExperimentId) -> bool {
    find(db, id).await.deleted_at.is_some()
}

async fn delete_churn(db: &Db) {
    write(db, |tx| models::delete(tx, PROJECT, "churn", NOW)).await;
}

fn restore_churn(tx: &mut Tx<'_>) -> Result<models::Model> {
    models::restore(tx, PROJECT, ModelId(1), LATER)
}

both! {
    async fn a_model_makes_its_experiment(db: Db) {
        let model = churn(&db).await;
        assert_eq!((model.experiment_id, model.made_experiment), (Some(FIRST), true));
        assert_eq!(find(&db, FIRST).await.name, "churn");
    }

    async fn a_free_experiment_of_the_name_is_adopted(db: Db) {
        given::experiment(&db, 7, "churn").await;
        let model = churn(&db).await;
        assert_eq!((model.experiment_id, model.made_experiment), (Some(ExperimentId(7)), false));
        assert_eq!(read(&db, |tx| experiments::find(tx, PROJECT, FIRST)).await, None);
    }

    async fn one_in_the_bin_is_not_adopted(db: Db) {
        given::experiment(&db, 7, "churn").await;
        write(&db, |tx| experiments::delete(tx, PROJECT, ExperimentId(7), NOW)).await;
        let model = churn(&db).await;
        assert_eq!((model.experiment_id, model.made_experiment), (Some(FIRST), true));
    }

    async fn a_prompt_has_none(db: Db) {
        let prompt = insert_model(&db, new_prompt(1, "greeting")).await;
        assert_eq!((prompt.experiment_id, prompt.made_experiment), (None, false));
        assert_eq!(read(&db, |tx| experiments::find_by_name(tx, PROJECT, "greeting")).await, None);
    }

    async fn one_made_with_the_model_goes_to_the_bin_and_comes_back_with_it(db: Db) {
        churn(&db).await;
        delete_churn(&db).await;
        assert!(is_deleted(&db, FIRST).await);
        write(&db, restore_churn).await;
        assert!(!is_deleted(&db, FIRST).await);
    }

    async fn one_that_was_adopted_is_released(db: Db) {
        given::experiment(&db, 7, "churn").await;
        churn(&db).await;
        delete_churn(&db).await;
        assert!(!is_deleted(&db, ExperimentId(7)).await);
        write(&db, |tx| experiments::rename(tx, PROJECT, ExperimentId(7), "free", NOW)).await;
    }

    async fn one_that_was_renamed_in_between_is_named_as_the_model_again(db: Db) {
        given::experiment(&db, 7, "churn").await;
        churn(&db).await;
        delete_churn(&db).await;
        write(&db, |tx| experiments::rename(tx, PROJECT, ExperimentId(7), "free", NOW)).await;
        let model = write(&db, restore_churn).await;
        assert_eq!(model.experiment_id, Some(ExperimentId(7)));
        assert_eq!(find(&db, ExperimentId(7)).await.name, "churn");
    }

    async fn one_that_another_model_adopted_keeps_the_first_in_the_bin(db: Db) {
        given::experiment(&db, 7, "churn").await;
        churn(&db).await;
        delete_churn(&db).await;
        write(&db, |tx| experiments::rename(tx, PROJECT, ExperimentId(7), "other", NOW)).await;
        insert_model(&db, new_model(2, "other")).await;
        let error = refused(&db, restore_churn).await;
        assert_eq!(error.kind(), Kind::Conflict, "{error}");
        assert!(error.message().contains("belongs to the model other"), "{error}");
        assert_eq!(find_model(&db, "churn").await, None);
    }

    async fn one_whose_name_was_taken_keeps_the_model_in_the_bin(db: Db) {
        churn(&db).await;
        delete_churn(&db).await;
        given::experiment(&db, 7, "churn").await;
        let error = refused(&db, restore_churn).await;
        assert_eq!(error.kind(), Kind::Conflict, "{error}");
        assert!(is_deleted(&db, FIRST).await);
    }

    async fn renaming_a_model_renames_its_experiment(db: Db) {
        churn(&db).await;
        let name = "churn 2".parse().expect("a name");
        write(&db, move |tx| models::rename(tx, PROJECT, "churn", &name, LATER)).await;
        assert_eq!(find(&db, FIRST).await.name, "churn 2");
    }

    async fn a_refused_rename_leaves_both_as_they_were(db: Db) {
        churn(&db).await;
        given::experiment(&db, 7, "taken").await;
        let name = "taken".parse().expect("a name");
        refused(&db, move |tx| models::rename(tx, PROJECT, "churn", &name, LATER)).await;
        assert_eq!(find(&db, FIRST).await.name, "churn");
        assert!(find_model(&db, "churn").await.is_some());
    }

    async fn it_is_not_deleted_or_renamed_alone(db: Db) {
        churn(&db).await;
        let errors = [
            (refused(&db, |tx| experiments::delete(tx, PROJECT, FIRST, NOW)).await, "deleted"),
            (refused(&db, |tx| experiments::rename(tx, PROJECT, FIRST, "x", NOW)).await, "renamed"),
        ];
        for (error, verb) in errors {
            let message = format!("experiment 1 belongs to the model churn, and is {verb} with it");
            assert_eq!((error.kind(), error.message()), (Kind::Conflict, message.as_str()));
        }
    }
}
