//! The table of an experiment's candidates, as its address asks for it.

use modelry_core::ids::{ExperimentId, ProjectId};
use modelry_core::search::column::{Column, Figure, KeyKind};
use modelry_core::search::entity::{CANDIDATES, CandidateAttribute};
use modelry_core::search::order::{Order, OrderKey};
use modelry_core::search::{parse_filter, parse_order_by};
use modelry_core::time::Timestamp;
use modelry_core::{Kind, Result};
use modelry_db::{Connections, Tx};
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_store::candidates::{self, Candidate};
use modelry_store::columns::{Cell, KeyPlace, Selection, TableRow};
use modelry_store::search::View;
use modelry_store::search::candidates as search;

use super::candidate::{candidate_href, duration};
use super::columns::{self, Offered};
use super::experiments::list_href;
use crate::links;
use crate::parts::{Pager, Status};
use crate::views::table::{
    CandidateRow, CandidateTable, Direction, Export, FilterProblem, Heading, HeadingGroup, Number, TableBody,
    TableCell,
};
use crate::visit::Visit;

/// Candidates of a page.
const ROWS: usize = 100;

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
struct Found {
    columns: Vec<Column>,
    offered: Offered,
    rows: Vec<TableRow>,
    next_page_token: Option<String>,
}

/// Reads one page of the table. A filter that is wrong makes a table without rows that says so.
pub(super) async fn read(app: &App, granted: &Granted, visit: &Visit, wish: Wish) -> Result<CandidateTable> {
    let order_by: Vec<String> =
        Some(wish.order_by.clone()).filter(|text| !text.is_empty()).into_iter().collect();
    let order = parse_order_by(&CANDIDATES, &order_by)?;
    let (query, problem) = match parse_filter(&CANDIDATES, &wish.filter) {
        Ok(filter) => {
            let query = search::Query {
                experiments: vec![wish.experiment],
                filter,
                order: order.clone(),
                view: wish.view,
                limit: ROWS,
                page_token: Some(wish.page_token.clone()).filter(|token| !token.is_empty()),
            };
            (Some(query), None)
        }
        Err(error) if error.kind() == Kind::Invalid => {
            let column = column_of(error.message());
            (None, Some(FilterProblem::at(error.message().to_owned(), column)))
        }
        Err(error) => return Err(error),
    };
    let place = KeyPlace { project: granted.project(), experiment: wish.experiment };
    let found = find(app, place, query, columns::read(&wish.columns)?).await?;
    let page = TablePage { href: format!("{}/{}", list_href(granted), wish.experiment), place, wish, order };
    Ok(page.table(granted, visit, found, problem))
}

/// Reads what `query` finds, if there is one, and the keys of the experiment.
async fn find(
    app: &App,
    place: KeyPlace,
    query: Option<search::Query>,
    wanted: Vec<Column>,
) -> Result<Found> {
    let (used, known, now) = (app.used_keys.clone(), app.findings.known(), app.clock.now());
    let connections = query.as_ref().map_or(Connections::One, |query| known.connections(query));
    let read = app.db.read_on(connections, move |tx| {
        let offered = Offered::read(tx, &used, place, now)?;
        let columns = if wanted.is_empty() { offered.first_few() } else { wanted.clone() };
        let page = match &query {
            Some(query) => search::page(tx, &known, place.project, query)?,
            None => search::Page::default(),
        };
        let selection = Selection::resolve(tx, place.project, &columns)?;
        let rows = selection.read(tx, place.project, &page.candidates)?;
        Ok(Found { columns, offered, rows, next_page_token: page.next_page_token })
    });
    read.await
}

/// Up to `limit` active candidates of an experiment, the newest first.
pub(super) fn newest(
    tx: &mut Tx<'_>,
    known: &search::Known,
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
    let page = search::page(tx, known, project, &query)?;
    candidates::list(tx, project, &page.candidates)
}

/// A row of a candidate without any columns.
pub(super) fn plain_row(granted: &Granted, visit: &Visit, candidate: &Candidate) -> CandidateRow {
    row(granted, visit, candidate, Vec::new())
}

/// The column that the parser's message names.
fn column_of(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once(" at column ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

struct TablePage {
    href: String,
    place: KeyPlace,
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
        let choices = found.offered.choices(&found.columns);
        CandidateTable {
            keys_href: columns::keys_href(self.place),
            choices,
            export: self.export(&found.columns),
            body: self.body(granted, visit, found, problem.is_some()),
            problem,
            href: self.href,
            filter: self.wish.filter,
            order_by: self.wish.order_by,
            chosen_columns: self.wish.columns,
        }
    }

    fn body(&self, granted: &Granted, visit: &Visit, found: Found, is_wrong: bool) -> TableBody {
        let wish = &self.wish;
        let is_live = found.rows.iter().any(|row| Status(row.candidate.status).is_live());
        let groups = KeyKind::ALL.into_iter().map(|kind| self.group(kind, &found.columns));
        let groups = groups.filter(|group| !group.headings.is_empty()).collect();
        let next = found.next_page_token.map(|token| self.link(&wish.filter, &wish.order_by, &token));
        let rows = found.rows.into_iter();
        let rows = rows.map(|TableRow { candidate, cells }| {
            let cells = cells.into_iter().zip(&found.columns).map(|(cell, column)| shown(cell, column));
            row(granted, visit, &candidate, cells.collect())
        });
        TableBody {
            unfiltered: self.link("", &wish.order_by, ""),
            is_wrong,
            refresh: is_live.then(|| {
                let here = format!("{}/table", self.href);
                self.link_to(&here, &wish.filter, &wish.order_by, &wish.page_token)
            }),
            fixed: self.fixed_headings(),
            groups,
            rows: rows.collect(),
            pager: Pager {
                first: (!wish.page_token.is_empty()).then(|| self.link(&wish.filter, &wish.order_by, "")),
                next,
            },
        }
    }

    /// The candidates as CSV with the columns shown, and with all.
    fn export(&self, shown: &[Column]) -> Export {
        let href = columns::export_href(self.place);
        let rest = [("filter", self.wish.filter.as_str()), ("order_by", self.wish.order_by.as_str())];
        let attributes = ["name", "status", "user", "start_time", "end_time"].map(str::to_owned);
        let names: Vec<String> = attributes.into_iter().chain(shown.iter().map(Column::to_string)).collect();
        let names = names.iter().map(|name| ("column", name.as_str()));
        Export {
            shown: links::with_query(&href, rest.into_iter().chain(names)),
            all: links::with_query(&href, rest),
        }
    }

    fn group(&self, kind: KeyKind, columns: &[Column]) -> HeadingGroup {
        let of_kind = columns.iter().filter(|column| column.key().is_some_and(|(of, _)| of == kind));
        HeadingGroup {
            title: columns::title(kind),
            headings: of_kind.map(|column| self.heading(column)).collect(),
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

    fn heading(&self, column: &Column) -> Heading {
        let label = columns::label(column);
        let text = |key| self.sorted_heading(&label, false, key, Direction::Ascending);
        match column {
            Column::Metric(key, Figure::Last) => {
                self.sorted_heading(&label, true, OrderKey::Metric(key.clone()), Direction::Descending)
            }
            Column::Metric(..) => Heading { label, is_number: true, href: None, sorted: None },
            Column::Param(key) => text(OrderKey::Param(key.clone())),
            Column::Metadata(key) => text(OrderKey::Metadata(key.clone())),
            Column::Attribute(attribute) => text(OrderKey::Attribute(*attribute)),
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
        self.link_to(&self.href, filter, order_by, page_token)
    }

    fn link_to(&self, href: &str, filter: &str, order_by: &str, page_token: &str) -> String {
        let columns = self.wish.columns.iter().map(|column| ("column", column.as_str()));
        let rest = [("filter", filter), ("order_by", order_by), ("page_token", page_token)];
        links::with_query(href, rest.into_iter().chain(columns))
    }
}

fn direction(descending: bool) -> Direction {
    if descending { Direction::Descending } else { Direction::Ascending }
}

/// What a candidate has in a column, as the page shows it.
fn shown(cell: Cell, column: &Column) -> TableCell {
    match (cell, column) {
        (Cell::Number(value), _) => TableCell::Number(Some(Number::from(value))),
        (Cell::Missing, Column::Metric(..)) => TableCell::Number(None),
        (Cell::Missing, _) => TableCell::Text(None),
        (Cell::Text(text), _) => TableCell::Text(Some(text)),
        (Cell::Integer(value), _) => TableCell::Text(Some(value.to_string())),
    }
}

fn row(granted: &Granted, visit: &Visit, candidate: &Candidate, cells: Vec<TableCell>) -> CandidateRow {
    CandidateRow {
        iid: candidate.id.0,
        name: candidate.name.clone(),
        href: candidate_href(granted, candidate.id),
        status: Status(candidate.status),
        created: visit.moment(Timestamp(candidate.start_time)),
        user: Some(candidate.user_name.clone()).filter(|name| !name.is_empty()),
        duration: duration(candidate, visit.now),
        cells,
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
