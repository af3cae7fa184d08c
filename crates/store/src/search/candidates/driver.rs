//! Which index a statement walks.

use modelry_core::Result;
use modelry_core::ids::{ExperimentId, ProjectId};
use modelry_core::search::expr::{Condition, NumberOp, TextOp};
use modelry_db::Tx;

use super::filter::{Logged, Node, Plan, row_condition};
use crate::search::binds::Binds;

/// A condition that at most this many candidates satisfy drives: they are found and sorted. With more, walking the
/// order and probing is faster (figures in docs/ARCHITECTURE.md).
pub(super) const FEW: i64 = 20_000;

/// What a statement walks.
#[derive(Clone, Copy)]
pub(super) enum Driver<'q> {
    /// The index of the order's first key, or of the start.
    Order,
    /// The index of a condition that few satisfy.
    Filter(&'q Logged),
}

/// The condition of the filter that the fewest candidates satisfy, if they are few; else the order.
pub(super) fn choose<'q>(
    tx: &mut Tx<'_>,
    project: ProjectId,
    experiment: ExperimentId,
    plan: &'q Plan,
) -> Result<Driver<'q>> {
    let mut best: Option<(i64, &Logged)> = None;
    for node in &plan.conditions {
        let Node::Logged(logged) = node else { continue };
        if !is_indexable(&logged.condition) {
            continue;
        }
        let most = best.map_or(FEW, |(count, _)| count);
        let count = count(tx, project, experiment, logged, most + 1)?;
        if count <= most {
            best = Some((count, logged));
        }
    }
    Ok(best.map_or(Driver::Order, |(_, logged)| Driver::Filter(logged)))
}

/// Whether the condition is a range of its index.
fn is_indexable(condition: &Condition) -> bool {
    match condition {
        Condition::Number { op, .. } => *op != NumberOp::Ne,
        Condition::Text { op, .. } => *op == TextOp::Eq,
        Condition::Integer { .. }
        | Condition::IntegerIn { .. }
        | Condition::TextIn { .. }
        | Condition::Null { .. } => false,
    }
}

/// How many candidates of the experiment satisfy a condition, counted up to `most`.
fn count(
    tx: &mut Tx<'_>,
    project: ProjectId,
    experiment: ExperimentId,
    logged: &Logged,
    most: i64,
) -> Result<i64> {
    let mut binds = Binds::default();
    let from = driver_rows(&mut binds, project, experiment, logged);
    let most = binds.add(most);
    tx.query_one(
        &format!("SELECT count(*) FROM (SELECT 1 FROM {} f WHERE {from} LIMIT {most}) AS few", logged.table),
        &binds.as_params(),
        |row| row.get(0),
    )
}

/// The condition on the rows `f` of a driving condition's table.
pub(super) fn driver_rows(
    binds: &mut Binds,
    project: ProjectId,
    experiment: ExperimentId,
    logged: &Logged,
) -> String {
    let project = binds.add(project.0);
    let experiment = binds.add(experiment.0);
    let key = binds.add(logged.key.0);
    let holds = row_condition(binds, "f", logged.table, &logged.condition);
    format!("f.project_id = {project} AND f.experiment_id = {experiment} AND f.key_id = {key} AND {holds}")
}
