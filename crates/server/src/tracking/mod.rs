//! Work on experiments and candidates that every protocol does in the same way.

pub(crate) mod limits;
mod log;

use modelry_core::ids::{CandidateId, Eid, ExperimentId, ProjectId};
use modelry_core::names::check_length;
use modelry_core::status::CandidateStatus;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::candidates::{self, Candidate, Changes, Entry, NewCandidate};
use modelry_store::ids::Series;
use modelry_store::versions;

use crate::App;
use crate::access::Granted;
use crate::registry::RUN_NAME;

pub(crate) use log::{Batch, Logged, MeasuredOn, log};

/// Cuts a text at `max` characters, as MLflow does silently with long values.
pub(crate) fn truncated(mut text: String, max: usize) -> String {
    if text.len() > max
        && let Some((end, _)) = text.char_indices().nth(max)
    {
        text.truncate(end);
    }
    text
}

/// Fails when a time by the client's clock is before 1970.
pub(crate) fn check_time(name: &str, time: Option<i64>) -> Result<Option<i64>> {
    match time {
        Some(time) if time < 0 => Err(Error::invalid(format!(
            "Invalid value {time} for parameter '{name}' supplied: It must be a non-negative number of milliseconds"
        ))),
        time => Ok(time),
    }
}

/// A candidate of an experiment as it is wished for, with its numbers drawn. `user_name` is what the client says, else
/// the caller's.
pub(crate) async fn new_candidate(
    app: &App,
    granted: &Granted,
    (experiment_id, name): (ExperimentId, String),
    user_name: Option<String>,
    start_time: i64,
) -> Result<NewCandidate> {
    let caller = || granted.caller.0.as_ref().map(|identity| identity.username.clone());
    let user_name = user_name.or_else(caller).unwrap_or_default();
    check_length("user_id", &user_name, limits::USER_ID)?;
    Ok(NewCandidate {
        id: CandidateId(app.ids.next(granted.project(), Series::Candidate).await?),
        eid: app.new_eid(),
        experiment_id,
        name,
        user_name,
        creator_id: granted.access.user(),
        start_time,
        created_at: app.clock.now(),
    })
}

/// The name of a new candidate: as sent, else the metadata's, else a random one; the metadata says the same afterwards.
pub(crate) fn settle_name(
    sent: Option<String>,
    tags: &mut Vec<(String, String)>,
    random: impl FnOnce() -> String,
) -> Result<String> {
    let sent = sent.filter(|name| !name.is_empty()).map(|name| truncated(name, limits::TAG_VALUE));
    let at = tags.iter().position(|(key, _)| key == RUN_NAME);
    let tagged = at.map(|at| tags.swap_remove(at).1).filter(|name| !name.is_empty());
    if let (Some(sent), Some(tagged)) = (&sent, &tagged)
        && sent != tagged
    {
        return Err(Error::invalid(format!(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values \
             (run_name='{sent}', mlflow.runName='{tagged}')."
        )));
    }
    let name = sent.or(tagged).unwrap_or_else(random);
    tags.push((RUN_NAME.to_owned(), name.clone()));
    Ok(name)
}

/// The texts with the numbers of their keys.
pub(crate) async fn entries(
    app: &App,
    project: ProjectId,
    texts: Vec<(String, String)>,
) -> Result<Vec<Entry>> {
    let names: Vec<&str> = texts.iter().map(|(key, _)| key.as_str()).collect();
    let keys = app.keys.intern(&app.db, &app.ids, project, &names).await?;
    let entry = |((name, value), key)| Entry { key, name, value };
    Ok(texts.into_iter().zip(keys).map(entry).collect())
}

/// Changes an active candidate and its metadata. One that has ended well publishes the drafts of model versions that it
/// was made for.
pub(crate) fn change_candidate(
    tx: &mut Tx<'_>,
    project: ProjectId,
    eid: &Eid,
    (changes, metadata): (&Changes, &[Entry]),
    now: Timestamp,
) -> Result<Candidate> {
    let candidate = candidates::update(tx, project, eid, changes)?;
    candidates::set_metadata(tx, candidate.place(project), metadata)?;
    if changes.status == Some(CandidateStatus::Finished) {
        versions::publish_drafts_of(tx, project, candidate.id, now)?;
    }
    Ok(candidate)
}
