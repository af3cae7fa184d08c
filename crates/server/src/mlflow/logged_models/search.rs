//! The protocol's search for logged models.

use axum::extract::State;
use modelry_core::search::entity::LOGGED_MODELS;
use modelry_core::search::parse_filter;
use modelry_core::{Error, Result};
use modelry_store::search::logged_models::{self as store, DatasetFilter, Query, SortKey};
use serde::{Deserialize, Serialize};

use super::super::wire::{Answer, Int64, Message, Reply, experiment_id, max_results, required};
use super::view::LoggedModelView;
use crate::App;
use crate::access::Granted;

/// The results of one page where the client does not say.
const DEFAULT_RESULTS: usize = 100;

/// What a client may ask for.
const MOST_RESULTS: usize = 50_000;

/// The models of one page, however many are asked for: the rest is on the next ones.
const PAGE: usize = 1_000;

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(alias = "experimentIds")]
    experiment_ids: Option<Vec<String>>,
    filter: Option<String>,
    datasets: Option<Vec<Dataset>>,
    #[serde(alias = "maxResults")]
    max_results: Option<Int64>,
    #[serde(alias = "orderBy")]
    order_by: Option<Vec<OrderBy>>,
    #[serde(alias = "pageToken")]
    page_token: Option<String>,
}

#[derive(Deserialize)]
struct Dataset {
    #[serde(alias = "datasetName")]
    dataset_name: Option<String>,
    #[serde(alias = "datasetDigest")]
    dataset_digest: Option<String>,
}

impl Dataset {
    /// The dataset that is meant, if one is: a digest alone names none.
    fn read(self) -> Result<Option<DatasetFilter>> {
        let digest = self.dataset_digest.filter(|digest| !digest.is_empty());
        match self.dataset_name.filter(|name| !name.is_empty()) {
            Some(name) => Ok(Some(DatasetFilter { name, digest })),
            None if digest.is_none() => Ok(None),
            None => Err(Self::unnamed()),
        }
    }

    fn unnamed() -> Error {
        Error::invalid("`dataset_name` must be specified for each dataset")
    }
}

#[derive(Deserialize)]
struct OrderBy {
    #[serde(alias = "fieldName")]
    field_name: Option<String>,
    ascending: Option<bool>,
    #[serde(flatten)]
    dataset: Dataset,
}

impl OrderBy {
    fn read(self) -> Result<SortKey> {
        let field_name = required(self.field_name, "order_by.field_name")?;
        SortKey::parse(&field_name, self.ascending == Some(false), self.dataset.read()?)
    }
}

impl Search {
    fn query(self) -> Result<Query> {
        let experiments = required(self.experiment_ids, "experiment_ids")?;
        let dataset = |dataset: Dataset| dataset.read()?.ok_or_else(Dataset::unnamed);
        Ok(Query {
            experiments: experiments.iter().map(|id| experiment_id(id)).collect::<Result<_>>()?,
            filter: parse_filter(&LOGGED_MODELS, &self.filter.unwrap_or_default())?,
            datasets: self.datasets.unwrap_or_default().into_iter().map(dataset).collect::<Result<_>>()?,
            order: self.order_by.unwrap_or_default().into_iter().map(OrderBy::read).collect::<Result<_>>()?,
            limit: max_results(self.max_results, DEFAULT_RESULTS, MOST_RESULTS)?.min(PAGE),
            page_token: self.page_token.filter(|token| !token.is_empty()),
        })
    }
}

#[derive(Serialize)]
pub(super) struct Models {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    models: Vec<LoggedModelView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn search(
    State(app): State<App>,
    granted: Granted,
    Message(body): Message<Search>,
) -> Answer<Models> {
    let (project, query) = (granted.project(), body.query()?);
    let answer = app.db.read(move |tx| {
        let page = store::page(tx, project, &query)?;
        let models = LoggedModelView::read_all(tx, project, page.models)?;
        Ok(Models { models, next_page_token: page.next_page_token })
    });
    Ok(Reply(answer.await?))
}
