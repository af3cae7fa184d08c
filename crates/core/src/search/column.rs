//! Columns of tables of candidates: what a search answers of each one.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use super::display::write_key;
use super::entity::{Attribute as _, CandidateAttribute, Family};
use super::expr::Field;
use super::lexer::{Source, TokenKind};
use super::parser::Parser;
use crate::{Error, Result};

/// What a table of candidates has a column of. `Display` prints it so that it parses to the same value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// An attribute.
    Attribute(CandidateAttribute),
    /// A figure of the metric of this name.
    Metric(String, Figure),
    /// The param of this name.
    Param(String),
    /// The metadata (MLflow's tag) of this name.
    Metadata(String),
}

/// What is told of the values of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Figure {
    /// The latest value.
    Last,
    /// The least number.
    Minimum,
    /// The greatest number.
    Maximum,
}

impl Figure {
    /// All of them, the latest value first.
    pub const ALL: [Self; 3] = [Self::Last, Self::Minimum, Self::Maximum];

    /// The word before the parentheses; the latest value has none.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Last => None,
            Self::Minimum => Some("min"),
            Self::Maximum => Some("max"),
        }
    }
}

/// What users choose names for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Metrics.
    Metrics,
    /// Params.
    Params,
    /// Metadata (MLflow's tags).
    Metadata,
}

impl KeyKind {
    /// All of them, in the order of lists.
    pub const ALL: [Self; 3] = [Self::Metrics, Self::Params, Self::Metadata];

    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Params => "params",
            Self::Metadata => "metadata",
        }
    }

    /// The column of `key`; of a metric, its latest value.
    pub fn column(self, key: &str) -> Column {
        match self {
            Self::Metrics => Column::Metric(key.to_owned(), Figure::Last),
            Self::Params => Column::Param(key.to_owned()),
            Self::Metadata => Column::Metadata(key.to_owned()),
        }
    }
}

impl FromStr for KeyKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| {
            Error::invalid(format!("`{text}` is no kind of key: it is `metrics`, `params` or `metadata`"))
        })
    }
}

impl Column {
    /// What the column is of and its key, unless it is an attribute.
    pub fn key(&self) -> Option<(KeyKind, &str)> {
        match self {
            Self::Attribute(_) => None,
            Self::Metric(key, _) => Some((KeyKind::Metrics, key)),
            Self::Param(key) => Some((KeyKind::Params, key)),
            Self::Metadata(key) => Some((KeyKind::Metadata, key)),
        }
    }
}

impl Display for Column {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(attribute) => f.write_str(attribute.name()),
            Self::Metric(key, figure) => match figure.word() {
                None => write_key(f, Family::Metrics, key),
                Some(word) => {
                    write!(f, "{word}(")?;
                    write_key(f, Family::Metrics, key)?;
                    f.write_str(")")
                }
            },
            Self::Param(key) => write_key(f, Family::Params, key),
            Self::Metadata(key) => write_key(f, Family::Metadata, key),
        }
    }
}

/// Reads the text as a column; see [`parse_column`](super::parse_column).
pub(super) fn parse(source: Source<'_>) -> Result<Column> {
    let mut parser = Parser::new(&super::entity::CANDIDATES, source)?;
    let figure = parser.figure()?;
    let column = parser.column(figure)?;
    if figure.is_some() {
        parser.require(TokenKind::Close, "`)`")?;
    }
    parser.require(TokenKind::End, "the end of the column name")?;
    Ok(column)
}

impl Parser<'_, CandidateAttribute> {
    /// Takes `min(` or `max(`, if it comes next.
    fn figure(&mut self) -> Result<Option<Figure>> {
        for figure in Figure::ALL {
            if let Some(word) = figure.word()
                && self.take_keyword(word)?
            {
                self.require(TokenKind::Open, "`(`")?;
                return Ok(Some(figure));
            }
        }
        Ok(None)
    }

    /// Takes a field, or one of the words that the native API has for attributes.
    fn column(&mut self, figure: Option<Figure>) -> Result<Column> {
        let place = self.place();
        let field = match self.token.kind {
            TokenKind::Word("name") => self.native(CandidateAttribute::Name)?,
            TokenKind::Word("user") => self.native(CandidateAttribute::UserId)?,
            _ => self.field()?,
        };
        match (field, figure) {
            (Field::Metric(key), figure) => Ok(Column::Metric(key, figure.unwrap_or(Figure::Last))),
            (field, Some(_)) => {
                Err(place.error(&format!("only a metric has a least and a greatest value, not `{field}`")))
            }
            (Field::Attribute(attribute), None) => Ok(Column::Attribute(attribute)),
            (Field::Param(key), None) => Ok(Column::Param(key)),
            (Field::Metadata(key), None) => Ok(Column::Metadata(key)),
            (Field::Dataset(_), None) => {
                Err(place.error("a candidate may have many datasets: they are no column"))
            }
        }
    }

    fn native(&mut self, attribute: CandidateAttribute) -> Result<Field<CandidateAttribute>> {
        self.advance()?;
        Ok(Field::Attribute(attribute))
    }

    fn require(&mut self, kind: TokenKind<'_>, what: &str) -> Result<()> {
        if self.token.kind == kind { self.advance().map(drop) } else { Err(self.expected(what)) }
    }
}
