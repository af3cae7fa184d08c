//! Functions that SQLite has too, but with another meaning than PostgreSQL's.

use std::str::Chars;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, Result};

/// Registers `like()`, which minds case and knows the escape character, and `lower()` for all of Unicode.
pub(crate) fn register(connection: &Connection) -> Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    // `x LIKE y ESCAPE z` calls like(y, x, z). Without ESCAPE it is the backslash, as on PostgreSQL.
    connection.create_scalar_function("like", 2, flags, |call| like_of(call, Some('\\')))?;
    connection.create_scalar_function("like", 3, flags, |call| {
        let escape: Option<String> = call.get(2)?;
        escape.map_or(Ok(None), |escape| like_of(call, escape.chars().next()))
    })?;
    connection.create_scalar_function("lower", 1, flags, |call| {
        Ok(call.get_raw(0).as_str_or_null()?.map(str::to_lowercase))
    })
}

fn like_of(call: &Context<'_>, escape: Option<char>) -> Result<Option<bool>> {
    let pattern = call.get_raw(0).as_str_or_null()?;
    let text = call.get_raw(1).as_str_or_null()?;
    Ok(pattern.zip(text).map(|(pattern, text)| like(pattern, text, escape)))
}

/// Whether `text` matches `pattern`: `%` is any characters, `_` is one, and `escape` makes the next one itself.
fn like(pattern: &str, text: &str, escape: Option<char>) -> bool {
    let mut place = Place { pattern: pattern.chars(), text: text.chars() };
    // Where to go on when what follows the last `%` does not match: the same pattern, one character later.
    let mut last_any: Option<Place<'_>> = None;
    loop {
        match place.step(escape) {
            Step::Matched => return true,
            Step::Same => {}
            Step::Any => last_any = Some(place.clone()),
            Step::Differs => {
                let Some(any) = &mut last_any else { return false };
                if any.text.next().is_none() {
                    return false;
                }
                place = any.clone();
            }
        }
    }
}

/// How far a match has come.
#[derive(Clone)]
struct Place<'s> {
    pattern: Chars<'s>,
    text: Chars<'s>,
}

enum Step {
    Matched,
    Same,
    Any,
    Differs,
}

impl Place<'_> {
    /// Takes one element of the pattern, and the character of the text that it stands for.
    fn step(&mut self, escape: Option<char>) -> Step {
        let Some(element) = self.pattern.next() else {
            return if self.text.as_str().is_empty() { Step::Matched } else { Step::Differs };
        };
        if Some(element) == escape {
            let literal = self.pattern.next();
            return if literal.is_some() && literal == self.text.next() { Step::Same } else { Step::Differs };
        }
        if element == '%' {
            return Step::Any;
        }
        match self.text.next() {
            Some(c) if element == '_' || element == c => Step::Same,
            _ => Step::Differs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_the_standard_says() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("a%", "abc", true),
            ("%c", "abcbc", true),
            ("%b%d", "abcd", true),
            ("%b%d", "abce", false),
            ("_", "é", true),
            ("__", "é", false),
            ("ABC", "abc", false),
            (r"\%", "%", true),
            (r"\%", "a", false),
            (r"a\_b", "a_b", true),
            (r"a\_b", "axb", false),
            (r"\\", r"\", true),
            (r"a\", "a", false),
            ("%aab", "aaaaaab", true),
        ];
        let wrong: Vec<_> = cases
            .iter()
            .filter(|(pattern, text, matches)| like(pattern, text, Some('\\')) != *matches)
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn without_an_escape_a_backslash_is_itself() {
        assert!(like(r"\%", r"\abc", None));
    }
}
