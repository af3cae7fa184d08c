//! From text to tokens, one at a time; and errors that name the column.

use super::MAX_TEXT_BYTES;
use super::expr::NumberOp;
use crate::{Error, Result};

/// Characters of a token that an error message shows at most.
const SHOWN_CHARS: usize = 40;

/// A text of bearable length without NUL, and what it is read as.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'t> {
    pub(super) purpose: Purpose,
    pub(super) text: &'t str,
}

/// What a text is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Filter,
    OrderBy,
    /// One field to order by, alone.
    FieldName,
    /// One column.
    Column,
}

impl Purpose {
    /// What messages call the text.
    fn what(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::OrderBy => "order_by clause",
            Self::FieldName => "field_name",
            Self::Column => "column name",
        }
    }
}

/// A place in a text, for an error message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'t> {
    pub(super) source: Source<'t>,
    /// In bytes from the start of the text; not inside a character.
    pub(super) at: usize,
}

/// A token and the bytes `start..end` of the text that it was read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: TokenKind<'t>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a token is. Texts are without their quotes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TokenKind<'t> {
    /// A name without a dot: a keyword or an attribute.
    Word(&'t str),
    /// A name with a dot: `tags.team`, with the key perhaps in quotes. The key may be empty.
    Scoped { scope: &'t str, key: &'t str },
    /// A text in `'`, `"` or `` ` ``.
    Quoted { quote: char, text: &'t str },
    /// A number without quotes.
    Number(f64),
    /// `=`, `!=` and so on.
    Comparison(NumberOp),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// Nothing is left.
    End,
}

/// Whether `c` may stand in a name or key without quotes: what MLflow allows in a key, but for the blank.
pub(super) fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | ':' | '.')
}

impl Place<'_> {
    /// An error about what stands here.
    pub(super) fn error(self, problem: &str) -> Error {
        let Source { purpose, text } = self.source;
        let what = purpose.what();
        let column = text[..self.at].chars().count() + 1;
        Error::invalid(format!("Invalid {what}. Could not be parsed at column {column}: {problem}"))
    }
}

impl<'t> Source<'t> {
    /// Fails when `text` is longer than [`MAX_TEXT_BYTES`] or contains NUL, which no stored text can contain.
    pub(super) fn new(purpose: Purpose, text: &'t str) -> Result<Self> {
        let length = text.len();
        if length > MAX_TEXT_BYTES {
            let what = purpose.what();
            return Err(Error::invalid(format!(
                "Invalid {what}. It is {length} bytes long, at most {MAX_TEXT_BYTES} are allowed"
            )));
        }
        let source = Self { purpose, text };
        match text.find('\0') {
            Some(at) => Err(Place { source, at }.error("unexpected character NUL")),
            None => Ok(source),
        }
    }

    /// The text of `token` for a message, in backticks and cut when long; or that the text ended.
    pub(super) fn describe(self, token: Token<'t>) -> String {
        match token.kind {
            TokenKind::End => format!("the end of the {}", self.purpose.what()),
            _ => format!("`{}`", shorten(self.raw(token))),
        }
    }

    /// The text of `token` as it was written.
    pub(super) fn raw(self, token: Token<'t>) -> &'t str {
        &self.text[token.start..token.end]
    }
}

/// The first characters of `text`, with `...` when some were left out.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Reads tokens off the front of a text.
#[derive(Debug)]
pub(super) struct Lexer<'t> {
    source: Source<'t>,
    /// Where the rest begins, in bytes.
    at: usize,
}

impl<'t> Lexer<'t> {
    /// Stands before the first token of `source`.
    pub(super) fn new(source: Source<'t>) -> Self {
        Self { source, at: 0 }
    }

    /// The next token; [`TokenKind::End`] again and again once nothing is left.
    pub(super) fn next_token(&mut self) -> Result<Token<'t>> {
        self.take_while(char::is_whitespace);
        let start = self.at;
        let kind = match self.peek() {
            None => TokenKind::End,
            Some('(') => self.punctuation(TokenKind::Open),
            Some(')') => self.punctuation(TokenKind::Close),
            Some(',') => self.punctuation(TokenKind::Comma),
            Some(quote @ ('\'' | '"')) => TokenKind::Quoted { quote, text: self.quoted()? },
            Some('`') => self.backticked()?,
            Some('=' | '!' | '<' | '>') => self.comparison()?,
            Some(_) if starts_number(self.rest()) => self.number()?,
            Some(c) if c.is_alphabetic() || c == '_' => self.name()?,
            Some(c) => return Err(self.error(
                start,
                &format!(
                    "expected a name, an operator, a text in quotes or a number, found the character `{}`",
                    c.escape_debug()
                ),
            )),
        };
        Ok(Token { kind, start, end: self.at })
    }

    fn error(&self, at: usize, problem: &str) -> Error {
        Place { source: self.source, at }.error(problem)
    }

    fn rest(&self) -> &'t str {
        &self.source.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// `kind` is written with one byte.
    fn punctuation(&mut self, kind: TokenKind<'t>) -> TokenKind<'t> {
        self.at += 1;
        kind
    }

    /// The text between the quote that comes next and its like. There is no escape, as in MLflow.
    fn quoted(&mut self) -> Result<&'t str> {
        let start = self.at;
        let quote = self.peek().expect("the caller has seen a quote");
        let inside = &self.rest()[1..];
        let Some(length) = inside.find(quote) else {
            return Err(self.error(start, &format!("the text that begins here has no closing {quote}")));
        };
        self.at += length + 2;
        Ok(&inside[..length])
    }

    /// A name in backticks, or such a word before a dot.
    fn backticked(&mut self) -> Result<TokenKind<'t>> {
        let text = self.quoted()?;
        match self.peek() {
            Some('.') => self.scoped(text),
            _ => Ok(TokenKind::Quoted { quote: '`', text }),
        }
    }

    fn name(&mut self) -> Result<TokenKind<'t>> {
        let word = self.take_while(|c| is_name_char(c) && c != '.');
        match self.peek() {
            Some('.') => self.scoped(word),
            _ => Ok(TokenKind::Word(word)),
        }
    }

    /// The dot after `scope` and the key after the dot.
    fn scoped(&mut self, scope: &'t str) -> Result<TokenKind<'t>> {
        self.at += 1;
        let key = match self.peek() {
            Some('`' | '"' | '\'') => self.quoted()?,
            _ => self.take_while(is_name_char),
        };
        Ok(TokenKind::Scoped { scope, key })
    }

    fn comparison(&mut self) -> Result<TokenKind<'t>> {
        let (op, length) = match self.rest().as_bytes() {
            [b'=', b'=', ..] => return Err(self.error(self.at, "`==` is not an operator, write `=`")),
            [b'<', b'>', ..] => return Err(self.error(self.at, "`<>` is not an operator, write `!=`")),
            [b'!', b'=', ..] => (NumberOp::Ne, 2),
            [b'<', b'=', ..] => (NumberOp::Le, 2),
            [b'>', b'=', ..] => (NumberOp::Ge, 2),
            [b'=', ..] => (NumberOp::Eq, 1),
            [b'<', ..] => (NumberOp::Lt, 1),
            [b'>', ..] => (NumberOp::Gt, 1),
            _ => return Err(self.error(self.at, "`!` is not an operator, write `!=` or NOT")),
        };
        self.at += length;
        Ok(TokenKind::Comparison(op))
    }

    /// A number, together with whatever stands right behind it, so that `1x` and `1-2` are one malformed number each.
    fn number(&mut self) -> Result<TokenKind<'t>> {
        let start = self.at;
        let raw = self.take_while(|c| is_name_char(c) || c == '+');
        let value = raw.parse().map_err(|_| {
            let shown = shorten(raw);
            self.error(start, &format!("`{shown}` is not a number"))
        })?;
        Ok(TokenKind::Number(value))
    }
}

fn starts_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    unsigned.strip_prefix('.').unwrap_or(unsigned).starts_with(|c: char| c.is_ascii_digit())
}
