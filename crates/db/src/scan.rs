//! Cuts SQL text into pieces, so that a rewriter touches words and never the inside of a string or a comment.

/// One piece of SQL text; the pieces of a text, put together, are the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'s> {
    /// A keyword, a name or a number.
    Word(&'s str),
    /// A string or a quoted name, with its quotes.
    Quoted(&'s str),
    /// A comment, without the line's end where it is a `--` comment.
    Comment(&'s str),
    /// One character of punctuation.
    Mark(&'s str),
    /// White space.
    Space(&'s str),
}

impl<'s> Piece<'s> {
    /// The text of the piece.
    pub(crate) fn text(self) -> &'s str {
        match self {
            Self::Word(text)
            | Self::Quoted(text)
            | Self::Comment(text)
            | Self::Mark(text)
            | Self::Space(text) => text,
        }
    }

    /// Whether this is the keyword `word`, in any case.
    pub(crate) fn is_word(self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }

    /// Whether this is the punctuation `mark`.
    pub(crate) fn is_mark(self, mark: &str) -> bool {
        self == Piece::Mark(mark)
    }

    /// Whether the piece means something to a database.
    pub(crate) fn is_code(self) -> bool {
        !matches!(self, Self::Comment(_) | Self::Space(_))
    }
}

/// Cuts `sql` into its pieces.
pub(crate) fn pieces<'s>(sql: &'s str) -> impl Iterator<Item = Piece<'s>> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (length, piece): (usize, fn(&'s str) -> Piece<'s>) = if rest.starts_with("--") {
            (rest.find('\n').unwrap_or(rest.len()), Piece::Comment)
        } else if rest.starts_with("/*") {
            (rest.find("*/").map_or(rest.len(), |at| at + 2), Piece::Comment)
        } else if first == '\'' || first == '"' {
            (quoted_length(rest, first), Piece::Quoted)
        } else if is_word_character(first) {
            (length_while(rest, is_word_character), Piece::Word)
        } else if first.is_whitespace() {
            (length_while(rest, char::is_whitespace), Piece::Space)
        } else {
            (first.len_utf8(), Piece::Mark)
        };
        let (text, tail) = rest.split_at(length);
        rest = tail;
        Some(piece(text))
    })
}

/// The statements of `sql`, each as its pieces with the closing semicolon, where it has one.
pub(crate) fn statements(sql: &str) -> Vec<Vec<Piece<'_>>> {
    let mut statements = vec![Vec::new()];
    for piece in pieces(sql) {
        statements.last_mut().expect("there is always a statement being read").push(piece);
        if piece.is_mark(";") {
            statements.push(Vec::new());
        }
    }
    statements
}

fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn length_while(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// The length of the quoted text that `text` begins with; a doubled quote stands for itself.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut inside = true;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote {
            inside = !inside;
        } else if !inside {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_strings_and_comments_are_told_apart() {
        let found: Vec<_> = pieces("SELECT 'it''s -- x', \"a\"\"b\" -- BIGINT\n/* x */").collect();
        let expected = [
            Piece::Word("SELECT"),
            Piece::Space(" "),
            Piece::Quoted("'it''s -- x'"),
            Piece::Mark(","),
            Piece::Space(" "),
            Piece::Quoted("\"a\"\"b\""),
            Piece::Space(" "),
            Piece::Comment("-- BIGINT"),
            Piece::Space("\n"),
            Piece::Comment("/* x */"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_semicolon_in_a_string_ends_no_statement() {
        assert_eq!(statements("INSERT ';'; DELETE").len(), 2);
    }

    proptest! {
        #[test]
        fn the_pieces_put_together_are_the_text(sql in r#"[a-z'"\-/*;\n $é]{0,40}"#) {
            let together: String = pieces(&sql).map(Piece::text).collect();
            prop_assert_eq!(together, sql);
        }
    }
}
