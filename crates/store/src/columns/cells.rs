//! The cells of a page of candidates: what was asked for and nothing else.

use std::collections::HashMap;

use modelry_core::Result;
use modelry_core::ids::{CandidateId, KeyId, ProjectId};
use modelry_core::search::column::{Column, Figure, KeyKind};
use modelry_core::search::entity::CandidateAttribute;
use modelry_db::{Row, Tx};

use crate::candidates::{self, Candidate};
use crate::search::candidates::key::Table;
use crate::{keys, sql};

/// Up to this many keys of a table are looked up one by one for each candidate. With more, the rows of the candidate
/// are read one after the other, which costs less than that many look-ups, most of which would find nothing.
const MOST_PROBES: usize = 500;

/// What a candidate has in a column.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// Nothing.
    #[default]
    Missing,
    /// A time, in milliseconds since 1970.
    Integer(i64),
    /// A metric, which may be NaN.
    Number(f64),
    /// A text.
    Text(String),
}

/// A candidate with its cells.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRow {
    /// The candidate.
    pub candidate: Candidate,
    /// What it has in each column.
    pub cells: Vec<Cell>,
}

/// Columns whose keys are known.
#[derive(Clone, Debug)]
pub struct Selection {
    /// For each column the attribute that it shows, if it is one.
    attributes: Vec<Option<CandidateAttribute>>,
    /// For each table that has some, its keys.
    tables: Vec<Keyed>,
}

/// The keys of a table, and which columns show them.
#[derive(Clone, Debug)]
struct Keyed {
    kind: KeyKind,
    columns: HashMap<KeyId, Vec<(usize, Figure)>>,
    /// The keys of `columns`.
    keys: Vec<i64>,
}

impl Selection {
    /// Looks the keys of `columns` up. A key that nobody ever logged is a column without values.
    pub fn resolve(tx: &mut Tx<'_>, project: ProjectId, columns: &[Column]) -> Result<Self> {
        let names: Vec<&str> = columns.iter().filter_map(Column::key).map(|(_, name)| name).collect();
        let ids = keys::find_all(tx, project, &names)?;
        let mut tables: HashMap<KeyKind, HashMap<KeyId, Vec<(usize, Figure)>>> = HashMap::new();
        for (index, column) in columns.iter().enumerate() {
            if let Some((kind, name)) = column.key()
                && let Some(id) = ids.get(name)
            {
                let shown = (index, figure(column));
                tables.entry(kind).or_default().entry(*id).or_default().push(shown);
            }
        }
        let attribute = |column: &Column| match column {
            Column::Attribute(attribute) => Some(*attribute),
            Column::Metric(..) | Column::Param(_) | Column::Metadata(_) => None,
        };
        let keyed = |(kind, columns): (KeyKind, HashMap<KeyId, _>)| {
            let keys = columns.keys().map(|id| id.0).collect();
            Keyed { kind, columns, keys }
        };
        Ok(Self {
            attributes: columns.iter().map(attribute).collect(),
            tables: tables.into_iter().map(keyed).collect(),
        })
    }

    /// These candidates with their cells, in this order. One that is gone by now is left out.
    pub fn read(&self, tx: &mut Tx<'_>, project: ProjectId, ids: &[CandidateId]) -> Result<Vec<TableRow>> {
        let found = candidates::list(tx, project, ids)?;
        let mut rows: Vec<TableRow> = found.into_iter().map(|candidate| self.row(candidate)).collect();
        let at: HashMap<i64, usize> =
            rows.iter().enumerate().map(|(index, row)| (row.candidate.id.0, index)).collect();
        let numbers: Vec<i64> = rows.iter().map(|row| row.candidate.id.0).collect();
        for table in &self.tables {
            table.read(tx, project, &numbers, &mut |candidate, column, cell| {
                if let Some(index) = at.get(&candidate) {
                    rows[*index].cells[column] = cell;
                }
            })?;
        }
        Ok(rows)
    }

    fn row(&self, candidate: Candidate) -> TableRow {
        let cell = |attribute: &Option<CandidateAttribute>| {
            attribute.map(|attribute| attribute_cell(&candidate, attribute)).unwrap_or_default()
        };
        TableRow { cells: self.attributes.iter().map(cell).collect(), candidate }
    }
}

fn figure(column: &Column) -> Figure {
    match column {
        Column::Metric(_, figure) => *figure,
        Column::Attribute(_) | Column::Param(_) | Column::Metadata(_) => Figure::Last,
    }
}

/// An attribute as the native API tells it.
fn attribute_cell(candidate: &Candidate, attribute: CandidateAttribute) -> Cell {
    match attribute {
        CandidateAttribute::Eid => Cell::Text(candidate.eid.clone()),
        CandidateAttribute::Name => Cell::Text(candidate.name.clone()),
        CandidateAttribute::UserId => Cell::Text(candidate.user_name.clone()),
        CandidateAttribute::Status => Cell::Text(candidate.status.as_str().to_lowercase()),
        CandidateAttribute::ArtifactUri => Cell::Text(candidate.artifact_uri()),
        CandidateAttribute::StartTime => Cell::Integer(candidate.start_time),
        CandidateAttribute::EndTime => candidate.end_time.map(Cell::Integer).unwrap_or_default(),
    }
}

/// Takes a candidate's number, a column's index, and what the candidate has there.
type Put<'p> = &'p mut dyn FnMut(i64, usize, Cell);

impl Keyed {
    fn read(&self, tx: &mut Tx<'_>, project: ProjectId, candidates: &[i64], put: Put<'_>) -> Result<()> {
        for some in sql::padded(candidates) {
            if self.keys.len() > MOST_PROBES {
                self.read_some(tx, project, (&some, &[]), put)?;
                continue;
            }
            for keys in sql::padded(&self.keys) {
                self.read_some(tx, project, (&some, &keys), put)?;
            }
        }
        Ok(())
    }

    /// Reads the rows of these candidates and keys; of all keys where none are named.
    fn read_some(
        &self,
        tx: &mut Tx<'_>,
        project: ProjectId,
        (candidates, keys): (&[i64], &[i64]),
        put: Put<'_>,
    ) -> Result<()> {
        let text = statement(self.kind, candidates.len(), keys.len());
        let params = sql::bind(&sql::bind(&[&project.0], candidates), keys);
        tx.query_each(&text, &params, |row| {
            let (candidate, key) = (row.get(0)?, KeyId(row.get(1)?));
            for (column, figure) in self.columns.get(&key).into_iter().flatten() {
                put(candidate, *column, cell(self.kind, row, *figure)?);
            }
            Ok(())
        })
    }
}

/// The statement for this many candidates and keys: look-ups by primary key.
pub(super) fn statement(kind: KeyKind, candidates: usize, keys: usize) -> String {
    let values = match kind {
        KeyKind::Metrics => "value, minimum, maximum",
        KeyKind::Params | KeyKind::Metadata => "value",
    };
    let table = Table::from(kind).name();
    let ids = sql::placeholders(2, candidates);
    let of_keys = match keys {
        0 => String::new(),
        _ => format!(" AND key_id IN ({})", sql::placeholders(2 + candidates, keys)),
    };
    format!(
        "SELECT candidate_id, key_id, {values} FROM {table}
         WHERE project_id = $1 AND candidate_id IN ({ids}){of_keys}"
    )
}

fn cell(kind: KeyKind, row: &Row<'_>, figure: Figure) -> Result<Cell> {
    let number = |value: Option<f64>| value.map(Cell::Number).unwrap_or_default();
    Ok(match (kind, figure) {
        (KeyKind::Params | KeyKind::Metadata, _) => Cell::Text(row.get(2)?),
        (KeyKind::Metrics, Figure::Last) => Cell::Number(row.get::<Option<f64>>(2)?.unwrap_or(f64::NAN)),
        (KeyKind::Metrics, Figure::Minimum) => number(row.get(3)?),
        (KeyKind::Metrics, Figure::Maximum) => number(row.get(4)?),
    })
}
