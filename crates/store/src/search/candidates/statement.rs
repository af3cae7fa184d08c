//! One statement: one phase of an order, in one experiment.

use std::fmt::Write as _;

use modelry_core::Result;
use modelry_core::ids::KeyId;
use modelry_db::Tx;

use super::Search;
use super::driver::{Driver, driver_rows};
use super::filter::Compiler;
use super::order::{Phase, Place, Source};
use crate::experiments::Experiment;
use crate::search::View;
use crate::search::binds::Binds;
use crate::search::keyset::{self, SortValue, Term};

/// The first `wanted` candidates of a phase.
pub(super) fn run(
    tx: &mut Tx<'_>,
    search: &Search<'_>,
    experiment: &Experiment,
    phase: Phase,
    driver: Driver<'_>,
    wanted: usize,
) -> Result<Vec<Place>> {
    let mut binds = Binds::default();
    let text = text(&mut binds, search, experiment, phase, driver, wanted);
    tx.query(&text, &binds.as_params(), |row| search.sorting.read_place(row))
}

/// What the first key of the order is in a phase.
enum First {
    /// Nothing that a row is needed for: no key, an attribute, or a key that is missing.
    Nothing,
    /// A row of this table with this key.
    Row(&'static str, KeyId),
}

/// The text of the statement.
pub(super) fn text(
    binds: &mut Binds,
    search: &Search<'_>,
    experiment: &Experiment,
    phase: Phase,
    driver: Driver<'_>,
    wanted: usize,
) -> String {
    let project = binds.add(search.project.0);
    let mut from = Vec::new();
    let mut conditions = Vec::new();
    let first = first_row(search, phase);
    let is_driven_by_order = matches!(driver, Driver::Order);
    if let Driver::Filter(logged) = driver {
        from.push(format!("{} f", logged.table));
        conditions.push(driver_rows(binds, search.project, experiment.id, logged));
    }
    if let (First::Row(table, key), true) = (&first, is_driven_by_order) {
        from.push(format!("{table} o"));
        let (experiment, key) = (binds.add(experiment.id.0), binds.add(key.0));
        conditions.push(format!(
            "o.project_id = {project} AND o.experiment_id = {experiment} AND o.key_id = {key}"
        ));
    }
    let found_by = match (&driver, &first) {
        (Driver::Filter(_), _) => format!("c.id = f.candidate_id AND c.experiment_id = {}", experiment.id),
        (Driver::Order, First::Row(..)) => "c.id = o.candidate_id".to_owned(),
        (Driver::Order, First::Nothing) => format!("c.experiment_id = {}", binds.add(experiment.id.0)),
    };
    from.push("candidates c".to_owned());
    conditions.push(format!("c.project_id = {project} AND {found_by}"));
    if let (First::Row(table, key), false) = (&first, is_driven_by_order) {
        from.push(format!("{table} o"));
        let key = binds.add(key.0);
        conditions.push(format!("o.project_id = {project} AND o.candidate_id = c.id AND o.key_id = {key}"));
    }
    conditions.extend(phase_condition(binds, &project, search, phase));
    conditions.extend(view_condition(search.view, experiment));
    let root = experiment.artifact_root();
    let mut compiler = Compiler { binds: &mut *binds, project: &project, artifact_root: &root };
    for node in &search.plan.conditions {
        conditions.push(format!("({})", compiler.node(node)));
    }
    let joins = joins(binds, &project, search);
    let columns = columns(binds, search, phase, &root);
    if let Some(start) = search.start.filter(|start| reached(start) == phase.rank()) {
        conditions.push(behind(binds, search, phase, &columns, start));
    }
    let order = keyset::order_by(&terms(search, phase, &columns).0);
    let mut selected = "c.id, c.start_time".to_owned();
    for (rank, value) in &columns {
        write!(selected, ", {rank}, {value}").expect("a String takes all text");
    }
    let limit = binds.add(i64::try_from(wanted).unwrap_or(i64::MAX));
    let (from, conditions) = (from.join(" CROSS JOIN "), conditions.join(" AND "));
    format!("SELECT {selected} FROM {from}{joins} WHERE {conditions} ORDER BY {order} LIMIT {limit}")
}

/// The phase that a place is in.
fn reached(place: &Place) -> i64 {
    place.keys.first().map_or(0, |(rank, _)| *rank)
}

fn first_row(search: &Search<'_>, phase: Phase) -> First {
    if phase == Phase::Missing {
        return First::Nothing;
    }
    match search.sorting.keys.first().map(|key| &key.source) {
        Some(Source::Metric(Some(key))) => First::Row("metric_latest", *key),
        Some(Source::Text(table, Some(key))) => First::Row(table, *key),
        Some(Source::Metric(None) | Source::Text(_, None) | Source::Attribute(_)) | None => First::Nothing,
    }
}

/// What makes a candidate one of this phase.
fn phase_condition(binds: &mut Binds, project: &str, search: &Search<'_>, phase: Phase) -> Option<String> {
    let (table, key) = match &search.sorting.keys.first()?.source {
        Source::Metric(Some(_)) if phase != Phase::Missing => {
            return Some(format!("o.rank = {}", phase.rank()));
        }
        Source::Attribute(modelry_core::search::entity::CandidateAttribute::EndTime) => {
            let is_missing = phase == Phase::Missing;
            return Some(if is_missing { "c.end_time IS NULL" } else { "c.end_time IS NOT NULL" }.to_owned());
        }
        Source::Metric(Some(key)) => ("metric_latest", *key),
        Source::Text(table, Some(key)) if phase == Phase::Missing => (*table, *key),
        Source::Metric(None) | Source::Text(..) | Source::Attribute(_) => return None,
    };
    let key = binds.add(key.0);
    Some(format!(
        "NOT EXISTS (SELECT 1 FROM {table} p WHERE p.project_id = {project} AND p.candidate_id = c.id
                     AND p.key_id = {key} LIMIT 1 OFFSET 0)"
    ))
}

/// In the bin or not: a deleted experiment's candidates all are.
fn view_condition(view: View, experiment: &Experiment) -> Option<String> {
    match view {
        View::Active => Some("c.deleted_at IS NULL".to_owned()),
        View::Deleted if experiment.deleted_at.is_none() => Some("c.deleted_at IS NOT NULL".to_owned()),
        View::Deleted | View::All => None,
    }
}

/// The rows of the keys that do not come first.
fn joins(binds: &mut Binds, project: &str, search: &Search<'_>) -> String {
    let mut joins = String::new();
    for (index, sort_key) in search.sorting.keys.iter().enumerate().skip(1) {
        let (table, key) = match &sort_key.source {
            Source::Metric(Some(key)) => ("metric_latest", *key),
            Source::Text(table, Some(key)) => (*table, *key),
            Source::Metric(None) | Source::Text(_, None) | Source::Attribute(_) => continue,
        };
        let key = binds.add(key.0);
        write!(
            joins,
            " LEFT JOIN {table} s{index}
                ON s{index}.project_id = {project} AND s{index}.candidate_id = c.id AND s{index}.key_id = {key}"
        )
        .expect("a String takes all text");
    }
    joins
}

/// Phase and value of each key, as SQL that is never null where the phase is `Present`.
fn columns(binds: &mut Binds, search: &Search<'_>, phase: Phase, root: &str) -> Vec<(String, String)> {
    let mut columns = Vec::with_capacity(search.sorting.keys.len());
    for (index, key) in search.sorting.keys.iter().enumerate() {
        columns.push(match (&key.source, index, phase) {
            (_, 0, Phase::Missing | Phase::NotANumber) => (phase.rank().to_string(), "0".to_owned()),
            (Source::Metric(_), 0, Phase::Present) => ("0".to_owned(), "o.value".to_owned()),
            (Source::Text(..), 0, Phase::Present) => ("0".to_owned(), "o.sort".to_owned()),
            (Source::Attribute(_), 0, Phase::Present) => ("0".to_owned(), key.columns(binds, "o", root).1),
            _ => key.columns(binds, &format!("s{index}"), root),
        });
    }
    columns
}

/// What the statement is ordered by, and which values of a place belong to it: constants are left out.
fn terms(search: &Search<'_>, phase: Phase, columns: &[(String, String)]) -> (Vec<Term>, Vec<ValueOf>) {
    let mut terms = Vec::new();
    let mut values = Vec::new();
    for (index, (key, (rank, value))) in search.sorting.keys.iter().zip(columns).enumerate() {
        if rank.parse::<i64>().is_err() {
            terms.push(Term::ascending(rank));
            values.push(ValueOf::Rank(index));
        }
        let is_constant = index == 0 && phase != Phase::Present || value == "0";
        if !is_constant {
            terms.push(Term { sql: value.clone(), descending: key.descending });
            values.push(ValueOf::Key(index));
        }
    }
    terms.extend(search.sorting.ends());
    values.extend([ValueOf::Start, ValueOf::Number]);
    (terms, values)
}

/// Which value of a place a term is.
enum ValueOf {
    Rank(usize),
    Key(usize),
    Start,
    Number,
}

fn behind(
    binds: &mut Binds,
    search: &Search<'_>,
    phase: Phase,
    columns: &[(String, String)],
    start: &Place,
) -> String {
    let (terms, values) = terms(search, phase, columns);
    let values: Vec<SortValue> = values
        .into_iter()
        .map(|value| match value {
            ValueOf::Rank(index) => SortValue::Integer(start.keys[index].0),
            ValueOf::Key(index) => or_nothing(&start.keys[index].1, &search.sorting.keys[index].source),
            ValueOf::Start => SortValue::Integer(start.start_time),
            ValueOf::Number => SortValue::Integer(start.id.0),
        })
        .collect();
    keyset::behind(binds, &terms, &values)
}

/// The value that a column has where the key is NaN or missing: what its `coalesce` says.
fn or_nothing(value: &SortValue, source: &Source) -> SortValue {
    match (value, source) {
        (SortValue::Nothing, Source::Metric(_)) => SortValue::Number(0.0),
        (SortValue::Nothing, Source::Text(..)) => SortValue::Text(String::new()),
        (SortValue::Nothing, Source::Attribute(_)) => SortValue::Integer(0),
        (value, _) => value.clone(),
    }
}
