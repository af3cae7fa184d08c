//! The right side of a test: the operator and what it compares with.

use super::MAX_LIST_VALUES;
use super::entity::{Attribute, ValueKind, Values};
use super::expr::{Condition, Field, NumberOp, TextOp};
use super::field::is_keyword;
use super::lexer::TokenKind;
use super::parser::Parser;
use crate::Result;

/// An operator of any field; which of them fits is decided where the field is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Compare(NumberOp),
    Like,
    ILike,
    In { negated: bool },
    Null { negated: bool },
}

/// What a field is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operand {
    /// A metric's value.
    Number,
    /// A text that the user may have set or not.
    OptionalText,
    /// What the table of the entity says.
    Of(ValueKind),
}

impl Operand {
    /// The operators that fit, for a message.
    fn operators(self) -> &'static str {
        match self {
            Self::Number | Self::Of(ValueKind::Integer) => "=, !=, <, <=, > or >=",
            Self::OptionalText => "=, !=, LIKE, ILIKE, IN, NOT IN, IS NULL or IS NOT NULL",
            Self::Of(ValueKind::Text | ValueKind::Id) => "=, !=, LIKE, ILIKE, IN or NOT IN",
            Self::Of(ValueKind::Ordinal) => "=, !=, <, <=, >, >=, IN or NOT IN",
            Self::Of(ValueKind::Unsearchable) => "no operator",
        }
    }
}

impl<A: Attribute> Parser<'_, A> {
    /// Takes an operator that fits `field`, and what it compares with.
    pub(super) fn condition(&mut self, field: &Field<A>) -> Result<Condition> {
        let operand = match field {
            Field::Metric(_) => Operand::Number,
            Field::Param(_) | Field::Metadata(_) => Operand::OptionalText,
            Field::Dataset(_) => Operand::Of(ValueKind::Text),
            Field::Attribute(attribute) => Operand::Of(self.entity.row(*attribute).kind),
        };
        let token = self.token;
        let condition = match (self.operator()?, operand) {
            (None, _) | (_, Operand::Of(ValueKind::Unsearchable)) => None,
            (Some(operator), Operand::Number) => self.number_condition(operator)?,
            (Some(operator), Operand::OptionalText) => self.optional_text_condition(operator)?,
            (Some(operator), Operand::Of(ValueKind::Text)) => self.text_condition(operator)?,
            (Some(operator), Operand::Of(ValueKind::Integer)) => self.integer_condition(operator)?,
            (Some(operator), Operand::Of(ValueKind::Id)) => self.id_condition(operator)?,
            (Some(operator), Operand::Of(ValueKind::Ordinal)) => self.ordinal_condition(operator)?,
        };
        condition.ok_or_else(|| self.expected_at(token, operand.operators()))
    }

    /// Takes an operator, if one comes next.
    fn operator(&mut self) -> Result<Option<Operator>> {
        if let TokenKind::Comparison(op) = self.token.kind {
            self.advance()?;
            return Ok(Some(Operator::Compare(op)));
        }
        if self.take_keyword("LIKE")? {
            return Ok(Some(Operator::Like));
        }
        if self.take_keyword("ILIKE")? {
            return Ok(Some(Operator::ILike));
        }
        if self.take_keyword("IS")? {
            let negated = self.take_keyword("NOT")?;
            self.require_keyword("NULL")?;
            return Ok(Some(Operator::Null { negated }));
        }
        if self.take_keyword("NOT")? {
            self.require_keyword("IN")?;
            return Ok(Some(Operator::In { negated: true }));
        }
        Ok(self.take_keyword("IN")?.then_some(Operator::In { negated: false }))
    }

    // The functions below take what `operator` compares with, or answer `None` when it does not fit.

    fn number_condition(&mut self, operator: Operator) -> Result<Option<Condition>> {
        Ok(match operator {
            Operator::Compare(op) => Some(Condition::Number { op, value: self.number()? }),
            Operator::Like | Operator::ILike | Operator::In { .. } | Operator::Null { .. } => None,
        })
    }

    fn integer_condition(&mut self, operator: Operator) -> Result<Option<Condition>> {
        Ok(match operator {
            Operator::Compare(op) => Some(Condition::Integer { op, value: self.integer()? }),
            Operator::Like | Operator::ILike | Operator::In { .. } | Operator::Null { .. } => None,
        })
    }

    fn id_condition(&mut self, operator: Operator) -> Result<Option<Condition>> {
        Ok(match operator {
            Operator::Compare(op @ (NumberOp::Eq | NumberOp::Ne)) => {
                Some(Condition::Integer { op, value: self.id()? })
            }
            Operator::In { negated } => Some(Condition::IntegerIn { negated, values: self.list(Self::id)? }),
            Operator::Like | Operator::ILike | Operator::Compare(_) | Operator::Null { .. } => {
                return self.pattern_condition(operator);
            }
        })
    }

    fn ordinal_condition(&mut self, operator: Operator) -> Result<Option<Condition>> {
        Ok(match operator {
            Operator::Compare(op) => Some(Condition::Integer { op, value: self.ordinal()? }),
            Operator::In { negated } => {
                Some(Condition::IntegerIn { negated, values: self.list(Self::ordinal)? })
            }
            Operator::Like | Operator::ILike | Operator::Null { .. } => None,
        })
    }

    fn optional_text_condition(&mut self, operator: Operator) -> Result<Option<Condition>> {
        match operator {
            Operator::Null { negated } => Ok(Some(Condition::Null { negated })),
            Operator::Compare(_) | Operator::Like | Operator::ILike | Operator::In { .. } => {
                self.text_condition(operator)
            }
        }
    }

    fn text_condition(&mut self, operator: Operator) -> Result<Option<Condition>> {
        Ok(match operator {
            Operator::Compare(NumberOp::Eq) => Some(Condition::Text { op: TextOp::Eq, value: self.text()? }),
            Operator::Compare(NumberOp::Ne) => Some(Condition::Text { op: TextOp::Ne, value: self.text()? }),
            Operator::In { negated } => Some(Condition::TextIn { negated, values: self.list(Self::text)? }),
            Operator::Like | Operator::ILike | Operator::Compare(_) | Operator::Null { .. } => {
                return self.pattern_condition(operator);
            }
        })
    }

    fn pattern_condition(&mut self, operator: Operator) -> Result<Option<Condition>> {
        Ok(match operator {
            Operator::Like => Some(Condition::Text { op: TextOp::Like, value: self.text()? }),
            Operator::ILike => Some(Condition::Text { op: TextOp::ILike, value: self.text()? }),
            Operator::Compare(_) | Operator::In { .. } | Operator::Null { .. } => None,
        })
    }

    /// Takes the number that a metric is compared with, brought into the form in which metrics are stored:
    /// infinities are the greatest finite numbers, and there is no -0.0.
    fn number(&mut self) -> Result<f64> {
        match self.token.kind {
            TokenKind::Number(value) => {
                self.advance()?;
                Ok(value.clamp(f64::MIN, f64::MAX) + 0.0)
            }
            _ => Err(self.expected("a number without quotes")),
        }
    }

    /// Takes a whole number, be it written as one or like `1.7e12`.
    fn integer(&mut self) -> Result<i64> {
        let integer = match self.token.kind {
            TokenKind::Number(value) => self.source.raw(self.token).parse().ok().or_else(|| whole(value)),
            _ => None,
        };
        let integer = integer.ok_or_else(|| self.expected("a whole number of 64 bits without quotes"))?;
        self.advance()?;
        Ok(integer)
    }

    /// Takes the number of an experiment, in quotes or not.
    fn id(&mut self) -> Result<i64> {
        self.quoted_or_bare_integer("a whole number in quotes")
    }

    /// Takes the number of a version, in quotes or not.
    fn ordinal(&mut self) -> Result<i64> {
        self.quoted_or_bare_integer("a whole number")
    }

    fn quoted_or_bare_integer(&mut self, expected: &str) -> Result<i64> {
        let digits = match self.token.kind {
            TokenKind::Quoted { quote: '\'' | '"', text } => text,
            TokenKind::Number(_) => self.source.raw(self.token),
            _ => return Err(self.expected(expected)),
        };
        let number = digits.parse().map_err(|_| self.expected(expected))?;
        self.advance()?;
        Ok(number)
    }

    /// Takes a text.
    fn text(&mut self) -> Result<String> {
        let bare = self.entity.values == Values::QuotedOrBare;
        let text = match self.token.kind {
            TokenKind::Quoted { quote: '\'' | '"', text } => text,
            TokenKind::Word(word) if bare && !is_keyword(word) => word,
            // Not `team."a b"`: a text that is partly in quotes means nothing that could be written another way.
            TokenKind::Number(_) | TokenKind::Scoped { .. }
                if bare && !self.source.raw(self.token).contains(['\'', '"', '`']) =>
            {
                self.source.raw(self.token)
            }
            _ => return Err(self.expected("a text in quotes")),
        };
        self.advance()?;
        Ok(text.to_owned())
    }

    /// Takes values in parentheses. A comma may follow the last one, as in what Python prints for a tuple of one.
    fn list<T>(&mut self, value: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        if self.token.kind != TokenKind::Open {
            return Err(self.expected("`(`"));
        }
        self.advance()?;
        let mut values = Vec::new();
        loop {
            if values.len() == MAX_LIST_VALUES {
                return Err(self.place().error(&format!("a list has at most {MAX_LIST_VALUES} values")));
            }
            values.push(value(self)?);
            if self.token.kind == TokenKind::Comma {
                self.advance()?;
            } else if self.token.kind != TokenKind::Close {
                return Err(self.expected("`,` or `)`"));
            }
            if self.token.kind == TokenKind::Close {
                self.advance()?;
                return Ok(values);
            }
        }
    }
}

/// `value` as an integer, when it is one that fits.
fn whole(value: f64) -> Option<i64> {
    if value.fract() == 0.0 { format!("{value:.0}").parse().ok() } else { None }
}
