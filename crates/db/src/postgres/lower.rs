//! Makes `lower()` know all of Unicode.
//!
//! Text columns have the collation `"C"`, whose `lower()` knows ASCII only, while that of a bound value follows the
//! server. So every `lower(x)` is given a collation that both share, and its result sorts by bytes again.

use crate::scan::{Piece, pieces};

/// Finds the names of collations that know Unicode, the one that is the same everywhere first.
pub(crate) const FIND_COLLATION: &str = "SELECT collname::text FROM pg_catalog.pg_collation
 WHERE collname IN ('und-x-icu', 'pg_c_utf8', 'C.utf8', 'C.UTF-8', 'en_US.utf8', 'en_US.UTF-8')
   AND collencoding IN (-1, pg_catalog.pg_char_to_encoding('UTF8'))
 ORDER BY pg_catalog.array_position(
       ARRAY['und-x-icu', 'pg_c_utf8', 'C.utf8', 'C.UTF-8', 'en_US.utf8', 'en_US.UTF-8'], collname::text)
 LIMIT 1";

/// Gives each `lower(x)` in `sql` the `collation`: `(lower(x COLLATE "...") COLLATE "C")`.
pub(crate) fn with_collation(sql: &str, collation: &str) -> String {
    let all: Vec<Piece<'_>> = pieces(sql).collect();
    let mut rewritten = String::with_capacity(sql.len());
    // For each open parenthesis, whether it is one of lower().
    let mut open = Vec::new();
    for (at, piece) in all.iter().enumerate() {
        if is_lower(&all, at) {
            rewritten.push('(');
        }
        if piece.is_mark("(") {
            open.push(at > 0 && is_lower(&all, at - 1));
        }
        let closes_lower = piece.is_mark(")") && open.pop() == Some(true);
        if closes_lower {
            rewritten.push_str(" COLLATE \"");
            rewritten.push_str(collation);
            rewritten.push('"');
        }
        rewritten.push_str(piece.text());
        if closes_lower {
            rewritten.push_str(" COLLATE \"C\")");
        }
    }
    rewritten
}

fn is_lower(pieces: &[Piece<'_>], at: usize) -> bool {
    pieces[at].is_word("lower") && pieces.get(at + 1).is_some_and(|next| next.is_mark("("))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_comparison_get_the_collation() {
        assert_eq!(
            with_collation("SELECT lower(trim(a)) LIKE LOWER($1), 'lower(x)', flower(b)", "u"),
            "SELECT (lower(trim(a) COLLATE \"u\") COLLATE \"C\") LIKE (LOWER($1 COLLATE \"u\") COLLATE \"C\"), \
             'lower(x)', flower(b)"
        );
    }

    #[test]
    fn a_nested_lower_is_closed_where_it_ends() {
        assert_eq!(
            with_collation("lower(a || lower(b))", "u"),
            "(lower(a || (lower(b COLLATE \"u\") COLLATE \"C\") COLLATE \"u\") COLLATE \"C\")"
        );
    }
}
