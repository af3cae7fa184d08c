//! The protocol's calls on runs: create, get, update, delete, restore.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use axum::extract::State;
use axum::http::Method;
use modelry_core::ids::Eid;
use modelry_core::names::check_length;
use modelry_core::run_name::random_run_name;
use modelry_core::status::CandidateStatus;
use modelry_core::{Error, Result};
use modelry_store::candidates::{self, Changes, Entry, Logged};
use modelry_store::experiments::DEFAULT;
use serde::{Deserialize, Serialize};

use super::Calls;
use super::lineage::Lineage;
use super::views::{RunInfo, RunView};
use super::wire::{
    Answer, Empty, EnumValue, Int64, Message, Pair, Reply, done, experiment_id, missing, required_run,
};
use crate::App;
use crate::access::Granted;
use crate::registry::RUN_NAME;
use crate::tracking::{change_candidate, check_time, entries, limits, new_candidate, settle_name, truncated};

/// The calls and who may make them.
pub(super) fn routes(calls: Calls) -> Calls {
    calls
        .write(Method::POST, "mlflow/runs/create", create)
        .read(Method::GET, "mlflow/runs/get", get)
        .write(Method::POST, "mlflow/runs/update", update)
        .write(Method::POST, "mlflow/runs/delete", delete)
        .write(Method::POST, "mlflow/runs/restore", restore)
}

#[derive(Deserialize)]
struct Create {
    #[serde(alias = "experimentId")]
    experiment_id: Option<String>,
    #[serde(alias = "userId")]
    user_id: Option<String>,
    #[serde(alias = "runName")]
    run_name: Option<String>,
    #[serde(alias = "startTime")]
    start_time: Option<Int64>,
    tags: Option<Vec<Pair>>,
}

#[derive(Serialize)]
struct Found {
    run: RunView,
}

async fn create(State(app): State<App>, granted: Granted, Message(body): Message<Create>) -> Answer<Found> {
    let project = granted.project();
    let mut tags = unique_tags(body.tags.unwrap_or_default())?;
    let name = settle_name(body.run_name, &mut tags, || random_run_name(app.random.bytes()))?;
    let experiment = body.experiment_id.filter(|id| !id.is_empty());
    let experiment = experiment.map_or(Ok(DEFAULT), |id| experiment_id(&id))?;
    let start_time = check_time("start_time", body.start_time.map(|time| time.0))?.unwrap_or(0);
    let new = new_candidate(&app, &granted, (experiment, name), body.user_id, start_time).await?;
    let entries = entries(&app, project, tags).await?;
    let (candidate, entries) = app
        .db
        .write(move |tx| {
            let candidate = candidates::insert(tx, project, &new)?;
            candidates::set_metadata(tx, candidate.place(project), &entries)?;
            Ok((candidate, entries.clone()))
        })
        .await?;
    Ok(Reply(Found { run: RunView::new(candidate, as_logged(entries), Lineage::default()) }))
}

/// What was logged to a run that has just these tags.
fn as_logged(tags: Vec<Entry>) -> Logged {
    let mut metadata: Vec<_> = tags.into_iter().map(|tag| (tag.name.into(), tag.value)).collect();
    metadata.sort();
    Logged { metadata, ..Logged::default() }
}

/// Characters of a tag's key.
const TAG_KEY: usize = 250;

/// Fails when a key that comes with a new run is none: MLflow takes any text there, if it is not too long.
fn check_tag_key(key: &str) -> Result<()> {
    if key.is_empty() {
        return Err(missing("tags.key"));
    }
    check_length("key", key, TAG_KEY)
}

/// The tags of a new run, of which each key stands once. MLflow does not hold their keys to the rule for those of
/// later tags, and scripts rely on it.
fn unique_tags(tags: Vec<Pair>) -> Result<Vec<(String, String)>> {
    let mut unique = BTreeMap::new();
    for tag in tags {
        let (key, value) = tag.read("tags")?;
        check_tag_key(&key)?;
        match unique.entry(key) {
            Slot::Occupied(taken) => {
                let key = taken.key();
                return Err(Error::invalid(format!("Duplicate tag keys have been submitted: {key}")));
            }
            Slot::Vacant(free) => drop(free.insert(truncated(value, limits::TAG_VALUE))),
        }
    }
    Ok(unique.into_iter().collect())
}

#[derive(Deserialize)]
struct Get {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    #[serde(alias = "runUuid")]
    run_uuid: Option<String>,
}

impl Get {
    fn eid(self) -> Result<Eid> {
        required_run(self.run_id, self.run_uuid)
    }
}

async fn get(State(app): State<App>, granted: Granted, Message(query): Message<Get>) -> Answer<Found> {
    let (project, eid, keys) = (granted.project(), query.eid()?, app.keys.clone());
    let run = app
        .db
        .read(move |tx| {
            let candidate = candidates::get_by_eid(tx, project, &eid)?;
            let mut logged = candidates::logged(tx, &keys, project, &[candidate.id])?;
            let logged = logged.remove(&candidate.id).unwrap_or_default();
            let lineage = Lineage::read(tx, project, &[candidate.id])?.remove(&candidate.id);
            Ok(RunView::new(candidate, logged, lineage.unwrap_or_default()))
        })
        .await?;
    Ok(Reply(Found { run }))
}

#[derive(Deserialize)]
struct Update {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    #[serde(alias = "runUuid")]
    run_uuid: Option<String>,
    status: Option<EnumValue>,
    #[serde(alias = "endTime")]
    end_time: Option<Int64>,
    #[serde(alias = "runName")]
    run_name: Option<String>,
}

#[derive(Serialize)]
struct Updated {
    run_info: RunInfo,
}

/// Changes a run. One that has ended well publishes the drafts of model versions that it was made for.
async fn update(State(app): State<App>, granted: Granted, Message(body): Message<Update>) -> Answer<Updated> {
    let (project, now) = (granted.project(), app.clock.now());
    let eid = required_run(body.run_id, body.run_uuid)?;
    let status =
        body.status.map(|status| status.read(CandidateStatus::from_number, str::parse)).transpose()?;
    let name = body.run_name.filter(|name| !name.is_empty());
    let name = name.map(|name| truncated(name, limits::TAG_VALUE));
    let tag = name.iter().map(|name| (RUN_NAME.to_owned(), name.clone())).collect();
    let tag = entries(&app, project, tag).await?;
    let changes =
        Changes { status, end_time: check_time("end_time", body.end_time.map(|time| time.0))?, name };
    let candidate =
        app.db.write(move |tx| change_candidate(tx, project, &eid, (&changes, &tag), now)).await?;
    Ok(Reply(Updated { run_info: candidate.into() }))
}

#[derive(Deserialize)]
struct Delete {
    #[serde(alias = "runId")]
    run_id: Option<String>,
}

async fn delete(State(app): State<App>, granted: Granted, Message(body): Message<Delete>) -> Answer<Empty> {
    let (project, now) = (granted.project(), app.clock.now());
    let eid = required_run(body.run_id, None)?;
    app.db.write(move |tx| candidates::delete(tx, project, &eid, now)).await?;
    done()
}

async fn restore(State(app): State<App>, granted: Granted, Message(body): Message<Delete>) -> Answer<Empty> {
    let project = granted.project();
    let eid = required_run(body.run_id, None)?;
    app.db.write(move |tx| candidates::restore(tx, project, &eid)).await?;
    done()
}
