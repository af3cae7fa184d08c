//! The order of a search, and a place in it.

use modelry_core::ids::LoggedModelId;
use modelry_core::search::entity::{LOGGED_MODELS, LoggedModelAttribute};
use modelry_core::search::order::OrderKey;
use modelry_core::search::parse_order_field;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Row;
use serde::{Deserialize, Serialize};

use super::DatasetFilter;
use super::filter::on_datasets;
use crate::logged_models::{COLUMN_COUNT, LoggedModel};
use crate::search::binds::Binds;

/// One element of an order. Models that lack the value come last, in both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    field: SortField,
    descending: bool,
}

/// What models can be ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
enum SortField {
    Name,
    CreationTime,
    LastUpdateTime,
    /// The latest value of a metric, on a dataset where one is named.
    Metric {
        name: String,
        dataset: Option<DatasetFilter>,
    },
}

impl SortKey {
    /// Reads one element of MLflow's `order_by`: the name of a field and, for a metric, the dataset it is measured on.
    pub fn parse(field_name: &str, descending: bool, dataset: Option<DatasetFilter>) -> Result<Self> {
        let field = match (parse_order_field(&LOGGED_MODELS, field_name)?, dataset) {
            (OrderKey::Metric(name), dataset) => SortField::Metric { name, dataset },
            (OrderKey::Attribute(LoggedModelAttribute::Name), None) => SortField::Name,
            (OrderKey::Attribute(LoggedModelAttribute::CreationTime), None) => SortField::CreationTime,
            (OrderKey::Attribute(LoggedModelAttribute::LastUpdateTime), None) => SortField::LastUpdateTime,
            (OrderKey::Attribute(_) | OrderKey::Param(_) | OrderKey::Metadata(_), None) => {
                return Err(Error::invalid(format!("Invalid order by field name: {field_name}")));
            }
            (OrderKey::Attribute(_) | OrderKey::Param(_) | OrderKey::Metadata(_), Some(_)) => {
                return Err(Error::invalid(format!(
                    "order_by names a dataset for the field {field_name}: only metrics have one"
                )));
            }
        };
        Ok(Self { field, descending })
    }

    /// The value as the column `key{index}` over `logged_models l`.
    fn column(&self, binds: &mut Binds, project: &str, index: usize) -> String {
        match &self.field {
            SortField::Name => format!("l.name AS key{index}"),
            SortField::CreationTime => format!("l.created_at AS key{index}"),
            SortField::LastUpdateTime => format!("l.updated_at AS key{index}"),
            SortField::Metric { name, dataset } => {
                let name = binds.add(name.clone());
                let dataset = on_datasets(binds, dataset.as_slice());
                format!(
                    "(SELECT m.value FROM logged_model_metrics m
                      WHERE m.project_id = {project} AND m.logged_model_id = l.id AND m.name = {name}{dataset}
                      ORDER BY m.step DESC, m.recorded_at DESC, m.value DESC
                      LIMIT 1) AS key{index}"
                )
            }
        }
    }

    fn read(&self, row: &Row<'_>, column: usize) -> Result<KeyValue> {
        Ok(match self.field {
            SortField::Name => KeyValue::Text(row.get(column)?),
            SortField::CreationTime | SortField::LastUpdateTime => KeyValue::Integer(row.get(column)?),
            SortField::Metric { .. } => {
                row.get::<Option<f64>>(column)?.map_or(KeyValue::Missing, KeyValue::Number)
            }
        })
    }

    fn fits(&self, value: &KeyValue) -> bool {
        match self.field {
            SortField::Name => matches!(value, KeyValue::Text(_)),
            SortField::CreationTime | SortField::LastUpdateTime => matches!(value, KeyValue::Integer(_)),
            SortField::Metric { .. } => matches!(value, KeyValue::Number(_) | KeyValue::Missing),
        }
    }
}

/// A model's place in an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Position {
    keys: Vec<KeyValue>,
    created_at: Timestamp,
    id: LoggedModelId,
}

/// What a model has for one key of the order.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum KeyValue {
    Missing,
    Integer(i64),
    Number(f64),
    Text(String),
}

/// A whole order: some keys, then the time of creation and the number.
pub(super) struct Sorting {
    keys: Vec<SortKey>,
    newest_first: bool,
}

impl Sorting {
    /// The order that `keys` ask for. Where they end with the time of creation, that is the end of every order
    /// anyway, and the index has it.
    pub(super) fn new(keys: &[SortKey]) -> Self {
        match keys.split_last() {
            Some((last, before)) if last.field == SortField::CreationTime => {
                Self { keys: before.to_vec(), newest_first: last.descending }
            }
            _ => Self { keys: keys.to_vec(), newest_first: true },
        }
    }

    /// Fails when `position`, which a client sent, is not one of this order.
    pub(super) fn check(&self, position: &Position) -> Result<()> {
        let fits = position.keys.len() == self.keys.len()
            && self.keys.iter().zip(&position.keys).all(|(key, value)| key.fits(value));
        if fits { Ok(()) } else { Err(Error::invalid("Invalid page token")) }
    }

    /// The place of the model in `row`, whose keys stand after its columns.
    pub(super) fn read_position(&self, row: &Row<'_>, model: &LoggedModel) -> Result<Position> {
        let keys = self.keys.iter().enumerate().map(|(index, key)| key.read(row, COLUMN_COUNT + index));
        Ok(Position { keys: keys.collect::<Result<_>>()?, created_at: model.created_at, id: model.id })
    }

    /// The keys as columns over `logged_models l`.
    pub(super) fn columns(&self, binds: &mut Binds, project: &str) -> Vec<String> {
        self.keys.iter().enumerate().map(|(index, key)| key.column(binds, project, index)).collect()
    }

    /// What follows `ORDER BY`.
    pub(super) fn order_by(&self) -> String {
        let mut terms = Vec::with_capacity(self.keys.len() * 2 + 2);
        for (index, key) in self.keys.iter().enumerate() {
            terms.push(format!("key{index} IS NULL"));
            terms.push(format!("key{index} {}", direction(key.descending)));
        }
        terms.push(format!("made_at {}", direction(self.newest_first)));
        terms.push(format!("number {}", direction(self.newest_first)));
        terms.join(", ")
    }

    /// The condition that a model comes after `last`: that it is behind in one key and equal in those before.
    pub(super) fn after(&self, binds: &mut Binds, last: &Position) -> String {
        let mut equal: Vec<String> = Vec::with_capacity(self.keys.len() + 1);
        let mut behind = Vec::with_capacity(self.keys.len() + 1);
        for (index, (key, value)) in self.keys.iter().zip(&last.keys).enumerate() {
            let Some(value) = value.bind(binds) else {
                // Nothing comes after what is missing.
                equal.push(format!("key{index} IS NULL"));
                continue;
            };
            let sign = if key.descending { "<" } else { ">" };
            equal.push(format!("(key{index} {sign} {value} OR key{index} IS NULL)"));
            behind.push(equal.join(" AND "));
            equal.pop();
            equal.push(format!("key{index} = {value}"));
        }
        let sign = if self.newest_first { "<" } else { ">" };
        let created_at = binds.add(last.created_at.ms());
        let id = binds.add(last.id.0);
        equal.push(format!("(made_at, number) {sign} ({created_at}, {id})"));
        behind.push(equal.join(" AND "));
        behind.join(" OR ")
    }
}

impl KeyValue {
    fn bind(&self, binds: &mut Binds) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Integer(value) => Some(binds.add(*value)),
            Self::Number(value) => Some(binds.add(*value)),
            Self::Text(value) => Some(binds.add(value.clone())),
        }
    }
}

fn direction(descending: bool) -> &'static str {
    if descending { "DESC" } else { "ASC" }
}
