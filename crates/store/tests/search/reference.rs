//! What a search for candidates has to find, said plainly: look at each one, then sort.

use std::cmp::Ordering;

use modelry_core::ids::ExperimentId;
use modelry_core::search::entity::CandidateAttribute;
use modelry_core::search::expr::{Condition, DatasetField, Expr, Field, NumberOp, Test, TextOp};
use modelry_core::search::order::{Order, OrderKey};
use modelry_store::search::View;
use modelry_store::search::candidates::Query;

use crate::given::{DELETED, Run};

/// The numbers of the candidates that `query` finds, all of them.
pub(crate) fn search(runs: &[Run], query: &Query) -> Vec<i64> {
    let is_found = |run: &&Run| {
        query.experiments.contains(&run.experiment)
            && is_shown(run, query.view)
            && query.filter.as_ref().is_none_or(|filter| holds(run, filter))
    };
    let mut found: Vec<&Run> = runs.iter().filter(is_found).collect();
    found.sort_by(|left, right| compare(left, right, &query.order));
    found.iter().map(|run| run.number).collect()
}

fn is_shown(run: &Run, view: View) -> bool {
    let is_deleted = run.deleted || run.experiment == DELETED;
    match view {
        View::Active => !is_deleted,
        View::Deleted => is_deleted,
        View::All => true,
    }
}

fn holds(run: &Run, filter: &Expr<CandidateAttribute>) -> bool {
    match filter {
        Expr::And(parts) => parts.iter().all(|part| holds(run, part)),
        Expr::Or(parts) => parts.iter().any(|part| holds(run, part)),
        Expr::Not(inner) => !holds(run, inner),
        Expr::Test(test) => test_holds(run, test),
    }
}

fn test_holds(run: &Run, test: &Test<CandidateAttribute>) -> bool {
    match &test.field {
        Field::Metric(name) => {
            run.metrics.get(name.as_str()).is_some_and(|value| number(*value, &test.condition))
        }
        Field::Param(name) => text(run.params.get(name.as_str()).map(String::as_str), &test.condition),
        Field::Metadata(name) => text(run.metadata.get(name.as_str()).map(String::as_str), &test.condition),
        Field::Dataset(field) => run.datasets.iter().any(|(name, digest, context)| {
            let value = match field {
                DatasetField::Name => Some(*name),
                DatasetField::Digest => Some(*digest),
                DatasetField::Context => *context,
            };
            text(value, &test.condition)
        }),
        Field::Attribute(CandidateAttribute::StartTime) => integer(run.start, &test.condition),
        Field::Attribute(CandidateAttribute::EndTime) => {
            run.end.is_some_and(|end| integer(end, &test.condition))
        }
        Field::Attribute(attribute) => text(Some(&text_attribute(run, *attribute)), &test.condition),
    }
}

fn text_attribute(run: &Run, attribute: CandidateAttribute) -> String {
    match attribute {
        CandidateAttribute::Eid => run.eid(),
        CandidateAttribute::Name => run.name.clone(),
        CandidateAttribute::UserId => run.user.to_owned(),
        CandidateAttribute::Status => run.status.as_str().to_owned(),
        CandidateAttribute::ArtifactUri => {
            let number = run.experiment.to_string();
            let root = if run.experiment == ExperimentId(1) { "team/vision" } else { &number };
            format!("mlflow-artifacts:/{root}/{}/artifacts", run.eid())
        }
        CandidateAttribute::StartTime | CandidateAttribute::EndTime => panic!("a time is no text"),
    }
}

fn compares(op: NumberOp, ordering: Option<Ordering>) -> bool {
    match op {
        NumberOp::Eq => ordering == Some(Ordering::Equal),
        NumberOp::Ne => ordering != Some(Ordering::Equal),
        NumberOp::Lt => ordering == Some(Ordering::Less),
        NumberOp::Le => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        NumberOp::Gt => ordering == Some(Ordering::Greater),
        NumberOp::Ge => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
    }
}

fn number(value: f64, condition: &Condition) -> bool {
    match condition {
        Condition::Number { op, value: other } => compares(*op, value.partial_cmp(other)),
        condition => panic!("{condition:?} on a metric"),
    }
}

fn integer(value: i64, condition: &Condition) -> bool {
    match condition {
        Condition::Integer { op, value: other } => compares(*op, Some(value.cmp(other))),
        condition => panic!("{condition:?} on a time"),
    }
}

fn text(value: Option<&str>, condition: &Condition) -> bool {
    let Some(value) = value else { return *condition == Condition::Null { negated: false } };
    match condition {
        Condition::Null { negated } => *negated,
        Condition::TextIn { negated, values } => values.iter().any(|other| other == value) != *negated,
        Condition::Text { op: TextOp::Eq, value: other } => value == other,
        Condition::Text { op: TextOp::Ne, value: other } => value != other,
        Condition::Text { op: TextOp::Like, value: pattern } => matches_pattern(value, pattern),
        Condition::Text { op: TextOp::ILike, value: pattern } => {
            matches_pattern(&value.to_lowercase(), &pattern.to_lowercase())
        }
        condition => panic!("{condition:?} on a text"),
    }
}

fn matches_pattern(text: &str, pattern: &str) -> bool {
    let Some(element) = pattern.chars().next() else { return text.is_empty() };
    let pattern_rest = &pattern[element.len_utf8()..];
    let text_rest = text.chars().next().map(|c| &text[c.len_utf8()..]);
    match element {
        '%' => {
            matches_pattern(text, pattern_rest)
                || text_rest.is_some_and(|rest| matches_pattern(rest, pattern))
        }
        '_' => text_rest.is_some_and(|rest| matches_pattern(rest, pattern_rest)),
        c => text.strip_prefix(c).is_some_and(|rest| matches_pattern(rest, pattern_rest)),
    }
}

/// What a candidate is ordered by: numbers and texts, then NaN, then nothing.
#[derive(PartialEq, PartialOrd)]
enum Key {
    Number(f64),
    Integer(i64),
    Text(String),
    NotANumber,
    Missing,
}

fn key(run: &Run, key: &OrderKey<CandidateAttribute>) -> Key {
    let start_of = |text: &String| Key::Text(text.chars().take(128).collect());
    match key {
        OrderKey::Metric(name) => match run.metrics.get(name.as_str()) {
            None => Key::Missing,
            Some(value) if value.is_nan() => Key::NotANumber,
            Some(value) => Key::Number(*value),
        },
        OrderKey::Param(name) => run.params.get(name.as_str()).map_or(Key::Missing, start_of),
        OrderKey::Metadata(name) => run.metadata.get(name.as_str()).map_or(Key::Missing, start_of),
        OrderKey::Attribute(CandidateAttribute::StartTime) => Key::Integer(run.start),
        OrderKey::Attribute(CandidateAttribute::EndTime) => run.end.map_or(Key::Missing, Key::Integer),
        OrderKey::Attribute(attribute) => Key::Text(text_attribute(run, *attribute)),
    }
}

fn compare(left: &Run, right: &Run, orders: &[Order<CandidateAttribute>]) -> Ordering {
    let mut newest_first = true;
    for order in orders {
        let (left, right) = (key(left, &order.key), key(right, &order.key));
        let ordering = left.partial_cmp(&right).expect("there is no NaN in a key");
        let has_value = |key: &Key| !matches!(key, Key::NotANumber | Key::Missing);
        let turns = order.descending && has_value(&left) && has_value(&right);
        if ordering != Ordering::Equal {
            return if turns { ordering.reverse() } else { ordering };
        }
        if order.key == OrderKey::Attribute(CandidateAttribute::StartTime) {
            newest_first = order.descending;
            break;
        }
    }
    let ordering = (left.start, left.number).cmp(&(right.start, right.number));
    if newest_first { ordering.reverse() } else { ordering }
}
