//! One experiment: its candidates, its metadata.

use askama::Template;

use crate::format::Moment;
use crate::parts::Snippet;
use crate::shell::Shell;
use crate::views::Pair;
use crate::views::table::CandidateTable;

/// `/:full_path/-/ml/experiments/:iid`.
#[derive(Clone, Debug, Template)]
#[template(path = "experiment.html")]
pub struct ExperimentPage {
    /// The surroundings.
    pub shell: Shell,
    /// What the page is about.
    pub head: ExperimentHead,
    /// The part that is shown.
    pub tab: Tab,
}

/// What an experiment is.
#[derive(Clone, Debug)]
pub struct ExperimentHead {
    /// Its name.
    pub name: String,
    /// Its number, which is the client's experiment id.
    pub iid: String,
    /// Its page.
    pub href: String,
    /// What the client's note says; may be empty.
    pub description: String,
    /// When it was made.
    pub created: Moment,
    /// Who made it.
    pub creator: Option<String>,
    /// Whether it lies in the bin.
    pub is_deleted: bool,
}

/// A part of the page.
#[derive(Clone, Debug)]
pub enum Tab {
    /// The candidates.
    Candidates(Box<CandidateTable>),
    /// No candidates yet, and code that makes one.
    Empty(Snippet),
    /// Keys and values set on the experiment.
    Metadata(Vec<Pair>),
}

impl Tab {
    /// Whether the first tab is shown, full or empty.
    pub fn is_candidates(&self) -> bool {
        match self {
            Self::Candidates(_) | Self::Empty(_) => true,
            Self::Metadata(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::{Pager, Status};
    use crate::shell::{Crumb, Section};
    use crate::views::first_candidate;
    use crate::views::table::{
        CandidateRow, ColumnCheck, ColumnChoice, ColumnGroup, Direction, Export, FilterProblem, Heading,
        HeadingGroup, Number, TableBody, TableCell,
    };
    use crate::views::testing::{check, minutes_ago, project_shell};
    use modelry_core::status::CandidateStatus;

    const HREF: &str = "/research/churn/-/ml/experiments/3";

    fn page(tab: Tab) -> ExperimentPage {
        let mut shell = project_shell("gradient boosting", Section::Experiments);
        shell.crumbs.insert(1, Crumb::link("Model experiments", "/research/churn/-/ml/experiments"));
        let head = ExperimentHead {
            name: "gradient boosting".to_owned(),
            iid: "3".to_owned(),
            href: HREF.to_owned(),
            description: String::new(),
            created: minutes_ago(10_000),
            creator: Some("ada".to_owned()),
            is_deleted: false,
        };
        ExperimentPage { shell, head, tab }
    }

    fn headings(labels: &[&str], is_number: bool) -> Vec<Heading> {
        let heading = |label: &&str| Heading {
            label: (*label).to_owned(),
            is_number,
            href: Some(format!("{HREF}?order_by=x")),
            sorted: (*label == "val/auc").then_some(Direction::Descending),
        };
        labels.iter().map(heading).collect()
    }

    fn row(index: i32) -> CandidateRow {
        use CandidateStatus::{Failed, Finished, Killed, Running, Scheduled};
        let names = ["ambitious-lynx-204", "calm-heron-11", "bold-otter-873", "depth 6, more trees"];
        let statuses = [Running, Finished, Failed, Killed, Scheduled];
        let nth = usize::try_from(index).expect("not negative");
        let loss = f64::from(index + 1).recip();
        CandidateRow {
            iid: i64::from(index) + 1,
            name: names[nth % names.len()].to_owned(),
            href: "/research/churn/-/ml/candidates/12".to_owned(),
            status: Status(statuses[nth % statuses.len()]),
            created: minutes_ago(i64::from(index) * 47),
            user: Some(["ada", "grace"][nth % 2].to_owned()),
            duration: (nth % statuses.len() != 0).then(|| format!("{} min {index} s", index * 3)),
            cells: cells(index, loss),
        }
    }

    fn cells(index: i32, loss: f64) -> Vec<TableCell> {
        let is_missing = index == 3;
        let numbers =
            [0.95 - loss / 10.0, loss, loss * 1.1, if index == 2 { f64::NAN } else { 1.0e-7 * loss }];
        let texts =
            ["0.05", "6", "hist", "[\"age\", \"tenure\", \"plan\", \"region\", \"calls_last_month\"]"];
        let number = |value| TableCell::Number((!is_missing).then(|| Number::from(value)));
        let text = |value: &str| TableCell::Text(Some(value.to_owned()));
        numbers.into_iter().map(number).chain(texts.into_iter().map(text)).collect()
    }

    fn choices() -> Vec<ColumnGroup> {
        let check = |column: String, figure, is_chosen| ColumnCheck { column, figure, is_chosen };
        let metric = |key: &str| ColumnChoice {
            key: key.to_owned(),
            columns: vec![
                check(format!("metrics.{key}"), None, true),
                check(format!("min(metrics.{key})"), Some("min"), false),
                check(format!("max(metrics.{key})"), Some("max"), false),
            ],
        };
        let param = |key: &str| ColumnChoice {
            key: key.to_owned(),
            columns: vec![check(format!("params.{key}"), None, key != "seed")],
        };
        vec![
            ColumnGroup {
                kind: "metrics",
                title: "Metrics",
                choices: ["val/auc", "val/loss", "train/loss", "lr"].map(metric).into(),
                has_more: true,
            },
            ColumnGroup {
                kind: "params",
                title: "Parameters",
                choices: ["learning_rate", "max_depth", "seed"].map(param).into(),
                has_more: false,
            },
        ]
    }

    fn table() -> CandidateTable {
        CandidateTable {
            href: HREF.to_owned(),
            filter: "metrics.`val/auc` > 0.5".to_owned(),
            problem: None,
            order_by: "metrics.`val/auc` DESC".to_owned(),
            chosen_columns: Vec::new(),
            keys_href: "/api/v4/projects/1/experiments/3/columns".to_owned(),
            choices: choices(),
            export: Export { shown: "?column=name".to_owned(), all: "?".to_owned() },
            body: body(),
        }
    }

    fn body() -> TableBody {
        let mut fixed = headings(&["Name", "Status", "Created", "User"], false);
        fixed.push(Heading { label: "Duration".to_owned(), is_number: true, href: None, sorted: None });
        let metrics = headings(&["val/auc", "val/loss", "train/loss", "lr"], true);
        let params = headings(&["learning_rate", "max_depth", "tree_method", "features"], false);
        TableBody {
            unfiltered: HREF.to_owned(),
            is_wrong: false,
            refresh: Some(format!("{HREF}/table")),
            fixed,
            groups: vec![
                HeadingGroup { title: "Metrics", headings: metrics },
                HeadingGroup { title: "Parameters", headings: params },
            ],
            rows: (0..14).map(row).collect(),
            pager: Pager { first: None, next: Some("?page_token=abc".to_owned()) },
        }
    }

    #[test]
    fn the_experiment_page_lists_candidates_with_their_values() {
        let html = page(Tab::Candidates(Box::new(table()))).to_string();
        check("experiment", &html);
        assert!(html.contains(r#"aria-sort="descending""#));
        assert!(html.contains(r#"<span title="0.85">0.85</span>"#));
    }

    #[test]
    fn a_filter_that_is_wrong_is_shown_with_its_position() {
        let problem = FilterProblem::at("expected a number at column 13, found `abc`".to_owned(), Some(13));
        let table = CandidateTable {
            filter: "metrics.a > abc".to_owned(),
            problem: Some(problem),
            body: TableBody { rows: Vec::new(), is_wrong: true, ..body() },
            ..table()
        };
        let html = page(Tab::Candidates(Box::new(table))).to_string();
        check("experiment_problem", &html);
        assert!(html.contains("metrics.a &#62; abc\n            ^</pre>"));
        assert!(!html.contains("No candidate matches"));
    }

    #[test]
    fn an_experiment_without_candidates_shows_what_to_run() {
        let html = page(Tab::Empty(first_candidate("gradient boosting"))).to_string();
        check("experiment_empty", &html);
        assert!(html.contains("mlflow.set_experiment(&#34;gradient boosting&#34;)"));
    }

    #[test]
    fn the_metadata_of_an_experiment_is_text() {
        let pair = Pair { key: "owner".to_owned(), value: "<b>team</b>".to_owned() };
        let html = page(Tab::Metadata(vec![pair])).to_string();
        check("experiment_metadata", &html);
        assert!(html.contains("&#60;b&#62;team&#60;/b&#62;"));
    }
}
