use modelry_core::ids::ModelId;
use modelry_core::{Error, Kind};
use modelry_db::Db;
use modelry_store::models::{self, ModelKind, NewModel};
use modelry_testkit::both;

use crate::given::{
    self, LATER, NOW, PROJECT, churn, find_model, insert_model, new_model, new_prompt, pairs, read, refused,
    write,
};

/// How a model, or prompt, of this name is refused.
async fn taken(db: &Db, new: NewModel) -> (Kind, String) {
    said(&refused(db, move |tx| models::insert(tx, PROJECT, &new)).await)
}

fn said(error: &Error) -> (Kind, String) {
    (error.kind(), error.message().to_owned())
}

/// The names of the metadata of the model 1, with their values.
async fn metadata(db: &Db) -> Vec<(String, String)> {
    let mut all = read(db, |tx| models::metadata(tx, PROJECT, &[ModelId(1), ModelId(2)])).await;
    all.remove(&ModelId(1)).unwrap_or_default()
}

both! {
    async fn a_model_is_read_back_as_it_was_made(db: Db) {
        let new = NewModel {
            description: "# Churn".to_owned(),
            metadata: pairs(&[("b", "2"), ("a", "1")]),
            ..new_model(1, "churn")
        };
        let made = insert_model(&db, new).await;
        assert_eq!(find_model(&db, "churn").await, Some(made));
        assert_eq!(metadata(&db).await, pairs(&[("a", "1"), ("b", "2")]));
    }

    async fn a_name_is_given_once_in_mlflows_words(db: Db) {
        insert_model(&db, new_model(1, "model")).await;
        insert_model(&db, new_prompt(2, "prompt")).await;
        let cases = [
            (new_model(3, "model"), "Registered Model (name=model) already exists."),
            (new_prompt(3, "prompt"), "Prompt (name=prompt) already exists."),
            (
                new_model(3, "prompt"),
                "Tried to create a registered model with name 'prompt', but the name is already taken by a prompt. \
                 MLflow does not allow creating a model and a prompt with the same name.",
            ),
            (
                new_prompt(3, "model"),
                "Tried to create a prompt with name 'model', but the name is already taken by a registered model. \
                 MLflow does not allow creating a model and a prompt with the same name.",
            ),
        ];
        for (new, message) in cases {
            assert_eq!(taken(&db, new).await, (Kind::Exists, message.to_owned()));
        }
    }

    async fn names_differ_by_case(db: Db) {
        churn(&db).await;
        insert_model(&db, new_model(2, "Churn")).await;
        assert_eq!(find_model(&db, "churn").await.map(|model| model.id), Some(ModelId(1)));
    }

    async fn another_project_has_names_of_its_own(db: Db) {
        churn(&db).await;
        let other = modelry_core::ids::ProjectId(2);
        write(&db, move |tx| models::insert(tx, other, &new_model(1, "churn"))).await;
    }

    async fn a_model_is_renamed(db: Db) {
        let made = churn(&db).await;
        let name = "churn 2".parse().expect("a name");
        let renamed = write(&db, move |tx| models::rename(tx, PROJECT, "churn", &name, LATER)).await;
        assert_eq!(renamed, models::Model { name: "churn 2".to_owned(), updated_at: LATER, ..made });
        assert_eq!(find_model(&db, "churn 2").await, Some(renamed));
        assert_eq!(find_model(&db, "churn").await, None);
    }

    async fn a_model_takes_no_name_that_is_taken(db: Db) {
        churn(&db).await;
        insert_model(&db, new_model(2, "model")).await;
        insert_model(&db, new_prompt(3, "prompt")).await;
        given::experiment(&db, 9, "experiment").await;
        for name in ["model", "prompt", "experiment"] {
            let new_name = name.parse().expect("a name");
            let error = refused(&db, move |tx| models::rename(tx, PROJECT, "churn", &new_name, LATER)).await;
            assert_eq!(error.kind(), Kind::Exists, "{name}: {error}");
        }
        assert_eq!(find_model(&db, "churn").await.map(|model| model.id), Some(ModelId(1)));
    }

    async fn renaming_to_the_same_name_changes_nothing(db: Db) {
        let made = churn(&db).await;
        let name = "churn".parse().expect("a name");
        let renamed = write(&db, move |tx| models::rename(tx, PROJECT, "churn", &name, LATER)).await;
        assert_eq!(renamed, made);
    }

    async fn the_name_of_a_deleted_model_is_free(db: Db) {
        churn(&db).await;
        write(&db, |tx| models::delete(tx, PROJECT, "churn", NOW)).await;
        assert_eq!(find_model(&db, "churn").await, None);
        let made = insert_model(&db, new_prompt(2, "churn")).await;
        assert_eq!((made.id, made.kind), (ModelId(2), ModelKind::Prompt));
    }

    async fn what_is_not_there_is_told_in_mlflows_words(db: Db) {
        churn(&db).await;
        write(&db, |tx| models::delete(tx, PROJECT, "churn", NOW)).await;
        let expected = (Kind::NotFound, "Registered Model with name=churn not found".to_owned());
        let name = "other".parse().expect("a name");
        let errors = [
            refused(&db, |tx| models::get_by_name(tx, PROJECT, "churn")).await,
            refused(&db, |tx| models::delete(tx, PROJECT, "churn", NOW)).await,
            refused(&db, |tx| models::set_description(tx, PROJECT, "churn", "x", NOW)).await,
            refused(&db, move |tx| models::rename(tx, PROJECT, "churn", &name, NOW)).await,
        ];
        for error in errors {
            assert_eq!(said(&error), expected);
        }
    }

    async fn a_model_comes_back_from_the_bin(db: Db) {
        let made = churn(&db).await;
        write(&db, |tx| models::delete(tx, PROJECT, "churn", NOW)).await;
        let restored = write(&db, |tx| models::restore(tx, PROJECT, ModelId(1), LATER)).await;
        assert_eq!(restored, models::Model { updated_at: LATER, ..made });
        assert_eq!(find_model(&db, "churn").await, Some(restored));
        let again = refused(&db, |tx| models::restore(tx, PROJECT, ModelId(1), LATER)).await;
        assert_eq!(again.kind(), Kind::NotFound);
    }

    async fn a_model_whose_name_was_taken_stays_in_the_bin(db: Db) {
        churn(&db).await;
        write(&db, |tx| models::delete(tx, PROJECT, "churn", NOW)).await;
        insert_model(&db, new_model(2, "churn")).await;
        let error = refused(&db, |tx| models::restore(tx, PROJECT, ModelId(1), LATER)).await;
        let message = "model 1 cannot be restored as 'churn': model 2 has that name by now; rename that one first";
        assert_eq!(said(&error), (Kind::Conflict, message.to_owned()));
    }

    async fn the_last_value_of_metadata_stands(db: Db) {
        churn(&db).await;
        write(&db, |tx| {
            models::set_metadata(tx, PROJECT, ModelId(1), ("a", "1"), NOW)?;
            models::set_metadata(tx, PROJECT, ModelId(1), ("b", ""), NOW)?;
            models::set_metadata(tx, PROJECT, ModelId(1), ("a", "2"), LATER)
        })
        .await;
        assert_eq!(metadata(&db).await, pairs(&[("a", "2"), ("b", "")]));
        assert_eq!(find_model(&db, "churn").await.map(|model| model.updated_at), Some(LATER));
    }

    async fn metadata_is_removed_once(db: Db) {
        insert_model(&db, NewModel { metadata: pairs(&[("a", "1"), ("b", "2")]), ..new_model(1, "churn") }).await;
        let remove = |tx: &mut modelry_db::Tx<'_>| models::delete_metadata(tx, PROJECT, ModelId(1), "a", LATER);
        assert_eq!((write(&db, remove).await, write(&db, remove).await), (true, false));
        assert_eq!(metadata(&db).await, pairs(&[("b", "2")]));
    }

    async fn a_description_is_replaced(db: Db) {
        let made = churn(&db).await;
        let set = write(&db, |tx| models::set_description(tx, PROJECT, "churn", "new", LATER)).await;
        assert_eq!(set, models::Model { description: "new".to_owned(), updated_at: LATER, ..made });
        assert_eq!(find_model(&db, "churn").await, Some(set));
    }
}
