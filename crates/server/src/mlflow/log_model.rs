//! `runs/log-model`, by which 2.x clients note the models of a run: in one of its tags, as a JSON list.

use axum::extract::State;
use axum::http::Method;
use modelry_core::{Error, Result};
use modelry_store::candidates::{self, Entry};
use serde::Deserialize;
use serde_json::Value;

use super::Calls;
use super::wire::{Answer, Empty, Message, done, required_run, required_text};
use crate::App;
use crate::access::Granted;
use crate::tracking::entries;

/// The tag with the list.
const HISTORY: &str = "mlflow.log-model.history";

/// The call and who may make it.
pub(super) fn routes(calls: Calls) -> Calls {
    calls.write(Method::POST, "mlflow/runs/log-model", log_model)
}

#[derive(Deserialize)]
struct LogModel {
    #[serde(alias = "runId")]
    run_id: Option<String>,
    #[serde(alias = "modelJson")]
    model_json: Option<String>,
}

async fn log_model(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<LogModel>,
) -> Answer<Empty> {
    let project = granted.project();
    let eid = required_run(body.run_id, None)?;
    let model = read_model(&required_text(body.model_json, "model_json")?)?;
    let tag = entries(&app, project, vec![(HISTORY.to_owned(), String::new())]).await?;
    app.db
        .write(move |tx| {
            let place = candidates::get_active_place(tx, project, &eid)?;
            let before = candidates::find_metadata(tx, place, tag[0].key)?;
            let mut models = before.map_or(Ok(Vec::new()), |text| read_history(&text))?;
            // A client that got no answer sends the same model again.
            if !models.contains(&model) {
                models.push(model.clone());
            }
            let value = Value::from(models).to_string();
            candidates::set_metadata(tx, place, &[Entry { value, ..tag[0].clone() }])
        })
        .await?;
    done()
}

fn read_history(text: &str) -> Result<Vec<Value>> {
    serde_json::from_str(text)
        .map_err(|_| Error::invalid(format!("the tag {HISTORY} of the run is not a JSON list of models")))
}

fn read_model(text: &str) -> Result<Value> {
    let model: Value = serde_json::from_str(text).map_err(|error| {
        Error::invalid(format!("Malformed model info. 'model_json' is not valid JSON: {error}"))
    })?;
    let fields = ["artifact_path", "flavors", "utc_time_created", "run_id"];
    let missing: Vec<&str> = fields.into_iter().filter(|field| model.get(field).is_none()).collect();
    if missing.is_empty() {
        return Ok(model);
    }
    Err(Error::invalid(format!("Model json is missing mandatory fields: {}", missing.join(", "))))
}
