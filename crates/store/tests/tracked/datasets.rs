use std::collections::HashMap;

use modelry_core::Kind;
use modelry_core::ids::{CandidateId, DatasetId, ExperimentId};
use modelry_db::Db;
use modelry_store::candidates::{self, Candidate};
use modelry_store::datasets::{self, CONTEXT_TAG, Inputs, ModelOutput, NewInput, Summary};
use modelry_testkit::both;

use crate::given::{self, EXPERIMENT, PROJECT, input, pairs, read, refused, write};

async fn log(db: &Db, candidate: &Candidate, datasets: Vec<NewInput>, models: &[&str]) {
    let place = candidate.place(PROJECT);
    let models: Vec<String> = models.iter().map(|model| (*model).to_owned()).collect();
    write(db, move |tx| datasets::log_inputs(tx, place, &datasets, &models)).await;
}

async fn inputs(db: &Db, numbers: &[i64]) -> HashMap<CandidateId, Inputs> {
    let ids: Vec<CandidateId> = numbers.iter().copied().map(CandidateId).collect();
    read(db, move |tx| datasets::inputs(tx, PROJECT, &ids)).await
}

/// The names and tags of the datasets that a candidate read.
async fn uses(db: &Db, number: i64) -> Vec<(String, Vec<(String, String)>)> {
    let inputs = inputs(db, &[number]).await.remove(&CandidateId(number)).unwrap_or_default();
    inputs.datasets.into_iter().map(|input| (input.dataset.name.clone(), input.tags)).collect()
}

async fn summaries(db: &Db, experiments: &[i64], limit: i64) -> Vec<(i64, String, Option<String>)> {
    let ids: Vec<ExperimentId> = experiments.iter().copied().map(ExperimentId).collect();
    let found = read(db, move |tx| datasets::search_datasets(tx, PROJECT, &ids, limit)).await;
    let parts = |summary: Summary| (summary.experiment_id.0, summary.name, summary.context);
    found.into_iter().map(parts).collect()
}

fn training() -> Vec<(String, String)> {
    pairs(&[(CONTEXT_TAG, "training")])
}

both! {
    async fn inputs_are_read_back_as_logged(db: Db) {
        given::experiments(&db).await;
        let candidate = given::candidate(&db, 1).await;
        let logged = input(1, "iris", "d1", &[(CONTEXT_TAG, "training"), ("a", "b")]);
        log(&db, &candidate, vec![logged.clone()], &["m-1", "m-2"]).await;
        let found = inputs(&db, &[1]).await.remove(&CandidateId(1)).expect("inputs");
        assert_eq!(found.models, ["m-1", "m-2"]);
        assert_eq!(*found.datasets[0].dataset, logged.dataset);
        assert_eq!(found.datasets[0].tags, pairs(&[("a", "b"), (CONTEXT_TAG, "training")]));
    }
}

both! {
    async fn a_dataset_logged_again_is_the_same_one(db: Db) {
        given::experiments(&db).await;
        let candidate = given::candidate(&db, 1).await;
        for number in [1, 2] {
            log(&db, &candidate, vec![input(number, "iris", "d1", &[(CONTEXT_TAG, "training")])], &["m-1"]).await;
        }
        assert_eq!(uses(&db, 1).await, [("iris".to_owned(), training())]);
        assert_eq!(inputs(&db, &[1]).await[&CandidateId(1)].models, ["m-1"]);
    }
}

both! {
    async fn another_digest_is_another_dataset(db: Db) {
        given::experiments(&db).await;
        let candidate = given::candidate(&db, 1).await;
        log(&db, &candidate, vec![input(1, "iris", "d1", &[]), input(2, "iris", "d2", &[])], &[]).await;
        assert_eq!(uses(&db, 1).await.len(), 2);
    }
}

both! {
    async fn tags_of_a_use_are_added_and_replaced(db: Db) {
        given::experiments(&db).await;
        let candidate = given::candidate(&db, 1).await;
        log(&db, &candidate, vec![input(1, "iris", "d1", &[("a", "1"), ("b", "1")])], &[]).await;
        log(&db, &candidate, vec![input(2, "iris", "d1", &[("b", "2"), ("c", "2")])], &[]).await;
        let tags = pairs(&[("a", "1"), ("b", "2"), ("c", "2")]);
        assert_eq!(uses(&db, 1).await, [("iris".to_owned(), tags)]);
    }
}

both! {
    async fn candidates_share_a_dataset_and_not_its_tags(db: Db) {
        given::experiments(&db).await;
        let first = given::candidate(&db, 1).await;
        let second = given::candidate(&db, 2).await;
        log(&db, &first, vec![input(1, "iris", "d1", &[(CONTEXT_TAG, "training")])], &[]).await;
        log(&db, &second, vec![input(2, "iris", "d1", &[])], &[]).await;
        let found = inputs(&db, &[1, 2]).await;
        let [first, second] = [1, 2].map(|number| &found[&CandidateId(number)].datasets[0]);
        assert!(std::sync::Arc::ptr_eq(&first.dataset, &second.dataset));
        assert_eq!((first.tags.clone(), second.tags.clone()), (training(), Vec::new()));
    }
}

both! {
    async fn a_candidate_without_inputs_is_not_there(db: Db) {
        given::experiments(&db).await;
        given::candidate(&db, 1).await;
        assert_eq!(inputs(&db, &[1]).await, HashMap::new());
    }
}

both! {
    async fn outputs_are_read_back_by_step(db: Db) {
        given::experiments(&db).await;
        let place = given::candidate(&db, 1).await.place(PROJECT);
        let output = |model: &str, step| ModelOutput { model_eid: model.to_owned(), step };
        let logged = [output("m-2", 1), output("m-3", 0), output("m-1", 1)];
        write(&db, move |tx| datasets::log_outputs(tx, place, &logged)).await;
        let found = read(&db, |tx| datasets::outputs(tx, PROJECT, &[CandidateId(1)])).await;
        assert_eq!(found[&CandidateId(1)], [output("m-3", 0), output("m-1", 1), output("m-2", 1)]);
    }
}

both! {
    async fn an_output_is_refused_the_second_time(db: Db) {
        given::experiments(&db).await;
        let place = given::candidate(&db, 1).await.place(PROJECT);
        let output = ModelOutput { model_eid: "m-1".to_owned(), step: 0 };
        let again = output.clone();
        write(&db, move |tx| datasets::log_outputs(tx, place, std::slice::from_ref(&output))).await;
        let error = refused(&db, move |tx| datasets::log_outputs(tx, place, std::slice::from_ref(&again)));
        assert_eq!(error.await.kind(), Kind::Invalid);
    }
}

both! {
    async fn summaries_name_each_use_of_a_dataset_once(db: Db) {
        given::experiments(&db).await;
        for (number, context) in [(1, "training"), (2, "training"), (3, "eval")] {
            let candidate = given::candidate(&db, number).await;
            log(&db, &candidate, vec![input(number, "iris", "d1", &[(CONTEXT_TAG, context)])], &[]).await;
        }
        let candidate = given::candidate(&db, 4).await;
        log(&db, &candidate, vec![input(9, "wine", "d2", &[])], &[]).await;
        let found = summaries(&db, &[EXPERIMENT.0], 1000).await;
        let expected = [("iris", Some("eval")), ("iris", Some("training")), ("wine", None)];
        let expected = expected.map(|(name, context)| (1, name.to_owned(), context.map(str::to_owned)));
        assert_eq!(found, expected);
    }
}

both! {
    async fn summaries_stop_at_the_limit(db: Db) {
        given::experiments(&db).await;
        let candidate = given::candidate(&db, 1).await;
        log(&db, &candidate, vec![input(1, "a", "d", &[]), input(2, "b", "d", &[])], &[]).await;
        assert_eq!(summaries(&db, &[EXPERIMENT.0], 1).await, [(1, "a".to_owned(), None)]);
    }
}

both! {
    async fn summaries_are_of_the_experiments_asked_for(db: Db) {
        given::experiments(&db).await;
        let candidate = given::candidate(&db, 1).await;
        log(&db, &candidate, vec![input(1, "a", "d", &[])], &[]).await;
        assert_eq!(summaries(&db, &[0, 7], 10).await, []);
        assert_eq!(summaries(&db, &[], 10).await, []);
        assert_eq!(summaries(&db, &[0, 1], 10).await.len(), 1);
    }
}

both! {
    async fn the_datasets_of_an_experiment_are_listed_by_name_and_digest(db: Db) {
        given::experiments(&db).await;
        let candidate = given::candidate(&db, 1).await;
        let new = [(1, "iris", "d2"), (2, "iris", "d1"), (3, "digits", "d9")].map(|(number, name, digest)| input(number, name, digest, &[]));
        log(&db, &candidate, new.to_vec(), &[]).await;
        let pages = read(&db, |tx| {
            let mut list = |after: (&str, &str), limit| {
                let page = datasets::list(tx, PROJECT, EXPERIMENT, after, limit)?;
                Ok::<_, modelry_core::Error>(page.into_iter().map(|one| one.id.0).collect::<Vec<_>>())
            };
            Ok([list(("", ""), 2)?, list(("iris", "d1"), 2)?, list(("iris", "d2"), 2)?])
        });
        assert_eq!(pages.await, [vec![3, 2], vec![1], vec![]]);
    }

    async fn the_active_candidates_that_used_a_dataset_are_listed_newest_first(db: Db) {
        given::experiments(&db).await;
        for number in 1..=4 {
            let candidate = given::candidate(&db, number).await;
            log(&db, &candidate, vec![input(1, "iris", "d1", &[(CONTEXT_TAG, "training")])], &[]).await;
            log(&db, &candidate, vec![input(2, "other", "d1", &[])], &[]).await;
        }
        let third = format!("{:032x}", 3).parse().expect("a public id");
        write(&db, move |tx| candidates::delete(tx, PROJECT, &third, given::NOW)).await;
        let pages = read(&db, |tx| {
            let mut list = |before: Option<i64>, limit| {
                let page = datasets::list_uses(tx, PROJECT, DatasetId(1), before.map(CandidateId), limit)?;
                Ok::<_, modelry_core::Error>(
                    page.into_iter().map(|one| (one.candidate.0, one.name, one.context)).collect::<Vec<_>>(),
                )
            };
            Ok([list(None, 2)?, list(Some(2), 2)?])
        });
        let told = |number: i64| (number, format!("candidate {number}"), Some("training".to_owned()));
        assert_eq!(pages.await, [vec![told(4), told(2)], vec![told(1)]]);
    }
}
