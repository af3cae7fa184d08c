//! Which metrics and parameters the table of candidates has columns for.

use std::collections::BTreeSet;

use crate::views::table::{ColumnChoice, ColumnGroup};

/// How many columns of a kind are shown where the reader chose none.
const SHOWN_AT_FIRST: usize = 8;

/// How many columns of a kind can be chosen from.
const MOST_CHOICES: usize = 200;

/// What a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The latest value of a metric.
    Metric,
    /// A parameter.
    Param,
}

impl Kind {
    /// What stands before the key in the address: `metrics.loss`.
    fn prefix(self) -> &'static str {
        match self {
            Self::Metric => "metrics.",
            Self::Param => "params.",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Metric => "Metrics",
            Self::Param => "Parameters",
        }
    }
}

/// The columns that are shown, by their keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    /// The metrics.
    pub(super) metrics: Vec<String>,
    /// The parameters.
    pub(super) params: Vec<String>,
}

impl Columns {
    /// The columns that the address asks for; where it asks for none, the first few of those on the page.
    pub(super) fn choose(wanted: &[String], metrics: &BTreeSet<&str>, params: &BTreeSet<&str>) -> Self {
        if wanted.is_empty() {
            let first = |keys: &BTreeSet<&str>| {
                keys.iter().take(SHOWN_AT_FIRST).map(|key| (*key).to_owned()).collect()
            };
            return Self { metrics: first(metrics), params: first(params) };
        }
        let of = |kind: Kind| {
            let keys = wanted.iter().filter_map(|column| column.strip_prefix(kind.prefix()));
            let unique: BTreeSet<&str> = keys.take(MOST_CHOICES).collect();
            unique.into_iter().map(str::to_owned).collect()
        };
        Self { metrics: of(Kind::Metric), params: of(Kind::Param) }
    }

    /// What can be chosen: the keys on the page, and those that are shown already.
    pub(super) fn choices(&self, metrics: &BTreeSet<&str>, params: &BTreeSet<&str>) -> Vec<ColumnGroup> {
        [(Kind::Metric, metrics, &self.metrics), (Kind::Param, params, &self.params)]
            .into_iter()
            .map(|(kind, keys, shown)| group(kind, keys, shown))
            .filter(|group| !group.choices.is_empty())
            .collect()
    }
}

fn group(kind: Kind, keys: &BTreeSet<&str>, shown: &[String]) -> ColumnGroup {
    let all: BTreeSet<&str> =
        keys.iter().copied().take(MOST_CHOICES).chain(shown.iter().map(String::as_str)).collect();
    let choice = |key: &str| ColumnChoice {
        column: format!("{}{key}", kind.prefix()),
        label: key.to_owned(),
        is_chosen: shown.iter().any(|shown| shown == key),
    };
    ColumnGroup { title: kind.title(), choices: all.into_iter().map(choice).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn without_a_wish_the_first_few_are_shown() {
        let keys: Vec<String> = (0..20).map(|number| format!("m{number:02}")).collect();
        let metrics: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
        let columns = Columns::choose(&[], &metrics, &BTreeSet::from(["lr"]));
        assert_eq!(columns.metrics, &keys[..8]);
        assert_eq!(columns.params, ["lr"]);
    }

    #[test]
    fn a_wish_is_kept_where_no_candidate_of_the_page_has_the_key() {
        let columns =
            Columns::choose(&texts(&["params.lr", "metrics.loss"]), &BTreeSet::new(), &BTreeSet::new());
        assert_eq!(columns, Columns { metrics: texts(&["loss"]), params: texts(&["lr"]) });
        let choices = columns.choices(&BTreeSet::new(), &BTreeSet::from(["seed"]));
        let shown: Vec<_> =
            choices.iter().flat_map(|group| &group.choices).map(|c| (&*c.column, c.is_chosen)).collect();
        assert_eq!(shown, [("metrics.loss", true), ("params.lr", true), ("params.seed", false)]);
    }
}
