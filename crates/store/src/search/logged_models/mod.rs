//! Searching for logged models: one statement per page, and nothing kept in memory but the page.
//!
//! The default order, newest first, walks an index and reads what it answers. Another order sorts the models of the
//! experiments inside the database, which keeps only the page while it does.

mod filter;
mod order;

use modelry_core::Result;
use modelry_core::ids::{ExperimentId, ProjectId};
use modelry_core::search::entity::LoggedModelAttribute;
use modelry_core::search::expr::Expr;
use modelry_core::{Error, paging};
use modelry_db::Tx;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::order::{Position, Sorting};
use super::binds::Binds;
use crate::logged_models::{self, LoggedModel};

pub use order::SortKey;

/// The most experiments of one search: what leaves a statement placeholders for the filter.
pub const MAX_EXPERIMENTS: usize = 1_000;
/// The most datasets that a search is narrowed to.
pub const MAX_DATASETS: usize = 100;
/// The most elements of an order.
pub const MAX_SORT_KEYS: usize = 20;

/// The datasets that a metric has to be measured on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetFilter {
    /// The dataset's name.
    pub name: String,
    /// The dataset's digest; any where it is not given.
    pub digest: Option<String>,
}

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Where; without any, nothing is found.
    pub experiments: Vec<ExperimentId>,
    /// Which models.
    pub filter: Option<Expr<LoggedModelAttribute>>,
    /// Where there are any: only models measured on one of these, and metrics in `filter` are those measured on one
    /// of these.
    pub datasets: Vec<DatasetFilter>,
    /// In which order. What it leaves open is decided by the time of creation, newest first.
    pub order: Vec<SortKey>,
    /// How many models at most.
    pub limit: usize,
    /// Where the page starts: what the page before said of it.
    pub page_token: Option<String>,
}

/// A part of what was found.
#[derive(Clone, Debug)]
pub struct Page {
    /// The models.
    pub models: Vec<LoggedModel>,
    /// What the next page starts with, if there is one.
    pub next_page_token: Option<String>,
}

/// What a page token says.
#[derive(Serialize, Deserialize)]
struct Token {
    /// Which search it belongs to: [`Query::fingerprint`].
    search: String,
    /// The last model of the page before.
    last: Position,
}

impl Query {
    fn check(&self) -> Result<()> {
        let limits = [
            ("experiment_ids", self.experiments.len(), MAX_EXPERIMENTS),
            ("datasets", self.datasets.len(), MAX_DATASETS),
            ("order_by", self.order.len(), MAX_SORT_KEYS),
        ];
        match limits.into_iter().find(|(_, count, most)| count > most) {
            Some((name, count, most)) => {
                Err(Error::invalid(format!("'{name}' has {count} elements, at most {most} are allowed")))
            }
            None => Ok(()),
        }
    }

    /// Tells this search from others. Only its being the same matters, so it is made of the debug form.
    fn fingerprint(&self) -> String {
        let text = format!("{:?}", (&self.experiments, &self.filter, &self.datasets, &self.order));
        hex::encode(&Sha256::digest(text)[..8])
    }

    fn start(&self, sorting: &Sorting) -> Result<Option<Position>> {
        let Some(token) = &self.page_token else { return Ok(None) };
        let token: Token = paging::decode_token(token)?;
        if token.search != self.fingerprint() {
            return Err(Error::invalid(
                "Invalid page token: it belongs to a search with other experiment_ids, filter, datasets or order_by",
            ));
        }
        sorting.check(&token.last)?;
        Ok(Some(token.last))
    }
}

/// The models that `query` finds, without deleted ones.
///
/// Fails with `Invalid` when the page token is not from a page of the same search, or a list is too long.
pub fn page(tx: &mut Tx<'_>, project: ProjectId, query: &Query) -> Result<Page> {
    query.check()?;
    let sorting = Sorting::new(&query.order);
    let start = query.start(&sorting)?;
    if query.experiments.is_empty() {
        return Ok(Page { models: Vec::new(), next_page_token: None });
    }
    let mut binds = Binds::default();
    let sql = statement(&mut binds, project, query, &sorting, start.as_ref());
    let mut found = tx.query(&sql, &binds.as_params(), |row| {
        let model = logged_models::read_row(row)?;
        let position = sorting.read_position(row, &model)?;
        Ok((model, position))
    })?;
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    let last = found.last().filter(|_| more).map(|(_, position)| position.clone());
    let next_page_token = last.map(|last| paging::encode_token(&Token { search: query.fingerprint(), last }));
    Ok(Page { models: found.into_iter().map(|(model, _)| model).collect(), next_page_token })
}

/// The statement for one page and one model more, which tells whether there is a next page.
///
/// Only `o`, which drives, names the experiments: it is read from the index alone. All else is looked up by primary
/// key.
fn statement(
    binds: &mut Binds,
    project: ProjectId,
    query: &Query,
    sorting: &Sorting,
    start: Option<&Position>,
) -> String {
    let project = binds.add(project.0);
    let mut columns = vec![logged_models::COLUMNS.to_owned()];
    columns.extend(sorting.columns(binds, &project));
    let mut conditions = vec![format!(
        "o.project_id = {project} AND o.experiment_id IN ({})
         AND l.project_id = {project} AND l.id = o.id AND l.deleted_at IS NULL
         AND e.project_id = {project} AND e.id = l.experiment_id",
        binds.add_all(query.experiments.iter().map(|id| id.0))
    )];
    let mut compiler = filter::Compiler { binds, project: &project, datasets: &query.datasets };
    conditions.extend(compiler.measured_on_datasets());
    conditions.extend(query.filter.as_ref().map(|expr| format!("({})", compiler.expr(expr))));
    let after = start.map(|start| format!("WHERE {}", sorting.after(binds, start))).unwrap_or_default();
    let order = sorting.order_by();
    let limit = binds.add(i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1));
    let (columns, conditions) = (columns.join(", "), conditions.join(" AND "));
    format!(
        "SELECT * FROM (
             SELECT {columns}, o.created_at AS made_at, o.id AS number
             FROM logged_models o CROSS JOIN logged_models l CROSS JOIN experiments e
             WHERE {conditions}
         ) AS found {after}
         ORDER BY {order}
         LIMIT {limit}"
    )
}

#[cfg(test)]
mod tests {
    use modelry_testkit::{Schema, sqlite};

    use super::*;

    /// How SQLite goes about the search, one step a line.
    async fn plan(query: Query, start: Option<Position>) -> String {
        let database = sqlite(Schema::Product).await;
        let db = database.db();
        let steps = db.read(move |tx| {
            let mut binds = Binds::default();
            let sorting = Sorting::new(&query.order);
            let sql = statement(&mut binds, ProjectId(1), &query, &sorting, start.as_ref());
            tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &binds.as_params(), |row| row.get::<String>(3))
        });
        let steps = steps.await.expect("the statement has a plan");
        database.finish().await;
        steps.join("\n")
    }

    fn newest_first() -> Query {
        Query { experiments: vec![ExperimentId(1)], limit: 10, ..Query::default() }
    }

    #[tokio::test]
    async fn the_default_order_reads_an_index_and_sorts_nothing() {
        insta::assert_snapshot!(plan(newest_first(), None).await, @r"
        SEARCH o USING COVERING INDEX logged_models_by_created (project_id=? AND experiment_id=?)
        SEARCH l USING PRIMARY KEY (project_id=? AND id=?)
        SEARCH e USING PRIMARY KEY (project_id=? AND id=?)
        ");
    }

    #[tokio::test]
    async fn a_later_page_seeks_its_start_in_the_index() {
        let start: Position =
            serde_json::from_str(r#"{"keys": [], "created_at": 5, "id": 1}"#).expect("a position");
        insta::assert_snapshot!(plan(newest_first(), Some(start)).await, @r"
        SEARCH o USING COVERING INDEX logged_models_by_created (project_id=? AND experiment_id=? AND (created_at,id)<(?,?))
        SEARCH l USING PRIMARY KEY (project_id=? AND id=?)
        SEARCH e USING PRIMARY KEY (project_id=? AND id=?)
        ");
    }

    #[tokio::test]
    async fn a_filter_and_a_metrics_order_look_values_up_by_primary_key() {
        let filter = modelry_core::search::parse_filter(
            &modelry_core::search::entity::LOGGED_MODELS,
            "metrics.f1 > 0.5 AND tags.team = 'a'",
        );
        let order = vec![SortKey::parse("metrics.f1", true, None).expect("a field")];
        let query = Query { filter: filter.expect("a filter"), order, ..newest_first() };
        insta::assert_snapshot!(plan(query, None).await, @r"
        SEARCH o USING COVERING INDEX logged_models_by_created (project_id=? AND experiment_id=?)
        SEARCH l USING PRIMARY KEY (project_id=? AND id=?)
        SEARCH t EXISTS USING PRIMARY KEY (project_id=? AND logged_model_id=? AND name=?)
        SEARCH m EXISTS USING PRIMARY KEY (project_id=? AND logged_model_id=? AND name=?)
        SEARCH e USING PRIMARY KEY (project_id=? AND id=?)
        CORRELATED SCALAR SUBQUERY 1
        SEARCH m USING PRIMARY KEY (project_id=? AND logged_model_id=? AND name=?)
        USE TEMP B-TREE FOR ORDER BY
        CORRELATED SCALAR SUBQUERY 1
        SEARCH m USING PRIMARY KEY (project_id=? AND logged_model_id=? AND name=?)
        USE TEMP B-TREE FOR ORDER BY
        USE TEMP B-TREE FOR ORDER BY
        ");
    }
}
