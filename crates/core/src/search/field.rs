//! The left side of a test: which field is meant.

use super::entity::{Attribute, Entity, Family, Row, ValueKind};
use super::expr::{DatasetField, Field};
use super::lexer::{Place, Purpose, TokenKind, shorten};
use super::parser::Parser;
use crate::{Error, Result};

/// Words that are not the name of an attribute unless quoted.
const KEYWORDS: [&str; 8] = ["AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "IS", "NULL"];

impl<A: Attribute> Parser<'_, A> {
    /// Takes a field.
    pub(super) fn field(&mut self) -> Result<Field<A>> {
        let place = self.place();
        match self.token.kind {
            TokenKind::Word(name) if !is_keyword(name) => {
                self.advance()?;
                self.attribute(place, name)
            }
            TokenKind::Quoted { quote: '`' | '"', text: name } => {
                self.advance()?;
                self.attribute(place, name)
            }
            TokenKind::Scoped { scope, key } if self.entity.attribute_words.contains(&scope) => {
                self.advance()?;
                self.attribute(place, key)
            }
            TokenKind::Scoped { scope, key } => {
                self.advance()?;
                scoped(self.entity, place, scope, key)
            }
            TokenKind::Word(_)
            | TokenKind::Quoted { .. }
            | TokenKind::Number(_)
            | TokenKind::Comparison(_)
            | TokenKind::Open
            | TokenKind::Close
            | TokenKind::Comma
            | TokenKind::End => Err(self.expected("the name of a field")),
        }
    }

    /// The attribute `name`, which has been taken at `place`; or the one that is called `name` and the word that comes
    /// next, because MLflow also knows `run_name` as `run name` without quotes.
    fn attribute(&mut self, place: Place<'_>, name: &str) -> Result<Field<A>> {
        if let TokenKind::Word(second) = self.token.kind
            && let Some(row) = self.entity.find(&format!("{name} {second}"))
        {
            self.advance()?;
            return Ok(Field::Attribute(row.attribute));
        }
        attribute(self.entity, place, name)
    }
}

/// Whether `word` belongs to the grammar.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// The attribute `name` of `entity`, read at `place`.
pub(super) fn attribute<A: Attribute>(entity: &Entity<A>, place: Place<'_>, name: &str) -> Result<Field<A>> {
    let may_be_named =
        |row: &Row<A>| place.source.purpose != Purpose::Filter || row.kind != ValueKind::Unsearchable;
    let row = entity.find(name).filter(|row| may_be_named(row)).ok_or_else(|| {
        let valid = entity.attributes.iter().filter(|row| may_be_named(row));
        invalid(place, "attribute key", name, valid.map(|row| row.attribute.name()))
    })?;
    Ok(Field::Attribute(row.attribute))
}

/// The field `scope.key` of `entity`, read at `place`.
pub(super) fn scoped<A: Attribute>(
    entity: &Entity<A>,
    place: Place<'_>,
    scope: &str,
    key: &str,
) -> Result<Field<A>> {
    if entity.attribute_words.contains(&scope) {
        return attribute(entity, place, key);
    }
    let family = Family::of_word(scope).filter(|family| entity.filter_families.contains(family));
    let Some(family) = family else {
        let valid = entity.filter_families.iter().map(|family| format!(", '{}'", family.word()));
        let valid = valid.collect::<String>();
        let scope = shorten(scope);
        return Err(
            place.error(&format!("Invalid entity type '{scope}'. Valid values are 'attributes'{valid}"))
        );
    };
    if key.is_empty() {
        return Err(place.error(&format!("expected a key after `{scope}.`, found nothing")));
    }
    match family {
        Family::Metrics => Ok(Field::Metric(key.to_owned())),
        Family::Params => Ok(Field::Param(key.to_owned())),
        Family::Metadata => Ok(Field::Metadata(key.to_owned())),
        Family::Datasets => DatasetField::of_name(key).map(Field::Dataset).ok_or_else(|| {
            let valid = DatasetField::ALL.into_iter().map(DatasetField::name);
            invalid(place, "dataset key", key, valid)
        }),
    }
}

/// An error in MLflow's words, on which clients match.
fn invalid(place: Place<'_>, what: &str, name: &str, valid: impl Iterator<Item = &'static str>) -> Error {
    let valid = valid.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    place.error(&format!("Invalid {what} '{}' specified. Valid keys are {valid}", shorten(name)))
}
