//! What tests start from: project 1 with the experiments `Default` (0) and 1. Everything happens at [`NOW`] unless
//! the test says otherwise.

use modelry_core::ids::{CandidateId, DatasetId, ExperimentId, LoggedModelEid, LoggedModelId, ProjectId};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Db, Tx};
use modelry_store::candidates::{self, Candidate, NewCandidate};
use modelry_store::datasets::{Dataset, NewInput};
use modelry_store::experiments::{self, Experiment};
use modelry_store::logged_models::{self, LoggedModel, NewLoggedModel};

/// The time of every test.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// The project of every test.
pub(crate) const PROJECT: ProjectId = ProjectId(1);

/// The experiment that tests use unless they need two.
pub(crate) const EXPERIMENT: ExperimentId = ExperimentId(1);

/// Makes the experiments.
pub(crate) async fn experiments(db: &Db) {
    write(db, |tx| {
        experiments::insert_default(tx, PROJECT, NOW)?;
        experiment(tx, EXPERIMENT, None)
    })
    .await;
}

/// Inserts an experiment.
pub(crate) fn experiment(tx: &mut Tx<'_>, id: ExperimentId, location: Option<&str>) -> Result<()> {
    let experiment = Experiment {
        id,
        name: format!("experiment {id}"),
        artifact_location: location.map(str::to_owned),
        creator_id: None,
        created_at: NOW,
        updated_at: NOW,
        deleted_at: None,
    };
    experiments::insert(tx, PROJECT, &experiment, &[])
}

/// The public id of the model of this number.
pub(crate) fn model_eid(number: i64) -> LoggedModelEid {
    format!("m-{number:032x}").parse().expect("a public id")
}

/// A model of this number and name that is not inserted yet.
pub(crate) fn new_model(number: i64, name: &str) -> NewLoggedModel {
    NewLoggedModel {
        id: LoggedModelId(number),
        eid: model_eid(number),
        experiment_id: EXPERIMENT,
        name: name.parse().expect("a name"),
        model_type: String::new(),
        source_eid: None,
        creator_id: None,
        params: Vec::new(),
        metadata: Vec::new(),
        created_at: NOW,
    }
}

/// Inserts a model that has a name and nothing else.
pub(crate) async fn model(db: &Db, number: i64, name: &str) -> LoggedModel {
    insert_model(db, new_model(number, name)).await
}

/// Inserts a model.
pub(crate) async fn insert_model(db: &Db, model: NewLoggedModel) -> LoggedModel {
    write(db, move |tx| logged_models::insert(tx, PROJECT, &model)).await
}

/// Inserts a candidate.
pub(crate) async fn candidate(db: &Db, number: i64) -> Candidate {
    let new = NewCandidate {
        id: CandidateId(number),
        eid: format!("{number:032x}").parse().expect("a public id"),
        experiment_id: EXPERIMENT,
        name: format!("candidate {number}"),
        user_name: String::new(),
        creator_id: None,
        start_time: NOW.ms(),
        created_at: NOW,
    };
    write(db, move |tx| candidates::insert(tx, PROJECT, &new)).await
}

/// A use of the dataset of this name and digest; `number` is the dataset's, if it is new.
pub(crate) fn input(number: i64, name: &str, digest: &str, tags: &[(&str, &str)]) -> NewInput {
    NewInput {
        id: DatasetId(number),
        dataset: Dataset {
            name: name.to_owned(),
            digest: digest.to_owned(),
            source_type: "local".to_owned(),
            source: "{}".to_owned(),
            schema: Some("{\"columns\": []}".to_owned()),
            profile: None,
        },
        tags: pairs(tags),
    }
}

/// Owned pairs.
pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Runs a write that has to succeed.
pub(crate) async fn write<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> T {
    db.write(work).await.expect("the write succeeds")
}

/// Runs a write that has to fail, and answers how it did.
pub(crate) async fn refused<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> Error {
    match db.write(work).await {
        Ok(_) => panic!("the write was to be refused"),
        Err(error) => error,
    }
}

/// Runs a read that has to succeed.
pub(crate) async fn read<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> T {
    db.read(work).await.expect("the read succeeds")
}
