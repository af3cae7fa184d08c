//! A key that candidates logged something under, and the two ways to its rows.

use modelry_core::ids::KeyId;
use modelry_core::search::column::KeyKind;

use crate::search::binds::Binds;

/// A table whose primary key is project, candidate and key (on PostgreSQL the key comes before the candidate), with one
/// covering index by project, experiment, key and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Table {
    /// The latest value of each metric.
    Metrics,
    Params,
    Metadata,
}

/// A key in one of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LoggedKey {
    pub(super) table: Table,
    pub(super) id: KeyId,
}

impl From<KeyKind> for Table {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Metrics => Self::Metrics,
            KeyKind::Params => Self::Params,
            KeyKind::Metadata => Self::Metadata,
        }
    }
}

impl Table {
    /// Its name in the schema.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metric_latest",
            Self::Params => "params",
            Self::Metadata => "metadata",
        }
    }

    /// The column that its covering index has the order of.
    pub(super) fn indexed(self) -> &'static str {
        match self {
            Self::Metrics => "value",
            Self::Params | Self::Metadata => "sort",
        }
    }
}

impl LoggedKey {
    /// The condition that row `alias` is the one of `candidate`: the whole primary key and nothing else, so that it is a
    /// look-up whatever a planner thinks.
    pub(super) fn probe(self, binds: &mut Binds, project: &str, candidate: &str, alias: &str) -> String {
        let key = binds.add(self.id.0);
        format!(
            "{alias}.project_id = {project} AND {alias}.candidate_id = {candidate} AND {alias}.key_id = {key}"
        )
    }

    /// The condition that `candidate` has no row. `LIMIT` and `OFFSET` keep planners from making a join of it.
    pub(super) fn lacked(self, binds: &mut Binds, project: &str, candidate: &str) -> String {
        let probe = self.probe(binds, project, candidate, "p");
        format!("NOT EXISTS (SELECT 1 FROM {} p WHERE {probe} LIMIT 1 OFFSET 0)", self.table.name())
    }

    /// The condition that row `alias` is in `experiment`: the start of the covering index. Only a driver says this.
    pub(super) fn walk(self, binds: &mut Binds, project: &str, experiment: &str, alias: &str) -> String {
        let key = binds.add(self.id.0);
        format!(
            "{alias}.project_id = {project} AND {alias}.experiment_id = {experiment} AND {alias}.key_id = {key}"
        )
    }
}
