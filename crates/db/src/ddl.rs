//! Rewrites the one schema text into the words of each engine.
//!
//! A migration is written in PostgreSQL's words, with marks in comments:
//!
//! ```sql
//! CREATE TABLE blobs ( -- clustered
//!     id BIGINT NOT NULL PRIMARY KEY,
//!     data BYTEA NOT NULL -- packed
//! );
//! ```
//!
//! `-- clustered`, on the line that opens a table, stores its rows in the order of its primary key (SQLite:
//! `WITHOUT ROWID`). `-- packed`, at the end of a column's line, says that its bytes are compressed already
//! (PostgreSQL: `STORAGE EXTERNAL`). `-- PostgreSQL only`, before anything else, leaves all of the text out on SQLite.

use crate::Engine;
use crate::scan::{Piece, pieces, statements};

/// Rewrites the data definition `sql` for `engine`.
///
/// SQLite: `BIGINT` and `BOOLEAN` become `INTEGER`, `BYTEA` becomes `BLOB`, `DOUBLE PRECISION` becomes `REAL`, every
/// table is `STRICT`, and `WITHOUT ROWID` where it is marked `-- clustered`. PostgreSQL: `TEXT` columns get the
/// collation `"C"`, so that text sorts by its bytes on both, and columns marked `-- packed` are stored as they are.
/// Only `CREATE TABLE` and `ALTER TABLE` are touched: everywhere else both engines read the same words. SQLite gets
/// nothing of a text that begins with `-- PostgreSQL only`.
pub fn rewrite_ddl(engine: Engine, sql: &str) -> String {
    let is_for_postgres = pieces(sql).next().is_some_and(|piece| is_marked(piece, "PostgreSQL only"));
    if is_for_postgres && engine == Engine::Sqlite {
        return String::new();
    }
    statements(sql).iter().map(|statement| rewrite_statement(engine, statement)).collect()
}

fn rewrite_statement(engine: Engine, statement: &[Piece<'_>]) -> String {
    let mut words = statement.iter().filter(|piece| piece.is_code());
    let verb = words.next();
    let is_table = words.next().is_some_and(|piece| piece.is_word("TABLE"));
    let creates = verb.is_some_and(|piece| piece.is_word("CREATE"));
    let alters = verb.is_some_and(|piece| piece.is_word("ALTER"));
    if !is_table || !(creates || alters) {
        return text(statement);
    }
    let body_end =
        statement.iter().rposition(|piece| piece.is_mark(")")).map_or(statement.len(), |at| at + 1);
    let (table, rest) = statement.split_at(body_end);
    let ending = if creates { table_ending(engine, statement) } else { String::new() };
    rewrite_types(engine, table) + &ending + &rewrite_types(engine, rest)
}

/// Replaces the names of types, piece by piece.
fn rewrite_types(engine: Engine, pieces: &[Piece<'_>]) -> String {
    let mut rewritten = String::new();
    let mut pieces = pieces.iter().copied().peekable();
    while let Some(piece) = pieces.next() {
        rewritten.push_str(type_in(engine, piece));
        if engine == Engine::Sqlite && piece == Piece::Word("DOUBLE") {
            // The name of the type is two words.
            while pieces.next_if(|next| !next.is_code()).is_some() {}
            pieces.next_if_eq(&Piece::Word("PRECISION"));
        }
    }
    rewritten
}

/// The engine's name of a type. Types are written in capitals, so a column may be called `text`.
fn type_in(engine: Engine, piece: Piece<'_>) -> &str {
    match (engine, piece) {
        (Engine::Sqlite, Piece::Word("BIGINT" | "BOOLEAN")) => "INTEGER",
        (Engine::Sqlite, Piece::Word("BYTEA")) => "BLOB",
        (Engine::Sqlite, Piece::Word("DOUBLE")) => "REAL",
        (Engine::Postgres, Piece::Word("TEXT")) => "TEXT COLLATE \"C\"",
        (Engine::Sqlite | Engine::Postgres, other) => other.text(),
    }
}

/// What follows the closing parenthesis of a table.
fn table_ending(engine: Engine, statement: &[Piece<'_>]) -> String {
    match engine {
        Engine::Sqlite if is_clustered(statement) => " STRICT, WITHOUT ROWID".to_owned(),
        Engine::Sqlite => " STRICT".to_owned(),
        Engine::Postgres => {
            let table = table_name(statement);
            let plain = |column| format!(";\nALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL");
            packed_columns(statement).into_iter().map(plain).collect::<Vec<_>>().concat()
        }
    }
}

/// Whether the line that opens the table is marked.
fn is_clustered(statement: &[Piece<'_>]) -> bool {
    let body = statement.iter().skip_while(|piece| !piece.is_mark("(")).skip(1);
    body.take_while(|piece| !piece.is_code() && !piece.text().contains('\n'))
        .any(|piece| is_marked(*piece, "clustered"))
}

/// The first word of every line that is marked `-- packed`.
fn packed_columns<'s>(statement: &[Piece<'s>]) -> Vec<&'s str> {
    let mut columns = Vec::new();
    let mut first_word = None;
    for piece in statement {
        match piece {
            Piece::Space(space) if space.contains('\n') => first_word = None,
            Piece::Word(word) if first_word.is_none() => first_word = Some(*word),
            Piece::Comment(_) if is_marked(*piece, "packed") => columns.extend(first_word),
            Piece::Word(_) | Piece::Quoted(_) | Piece::Comment(_) | Piece::Mark(_) | Piece::Space(_) => {}
        }
    }
    columns
}

fn is_marked(piece: Piece<'_>, mark: &str) -> bool {
    matches!(piece, Piece::Comment(comment) if comment.trim_start_matches('-').trim() == mark)
}

/// The last word before the opening parenthesis.
fn table_name<'s>(statement: &[Piece<'s>]) -> &'s str {
    let head = statement.iter().take_while(|piece| !piece.is_mark("("));
    head.filter(|piece| piece.is_code()).last().map_or("", |piece| piece.text())
}

fn text(statement: &[Piece<'_>]) -> String {
    statement.iter().map(|piece| piece.text()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "
CREATE TABLE metric_block ( -- clustered
    id BIGINT NOT NULL,
    name TEXT NOT NULL DEFAULT 'BIGINT',
    hidden BOOLEAN NOT NULL,
    value DOUBLE PRECISION,
    data BYTEA NOT NULL, -- packed
    PRIMARY KEY (id)
);
CREATE INDEX by_name ON metric_block (name) WHERE NOT hidden;
";

    #[test]
    fn sqlite_gets_its_own_types_strict_and_without_rowid_where_marked() {
        let expected = "
CREATE TABLE metric_block ( -- clustered
    id INTEGER NOT NULL,
    name TEXT NOT NULL DEFAULT 'BIGINT',
    hidden INTEGER NOT NULL,
    value REAL,
    data BLOB NOT NULL, -- packed
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX by_name ON metric_block (name) WHERE NOT hidden;
";
        assert_eq!(rewrite_ddl(Engine::Sqlite, TABLE), expected);
    }

    #[test]
    fn postgres_gets_byte_order_for_text_and_plain_storage_where_marked() {
        let expected = "
CREATE TABLE metric_block ( -- clustered
    id BIGINT NOT NULL,
    name TEXT COLLATE \"C\" NOT NULL DEFAULT 'BIGINT',
    hidden BOOLEAN NOT NULL,
    value DOUBLE PRECISION,
    data BYTEA NOT NULL, -- packed
    PRIMARY KEY (id)
);
ALTER TABLE metric_block ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX by_name ON metric_block (name) WHERE NOT hidden;
";
        assert_eq!(rewrite_ddl(Engine::Postgres, TABLE), expected);
    }

    #[test]
    fn a_table_without_the_mark_keeps_its_rowid() {
        let table = "CREATE TABLE a (\n    -- clustered\n    id BIGINT PRIMARY KEY\n)";
        let expected = "CREATE TABLE a (\n    -- clustered\n    id INTEGER PRIMARY KEY\n) STRICT";
        assert_eq!(rewrite_ddl(Engine::Sqlite, table), expected);
    }

    #[test]
    fn a_new_column_gets_the_type_of_the_engine() {
        let sql = "ALTER TABLE a ADD COLUMN b BYTEA; UPDATE a SET c = 'BYTEA'";
        assert_eq!(
            rewrite_ddl(Engine::Sqlite, sql),
            "ALTER TABLE a ADD COLUMN b BLOB; UPDATE a SET c = 'BYTEA'"
        );
    }

    #[test]
    fn what_is_for_postgres_alone_is_left_out_on_sqlite() {
        let sql =
            "-- PostgreSQL only\nALTER TABLE a ADD PRIMARY KEY (b) INCLUDE (c);\nCREATE INDEX d ON a (c);\n";
        assert_eq!(rewrite_ddl(Engine::Sqlite, sql), "");
        assert_eq!(rewrite_ddl(Engine::Postgres, sql), sql);
        let later = "CREATE INDEX d ON a (c);\n-- PostgreSQL only\nCREATE INDEX e ON a (b);\n";
        assert_eq!(rewrite_ddl(Engine::Sqlite, later), later, "the mark stands at the head");
    }

    #[test]
    fn a_cast_outside_a_table_keeps_its_type() {
        let sql = "INSERT INTO a SELECT CAST(b AS TEXT), CAST(c AS BIGINT) FROM d";
        assert_eq!(rewrite_ddl(Engine::Postgres, sql), sql);
    }
}
