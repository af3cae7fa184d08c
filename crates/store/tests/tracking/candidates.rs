use modelry_core::Kind;
use modelry_core::ids::{CandidateId, Eid, ProjectId};
use modelry_core::status::CandidateStatus;
use modelry_core::time::Timestamp;
use modelry_store::candidates::{self, Changes, NewCandidate};
use modelry_store::experiments;
use modelry_store::keys::Keys;
use modelry_testkit::both;

use crate::given::{
    self, EXPERIMENT, NOW, PLACE, PROJECT, eid, entry, name_keys, new_candidate, refused, write,
};

const LATER: Timestamp = Timestamp(NOW.0 + 5);

fn candidate() -> Eid {
    eid(PLACE.candidate)
}

/// The params and metadata of the candidate.
async fn texts(db: &modelry_db::Db) -> (Vec<(String, String)>, Vec<(String, String)>) {
    let logged = write(db, |tx| candidates::logged(tx, &Keys::default(), PROJECT, &[PLACE.candidate])).await;
    let owned = |list: &[(std::sync::Arc<str>, String)]| {
        list.iter().map(|(key, value)| (key.to_string(), value.clone())).collect()
    };
    (owned(&logged[&PLACE.candidate].params), owned(&logged[&PLACE.candidate].metadata))
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

both! {
    async fn a_candidate_is_read_back_as_it_was_made(db: Db) {
        given::experiments(&db).await;
        let (made, found) = write(&db, |tx| {
            let made = candidates::insert(tx, PROJECT, &new_candidate(PLACE.candidate))?;
            Ok((made, candidates::find_by_eid(tx, PROJECT, candidate().as_str())?))
        })
        .await;
        assert_eq!(made.artifact_uri(), format!("mlflow-artifacts:/1/{}/artifacts", candidate()));
        assert_eq!(found, Some(made));
    }

    async fn a_public_id_is_taken_once_in_a_project(db: Db) {
        given::candidate(&db).await;
        let again = NewCandidate { id: CandidateId(8), ..new_candidate(PLACE.candidate) };
        assert_eq!(refused(&db, move |tx| candidates::insert(tx, PROJECT, &again)).await.0, Kind::Exists);
        let other = ProjectId(2);
        write(&db, move |tx| {
            experiments::insert(tx, other, &given::experiment(EXPERIMENT, "first"), &[])?;
            candidates::insert(tx, other, &new_candidate(PLACE.candidate))
        })
        .await;
    }

    async fn an_experiment_that_is_missing_or_in_the_bin_takes_no_candidate(db: Db) {
        given::experiments(&db).await;
        let missing = NewCandidate {
            experiment_id: modelry_core::ids::ExperimentId(99),
            ..new_candidate(PLACE.candidate)
        };
        let answer = refused(&db, move |tx| candidates::insert(tx, PROJECT, &missing)).await;
        assert_eq!(answer, (Kind::NotFound, "No Experiment with id=99 exists".to_owned()));
        write(&db, |tx| experiments::delete(tx, PROJECT, EXPERIMENT, NOW)).await;
        let answer = refused(&db, |tx| candidates::insert(tx, PROJECT, &new_candidate(PLACE.candidate))).await;
        let message = "The experiment 1 must be in the 'active' state. Current state is deleted.";
        assert_eq!(answer, (Kind::Invalid, message.to_owned()));
    }

    async fn an_update_changes_only_what_it_brings(db: Db) {
        given::candidate(&db).await;
        let (ended, renamed) = write(&db, |tx| {
            let ended = Changes { status: Some(CandidateStatus::Failed), end_time: Some(99), name: None };
            let ended = candidates::update(tx, PROJECT, &candidate(), &ended)?;
            let renamed = Changes { name: Some("new".to_owned()), ..Changes::default() };
            candidates::update(tx, PROJECT, &candidate(), &renamed)?;
            Ok((ended, candidates::get_by_eid(tx, PROJECT, &candidate())?))
        })
        .await;
        assert_eq!((ended.status, ended.end_time, &*ended.name), (CandidateStatus::Failed, Some(99), "brave-otter-1"));
        assert_eq!((renamed.status, renamed.end_time, &*renamed.name), (CandidateStatus::Failed, Some(99), "new"));
    }

    async fn a_candidate_in_the_bin_is_read_and_not_written(db: Db) {
        given::candidate(&db).await;
        write(&db, |tx| candidates::delete(tx, PROJECT, &candidate(), LATER)).await;
        let found = write(&db, |tx| candidates::get_by_eid(tx, PROJECT, &candidate())).await;
        assert_eq!(found.deleted_at, Some(LATER));
        let message =
            format!("The run {} must be in the 'active' state. Current state is deleted.", candidate());
        let expected = (Kind::Invalid, message);
        assert_eq!(refused(&db, |tx| candidates::get_active(tx, PROJECT, &candidate())).await, expected);
        assert_eq!(refused(&db, |tx| candidates::get_active_place(tx, PROJECT, &candidate())).await, expected);
        let changes = Changes::default();
        assert_eq!(refused(&db, move |tx| candidates::update(tx, PROJECT, &candidate(), &changes)).await, expected);
    }

    async fn a_candidate_is_in_the_bin_while_its_experiment_is(db: Db) {
        given::candidate(&db).await;
        write(&db, |tx| experiments::delete(tx, PROJECT, EXPERIMENT, LATER)).await;
        let found = write(&db, |tx| candidates::get_by_eid(tx, PROJECT, &candidate())).await;
        assert_eq!(found.deleted_at, Some(LATER));
        assert_eq!(
            refused(&db, |tx| candidates::get_active_place(tx, PROJECT, &candidate())).await.0,
            Kind::Invalid
        );
        assert_eq!(refused(&db, |tx| candidates::restore(tx, PROJECT, &candidate())).await.0, Kind::Invalid);
        write(&db, |tx| experiments::restore(tx, PROJECT, EXPERIMENT, LATER)).await;
        assert_eq!(write(&db, |tx| candidates::get_active_place(tx, PROJECT, &candidate())).await, PLACE);
    }

    async fn deleting_and_restoring_twice_is_fine(db: Db) {
        given::candidate(&db).await;
        let deleted_at = write(&db, |tx| {
            candidates::delete(tx, PROJECT, &candidate(), NOW)?;
            candidates::delete(tx, PROJECT, &candidate(), LATER)?;
            Ok(candidates::get_by_eid(tx, PROJECT, &candidate())?.deleted_at)
        })
        .await;
        assert_eq!(deleted_at, Some(NOW), "the first time counts");
        let restored = write(&db, |tx| {
            candidates::restore(tx, PROJECT, &candidate())?;
            candidates::restore(tx, PROJECT, &candidate())?;
            candidates::get_active(tx, PROJECT, &candidate())
        })
        .await;
        assert_eq!(restored.deleted_at, None);
    }

    async fn an_unknown_candidate_is_named_in_the_error(db: Db) {
        given::candidate(&db).await;
        let expected = (Kind::NotFound, "Run with id=nobody not found".to_owned());
        let nobody = || "nobody".parse::<Eid>().expect("a public id");
        assert_eq!(refused(&db, move |tx| candidates::get_by_eid(tx, PROJECT, &nobody())).await, expected);
        assert_eq!(refused(&db, move |tx| candidates::get_active_place(tx, PROJECT, &nobody())).await, expected);
        assert_eq!(refused(&db, move |tx| candidates::delete(tx, PROJECT, &nobody(), NOW)).await, expected);
        assert_eq!(refused(&db, move |tx| candidates::restore(tx, PROJECT, &nobody())).await, expected);
    }

    async fn a_list_has_the_order_asked_for_and_leaves_out_who_is_not_there(db: Db) {
        given::experiments(&db).await;
        let listed = write(&db, |tx| {
            for number in 1..=12 {
                candidates::insert(tx, PROJECT, &new_candidate(CandidateId(number)))?;
            }
            candidates::list(tx, PROJECT, &[12, 99, 3, 1, 7, 8, 9, 10, 11, 2].map(CandidateId))
        })
        .await;
        let numbers: Vec<i64> = listed.iter().map(|one| one.id.0).collect();
        assert_eq!(numbers, [12, 3, 1, 7, 8, 9, 10, 11, 2]);
    }

    async fn a_param_is_written_once(db: Db) {
        given::candidate(&db).await;
        name_keys(&db, 1..=2).await;
        let with = |value| [entry(2, "new"), entry(1, value)];
        write(&db, |tx| candidates::log_params(tx, PLACE, &candidate(), &[entry(1, "3")])).await;
        let message = format!(
            "Changing param values is not allowed. Param with key='key 1' was already logged with value='3' for run \
             ID='{}'. Attempted logging new value '4'.",
            candidate()
        );
        let changed = refused(&db, move |tx| candidates::log_params(tx, PLACE, &candidate(), &with("4"))).await;
        assert_eq!(changed, (Kind::Invalid, message));
        assert_eq!(texts(&db).await.0, pairs(&[("key 1", "3")]), "all or nothing");
        write(&db, move |tx| candidates::log_params(tx, PLACE, &candidate(), &with("3"))).await;
        assert_eq!(texts(&db).await.0, pairs(&[("key 1", "3"), ("key 2", "new")]));
    }

    async fn metadata_is_overwritten_and_the_last_of_one_request_stays(db: Db) {
        given::candidate(&db).await;
        name_keys(&db, 1..=1).await;
        write(&db, |tx| candidates::set_metadata(tx, PLACE, &[entry(1, "a")])).await;
        write(&db, |tx| candidates::set_metadata(tx, PLACE, &[entry(1, "b"), entry(1, "c")])).await;
        assert_eq!(texts(&db).await.1, pairs(&[("key 1", "c")]));
        assert_eq!(
            write(&db, |tx| candidates::find_metadata(tx, PLACE, entry(1, "").key)).await.as_deref(),
            Some("c")
        );
    }

    async fn metadata_is_deleted_by_name(db: Db) {
        given::candidate(&db).await;
        name_keys(&db, 1..=2).await;
        write(&db, |tx| candidates::set_metadata(tx, PLACE, &[entry(1, "a"), entry(2, "b")])).await;
        let deleted = write(&db, |tx| {
            let first = candidates::delete_metadata(tx, PLACE, "key 1")?;
            Ok([
                first,
                candidates::delete_metadata(tx, PLACE, "key 1")?,
                candidates::delete_metadata(tx, PLACE, "no such key")?,
            ])
        })
        .await;
        assert_eq!(deleted, [true, false, false]);
        assert_eq!(texts(&db).await.1, pairs(&[("key 2", "b")]));
    }

    async fn the_longest_values_are_kept_whole(db: Db) {
        given::candidate(&db).await;
        name_keys(&db, 1..=1).await;
        // Four bytes each: together far more than an index row of PostgreSQL may have.
        let long = "𝛼".repeat(8_000);
        let value = long.clone();
        write(&db, move |tx| {
            candidates::log_params(tx, PLACE, &candidate(), &[entry(1, &value)])?;
            candidates::set_metadata(tx, PLACE, &[entry(1, &value)])
        })
        .await;
        assert_eq!(texts(&db).await, (pairs(&[("key 1", &long)]), pairs(&[("key 1", &long)])));
    }

    async fn what_was_logged_is_sorted_by_key_and_empty_where_nothing_was(db: Db) {
        given::candidate(&db).await;
        name_keys(&db, 1..=12).await;
        write(&db, |tx| {
            candidates::insert(tx, PROJECT, &new_candidate(CandidateId(8)))?;
            candidates::set_metadata(tx, PLACE, &[entry(2, "b"), entry(10, "j"), entry(1, "a")])
        })
        .await;
        let ids = [PLACE.candidate, CandidateId(8)];
        let logged = write(&db, move |tx| candidates::logged(tx, &Keys::default(), PROJECT, &ids)).await;
        let keys: Vec<&str> = logged[&PLACE.candidate].metadata.iter().map(|(key, _)| &**key).collect();
        assert_eq!(keys, ["key 1", "key 10", "key 2"]);
        assert_eq!(logged[&CandidateId(8)], candidates::Logged::default());
    }
}
