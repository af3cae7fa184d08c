//! Printing filters and orders back as text, in one canonical form.

use std::fmt::{self, Display, Formatter, Write};

use super::entity::{Attribute, Family};
use super::expr::{Condition, Expr, Field, Test};
use super::lexer::is_name_char;
use super::order::{Order, OrderKey};

impl<A: Attribute> Display for Expr<A> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => {
                write_joined(f, parts, " AND ", |part| matches!(part, Self::And(_) | Self::Or(_)))
            }
            Self::Or(parts) => write_joined(f, parts, " OR ", |part| matches!(part, Self::Or(_))),
            Self::Not(inner) => match **inner {
                Self::And(_) | Self::Or(_) => write!(f, "NOT ({inner})"),
                Self::Not(_) | Self::Test(_) => write!(f, "NOT {inner}"),
            },
            Self::Test(test) => test.fmt(f),
        }
    }
}

fn write_joined<A: Attribute>(
    f: &mut Formatter<'_>,
    parts: &[Expr<A>],
    separator: &str,
    needs_parentheses: impl Fn(&Expr<A>) -> bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        if needs_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

impl<A: Attribute> Display for Test<A> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.condition)
    }
}

impl<A: Attribute> Display for Field<A> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(attribute) => f.write_str(attribute.name()),
            Self::Metric(key) => write_key(f, Family::Metrics, key),
            Self::Param(key) => write_key(f, Family::Params, key),
            Self::Metadata(key) => write_key(f, Family::Metadata, key),
            Self::Dataset(field) => write_key(f, Family::Datasets, field.name()),
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            // The debug form keeps every digit that matters and turns to an exponent where that is shorter.
            Self::Number { op, value } => write!(f, "{} {value:?}", op.symbol()),
            Self::Integer { op, value } => write!(f, "{} {value}", op.symbol()),
            Self::IntegerIn { negated, values } => {
                write_list(f, *negated, values, |f, value| write!(f, "{value}"))
            }
            Self::Text { op, value } => {
                write!(f, "{} ", op.symbol())?;
                write_quoted(f, value, &['\'', '"'])
            }
            Self::TextIn { negated, values } => {
                write_list(f, *negated, values, |f, value| write_quoted(f, value, &['\'', '"']))
            }
            Self::Null { negated: false } => f.write_str("IS NULL"),
            Self::Null { negated: true } => f.write_str("IS NOT NULL"),
        }
    }
}

fn write_list<T>(
    f: &mut Formatter<'_>,
    negated: bool,
    values: &[T],
    write_value: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    f.write_str(if negated { "NOT IN (" } else { "IN (" })?;
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write_value(f, value)?;
    }
    f.write_char(')')
}

impl<A: Attribute> Display for Order<A> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, if self.descending { "DESC" } else { "ASC" })
    }
}

impl<A: Attribute> Display for OrderKey<A> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(attribute) => f.write_str(attribute.name()),
            Self::Metric(key) => write_key(f, Family::Metrics, key),
            Self::Param(key) => write_key(f, Family::Params, key),
            Self::Metadata(key) => write_key(f, Family::Metadata, key),
        }
    }
}

/// Writes the word of a family and a key of it, in quotes where it needs them.
pub(super) fn write_key(f: &mut Formatter<'_>, family: Family, key: &str) -> fmt::Result {
    write!(f, "{}.", family.word())?;
    if key.chars().all(is_name_char) {
        return f.write_str(key);
    }
    write_quoted(f, key, &['`', '"', '\''])
}

/// Writes `text` in the first of `quotes` that it does not contain; the grammar has no escape.
fn write_quoted(f: &mut Formatter<'_>, text: &str, quotes: &[char]) -> fmt::Result {
    let quote = quotes.iter().find(|quote| !text.contains(**quote)).unwrap_or(&quotes[0]);
    write!(f, "{quote}{text}{quote}")
}
