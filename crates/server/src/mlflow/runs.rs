//! The protocol's calls on runs: create, get, update, delete, restore.

use axum::extract::State;
use axum::http::Method;
use modelry_core::ids::{CandidateId, Eid};
use modelry_core::names::Key;
use modelry_core::run_name::random_run_name;
use modelry_core::status::CandidateStatus;
use modelry_core::{Error, Result};
use modelry_store::candidates::{self, Changes, Entry, Logged, NewCandidate};
use modelry_store::ids::Series;
use serde::{Deserialize, Serialize};

use super::views::{RunInfo, RunView};
use super::wire::{
    Answer, Empty, EnumValue, Int64, Message, Pair, Reply, done, experiment_id, required_run, required_text,
    truncated,
};
use super::{Calls, limits};
use crate::App;
use crate::access::Granted;

/// The metadata that says the same as a run's name.
pub(super) const RUN_NAME: &str = "mlflow.runName";

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
    #[serde(default)]
    tags: Vec<Pair>,
}

#[derive(Serialize)]
struct Found {
    run: RunView,
}

async fn create(State(app): State<App>, granted: Granted, Message(body): Message<Create>) -> Answer<Found> {
    let project = granted.project();
    let mut tags = unique_tags(body.tags)?;
    let name = settle_name(body.run_name, &mut tags, || random_run_name(app.random.bytes()))?;
    let entries = entries(&app, &granted, tags).await?;
    let start_time = body.start_time.map_or(0, |time| time.0);
    check_time("start_time", start_time)?;
    let new = NewCandidate {
        id: CandidateId(app.ids.next(project, Series::Candidate).await?),
        eid: app.new_eid(),
        experiment_id: experiment_id(body.experiment_id.as_deref().unwrap_or("0"))?,
        name,
        user_name: body.user_id.unwrap_or_else(|| username(&granted)),
        creator_id: granted.access.user(),
        start_time,
        created_at: app.clock.now(),
    };
    let (candidate, entries) = app
        .db
        .write(move |tx| {
            let candidate = candidates::insert(tx, project, &new)?;
            candidates::set_metadata(tx, candidate.place(project), &entries)?;
            Ok((candidate, entries.clone()))
        })
        .await?;
    let metadata = entries.into_iter().map(|entry| (entry.name.into(), entry.value)).collect();
    let logged = Logged { metadata, ..Logged::default() };
    Ok(Reply(Found { run: RunView::new(candidate, logged) }))
}

fn username(granted: &Granted) -> String {
    granted.caller.0.as_ref().map(|identity| identity.username.clone()).unwrap_or_default()
}

/// Checked tags of a new run, of which each key stands once.
fn unique_tags(tags: Vec<Pair>) -> Result<Vec<(String, String)>> {
    let mut unique: Vec<(String, String)> = Vec::with_capacity(tags.len() + 1);
    for tag in tags {
        let (key, value) = tag.read("tags")?;
        key.parse::<Key>()?;
        if unique.iter().any(|(other, _)| *other == key) {
            return Err(Error::invalid(format!("Duplicate tag keys have been submitted: {key}")));
        }
        unique.push((key, truncated(value, limits::TAG_VALUE)));
    }
    Ok(unique)
}

/// The name of a new run: as sent, else the tag's, else a random one; the tag says the same afterwards.
fn settle_name(
    sent: Option<String>,
    tags: &mut Vec<(String, String)>,
    random: impl FnOnce() -> String,
) -> Result<String> {
    let sent = sent.filter(|name| !name.is_empty());
    let tagged = tags.iter().find(|(key, _)| key == RUN_NAME).map(|(_, value)| value.clone());
    match (sent, tagged) {
        (Some(sent), Some(tagged)) if sent != tagged => Err(Error::invalid(format!(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values \
             (run_name='{sent}', mlflow.runName='{tagged}')."
        ))),
        (_, Some(tagged)) => Ok(tagged),
        (sent, None) => {
            let name = sent.unwrap_or_else(random);
            tags.push((RUN_NAME.to_owned(), name.clone()));
            Ok(name)
        }
    }
}

/// The texts with the numbers of their keys.
pub(super) async fn entries(
    app: &App,
    granted: &Granted,
    texts: Vec<(String, String)>,
) -> Result<Vec<Entry>> {
    let names: Vec<&str> = texts.iter().map(|(key, _)| key.as_str()).collect();
    let keys = app.keys.intern(&app.db, &app.ids, granted.project(), &names).await?;
    let entry = |((name, value), key)| Entry { key, name, value };
    Ok(texts.into_iter().zip(keys).map(entry).collect())
}

fn check_time(name: &str, time: i64) -> Result<()> {
    if time >= 0 {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "Invalid value {time} for parameter '{name}' supplied: It must be a non-negative number of milliseconds"
    )))
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
            Ok(RunView::new(candidate, logged))
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

async fn update(State(app): State<App>, granted: Granted, Message(body): Message<Update>) -> Answer<Updated> {
    let project = granted.project();
    let eid = required_run(body.run_id, body.run_uuid)?;
    let status =
        body.status.map(|status| status.read(CandidateStatus::from_number, str::parse)).transpose()?;
    let name = body.run_name.filter(|name| !name.is_empty());
    let tag = match &name {
        Some(name) => entries(&app, &granted, vec![(RUN_NAME.to_owned(), name.clone())]).await?,
        None => Vec::new(),
    };
    let changes = Changes { status, end_time: body.end_time.map(|time| time.0), name };
    let candidate = app
        .db
        .write(move |tx| {
            let candidate = candidates::update(tx, project, &eid, &changes)?;
            candidates::set_metadata(tx, candidate.place(project), &tag)?;
            Ok(candidate)
        })
        .await?;
    Ok(Reply(Updated { run_info: candidate.into() }))
}

#[derive(Deserialize)]
struct Delete {
    #[serde(alias = "runId")]
    run_id: Option<String>,
}

async fn delete(State(app): State<App>, granted: Granted, Message(body): Message<Delete>) -> Answer<Empty> {
    let (project, now) = (granted.project(), app.clock.now());
    let eid: Eid = required_text(body.run_id, "run_id")?.parse()?;
    app.db.write(move |tx| candidates::delete(tx, project, &eid, now)).await?;
    done()
}

async fn restore(State(app): State<App>, granted: Granted, Message(body): Message<Delete>) -> Answer<Empty> {
    let project = granted.project();
    let eid: Eid = required_text(body.run_id, "run_id")?.parse()?;
    app.db.write(move |tx| candidates::restore(tx, project, &eid)).await?;
    done()
}
