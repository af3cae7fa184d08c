use modelry_core::Kind;
use modelry_core::ids::{CandidateId, ExperimentId};
use modelry_core::time::Timestamp;
use modelry_store::candidates::{self, NewCandidate};
use modelry_store::experiments::{self, DEFAULT, Experiment};
use modelry_store::search::View;
use modelry_testkit::both;

use crate::given::{self, EXPERIMENT, NOW, PROJECT, experiment, new_candidate, refused, write};

const LATER: Timestamp = Timestamp(NOW.0 + 5);
const SECOND: ExperimentId = ExperimentId(2);

both! {
    async fn an_experiment_is_read_back_as_it_was_made(db: Db) {
        given::experiments(&db).await;
        let made = Experiment { artifact_location: Some("shared/place".to_owned()), ..experiment(SECOND, "second") };
        let new = made.clone();
        write(&db, move |tx| experiments::insert(tx, PROJECT, &new, &[("team".into(), "churn".into())])).await;
        let (found, metadata) = write(&db, |tx| {
            Ok((experiments::get(tx, PROJECT, SECOND)?, experiments::metadata(tx, PROJECT, [SECOND, DEFAULT])?))
        })
        .await;
        assert_eq!(found, made);
        assert_eq!(metadata.into_iter().collect::<Vec<_>>(), [(SECOND, vec![("team".into(), "churn".into())])]);
    }

    async fn two_active_experiments_have_two_names(db: Db) {
        given::experiments(&db).await;
        let inserted = refused(&db, |tx| experiments::insert(tx, PROJECT, &experiment(SECOND, "first"), &[])).await;
        assert_eq!(inserted, (Kind::Exists, "Experiment 'first' already exists.".to_owned()));
        let renamed = refused(&db, |tx| experiments::rename(tx, PROJECT, EXPERIMENT, "Default", NOW)).await;
        assert_eq!(renamed.0, Kind::Exists);
    }

    async fn an_experiment_keeps_its_number_when_it_is_renamed(db: Db) {
        given::experiments(&db).await;
        let found = write(&db, |tx| {
            experiments::rename(tx, PROJECT, EXPERIMENT, "renamed", LATER)?;
            experiments::find_by_name(tx, PROJECT, "renamed")
        })
        .await
        .expect("it has the new name");
        assert_eq!((found.id, found.updated_at), (EXPERIMENT, LATER));
    }

    async fn the_name_of_a_deleted_experiment_is_free_at_once(db: Db) {
        given::experiments(&db).await;
        let found = write(&db, |tx| {
            experiments::delete(tx, PROJECT, EXPERIMENT, LATER)?;
            let between = experiments::find_by_name(tx, PROJECT, "first")?;
            experiments::insert(tx, PROJECT, &experiment(SECOND, "first"), &[])?;
            Ok((between, experiments::find_by_name(tx, PROJECT, "first")?.map(|found| found.id)))
        })
        .await;
        assert_eq!(found, (None, Some(SECOND)));
    }

    async fn a_deleted_experiment_does_not_come_back_under_a_taken_name(db: Db) {
        given::experiments(&db).await;
        write(&db, |tx| {
            experiments::delete(tx, PROJECT, EXPERIMENT, LATER)?;
            experiments::insert(tx, PROJECT, &experiment(SECOND, "first"), &[])
        })
        .await;
        let restored = refused(&db, |tx| experiments::restore(tx, PROJECT, EXPERIMENT, LATER)).await;
        let message = "Experiment 1 cannot be restored as 'first': experiment 2 has that name by now; rename that one \
                       first";
        assert_eq!(restored, (Kind::Conflict, message.to_owned()));
    }

    async fn what_is_in_the_bin_is_not_deleted_again_and_what_is_not_is_not_restored(db: Db) {
        given::experiments(&db).await;
        let restored = refused(&db, |tx| experiments::restore(tx, PROJECT, EXPERIMENT, NOW)).await;
        assert_eq!(restored.0, Kind::NotFound);
        write(&db, |tx| experiments::delete(tx, PROJECT, EXPERIMENT, NOW)).await;
        let deleted = refused(&db, |tx| experiments::delete(tx, PROJECT, EXPERIMENT, NOW)).await;
        assert_eq!(deleted.0, Kind::NotFound);
        let renamed = refused(&db, |tx| experiments::rename(tx, PROJECT, EXPERIMENT, "other", NOW)).await;
        let message = "The experiment 1 must be in the 'active' state. Current state is deleted.";
        assert_eq!(renamed, (Kind::Invalid, message.to_owned()));
    }

    async fn metadata_is_overwritten_and_deleted_and_touches_the_experiment(db: Db) {
        given::experiments(&db).await;
        let (metadata, touched) = write(&db, |tx| {
            experiments::set_metadata(tx, PROJECT, EXPERIMENT, "stage", "draft", NOW)?;
            experiments::set_metadata(tx, PROJECT, EXPERIMENT, "stage", "final", LATER)?;
            let metadata = experiments::metadata(tx, PROJECT, [EXPERIMENT])?.remove(&EXPERIMENT);
            Ok((metadata, experiments::get(tx, PROJECT, EXPERIMENT)?.updated_at))
        })
        .await;
        assert_eq!((metadata, touched), (Some(vec![("stage".into(), "final".into())]), LATER));
        let deleted = write(&db, |tx| {
            let first = experiments::delete_metadata(tx, PROJECT, EXPERIMENT, "stage", LATER)?;
            Ok((first, experiments::delete_metadata(tx, PROJECT, EXPERIMENT, "stage", LATER)?))
        })
        .await;
        assert_eq!(deleted, (true, false));
    }

    async fn the_experiments_of_another_project_are_not_there(db: Db) {
        given::experiments(&db).await;
        let other = modelry_core::ids::ProjectId(2);
        let found = write(&db, move |tx| {
            Ok((experiments::find(tx, other, EXPERIMENT)?, experiments::find_by_name(tx, other, "first")?))
        })
        .await;
        assert_eq!(found, (None, None));
    }

    async fn a_list_tells_how_many_active_candidates_there_are_and_when_the_last_one_started(db: Db) {
        given::experiments(&db).await;
        let summaries = write(&db, |tx| {
            for (number, start_time) in [(1, 10), (2, 30), (3, 20), (4, 40)] {
                let new = NewCandidate { start_time, ..new_candidate(CandidateId(number)) };
                candidates::insert(tx, PROJECT, &new)?;
            }
            candidates::delete(tx, PROJECT, &given::eid(CandidateId(4)), NOW)?;
            experiments::list_summaries(tx, PROJECT, "", None, 10)
        })
        .await;
        let told: Vec<_> = summaries
            .iter()
            .map(|one| (one.experiment.id, one.candidates, one.last_candidate_at))
            .collect();
        assert_eq!(told, [(EXPERIMENT, 3, Some(Timestamp(30))), (DEFAULT, 0, None)]);
    }

    async fn a_list_is_narrowed_by_a_part_of_the_name_and_paged(db: Db) {
        given::experiments(&db).await;
        let pages = write(&db, |tx| {
            for (number, name) in [(2, "50% FIRST"), (3, "50 first"), (4, "first_x")] {
                experiments::insert(tx, PROJECT, &experiment(ExperimentId(number), name), &[])?;
            }
            experiments::delete(tx, PROJECT, ExperimentId(4), NOW)?;
            let mut list = |part: &str, before, limit| {
                let page = experiments::list_summaries(tx, PROJECT, part, before, limit)?;
                Ok::<_, modelry_core::Error>(page.into_iter().map(|one| one.experiment.id.0).collect::<Vec<_>>())
            };
            Ok([list("First", None, 2)?, list("First", Some(SECOND), 2)?, list("0%", None, 9)?, list("t_", None, 9)?])
        })
        .await;
        assert_eq!(pages, [vec![3, 2], vec![1], vec![2], vec![]]);
    }

    async fn what_is_in_the_bin_is_listed_apart(db: Db) {
        given::experiments(&db).await;
        let lists = write(&db, |tx| {
            experiments::delete(tx, PROJECT, EXPERIMENT, NOW)?;
            let mut list = |view| {
                let page = experiments::list(tx, PROJECT, ("", view), None, 9)?;
                Ok::<_, modelry_core::Error>(page.into_iter().map(|(one, _)| one.id.0).collect::<Vec<_>>())
            };
            Ok([list(View::Active)?, list(View::Deleted)?, list(View::All)?])
        })
        .await;
        assert_eq!(lists, [vec![0], vec![1], vec![1, 0]]);
    }
}
