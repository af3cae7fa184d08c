//! `order_by` as a value.

use super::entity::{Attribute, Entity, Family, ModelAttribute, Sorting, VersionAttribute};
use super::expr::Field;
use super::field;
use super::lexer::{Place, Source, shorten};
use crate::{Error, Result};

/// One element of an order. `Display` prints it so that it parses to the same value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order<A> {
    /// What is ordered by.
    pub key: OrderKey<A>,
    /// Greatest first. What is NaN comes after the numbers and what is missing after that, in both directions.
    pub descending: bool,
}

/// What can be ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderKey<A> {
    /// An attribute.
    Attribute(A),
    /// The latest value of the metric of this name.
    Metric(String),
    /// The param of this name, as text.
    Param(String),
    /// The metadata (MLflow's tag) of this name, as text.
    Metadata(String),
}

impl<A: Attribute> OrderKey<A> {
    /// The key for `field`, which was read at `place`; fails when `entity` cannot be ordered by it.
    pub(super) fn of_field(entity: &'static Entity<A>, place: Place<'_>, field: &Field<A>) -> Result<Self> {
        let sorts = |family| entity.order_families.contains(&family);
        let key = match field {
            Field::Attribute(attribute) => {
                (entity.row(*attribute).sorting == Sorting::Sortable).then_some(Self::Attribute(*attribute))
            }
            Field::Metric(key) => sorts(Family::Metrics).then(|| Self::Metric(key.clone())),
            Field::Param(key) => sorts(Family::Params).then(|| Self::Param(key.clone())),
            Field::Metadata(key) => sorts(Family::Metadata).then(|| Self::Metadata(key.clone())),
            Field::Dataset(_) => None,
        };
        key.ok_or_else(|| unsortable(entity, place, field))
    }
}

/// The whole order of a search for models: as `asked`, then by name, which decides every tie.
pub fn of_models(asked: Vec<Order<ModelAttribute>>) -> Vec<Order<ModelAttribute>> {
    completed(asked, &[], &[(ModelAttribute::Name, false)])
}

/// The whole order of a search for versions: as `asked`, or the last changed first; then by the name of the model, and
/// the greatest number first, which decides every tie.
pub fn of_versions(asked: Vec<Order<VersionAttribute>>) -> Vec<Order<VersionAttribute>> {
    completed(
        asked,
        &[(VersionAttribute::LastUpdateTime, true)],
        &[(VersionAttribute::Name, false), (VersionAttribute::Number, true)],
    )
}

/// `asked`, or `otherwise` where nothing is asked for, and those of `ties` that are not in it. Each is an attribute and
/// whether it descends.
fn completed<A: Attribute>(
    asked: Vec<Order<A>>,
    otherwise: &[(A, bool)],
    ties: &[(A, bool)],
) -> Vec<Order<A>> {
    let order =
        |&(attribute, descending): &(A, bool)| Order { key: OrderKey::Attribute(attribute), descending };
    let mut orders = if asked.is_empty() { otherwise.iter().map(order).collect() } else { asked };
    for tie in ties.iter().map(order) {
        if orders.iter().all(|earlier| earlier.key != tie.key) {
            orders.push(tie);
        }
    }
    orders
}

/// Reads a field name that is the whole text; see [`parse_order_field`](super::parse_order_field).
pub(super) fn parse_field_name<A: Attribute>(
    entity: &'static Entity<A>,
    source: Source<'_>,
) -> Result<OrderKey<A>> {
    let place = Place { source, at: 0 };
    let field = match source.text.split_once('.') {
        Some((scope, key)) => field::scoped(entity, place, scope, without_quotes(key))?,
        None => field::attribute(entity, place, without_quotes(source.text))?,
    };
    OrderKey::of_field(entity, place, &field)
}

fn without_quotes(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    ['`', '"', '\''].into_iter().find_map(inside).unwrap_or(text)
}

fn unsortable<A: Attribute>(entity: &Entity<A>, place: Place<'_>, field: &Field<A>) -> Error {
    let attributes = entity.attributes.iter().filter(|row| row.sorting == Sorting::Sortable);
    let names = attributes.map(|row| format!("'{}'", row.attribute.name()));
    let families = entity.order_families.iter().map(|family| format!("'{}.<key>'", family.word()));
    let valid = names.chain(families).collect::<Vec<_>>().join(", ");
    let key = shorten(&field.to_string());
    place.error(&format!("Invalid order by key '{key}' specified. Valid keys are {valid}"))
}
