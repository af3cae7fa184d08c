//! Candidates beside each other: their metrics as charts, and all that was logged as tables.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::State;
use modelry_core::ids::{CandidateId, ExperimentId, ProjectId};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::{Path, Query};
use modelry_store::candidates::{self, Candidate, LatestMetric, Logged};
use modelry_store::experiments;
use modelry_store::keys::Keys;
use modelry_store::projects;
use serde::Deserialize;

use super::candidate::duration;
use super::charts::{ChartQuery, Subject, board, line, read_candidates};
use super::experiments::list_href;
use crate::answer::{Answer, Page, Shown};
use crate::links;
use crate::parts::Status;
use crate::shell::{Crumb, Section};
use crate::views::Pair;
use crate::views::compare::{Cell, Column, ComparePage, ComparedRow, ComparedTable};
use crate::visit::Visit;

/// Params or metadata of a candidate.
type Texts = Vec<(Arc<str>, String)>;

/// How many rows a table has at most.
const MOST_ROWS: usize = 1_000;

/// What `only` says in an address to leave out what is the same.
const DIFFERENCES: &str = "differences";

/// Which candidates to compare, and what to show of them.
#[derive(Deserialize)]
pub(crate) struct CompareQuery {
    #[serde(default)]
    candidate: Vec<i64>,
    #[serde(default)]
    only: String,
}

/// What the page reads at once.
struct Compared {
    project: String,
    experiment: String,
    candidates: Vec<Candidate>,
    /// What each candidate logged, in their order.
    logged: Vec<Logged>,
    /// The names of the experiments that the candidates are of.
    experiments: HashMap<ExperimentId, String>,
}

impl Compared {
    fn read(
        tx: &mut Tx<'_>,
        keys: &Keys,
        project: ProjectId,
        experiment: ExperimentId,
        numbers: &[i64],
    ) -> Result<Self> {
        let of_page = experiments::get(tx, project, experiment)?;
        if numbers.is_empty() {
            return Err(Error::invalid("choose candidates to compare in the table of their experiment"));
        }
        let candidates = read_candidates(tx, project, numbers)?;
        let ids: Vec<CandidateId> = candidates.iter().map(|candidate| candidate.id).collect();
        let mut logged = candidates::logged(tx, keys, project, &ids)?;
        let mut experiments = HashMap::from([(experiment, of_page.name.clone())]);
        for candidate in &candidates {
            if let Entry::Vacant(unknown) = experiments.entry(candidate.experiment_id) {
                unknown.insert(experiments::get(tx, project, candidate.experiment_id)?.name);
            }
        }
        Ok(Self {
            project: projects::get(tx, project)?.name,
            experiment: of_page.name,
            logged: ids.iter().map(|id| logged.remove(id).unwrap_or_default()).collect(),
            candidates,
            experiments,
        })
    }
}

/// Candidates of a project beside each other, mostly of one experiment.
pub(crate) async fn compare_candidates(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Shown(Query(query)): Shown<Query<CompareQuery>>,
    Shown(Query(charts)): Shown<Query<ChartQuery>>,
) -> Answer<Page<ComparePage>> {
    let (project, keys) = (granted.project(), app.keys.clone());
    let CompareQuery { candidate: numbers, only } = query;
    let read = app.db.read(move |tx| Compared::read(tx, &keys, project, ExperimentId(id), &numbers));
    let experiment_href = format!("{}/{id}", list_href(&granted));
    let seen = SeenAs { only_differences: only == DIFFERENCES, charts };
    Ok(Page(page(&granted, &visit, experiment_href, read.await?, &seen)))
}

/// How the page is seen.
struct SeenAs {
    only_differences: bool,
    charts: ChartQuery,
}

fn page(
    granted: &Granted,
    visit: &Visit,
    experiment_href: String,
    compared: Compared,
    seen: &SeenAs,
) -> ComparePage {
    let way = vec![
        Crumb::link("Model experiments", list_href(granted)),
        Crumb::link(&compared.experiment, &experiment_href),
        Crumb::here("Comparison"),
    ];
    let shell = visit.project_shell(granted, &compared.project, Section::Experiments, way);
    let address =
        Address { page: format!("{experiment_href}/compare"), candidates: &compared.candidates, seen };
    let subject = Subject {
        candidates: &compared.candidates,
        metrics: metric_keys(&compared.logged).into_iter().map(|key| (key.to_string(), None)).collect(),
        action: address.page.clone(),
        kept: address.kept(),
        query: &seen.charts,
    };
    ComparePage {
        board: board(granted, shell.csrf(), subject),
        columns: columns(granted, visit, &compared, &address),
        tables: tables(&compared.logged, seen.only_differences),
        other_href: address.href(!seen.only_differences, None),
        experiment: compared.experiment,
        only_differences: seen.only_differences,
        experiment_href,
        shell,
    }
}

/// Where the page is.
struct Address<'a> {
    page: String,
    candidates: &'a [Candidate],
    seen: &'a SeenAs,
}

impl Address<'_> {
    /// What the form of the charts keeps.
    fn kept(&self) -> Vec<Pair> {
        let pair = |key: &str, value: String| Pair { key: key.to_owned(), value };
        let candidates = self.candidates.iter().map(|candidate| pair("candidate", candidate.id.to_string()));
        let only = self.seen.only_differences.then(|| pair("only", DIFFERENCES.to_owned()));
        candidates.chain(only).collect()
    }

    /// The page with all values or only those that differ, without a candidate where one is named.
    fn href(&self, only_differences: bool, without: Option<CandidateId>) -> String {
        let left = self.candidates.iter().filter(|candidate| Some(candidate.id) != without);
        let numbers: Vec<String> = left.map(|candidate| candidate.id.to_string()).collect();
        let candidates = numbers.iter().map(|number| ("candidate", number.as_str()));
        let only = only_differences.then_some(("only", DIFFERENCES));
        links::with_query(&self.page, candidates.chain(only).chain(self.seen.charts.pairs()))
    }
}

fn columns(granted: &Granted, visit: &Visit, compared: &Compared, address: &Address<'_>) -> Vec<Column> {
    let column = |(index, candidate): (usize, &Candidate)| Column {
        line: line(granted, index, candidate),
        status: Status(candidate.status),
        started: visit.moment(Timestamp(candidate.start_time)),
        duration: duration(candidate, visit.now),
        experiment: compared.experiments[&candidate.experiment_id].clone(),
        without_href: address.href(address.seen.only_differences, Some(candidate.id)),
    };
    compared.candidates.iter().enumerate().map(column).collect()
}

/// The keys of all metrics, in order.
fn metric_keys(logged: &[Logged]) -> Vec<Arc<str>> {
    let keys = logged.iter().flat_map(|logged| &logged.metrics).map(|metric| metric.key.clone());
    let distinct: BTreeSet<Arc<str>> = keys.collect();
    distinct.into_iter().collect()
}

fn tables(logged: &[Logged], only_differences: bool) -> Vec<ComparedTable> {
    let texts = |of: fn(&Logged) -> &Texts| {
        rows(logged.iter().map(|logged| {
            let texts = of(logged).iter();
            texts.map(|(key, value)| (key.clone(), Cell::Text(value.clone()))).collect()
        }))
    };
    let metrics = logged.iter().map(|logged| {
        logged.metrics.iter().map(|metric| (metric.key.clone(), metric_cell(metric))).collect()
    });
    let table = |id, title, mut rows: Vec<ComparedRow>| {
        if only_differences {
            rows.retain(ComparedRow::is_difference);
        }
        let left_out = rows.len().saturating_sub(MOST_ROWS);
        rows.truncate(MOST_ROWS);
        let without_rows = if only_differences { "No differences." } else { "None logged." };
        ComparedTable { id, title, without_rows, rows, left_out }
    };
    vec![
        table("metrics", "Metrics", rows(metrics)),
        table("params", "Parameters", texts(|logged| &logged.params)),
        table("metadata", "Metadata", texts(|logged| &logged.metadata)),
    ]
}

fn metric_cell(metric: &LatestMetric) -> Cell {
    Cell::Metric {
        last: metric.value.into(),
        min: metric.minimum.unwrap_or(f64::NAN).into(),
        max: metric.maximum.unwrap_or(f64::NAN).into(),
    }
}

/// A row for each key that any candidate has, in order.
fn rows(of_candidates: impl ExactSizeIterator<Item = Vec<(Arc<str>, Cell)>>) -> Vec<ComparedRow> {
    let columns = of_candidates.len();
    let mut rows: BTreeMap<Arc<str>, Vec<Option<Cell>>> = BTreeMap::new();
    for (column, cells) in of_candidates.enumerate() {
        for (key, cell) in cells {
            rows.entry(key).or_insert_with(|| vec![None; columns])[column] = Some(cell);
        }
    }
    rows.into_iter().map(|(key, cells)| ComparedRow { key: key.to_string(), cells }).collect()
}
