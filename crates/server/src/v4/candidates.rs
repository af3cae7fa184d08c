//! Candidates (MLflow's runs).

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use modelry_core::Result;
use modelry_core::names::Key;
use modelry_core::run_name::random_run_name;
use modelry_core::search::entity::CANDIDATES;
use modelry_core::search::{parse_filter, parse_order_by};
use modelry_store::candidates::{self, Changes};
use modelry_store::search::{View, candidates as search};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::candidate_views::{CandidateView, get, get_active, status};
use super::experiments::{get as get_experiment, id as experiment_id};
use super::page::{self, Page, Place};
use crate::App;
use crate::access::Granted;
use crate::error::Problem;
use crate::extract::{Json, Path, Query};
use crate::registry::RUN_NAME;
use crate::tracking::{change_candidate, check_time, entries, limits, new_candidate, settle_name, truncated};

/// Which candidates to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListCandidates {
    /// Which ones, in the grammar of searches, such as `metrics.auc > 0.9 AND params.depth = '5'`.
    filter: Option<String>,
    /// In which order, such as `metrics.auc DESC`; may be repeated. What it leaves open is decided by the start, the newest
    /// first.
    #[serde(default)]
    order_by: Vec<String>,
    /// How many candidates a page has, 1 to 100; 20 when it is not said.
    per_page: Option<i64>,
    /// Where the page starts, as `Link` said.
    after: Option<String>,
}

/// List the candidates of an experiment, those first that started last.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/experiments/{experiment}/candidates", tag = "candidates",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("experiment" = i64, Path, description = "Number of the experiment"), ListCandidates,
    ),
    responses(
        (
            status = 200, description = "A page of candidates", body = [CandidateView],
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
        ),
    )
)]
pub(super) async fn list_candidates(
    State(app): State<App>,
    granted: Granted,
    uri: Uri,
    headers: HeaderMap,
    Path((_, experiment)): Path<(String, String)>,
    Query(query): Query<ListCandidates>,
) -> Result<Page<CandidateView>, Problem> {
    let (project, keys, experiment) = (granted.project(), app.keys.clone(), experiment_id(&experiment)?);
    let query = search::Query {
        experiments: vec![experiment],
        filter: parse_filter(&CANDIDATES, &query.filter.unwrap_or_default())?,
        order: parse_order_by(&CANDIDATES, &query.order_by)?,
        view: View::Active,
        limit: page::count(query.per_page)?,
        page_token: query.after,
    };
    let known = app.findings.known();
    let listed = app.db.read_on(known.connections(&query), move |tx| {
        get_experiment(tx, project, experiment)?;
        let page = search::page(tx, &known, project, &query)?;
        let found = candidates::list(tx, project, &page.candidates)?;
        Ok((CandidateView::read_all(tx, &keys, project, found)?, page.next_page_token))
    });
    let (views, next) = listed.await?;
    Ok(Page::with_next(&Place { app: &app, headers: &headers, uri: &uri }, views, next)?)
}

/// A candidate to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateCandidate {
    /// Its name; a random one when it is not said.
    name: Option<String>,
    /// Params to start with.
    #[serde(default)]
    params: BTreeMap<String, String>,
    /// Metadata to start with.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    /// When it started, in milliseconds since 1970; now when it is not said.
    start_time: Option<i64>,
}

/// Make a candidate that is under way.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/experiments/{experiment}/candidates", tag = "candidates",
    request_body = CreateCandidate,
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("experiment" = i64, Path, description = "Number of the experiment"),
    ),
    responses((status = 201, description = "The candidate", body = CandidateView))
)]
pub(super) async fn create_candidate(
    State(app): State<App>,
    granted: Granted,
    Path((_, experiment)): Path<(String, String)>,
    Json(body): Json<CreateCandidate>,
) -> Result<(StatusCode, Json<CandidateView>), Problem> {
    let (project, keys, experiment) = (granted.project(), app.keys.clone(), experiment_id(&experiment)?);
    limits::check_batch(0, body.params.len(), body.metadata.len())?;
    let params = texts(body.params, limits::PARAM_VALUE)?;
    let mut metadata = texts(body.metadata, limits::TAG_VALUE)?;
    let name = settle_name(body.name, &mut metadata, || random_run_name(app.random.bytes()))?;
    let start_time = check_time("start_time", body.start_time)?.unwrap_or_else(|| app.clock.now().ms());
    let new = new_candidate(&app, &granted, (experiment, name), None, start_time).await?;
    let (params, metadata) = (entries(&app, project, params).await?, entries(&app, project, metadata).await?);
    let view = app.db.write(move |tx| {
        get_experiment(tx, project, experiment)?;
        let candidate = candidates::insert(tx, project, &new)?;
        let place = candidate.place(project);
        candidates::log_params(tx, place, &new.eid, &params)?;
        candidates::set_metadata(tx, place, &metadata)?;
        CandidateView::read(tx, &keys, project, candidate)
    });
    Ok((StatusCode::CREATED, Json(view.await?)))
}

/// Checked keys, with values that are cut at `max` characters.
pub(super) fn texts(texts: BTreeMap<String, String>, max: usize) -> Result<Vec<(String, String)>> {
    let read = |(key, value): (String, String)| {
        key.parse::<Key>()?;
        Ok((key, truncated(value, max)))
    };
    texts.into_iter().map(read).collect()
}

/// Tell a candidate, in the bin or not, with all that was logged to it.
#[utoipa::path(
    get, path = "/api/v4/projects/{project}/candidates/{candidate}", tag = "candidates",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("candidate" = String, Path, description = "Number of the candidate, or its public id"),
    ),
    responses((status = 200, description = "The candidate", body = CandidateView))
)]
pub(super) async fn get_candidate(
    State(app): State<App>,
    granted: Granted,
    Path((_, candidate)): Path<(String, String)>,
) -> Result<Json<CandidateView>, Problem> {
    let (project, keys) = (granted.project(), app.keys.clone());
    let view = app.db.read(move |tx| {
        let candidate = get(tx, project, &candidate)?;
        CandidateView::read(tx, &keys, project, candidate)
    });
    Ok(Json(view.await?))
}

/// What is to change of a candidate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateCandidate {
    /// Its new name; the metadata `mlflow.runName` says the same.
    name: Option<String>,
    /// `running`, `scheduled`, `finished`, `failed` or `killed`. What has finished publishes the drafts of versions that it
    /// was made for.
    status: Option<String>,
    /// When it ended, in milliseconds since 1970.
    end_time: Option<i64>,
    /// Metadata to set; `null` removes a key.
    #[serde(default)]
    metadata: BTreeMap<String, Option<String>>,
}

/// Change a candidate.
#[utoipa::path(
    patch, path = "/api/v4/projects/{project}/candidates/{candidate}", tag = "candidates",
    request_body = UpdateCandidate,
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("candidate" = String, Path, description = "Number of the candidate, or its public id"),
    ),
    responses((status = 200, description = "The candidate", body = CandidateView))
)]
pub(super) async fn update_candidate(
    State(app): State<App>,
    granted: Granted,
    Path((_, candidate)): Path<(String, String)>,
    Json(body): Json<UpdateCandidate>,
) -> Result<Json<CandidateView>, Problem> {
    let (project, keys, now) = (granted.project(), app.keys.clone(), app.clock.now());
    limits::check_batch(0, 0, body.metadata.len())?;
    let removed: Vec<String> =
        body.metadata.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key.clone()).collect();
    let set = body.metadata.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let mut set = texts(set, limits::TAG_VALUE)?;
    let is_named = body.name.is_some() || set.iter().any(|(key, _)| key == RUN_NAME);
    let name = if is_named {
        Some(settle_name(body.name, &mut set, || random_run_name(app.random.bytes()))?)
    } else {
        None
    };
    let changes = Changes {
        status: body.status.as_deref().map(status).transpose()?,
        end_time: check_time("end_time", body.end_time)?,
        name,
    };
    let set = entries(&app, project, set).await?;
    let view = app.db.write(move |tx| {
        let (_, eid) = get_active(tx, project, &candidate)?;
        let candidate = change_candidate(tx, project, &eid, (&changes, &set), now)?;
        for key in &removed {
            candidates::delete_metadata(tx, candidate.place(project), key)?;
        }
        CandidateView::read(tx, &keys, project, candidate)
    });
    Ok(Json(view.await?))
}

/// Put a candidate into the bin, from which it can be restored.
#[utoipa::path(
    delete, path = "/api/v4/projects/{project}/candidates/{candidate}", tag = "candidates",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("candidate" = String, Path, description = "Number of the candidate, or its public id"),
    ),
    responses((status = 200, description = "The candidate as it is in the bin", body = CandidateView))
)]
pub(super) async fn delete_candidate(
    State(app): State<App>,
    granted: Granted,
    Path((_, candidate)): Path<(String, String)>,
) -> Result<Json<CandidateView>, Problem> {
    let (project, keys, now) = (granted.project(), app.keys.clone(), app.clock.now());
    let view = app.db.write(move |tx| {
        let (candidate, eid) = get_active(tx, project, &candidate)?;
        candidates::delete(tx, project, &eid, now)?;
        let candidate = get(tx, project, &candidate.eid)?;
        CandidateView::read(tx, &keys, project, candidate)
    });
    Ok(Json(view.await?))
}

/// Take a candidate out of the bin. An experiment that is there is restored first.
#[utoipa::path(
    post, path = "/api/v4/projects/{project}/deleted_candidates/{candidate}/restore", tag = "candidates",
    params(
        ("project" = String, Path, description = "Number, or URL-encoded full path"),
        ("candidate" = String, Path, description = "Number of the candidate, or its public id"),
    ),
    responses((status = 200, description = "The candidate", body = CandidateView))
)]
pub(super) async fn restore_candidate(
    State(app): State<App>,
    granted: Granted,
    Path((_, candidate)): Path<(String, String)>,
) -> Result<Json<CandidateView>, Problem> {
    let (project, keys) = (granted.project(), app.keys.clone());
    let view = app.db.write(move |tx| {
        let eid = get(tx, project, &candidate)?.eid.parse()?;
        candidates::restore(tx, project, &eid)?;
        let candidate = candidates::get_by_eid(tx, project, &eid)?;
        CandidateView::read(tx, &keys, project, candidate)
    });
    Ok(Json(view.await?))
}
