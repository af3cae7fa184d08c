//! Which metrics, parameters and metadata the table of candidates has columns for.

use modelry_core::Result;
use modelry_core::search::column::{Column, Figure, KeyKind};
use modelry_core::search::parse_column;
use modelry_core::time::Timestamp;
use modelry_db::Tx;
use modelry_store::columns::{KeyPage, KeyPlace, KeyQuery, UsedKeys};

use crate::views::table::{ColumnCheck, ColumnChoice, ColumnGroup};

/// How many columns of a kind are shown where the reader chose none.
const SHOWN_AT_FIRST: usize = 8;

/// How many keys of a kind the page itself offers; scripts find the others.
const OFFERED: usize = 50;

/// How many columns are shown at most.
const MOST_SHOWN: usize = 200;

/// What a page calls keys of a kind.
pub(super) fn title(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Metrics => "Metrics",
        KeyKind::Params => "Parameters",
        KeyKind::Metadata => "Metadata",
    }
}

/// The columns that the address asks for, each once and those of a kind together. An attribute is none of them: the page
/// always shows those.
pub(super) fn read(wanted: &[String]) -> Result<Vec<Column>> {
    let mut columns: Vec<Column> = Vec::new();
    for name in wanted.iter().take(MOST_SHOWN) {
        let column = parse_column(name)?;
        if column.key().is_some() && !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns.sort_by_key(|column| column.key().map(|(kind, _)| kind));
    Ok(columns)
}

/// The first keys of an experiment, of each kind.
pub(super) struct Offered(Vec<(KeyKind, KeyPage)>);

impl Offered {
    /// Reads them.
    pub(super) fn read(tx: &mut Tx<'_>, used: &UsedKeys, place: KeyPlace, now: Timestamp) -> Result<Self> {
        let page = |kind: KeyKind| {
            let query = KeyQuery { kind: Some(kind), limit: OFFERED, ..KeyQuery::default() };
            Ok((kind, used.page(tx, place, &query, now)?))
        };
        KeyKind::ALL.into_iter().map(page).collect::<Result<_>>().map(Self)
    }

    /// What is shown where the reader chose nothing: the first few metrics and parameters.
    pub(super) fn first_few(&self) -> Vec<Column> {
        let shown = self.0.iter().filter(|(kind, _)| *kind != KeyKind::Metadata);
        let few = |(kind, page): &(KeyKind, KeyPage)| {
            let keys = page.keys.iter().take(SHOWN_AT_FIRST);
            keys.map(|key| kind.column(&key.name)).collect::<Vec<_>>()
        };
        shown.flat_map(few).collect()
    }

    /// What can be chosen: the keys that are shown, then the others.
    pub(super) fn choices(&self, shown: &[Column]) -> Vec<ColumnGroup> {
        let groups = self.0.iter().map(|(kind, page)| group(*kind, page, shown));
        groups.filter(|group| !group.choices.is_empty()).collect()
    }
}

fn group(kind: KeyKind, page: &KeyPage, shown: &[Column]) -> ColumnGroup {
    let of_kind = shown.iter().filter_map(Column::key).filter(|(shown, _)| *shown == kind);
    let mut keys: Vec<&str> = of_kind.map(|(_, key)| key).collect();
    keys.dedup();
    let others = page.keys.iter().map(|key| &*key.name);
    let others: Vec<&str> = others.filter(|key| !keys.contains(key)).collect();
    let keys = keys.into_iter().chain(others);
    ColumnGroup {
        kind: kind.as_str(),
        title: title(kind),
        choices: keys.map(|key| choice(kind, key, shown)).collect(),
        has_more: page.has_more,
    }
}

fn choice(kind: KeyKind, key: &str, shown: &[Column]) -> ColumnChoice {
    let check = |column: Column| ColumnCheck {
        figure: figure(&column).word(),
        is_chosen: shown.contains(&column),
        column: column.to_string(),
    };
    let columns = match kind {
        KeyKind::Metrics => Figure::ALL.map(|figure| check(Column::Metric(key.to_owned(), figure))).into(),
        KeyKind::Params | KeyKind::Metadata => vec![check(kind.column(key))],
    };
    ColumnChoice { key: key.to_owned(), columns }
}

/// What a column tells of a metric; the latest value is what there is of anything else.
fn figure(column: &Column) -> Figure {
    match column {
        Column::Metric(_, figure) => *figure,
        Column::Attribute(_) | Column::Param(_) | Column::Metadata(_) => Figure::Last,
    }
}

/// What heads a column: the key, and around it which figure of a metric.
pub(super) fn label(column: &Column) -> String {
    match (column.key(), figure(column).word()) {
        (Some((_, key)), Some(word)) => format!("{word}({key})"),
        (Some((_, key)), None) => key.to_owned(),
        (None, _) => column.to_string(),
    }
}

/// What lists the keys of an experiment for scripts.
pub(super) fn keys_href(place: KeyPlace) -> String {
    format!("/api/v4/projects/{}/experiments/{}/columns", place.project, place.experiment)
}

/// The address of the candidates as CSV.
pub(super) fn export_href(place: KeyPlace) -> String {
    format!("/api/v4/projects/{}/experiments/{}/candidates.csv", place.project, place.experiment)
}

#[cfg(test)]
mod tests {
    use super::*;

    use modelry_core::ids::KeyId;
    use modelry_store::columns::UsedKey;

    fn texts(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    /// Twenty metrics, one parameter and one metadata.
    fn offered() -> Offered {
        let page = |kind: KeyKind| {
            let count = if kind == KeyKind::Metrics { 20 } else { 1 };
            let key = |number: i64| UsedKey { kind, id: KeyId(number), name: format!("k{number:02}").into() };
            (kind, KeyPage { keys: (0..count).map(key).collect(), has_more: false })
        };
        Offered(KeyKind::ALL.map(page).into())
    }

    #[test]
    fn without_a_wish_the_first_few_metrics_and_parameters_are_shown() {
        let shown: Vec<String> = offered().first_few().iter().map(Column::to_string).collect();
        assert_eq!(shown.len(), 9);
        assert_eq!((&*shown[0], &*shown[7], &*shown[8]), ("metrics.k00", "metrics.k07", "params.k00"));
    }

    #[test]
    fn a_wish_is_kept_in_its_order_and_by_kind() {
        let wanted = texts(&["tags.team", "params.lr", "name", "metrics.b", "max(metrics.a)", "params.lr"]);
        let columns: Vec<String> = read(&wanted).expect("columns").iter().map(Column::to_string).collect();
        assert_eq!(columns, ["metrics.b", "max(metrics.a)", "params.lr", "tags.team"]);
        assert!(read(&texts(&["loss"])).is_err());
    }

    #[test]
    fn what_is_shown_is_offered_first_though_no_candidate_has_it() {
        let shown = read(&texts(&["metrics.zz", "min(metrics.k05)"])).expect("columns");
        let groups = offered().choices(&shown);
        let keys: Vec<&str> = groups[0].choices.iter().take(3).map(|choice| &*choice.key).collect();
        assert_eq!(keys, ["zz", "k05", "k00"]);
        let checks: Vec<_> = groups[0].choices[1].columns.iter().map(|c| (c.figure, c.is_chosen)).collect();
        assert_eq!(checks, [(None, false), (Some("min"), true), (Some("max"), false)]);
    }

    #[test]
    fn a_heading_says_which_figure_it_is() {
        let labels = read(&texts(&["metrics.`val loss`", "min(metrics.loss)"])).expect("columns");
        assert_eq!(labels.iter().map(label).collect::<Vec<_>>(), ["val loss", "min(loss)"]);
    }
}
