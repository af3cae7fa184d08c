//! The table of an experiment's candidates: filter, columns, order, rows.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::format::{self, Moment};
use crate::parts::{Pager, Status};

/// One page of candidates with everything that changes what is shown.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/candidate_table.html")]
pub struct CandidateTable {
    /// The experiment's page.
    pub href: String,
    /// The filter as it was typed.
    pub filter: String,
    /// What is wrong with it; there are no rows then.
    pub problem: Option<FilterProblem>,
    /// The order as it stands in the URL; empty for the newest first.
    pub order_by: String,
    /// The columns as they stand in the URL; empty for the first few.
    pub chosen_columns: Vec<String>,
    /// The address that lists all keys of the experiment, for scripts.
    pub keys_href: String,
    /// What can be shown.
    pub choices: Vec<ColumnGroup>,
    /// The ways to take the candidates away.
    pub export: Export,
    /// The rows and what belongs to them.
    pub body: TableBody,
}

impl HtmlSafe for CandidateTable {}

/// The candidates as CSV, filtered and ordered as on the page.
#[derive(Clone, Debug)]
pub struct Export {
    /// With the columns shown.
    pub shown: String,
    /// With all columns.
    pub all: String,
}

/// The part of the table that changes while candidates run.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/table_body.html")]
pub struct TableBody {
    /// The page without the filter, everything else kept.
    pub unfiltered: String,
    /// Whether there are no rows because the filter is wrong.
    pub is_wrong: bool,
    /// Where this part is asked for again, while a candidate that is shown runs.
    pub refresh: Option<String>,
    /// The headings of what every candidate has: name, status, created, user, duration.
    pub fixed: Vec<Heading>,
    /// The headings of the columns chosen, those of a kind together.
    pub groups: Vec<HeadingGroup>,
    /// The candidates.
    pub rows: Vec<CandidateRow>,
    /// The way to the other pages.
    pub pager: Pager,
}

impl HtmlSafe for TableBody {}

/// The headings of the columns of one kind.
#[derive(Clone, Debug)]
pub struct HeadingGroup {
    /// `Metrics`, `Parameters` or `Metadata`.
    pub title: &'static str,
    /// One for each column.
    pub headings: Vec<Heading>,
}

/// What is wrong with a filter.
#[derive(Clone, Debug)]
pub struct FilterProblem {
    /// The parser's message, which names the position.
    pub message: String,
    /// Where it is wrong, in characters from 1.
    pub column: Option<usize>,
    /// A line that points at that position, to stand under the filter in fixed-width letters.
    pub caret: Option<String>,
}

impl FilterProblem {
    /// For a filter that is wrong at `column`, counted in characters from 1.
    pub fn at(message: String, column: Option<usize>) -> Self {
        let caret = column.map(|column| format!("{}^", " ".repeat(column.saturating_sub(1))));
        Self { message, column, caret }
    }
}

/// Keys of one kind that can be shown.
#[derive(Clone, Debug)]
pub struct ColumnGroup {
    /// The API's word for the kind.
    pub kind: &'static str,
    /// `Metrics`, `Parameters` or `Metadata`.
    pub title: &'static str,
    /// The keys.
    pub choices: Vec<ColumnChoice>,
    /// Whether the experiment has more keys than these.
    pub has_more: bool,
}

/// A key that can be shown.
#[derive(Clone, Debug)]
pub struct ColumnChoice {
    /// The key.
    pub key: String,
    /// Its columns: one; of a metric the latest, the least and the greatest value.
    pub columns: Vec<ColumnCheck>,
}

/// A column that can be shown.
#[derive(Clone, Debug)]
pub struct ColumnCheck {
    /// The value in the URL: `metrics.loss`.
    pub column: String,
    /// `min` or `max`; `None` for the key's own value.
    pub figure: Option<&'static str>,
    /// Whether it is shown.
    pub is_chosen: bool,
}

/// The head of a column.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/heading.html")]
pub struct Heading {
    /// The word.
    pub label: String,
    /// Whether its cells are numbers.
    pub is_number: bool,
    /// The page ordered by this column, the other way round where it already is; `None` where it cannot be.
    pub href: Option<String>,
    /// How the rows are ordered by it now.
    pub sorted: Option<Direction>,
}

impl HtmlSafe for Heading {}

/// A direction of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

impl Direction {
    /// The other direction.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }

    /// The word of `aria-sort`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }
}

/// One candidate of the table.
#[derive(Clone, Debug)]
pub struct CandidateRow {
    /// Its number.
    pub iid: i64,
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// Where it stands.
    pub status: Status,
    /// When it was started.
    pub created: Moment,
    /// Who started it.
    pub user: Option<String>,
    /// How long it ran.
    pub duration: Option<String>,
    /// What it has in the columns chosen, one cell for each heading.
    pub cells: Vec<TableCell>,
}

/// What a candidate has in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableCell {
    /// A metric.
    Number(Option<Number>),
    /// A parameter or metadata.
    Text(Option<String>),
}

/// A metric's value: short on the page, in full behind it.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(ext = "html", source = r#"<span title="{{ full }}">{{ short }}</span>"#)]
pub struct Number {
    /// Six significant digits.
    pub short: String,
    /// Every digit.
    pub full: String,
}

impl HtmlSafe for Number {}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self { short: format::number(value), full: format::number_in_full(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_points_at_the_column() {
        let problem = FilterProblem::at("expected a value at column 5".to_owned(), Some(5));
        assert_eq!(problem.caret.as_deref(), Some("    ^"));
    }
}
