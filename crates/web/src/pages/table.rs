//! The table of an experiment's candidates, as its address asks for it.

use std::collections::{BTreeSet, HashMap};

use modelry_core::ids::{CandidateId, ExperimentId, ProjectId};
use modelry_core::search::entity::{CANDIDATES, CandidateAttribute};
use modelry_core::search::order::{Order, OrderKey};
use modelry_core::search::{parse_filter, parse_order_by};
use modelry_core::time::Timestamp;
use modelry_core::{Kind, Result};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_store::candidates::{self, Candidate, Logged};
use modelry_store::search::View;
use modelry_store::search::candidates as search;

use super::PAGE_ROWS;
use super::candidate::{candidate_href, duration};
use super::columns::{Columns, Kind as ColumnKind};
use super::experiments::list_href;
use crate::links;
use crate::parts::{Pager, Status};
use crate::views::table::{CandidateRow, CandidateTable, Direction, FilterProblem, Heading, Number};
use crate::visit::Visit;

/// What the reader wants to see.
pub(super) struct Wish {
    /// The experiment.
    pub(super) experiment: ExperimentId,
    /// In the bin or not.
    pub(super) view: View,
    /// The filter as it was typed; empty for all.
    pub(super) filter: String,
    /// One element of an order; empty for the newest first.
    pub(super) order_by: String,
    /// The columns; empty for the first few.
    pub(super) columns: Vec<String>,
    /// Where the page starts; empty for the first one.
    pub(super) page_token: String,
}

type CandidateOrder = Order<CandidateAttribute>;

/// What was found.
#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    logged: HashMap<CandidateId, Logged>,
    next_page_token: Option<String>,
}

/// Reads one page of the table. A filter that is wrong makes a table without rows that says so.
pub(super) async fn read(app: &App, granted: &Granted, visit: &Visit, wish: Wish) -> Result<CandidateTable> {
    let order_by: Vec<String> =
        Some(wish.order_by.clone()).filter(|text| !text.is_empty()).into_iter().collect();
    let order = parse_order_by(&CANDIDATES, &order_by)?;
    let (found, problem) = match parse_filter(&CANDIDATES, &wish.filter) {
        Ok(filter) => {
            let query = search::Query {
                experiments: vec![wish.experiment],
                filter,
                order: order.clone(),
                view: wish.view,
                limit: PAGE_ROWS,
                page_token: Some(wish.page_token.clone()).filter(|token| !token.is_empty()),
            };
            (find(app, granted, query).await?, None)
        }
        Err(error) if error.kind() == Kind::Invalid => {
            let column = column_of(error.message());
            (Found::default(), Some(FilterProblem::at(error.message().to_owned(), column)))
        }
        Err(error) => return Err(error),
    };
    let page = TablePage { href: format!("{}/{}", list_href(granted), wish.experiment), wish, order };
    Ok(page.table(granted, visit, found, problem))
}

async fn find(app: &App, granted: &Granted, query: search::Query) -> Result<Found> {
    let (project, keys) = (granted.project(), app.keys.clone());
    let read = app.db.read(move |tx| {
        let page = search::page(tx, project, &query)?;
        Ok(Found {
            candidates: candidates::list(tx, project, &page.candidates)?,
            logged: candidates::logged(tx, &keys, project, &page.candidates)?,
            next_page_token: page.next_page_token,
        })
    });
    read.await
}

/// Up to `limit` active candidates of an experiment, the newest first.
pub(super) fn newest(
    tx: &mut Tx<'_>,
    project: ProjectId,
    experiment: ExperimentId,
    limit: usize,
) -> Result<Vec<Candidate>> {
    let query = search::Query {
        experiments: vec![experiment],
        filter: None,
        order: Vec::new(),
        view: View::Active,
        limit,
        page_token: None,
    };
    let page = search::page(tx, project, &query)?;
    candidates::list(tx, project, &page.candidates)
}

/// A row of a candidate without its metrics and parameters.
pub(super) fn plain_row(granted: &Granted, visit: &Visit, candidate: &Candidate) -> CandidateRow {
    row(granted, visit, candidate, &Logged::default(), &Columns::default())
}

/// The column that the parser's message names.
fn column_of(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once(" at column ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

struct TablePage {
    href: String,
    wish: Wish,
    order: Vec<CandidateOrder>,
}

impl TablePage {
    fn table(
        self,
        granted: &Granted,
        visit: &Visit,
        found: Found,
        problem: Option<FilterProblem>,
    ) -> CandidateTable {
        let metrics: BTreeSet<&str> =
            found.logged.values().flat_map(|l| l.metrics.iter().map(|m| &*m.key)).collect();
        let params: BTreeSet<&str> =
            found.logged.values().flat_map(|l| l.params.iter().map(|(key, _)| &**key)).collect();
        let columns = Columns::choose(&self.wish.columns, &metrics, &params);
        let nothing = Logged::default();
        let row = |candidate: &Candidate| {
            let logged = found.logged.get(&candidate.id).unwrap_or(&nothing);
            row(granted, visit, candidate, logged, &columns)
        };
        CandidateTable {
            unfiltered: self.link("", &self.wish.order_by, ""),
            problem,
            choices: columns.choices(&metrics, &params),
            fixed: self.fixed_headings(),
            metrics: columns.metrics.iter().map(|key| self.heading(ColumnKind::Metric, key)).collect(),
            params: columns.params.iter().map(|key| self.heading(ColumnKind::Param, key)).collect(),
            rows: found.candidates.iter().map(row).collect(),
            pager: Pager {
                first: (!self.wish.page_token.is_empty())
                    .then(|| self.link(&self.wish.filter, &self.wish.order_by, "")),
                next: found
                    .next_page_token
                    .map(|token| self.link(&self.wish.filter, &self.wish.order_by, &token)),
            },
            href: self.href,
            filter: self.wish.filter,
            order_by: self.wish.order_by,
            chosen_columns: self.wish.columns,
        }
    }

    fn fixed_headings(&self) -> Vec<Heading> {
        let sorted = |label: &str, attribute| {
            self.sorted_heading(label, false, OrderKey::Attribute(attribute), Direction::Ascending)
        };
        vec![
            sorted("Name", CandidateAttribute::Name),
            sorted("Status", CandidateAttribute::Status),
            self.sorted_heading(
                "Created",
                false,
                OrderKey::Attribute(CandidateAttribute::StartTime),
                Direction::Descending,
            ),
            sorted("User", CandidateAttribute::UserId),
            Heading { label: "Duration".to_owned(), is_number: true, href: None, sorted: None },
        ]
    }

    fn heading(&self, kind: ColumnKind, key: &str) -> Heading {
        match kind {
            ColumnKind::Metric => {
                self.sorted_heading(key, true, OrderKey::Metric(key.to_owned()), Direction::Descending)
            }
            ColumnKind::Param => {
                self.sorted_heading(key, false, OrderKey::Param(key.to_owned()), Direction::Ascending)
            }
        }
    }

    /// A heading whose link orders by `key`: in `first` direction, or the other way round where it already does.
    fn sorted_heading(
        &self,
        label: &str,
        is_number: bool,
        key: OrderKey<CandidateAttribute>,
        first: Direction,
    ) -> Heading {
        let current =
            self.order.first().filter(|order| order.key == key).map(|order| direction(order.descending));
        let next = current.map_or(first, Direction::reversed);
        let order = Order { key, descending: next == Direction::Descending };
        Heading {
            label: label.to_owned(),
            is_number,
            href: Some(self.link(&self.wish.filter, &order.to_string(), "")),
            sorted: current,
        }
    }

    fn link(&self, filter: &str, order_by: &str, page_token: &str) -> String {
        let columns = self.wish.columns.iter().map(|column| ("column", column.as_str()));
        let rest = [("filter", filter), ("order_by", order_by), ("page_token", page_token)];
        links::with_query(&self.href, rest.into_iter().chain(columns))
    }
}

fn direction(descending: bool) -> Direction {
    if descending { Direction::Descending } else { Direction::Ascending }
}

fn row(
    granted: &Granted,
    visit: &Visit,
    candidate: &Candidate,
    logged: &Logged,
    columns: &Columns,
) -> CandidateRow {
    let metric = |key: &String| {
        let found = logged.metrics.binary_search_by(|metric| (*metric.key).cmp(key)).ok()?;
        Some(Number::from(logged.metrics[found].value))
    };
    let param = |key: &String| {
        let found = logged.params.binary_search_by(|(name, _)| (**name).cmp(key)).ok()?;
        Some(logged.params[found].1.clone())
    };
    CandidateRow {
        name: candidate.name.clone(),
        href: candidate_href(granted, candidate.id),
        status: Status(candidate.status),
        created: visit.moment(Timestamp(candidate.start_time)),
        user: Some(candidate.user_name.clone()).filter(|name| !name.is_empty()),
        duration: duration(candidate, visit.now),
        metrics: columns.metrics.iter().map(metric).collect(),
        params: columns.params.iter().map(param).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parser_says_at_which_column_a_filter_is_wrong() {
        let error = parse_filter(&CANDIDATES, "params.model ~ 'ridge'").expect_err("a tilde is no operator");
        assert_eq!(column_of(error.message()), Some(14), "{}", error.message());
    }
}
