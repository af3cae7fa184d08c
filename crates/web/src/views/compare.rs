//! Candidates beside each other.

use askama::Template;

use crate::format::Moment;
use crate::parts::Status;
use crate::shell::Shell;
use crate::views::charts::{Board, Line};
use crate::views::table::Number;

/// `/:full_path/-/ml/experiments/:number/compare?candidate=..&candidate=..`.
#[derive(Clone, Debug, Template)]
#[template(path = "compare.html")]
pub struct ComparePage {
    /// The surroundings.
    pub shell: Shell,
    /// The experiment's name.
    pub experiment: String,
    /// The experiment's page.
    pub experiment_href: String,
    /// The candidates.
    pub columns: Vec<Column>,
    /// Their metrics as lines.
    pub board: Board,
    /// Whether only rows are shown in which candidates differ.
    pub only_differences: bool,
    /// The page with the other rows too, or without them.
    pub other_href: String,
    /// Metrics, parameters and metadata.
    pub tables: Vec<ComparedTable>,
}

/// A candidate of the comparison.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its line.
    pub line: Line,
    /// Where it stands.
    pub status: Status,
    /// When it was started.
    pub started: Moment,
    /// How long it ran, or has been running.
    pub duration: Option<String>,
    /// The name of its experiment.
    pub experiment: String,
    /// The page without it.
    pub without_href: String,
}

/// Values of one kind.
#[derive(Clone, Debug)]
pub struct ComparedTable {
    /// The id of the heading.
    pub id: &'static str,
    /// The heading.
    pub title: &'static str,
    /// What stands there where there are no rows.
    pub without_rows: &'static str,
    /// The rows.
    pub rows: Vec<ComparedRow>,
    /// How many more rows there are.
    pub left_out: usize,
}

/// What candidates have under one key, a cell for each.
#[derive(Clone, Debug)]
pub struct ComparedRow {
    /// The key.
    pub key: String,
    /// What each candidate has, if it has anything.
    pub cells: Vec<Option<Cell>>,
}

impl ComparedRow {
    /// Whether candidates differ in it.
    pub fn is_difference(&self) -> bool {
        self.cells.windows(2).any(|pair| pair[0] != pair[1])
    }
}

/// What one candidate has under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A parameter or metadata.
    Text(String),
    /// A metric.
    Metric {
        /// The latest value.
        last: Number,
        /// The least number.
        min: Number,
        /// The greatest number.
        max: Number,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::{Crumb, Section};
    use crate::views::charts::tests::{board, charts, line};
    use crate::views::testing::{check, minutes_ago, project_shell};
    use modelry_core::status::CandidateStatus;

    const HREF: &str = "/research/churn/-/ml/experiments/3";

    fn text(key: &str, values: [Option<&str>; 2]) -> ComparedRow {
        let cell = |value: Option<&str>| value.map(|value| Cell::Text(value.to_owned()));
        ComparedRow { key: key.to_owned(), cells: values.map(cell).into() }
    }

    fn metric(key: &str, values: [f64; 2]) -> ComparedRow {
        let cell = |last: f64| Some(Cell::Metric { last: last.into(), min: 0.1.into(), max: 0.9.into() });
        ComparedRow { key: key.to_owned(), cells: values.map(cell).into() }
    }

    fn sample() -> ComparePage {
        let mut shell = project_shell("Comparison", Section::Experiments);
        shell.crumbs.insert(1, Crumb::link("Model experiments", "/research/churn/-/ml/experiments"));
        let lines = vec![line(0, "calm-heron-11"), line(1, "bold-otter-873")];
        let column = |line: &Line| Column {
            line: line.clone(),
            status: Status(CandidateStatus::Finished),
            started: minutes_ago(61),
            duration: Some("27 min 12 s".to_owned()),
            experiment: "gradient boosting".to_owned(),
            without_href: format!("{HREF}/compare?candidate=12"),
        };
        let table = |id, title, rows| ComparedTable { id, title, without_rows: "None.", rows, left_out: 0 };
        ComparePage {
            shell,
            experiment: "gradient boosting".to_owned(),
            experiment_href: HREF.to_owned(),
            columns: lines.iter().map(column).collect(),
            board: board(lines, charts()),
            only_differences: false,
            other_href: format!("{HREF}/compare?candidate=12&candidate=13&only=differences"),
            tables: vec![
                table("metrics", "Metrics", vec![metric("auc", [0.9, 0.8]), metric("lr", [0.1, 0.1])]),
                table(
                    "params",
                    "Parameters",
                    vec![text("depth", [Some("5"), None]), text("seed", [Some("1"), Some("1")])],
                ),
                table("metadata", "Metadata", Vec::new()),
            ],
        }
    }

    #[test]
    fn rows_in_which_candidates_differ_are_marked() {
        let html = sample().to_string();
        check("compare_candidates", &html);
        assert_eq!(html.matches(r#"<tr class="changed">"#).count(), 2);
        assert!(html.contains("None."));
    }

    #[test]
    fn a_value_that_one_candidate_lacks_is_a_difference() {
        assert!(text("depth", [Some("5"), None]).is_difference());
        assert!(!text("depth", [None, None]).is_difference());
    }
}
