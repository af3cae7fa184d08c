//! The searches for models and for versions.

use axum::extract::State;
use modelry_core::Result;
use modelry_core::search::entity::{MODELS, VERSIONS};
use modelry_core::search::{order, parse_filter, parse_order_by};
use modelry_store::models::Model;
use modelry_store::search::View;
use modelry_store::search::rows::{Query, page};
use modelry_store::versions::ModelVersion;
use serde::{Deserialize, Serialize};

use super::super::wire::{Answer, Int64, Message, Reply, max_results};
use super::view::{ModelView, VersionView};
use crate::App;
use crate::access::Granted;

/// The results of a page of models where the client does not say, and the most.
const MODELS_PAGE: (usize, usize) = (100, 1_000);

/// The most results of a page of versions that a client may ask for, and MLflow's page where it does not say.
const MOST_VERSIONS: usize = 200_000;

/// The results that a page of versions really has at most, as many as Python clients ask for: more come with the next.
const VERSIONS_PAGE: usize = 10_000;

#[derive(Deserialize)]
pub(super) struct Search {
    filter: Option<String>,
    #[serde(alias = "maxResults")]
    max_results: Option<Int64>,
    #[serde(default, alias = "orderBy")]
    order_by: Vec<String>,
    #[serde(alias = "pageToken")]
    page_token: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Models {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    registered_models: Vec<ModelView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn models(
    State(app): State<App>,
    granted: Granted,
    Message(asked): Message<Search>,
) -> Answer<Models> {
    let project = granted.project();
    let (default, most) = MODELS_PAGE;
    let query = Query {
        filter: parse_filter(&MODELS, &asked.filter.unwrap_or_default())?,
        order: order::of_models(parse_order_by(&MODELS, &asked.order_by)?),
        view: View::Active,
        limit: max_results(asked.max_results, default, most)?,
        page_token: asked.page_token,
    };
    let answer = app.db.read(move |tx| {
        let page = page::<Model>(tx, project, &query)?;
        let registered_models = ModelView::read_all(tx, project, page.rows)?;
        Ok(Models { registered_models, next_page_token: page.next_page_token })
    });
    Ok(Reply(answer.await?))
}

#[derive(Serialize)]
pub(super) struct Versions {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_versions: Vec<VersionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn versions(
    State(app): State<App>,
    granted: Granted,
    Message(asked): Message<Search>,
) -> Answer<Versions> {
    let project = granted.project();
    let query = Query {
        filter: parse_filter(&VERSIONS, &asked.filter.unwrap_or_default())?,
        order: order::of_versions(parse_order_by(&VERSIONS, &asked.order_by)?),
        view: View::Active,
        limit: max_results(asked.max_results, MOST_VERSIONS, MOST_VERSIONS)?.min(VERSIONS_PAGE),
        page_token: asked.page_token,
    };
    let answer = app.db.read(move |tx| {
        let page = page::<ModelVersion>(tx, project, &query)?;
        let found: Result<Vec<VersionView>> = VersionView::read_all(tx, project, page.rows);
        let model_versions = found?.into_iter().map(VersionView::without_aliases).collect();
        Ok(Versions { model_versions, next_page_token: page.next_page_token })
    });
    Ok(Reply(answer.await?))
}
