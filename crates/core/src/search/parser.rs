//! From tokens to expressions, by recursive descent with one token of look-ahead.
//!
//! Here are the frame of an expression and of an order; what a single test consists of is in [`super::field`] and
//! [`super::condition`].

use super::entity::{Attribute, Entity};
use super::expr::{Expr, Test};
use super::lexer::{Lexer, Place, Source, Token, TokenKind};
use super::order::{Order, OrderKey};
use super::{MAX_NESTING, MAX_TESTS};
use crate::{Error, Result};

/// Reads one text.
#[derive(Debug)]
pub(super) struct Parser<'t, A: 'static> {
    pub(super) entity: &'static Entity<A>,
    pub(super) source: Source<'t>,
    /// The token that comes next.
    pub(super) token: Token<'t>,
    lexer: Lexer<'t>,
    nesting: usize,
    tests: usize,
}

impl<'t, A: Attribute> Parser<'t, A> {
    /// Stands before the first token of `source`.
    pub(super) fn new(entity: &'static Entity<A>, source: Source<'t>) -> Result<Self> {
        let mut lexer = Lexer::new(source);
        let token = lexer.next_token()?;
        Ok(Self { entity, source, token, lexer, nesting: 0, tests: 0 })
    }

    /// The whole text as a filter.
    pub(super) fn filter(mut self) -> Result<Expr<A>> {
        let expr = self.any_of()?;
        match self.token.kind {
            TokenKind::End => Ok(expr),
            _ => Err(self.expected("AND, OR or the end of the filter")),
        }
    }

    /// The whole text as one element of `order_by`.
    pub(super) fn order(mut self) -> Result<Order<A>> {
        let place = self.place();
        let field = self.field()?;
        let key = OrderKey::of_field(self.entity, place, &field)?;
        let descending = self.take_keyword("DESC")?;
        if !descending {
            self.take_keyword("ASC")?;
        }
        match self.token.kind {
            TokenKind::End => Ok(Order { key, descending }),
            _ => Err(self.expected("ASC, DESC or the end of the order_by clause")),
        }
    }

    fn any_of(&mut self) -> Result<Expr<A>> {
        let mut parts = Vec::new();
        loop {
            match self.all_of()? {
                Expr::Or(inner) => parts.extend(inner),
                part @ (Expr::And(_) | Expr::Not(_) | Expr::Test(_)) => parts.push(part),
            }
            if !self.take_keyword("OR")? {
                return Ok(one_or(parts, Expr::Or));
            }
        }
    }

    fn all_of(&mut self) -> Result<Expr<A>> {
        let mut parts = Vec::new();
        loop {
            match self.negation()? {
                Expr::And(inner) => parts.extend(inner),
                part @ (Expr::Or(_) | Expr::Not(_) | Expr::Test(_)) => parts.push(part),
            }
            let goes_on = self.take_keyword("AND")?;
            // MLflow forgives an AND that nothing follows.
            if !goes_on || self.token.kind == TokenKind::End {
                return Ok(one_or(parts, Expr::And));
            }
        }
    }

    fn negation(&mut self) -> Result<Expr<A>> {
        if !self.is_keyword("NOT") {
            return self.primary();
        }
        let negated = self.nested(Self::negation)?;
        Ok(match negated {
            Expr::Not(inner) => *inner,
            other @ (Expr::And(_) | Expr::Or(_) | Expr::Test(_)) => Expr::Not(Box::new(other)),
        })
    }

    fn primary(&mut self) -> Result<Expr<A>> {
        if self.token.kind != TokenKind::Open {
            return self.test().map(Expr::Test);
        }
        self.nested(|parser| {
            let inner = parser.any_of()?;
            if parser.token.kind != TokenKind::Close {
                return Err(parser.expected("AND, OR or `)`"));
            }
            parser.advance()?;
            Ok(inner)
        })
    }

    /// Takes the token that opens one more level, and what stands in this level. The levels are counted because
    /// each takes a part of the stack.
    fn nested(&mut self, inside: impl FnOnce(&mut Self) -> Result<Expr<A>>) -> Result<Expr<A>> {
        if self.nesting == MAX_NESTING {
            return Err(self
                .place()
                .error(&format!("parentheses and NOT are nested deeper than {MAX_NESTING} levels")));
        }
        self.advance()?;
        self.nesting += 1;
        let expr = inside(self)?;
        self.nesting -= 1;
        Ok(expr)
    }

    fn test(&mut self) -> Result<Test<A>> {
        if self.tests == MAX_TESTS {
            return Err(self.place().error(&format!("a filter has at most {MAX_TESTS} conditions")));
        }
        self.tests += 1;
        let field = self.field()?;
        let condition = self.condition(&field)?;
        Ok(Test { field, condition })
    }

    /// Goes on to the next token, and returns the one that was next.
    pub(super) fn advance(&mut self) -> Result<Token<'t>> {
        let next = self.lexer.next_token()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    /// Whether `keyword` comes next, in any case.
    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.token.kind, TokenKind::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// Takes `keyword` if it comes next, and returns whether it did.
    pub(super) fn take_keyword(&mut self, keyword: &str) -> Result<bool> {
        let found = self.is_keyword(keyword);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// Takes `keyword`, which must come next.
    pub(super) fn require_keyword(&mut self, keyword: &str) -> Result<()> {
        if self.take_keyword(keyword)? { Ok(()) } else { Err(self.expected(keyword)) }
    }

    /// Where the next token begins.
    pub(super) fn place(&self) -> Place<'t> {
        Place { source: self.source, at: self.token.start }
    }

    /// An error at the next token, which is not `what`.
    pub(super) fn expected(&self, what: &str) -> Error {
        self.expected_at(self.token, what)
    }

    /// An error at `token`, which is not `what`.
    pub(super) fn expected_at(&self, token: Token<'t>, what: &str) -> Error {
        let place = Place { source: self.source, at: token.start };
        place.error(&format!("expected {what}, found {}", self.source.describe(token)))
    }
}

/// The only part, or all of them as `joined`.
fn one_or<A>(mut parts: Vec<Expr<A>>, joined: impl FnOnce(Vec<Expr<A>>) -> Expr<A>) -> Expr<A> {
    match parts.len() {
        1 => parts.remove(0),
        _ => joined(parts),
    }
}
