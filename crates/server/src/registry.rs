//! Work on models and versions that every protocol does in the same way.

use modelry_core::ids::{CandidateId, ExperimentId, ModelId, ProjectId, VersionId};
use modelry_core::names::{ModelName, check_length};
use modelry_core::policy::Action;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::ids::Series;
use modelry_store::models::{self, Model, ModelKind, NewModel};
use modelry_store::versions::{self, Mover, NewVersion, OwnCandidate};

use crate::App;
use crate::access::Granted;

/// The metadata of a candidate that says the same as its name.
pub(crate) const RUN_NAME: &str = "mlflow.runName";

/// Metadata that comes with a new model or version.
const METADATA: usize = 1_000;

/// Characters of a metadata key.
const KEY: usize = 250;

/// Characters of a metadata value; longer ones are refused.
const VALUE: usize = 100_000;

/// Characters of a description.
const DESCRIPTION: usize = 100_000;

/// Characters of the reason why an alias was moved.
const REASON: usize = 1_000;

/// Fails when metadata has no key, or is too long.
pub(crate) fn check_metadata(key: &str, value: &str) -> Result<()> {
    if key.is_empty() {
        return Err(Error::invalid("a key of metadata is not empty"));
    }
    check_length("key", key, KEY)?;
    check_length("value", value, VALUE)
}

/// Fails when a list of metadata is too long, has a key twice, or one that is none.
pub(crate) fn check_all_metadata(metadata: &[(String, String)]) -> Result<()> {
    if metadata.len() > METADATA {
        return Err(Error::invalid(format!(
            "'tags' has {} elements, at most {METADATA} are allowed in one request",
            metadata.len()
        )));
    }
    for (at, (key, value)) in metadata.iter().enumerate() {
        check_metadata(key, value)?;
        if metadata[..at].iter().any(|(other, _)| other == key) {
            return Err(Error::invalid(format!("Duplicate tag keys have been submitted: {key}")));
        }
    }
    Ok(())
}

/// Fails when a description is too long.
pub fn check_description(description: &str) -> Result<()> {
    check_length("description", description, DESCRIPTION)
}

/// A model as it is wished for, with its numbers drawn.
pub async fn new_model(
    app: &App,
    granted: &Granted,
    (name, kind): (ModelName, ModelKind),
    description: String,
    metadata: Vec<(String, String)>,
) -> Result<NewModel> {
    check_description(&description)?;
    check_all_metadata(&metadata)?;
    let project = granted.project();
    Ok(NewModel {
        id: ModelId(app.ids.next(project, Series::Model).await?),
        name,
        description,
        kind,
        experiment_id: ExperimentId(app.ids.next(project, Series::Experiment).await?),
        metadata,
        creator_id: granted.access.user(),
        created_at: app.clock.now(),
    })
}

/// A version of `model` with its numbers drawn, and nothing said of it yet.
pub async fn new_version(app: &App, granted: &Granted, model: String) -> Result<NewVersion> {
    let project = granted.project();
    let keys = app.keys.intern(&app.db, &app.ids, project, &[RUN_NAME]).await?;
    let username = granted.caller.0.as_ref().map(|identity| identity.username.clone());
    Ok(NewVersion {
        id: VersionId(app.ids.next(project, Series::Version).await?),
        model,
        description: String::new(),
        source: String::new(),
        run_eid: None,
        run_link: String::new(),
        logged_model_eid: None,
        wish: None,
        metadata: Vec::new(),
        own_candidate: OwnCandidate {
            id: CandidateId(app.ids.next(project, Series::Candidate).await?),
            eid: app.new_eid(),
            user_name: username.unwrap_or_default(),
            run_name_key: keys[0],
        },
        creator_id: granted.access.user(),
        created_at: app.clock.now(),
    })
}

/// Puts a model into the bin, with the aliases that it has. Fails with `Forbidden` where one is protected and the caller
/// may not move those.
pub fn delete_model(tx: &mut Tx<'_>, project: ProjectId, model: &Model, mover: &Mover) -> Result<()> {
    versions::refuse_protected_of(tx, project, model, mover)?;
    models::delete(tx, project, &model.name, mover.now)
}

/// The caller, as one who moves aliases now.
pub fn mover(app: &App, granted: &Granted, reason: String) -> Result<Mover> {
    check_length("reason", &reason, REASON)?;
    Ok(Mover {
        append_id: app.append_id(),
        user: granted.access.user(),
        reason,
        may_move_protected: granted.access.also(Action::MoveProtectedAliases),
        now: app.clock.now(),
    })
}
