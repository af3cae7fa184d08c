//! What tests start from: project 1 with the experiments `Default` (0) and 1. Everything happens at [`NOW`] unless
//! the test says otherwise.

use modelry_core::ids::{CandidateId, Eid, ExperimentId, KeyId, ProjectId};
use modelry_core::points::Point;
use modelry_core::points::tail::PointsByKey;
use modelry_core::time::Timestamp;
use modelry_core::{Kind, Result};
use modelry_db::{Db, Tx};
use modelry_store::candidates::{self, Entry, NewCandidate, Place};
use modelry_store::experiments::{self, Experiment};
use modelry_store::metrics::{self, Tails};

/// The time of every test.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// The project of every test.
pub(crate) const PROJECT: ProjectId = ProjectId(1);

/// The experiment that tests use unless they need two.
pub(crate) const EXPERIMENT: ExperimentId = ExperimentId(1);

/// The candidate that tests use unless they need two.
pub(crate) const PLACE: Place =
    Place { project: PROJECT, experiment: EXPERIMENT, candidate: CandidateId(7), start_time: NOW.0 };

/// Runs work that has to succeed in a transaction.
pub(crate) async fn write<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> T {
    db.write(work).await.expect("written")
}

/// Runs work that has to fail, and answers how.
pub(crate) async fn refused<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> (Kind, String) {
    let error = db.write(work).await.err().expect("refused");
    (error.kind(), error.message().to_owned())
}

/// Makes the experiments.
pub(crate) async fn experiments(db: &Db) {
    write(db, |tx| {
        experiments::insert_default(tx, PROJECT, NOW)?;
        experiments::insert(tx, PROJECT, &experiment(EXPERIMENT, "first"), &[])
    })
    .await;
}

/// Makes the experiments and the candidate 7.
pub(crate) async fn candidate(db: &Db) {
    experiments(db).await;
    write(db, |tx| candidates::insert(tx, PROJECT, &new_candidate(PLACE.candidate))).await;
}

/// An experiment of this number and name that is not inserted yet.
pub(crate) fn experiment(id: ExperimentId, name: &str) -> Experiment {
    Experiment {
        id,
        name: name.to_owned(),
        artifact_location: None,
        creator_id: None,
        created_at: NOW,
        updated_at: NOW,
        deleted_at: None,
    }
}

/// The public id of the candidate of this number.
pub(crate) fn eid(id: CandidateId) -> Eid {
    format!("{:032x}", id.0).parse().expect("a public id")
}

/// A candidate of this number, not inserted yet.
pub(crate) fn new_candidate(id: CandidateId) -> NewCandidate {
    NewCandidate {
        id,
        eid: eid(id),
        experiment_id: EXPERIMENT,
        name: "brave-otter-1".to_owned(),
        user_name: "ann".to_owned(),
        creator_id: None,
        start_time: NOW.0,
        created_at: NOW,
    }
}

/// A param or metadata whose key has this number.
pub(crate) fn entry(key: i64, value: &str) -> Entry {
    Entry { key: KeyId(key), name: format!("key {key}"), value: value.to_owned() }
}

/// Gives the keys of [`entry`] their names.
pub(crate) async fn name_keys(db: &Db, keys: std::ops::RangeInclusive<i64>) {
    write(db, move |tx| {
        for key in keys.clone() {
            tx.execute(
                "INSERT INTO keys (project_id, id, name) VALUES ($1, $2, $3)",
                &[&PROJECT.0, &key, &format!("key {key}")],
            )?;
        }
        Ok(())
    })
    .await;
}

/// Appends points to the candidate 7, those of a list as one request, as tail rows from `first_id`; all in one
/// transaction.
pub(crate) async fn append(db: &Db, tails: &Tails, first_id: i64, requests: Vec<Vec<(KeyId, Point)>>) {
    let tails = tails.clone();
    let requests: Vec<PointsByKey> = requests.into_iter().map(by_key).collect();
    let written = db.append(move |tx| {
        let ids = first_id..;
        ids.zip(&requests).try_for_each(|(id, points)| metrics::append(tx, &tails, PLACE, id, points))
    });
    written.await.expect("appended");
}

fn by_key(points: Vec<(KeyId, Point)>) -> PointsByKey {
    let mut all = PointsByKey::new();
    for (key, point) in points {
        all.entry(key).or_default().push(point);
    }
    all
}
