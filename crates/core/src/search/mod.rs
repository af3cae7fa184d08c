//! The one search grammar: what candidates, experiments, logged models, models and versions are filtered and ordered
//! by.
//!
//! It is MLflow's grammar (comparisons joined by `AND`) with `OR`, `NOT`, parentheses and `IN` everywhere added:
//!
//! ```text
//! filter   := or [AND]                         an AND left over at the end is forgiven, as MLflow does
//! or       := and (OR and)*
//! and      := not (AND not)*
//! not      := NOT not | "(" or ")" | test      so NOT binds tighter than AND, AND tighter than OR
//! test     := field operator value
//! field    := attribute | scope "." key        run_id, tags.team, metrics.`val loss`
//! operator := = | != | < | <= | > | >= | LIKE | ILIKE | [NOT] IN | IS [NOT] NULL
//! ```
//!
//! Keywords are written in any case, names exactly as they are. A quote inside quotes is not escaped: another
//! quote is used around it. What an entity can be searched by is a table in [`entity`]; the rest of the parser does
//! not know one entity from another. Here is only the meaning of the text: SQL is made from an [`Expr`] elsewhere.

pub mod column;
mod condition;
mod display;
pub mod entity;
pub mod expr;
mod field;
mod lexer;
pub mod order;
mod parser;
#[cfg(test)]
mod tests;

use crate::{Error, Result};
use column::Column;
use entity::{Attribute, Entity};
use expr::Expr;
use lexer::{Purpose, Source};
use order::{Order, OrderKey};
use parser::Parser;

/// Longest filter, or element of `order_by`, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;
/// Deepest nesting of parentheses and `NOT`.
pub const MAX_NESTING: usize = 50;
/// Most tests (`field operator value`) in one filter.
pub const MAX_TESTS: usize = 500;
/// Most values in one `IN` list.
pub const MAX_LIST_VALUES: usize = 1000;
/// Most elements of one `order_by`.
pub const MAX_ORDER_KEYS: usize = 20;

/// Reads a filter over `entity`. The empty text is no filter: `None`.
///
/// Everything else that is not a filter, blanks included, is [`Kind::Invalid`](crate::Kind::Invalid) with a message
/// that names the column (in characters, from 1), what was expected there and what was found.
pub fn parse_filter<A: Attribute>(entity: &'static Entity<A>, text: &str) -> Result<Option<Expr<A>>> {
    if text.is_empty() {
        return Ok(None);
    }
    Parser::new(entity, Source::new(Purpose::Filter, text)?)?.filter().map(Some)
}

/// Reads `order_by`: each element one field and at most one `ASC` or `DESC`, in any case; `ASC` where it is left out.
///
/// Fails with [`Kind::Invalid`](crate::Kind::Invalid) on what is no field of `entity`, cannot be ordered by, or is
/// named twice, be it by two names of the same field.
pub fn parse_order_by<A: Attribute>(entity: &'static Entity<A>, items: &[String]) -> Result<Vec<Order<A>>> {
    if items.len() > MAX_ORDER_KEYS {
        let count = items.len();
        return Err(Error::invalid(format!(
            "order_by has {count} elements, at most {MAX_ORDER_KEYS} are allowed"
        )));
    }
    let mut orders: Vec<Order<A>> = Vec::with_capacity(items.len());
    for text in items {
        let order = Parser::new(entity, Source::new(Purpose::OrderBy, text)?)?.order()?;
        if orders.iter().any(|earlier| earlier.key == order.key) {
            return Err(Error::invalid(format!("order_by contains the field {} twice", order.key)));
        }
        orders.push(order);
    }
    Ok(orders)
}

/// Reads one field name that stands alone, as in the `order_by` objects of a search for logged models.
///
/// After the first dot the key goes on to the end, so it needs no quotes, whatever it contains; quotes around the
/// whole key are taken off all the same. Fails as [`parse_order_by`] does.
pub fn parse_order_field<A: Attribute>(entity: &'static Entity<A>, field_name: &str) -> Result<OrderKey<A>> {
    order::parse_field_name(entity, Source::new(Purpose::FieldName, field_name)?)
}

/// Reads the name of a column of a table of candidates: a field as filters have it, or `min(metrics.loss)` and
/// `max(metrics.loss)`; `name` and `user`, as the native API answers them, are known too.
///
/// A figure stands around the metric and not behind a dot, because a metric may be called `loss.min`. Fails with
/// [`Kind::Invalid`](crate::Kind::Invalid) as [`parse_filter`] does.
pub fn parse_column(text: &str) -> Result<Column> {
    column::parse(Source::new(Purpose::Column, text)?)
}
