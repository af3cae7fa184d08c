//! From the text of a requirement to its comparators; the grammar is in [`super::requirement`].

use semver::{Comparator, Op, Prerelease};

use super::{MAX_NUMBER, identifier_fits, number_of, quoted};
use crate::{Error, Result};

/// Most comparators in one requirement.
const MAX_COMPARATORS: usize = 32;
const WILDCARDS: [&str; 3] = ["*", "x", "X"];

/// The comparators of the requirement `text`; none of them for `*`.
pub(super) fn parse(text: &str) -> Result<Vec<Comparator>> {
    if WILDCARDS.contains(&text.trim()) {
        return Ok(Vec::new());
    }
    Cursor { text, at: 0 }.comparators()
}

/// A place in the text of a requirement.
struct Cursor<'t> {
    text: &'t str,
    /// In bytes.
    at: usize,
}

impl<'t> Cursor<'t> {
    fn comparators(mut self) -> Result<Vec<Comparator>> {
        let mut comparators = Vec::new();
        self.skip_blanks();
        loop {
            if comparators.len() == MAX_COMPARATORS {
                return Err(self.error(&format!("there are more than {MAX_COMPARATORS} comparators")));
            }
            comparators.push(self.comparator()?);
            if !self.separator()? {
                return Ok(comparators);
            }
        }
    }

    /// Takes what stands between two comparators, and returns whether another has to follow.
    fn separator(&mut self) -> Result<bool> {
        let blanks = self.skip_blanks();
        if self.take(",") {
            self.skip_blanks();
            return Ok(true);
        }
        match self.rest() {
            "" => Ok(false),
            _ if blanks => Ok(true),
            _ => Err(self.expected("a comma, a blank or the end")),
        }
    }

    fn comparator(&mut self) -> Result<Comparator> {
        let start = self.at;
        let operator = self.operator();
        if operator.is_some() {
            self.skip_blanks();
        }
        let major = self.major(operator.is_some())?;
        let mut parts = [None; 2];
        let mut written = 1;
        for index in 0..parts.len() {
            if self.take(".") {
                written += 1;
                parts[index] = self.number_or_wildcard(index > 0 && parts[index - 1].is_none())?;
            }
        }
        let [minor, patch] = parts;
        let pre = if patch.is_some() { self.prerelease()? } else { Prerelease::EMPTY };
        if self.rest().starts_with('+') {
            return Err(self.error("build metadata has no place in the order, so a requirement names none"));
        }
        let op = match (operator, written, patch) {
            (Some(op), ..) => op,
            (None, 1, _) => {
                let problem = format!("a single number is a sequence number; write ^{major} or {major}.*");
                return Err(self.error_at(start, &problem));
            }
            (None, _, Some(_)) => Op::Exact,
            (None, _, None) => Op::Wildcard,
        };
        Ok(Comparator { op, major, minor, patch, pre })
    }

    /// Takes an operator, if one comes next.
    fn operator(&mut self) -> Option<Op> {
        let operators = [
            (">=", Op::GreaterEq),
            ("<=", Op::LessEq),
            (">", Op::Greater),
            ("<", Op::Less),
            ("=", Op::Exact),
            ("^", Op::Caret),
            ("~", Op::Tilde),
        ];
        operators.into_iter().find_map(|(symbol, op)| self.take(symbol).then_some(op))
    }

    fn major(&mut self, has_operator: bool) -> Result<u64> {
        if WILDCARDS.into_iter().any(|wildcard| self.rest().starts_with(wildcard)) {
            return Err(self.error("`*` in place of the major number stands alone"));
        }
        self.number(if has_operator { "a number" } else { "an operator or a number" })
    }

    /// Takes a number; `None` for a wildcard, which alone may follow a wildcard.
    fn number_or_wildcard(&mut self, after_wildcard: bool) -> Result<Option<u64>> {
        if WILDCARDS.into_iter().any(|wildcard| self.take(wildcard)) {
            return Ok(None);
        }
        if after_wildcard {
            return Err(self.expected("`*` or `x` behind a wildcard"));
        }
        self.number("a number, `*` or `x`").map(Some)
    }

    fn number(&mut self, expected: &str) -> Result<u64> {
        let start = self.at;
        let digits = self.take_while(|c| c.is_ascii_digit());
        if digits.is_empty() {
            return Err(self.expected(expected));
        }
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(self.error_at(start, &format!("the number {} has a leading zero", quoted(digits))));
        }
        number_of(digits)
            .ok_or_else(|| self.error_at(start, &format!("the number is greater than {MAX_NUMBER}")))
    }

    /// Takes a prerelease, if one comes next.
    fn prerelease(&mut self) -> Result<Prerelease> {
        if !self.take("-") {
            return Ok(Prerelease::EMPTY);
        }
        let start = self.at;
        let text = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        let pre = Prerelease::new(text).ok().filter(|pre| !pre.is_empty()).ok_or_else(|| {
            let problem = "the pre-release has an empty part, or a number with a leading zero";
            self.error_at(start, problem)
        })?;
        if text.split('.').all(identifier_fits) {
            return Ok(pre);
        }
        Err(self.error_at(start, &format!("the pre-release has a number greater than {MAX_NUMBER}")))
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Whether there were any.
    fn skip_blanks(&mut self) -> bool {
        !self.take_while(char::is_whitespace).is_empty()
    }

    fn expected(&self, what: &str) -> Error {
        let found = match self.rest().chars().next() {
            Some(c) => quoted(&c.to_string()),
            None => "the end".to_owned(),
        };
        self.error(&format!("expected {what}, found {found}"))
    }

    fn error(&self, problem: &str) -> Error {
        self.error_at(self.at, problem)
    }

    fn error_at(&self, at: usize, problem: &str) -> Error {
        let character = self.text[..at].chars().count() + 1;
        let text = quoted(self.text);
        Error::invalid(format!("{text} is not a version requirement: at character {character}, {problem}"))
    }
}
