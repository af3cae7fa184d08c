//! A value, a placeholder, a comparison: the same on both engines.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use modelry_core::{Kind, Result};
use modelry_db::{Engine, Migration, Numbers, Param, Row};
use modelry_testkit::both_empty;

const THINGS: &[Migration] = &[Migration {
    name: "0001_things",
    sql: "CREATE TABLE things (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT,
    flag BOOLEAN,
    number DOUBLE PRECISION,
    data BYTEA
);",
}];

/// Every column of a thing but its id.
type Thing = (Option<String>, Option<bool>, Option<f64>, Option<Vec<u8>>);

fn thing(row: &Row<'_>) -> Result<Thing> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

/// Inserts things with ids from 1 and these names.
async fn named(db: &modelry_testkit::Db, names: &'static [&'static str]) {
    db.migrate(THINGS).await.unwrap();
    db.write(move |tx| {
        for (id, name) in (1_i64..).zip(names) {
            tx.execute("INSERT INTO things (id, name) VALUES ($1, $2)", &[&id, name])?;
        }
        Ok(())
    })
    .await
    .unwrap();
}

async fn names_where(db: &modelry_testkit::Db, condition: &str, value: &'static str) -> Vec<String> {
    let sql = format!("SELECT name FROM things WHERE {condition} ORDER BY name");
    db.read(move |tx| tx.query(&sql, &[&value], |row| row.get(0))).await.unwrap()
}

both_empty! {
    async fn any_number_of_numbers_is_read_as_rows_in_their_order(db: Db) {
        let engine = db.read(|tx| Ok(tx.engine())).await.unwrap();
        for numbers in [vec![], vec![i64::MAX], (0..20_000).map(|number| 20_000 - number).collect::<Vec<_>>()] {
            let (sent, text) = (Numbers(numbers.clone()), Numbers::rows(engine, "$1"));
            let read = db.read(move |tx| tx.query(&text, &[&sent], |row| row.get::<i64>(0)));
            assert_eq!(read.await.unwrap(), numbers);
        }
    }

    async fn a_number_is_found_among_any_on_postgres(db: Db) {
        if db.read(|tx| Ok(tx.engine())).await.unwrap() != Engine::Postgres {
            return;
        }
        for numbers in [vec![], vec![3, i64::MIN], (2..20_000).rev().collect()] {
            let (sent, any) = (Numbers(numbers.clone()), Numbers::any("$1"));
            let text = format!("SELECT n FROM generate_series(CAST(1 AS BIGINT), 5) AS few (n) WHERE n = {any} ORDER BY n");
            let read = db.read(move |tx| tx.query(&text, &[&sent], |row| row.get::<i64>(0)));
            let expected: Vec<i64> = (1..=5).filter(|number| numbers.contains(number)).collect();
            assert_eq!(read.await.unwrap(), expected);
        }
    }

    async fn values_come_back_as_they_were_written(db: Db) {
        db.migrate(THINGS).await.unwrap();
        let full: Thing = (Some("ä\u{1F600}'\"\\".to_owned()), Some(true), Some(-1.5e-300), Some(vec![0, 255]));
        let empty: Thing = (None, None, None, None);
        let written = [full, empty];
        let rows = written.clone();
        let read = db.write(move |tx| {
            for (id, (name, flag, number, data)) in (1_i64..).zip(&rows) {
                let sql = "INSERT INTO things (id, name, flag, number, data) VALUES ($1, $2, $3, $4, $5)";
                tx.execute(sql, &[&id, name, flag, number, data])?;
            }
            tx.query("SELECT name, flag, number, data FROM things ORDER BY id", &[], thing)
        });
        assert_eq!(read.await.unwrap(), written);
    }

    async fn borrowed_values_can_be_bound(db: Db) {
        db.migrate(THINGS).await.unwrap();
        let read = db.write(|tx| {
            let (text, bytes): (&str, &[u8]) = ("text", &[1, 2]);
            let values: [&dyn Param; 3] = [&1_i64, &text, &bytes];
            tx.execute("INSERT INTO things (id, name, data) VALUES ($1, $2, $3)", &values)?;
            tx.query_one("SELECT name, flag, number, data FROM things", &[], thing)
        });
        assert_eq!(read.await.unwrap(), (Some("text".to_owned()), None, None, Some(vec![1, 2])));
    }

    async fn the_whole_range_of_integers_comes_back(db: Db) {
        db.migrate(THINGS).await.unwrap();
        let ids = db.write(|tx| {
            for id in [i64::MIN, -1, i64::MAX] {
                tx.execute("INSERT INTO things (id) VALUES ($1)", &[&id])?;
            }
            tx.query("SELECT id FROM things ORDER BY id", &[], |row| row.get::<i64>(0))
        });
        assert_eq!(ids.await.unwrap(), [i64::MIN, -1, i64::MAX]);
    }

    async fn placeholders_go_by_their_number_in_any_order_and_number(db: Db) {
        let sql = "SELECT CAST($2 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT)";
        let read = db.read(move |tx| {
            tx.query_one(sql, &[&"one", &"two"], |row| {
                Ok([row.get::<String>(0)?, row.get::<String>(1)?, row.get::<String>(2)?])
            })
        });
        assert_eq!(read.await.unwrap(), ["two", "one", "two"]);
    }

    async fn too_few_and_too_many_values_are_defects(db: Db) {
        let mut kinds = Vec::new();
        for values in [&[] as &'static [i64], &[1, 2]] {
            let read = db.read(move |tx| {
                let values: Vec<&dyn Param> = values.iter().map(|value| value as &dyn Param).collect();
                tx.execute("SELECT CAST($1 AS BIGINT)", &values)
            });
            kinds.push(read.await.unwrap_err().kind());
        }
        assert_eq!(kinds, [Kind::Internal, Kind::Internal]);
    }

    async fn text_with_nul_is_refused(db: Db) {
        let read = db.read(|tx| tx.query_one("SELECT CAST($1 AS TEXT)", &[&"a\0b"], |row| row.get::<String>(0)));
        assert_eq!(read.await.unwrap_err().kind(), Kind::Invalid);
    }

    async fn a_column_of_another_type_is_a_defect(db: Db) {
        let read = db.read(|tx| tx.query_one("SELECT CAST('a' AS TEXT)", &[], |row| row.get::<i64>(0)));
        assert_eq!(read.await.unwrap_err().kind(), Kind::Internal);
    }

    async fn text_sorts_by_its_bytes(db: Db) {
        named(&db, &["b", "ä", "B", "a b", "a", "_"]).await;
        assert_eq!(names_where(&db, "name <> $1", "").await, ["B", "_", "a", "a b", "b", "ä"]);
    }

    async fn like_minds_case(db: Db) {
        named(&db, &["Abc", "abc", "ÀBC"]).await;
        assert_eq!(names_where(&db, "name LIKE $1", "a%").await, ["abc"]);
    }

    async fn like_is_escaped_by_a_backslash(db: Db) {
        named(&db, &["a%", "a_", "ab", r"a\b"]).await;
        let mut found = names_where(&db, "name LIKE $1", r"a\%").await;
        found.extend(names_where(&db, "name LIKE $1", r"a\\b").await);
        assert_eq!(found, ["a%", r"a\b"]);
    }

    async fn like_is_escaped_by_what_it_says(db: Db) {
        named(&db, &["a%", "a_", "ab"]).await;
        let mut found = names_where(&db, r"name LIKE $1 ESCAPE '\'", r"a\%").await;
        found.extend(names_where(&db, "name LIKE $1 ESCAPE '!'", "a!_").await);
        assert_eq!(found, ["a%", "a_"]);
    }

    async fn an_underscore_stands_for_a_character_and_not_a_byte(db: Db) {
        named(&db, &["é", "ee"]).await;
        assert_eq!(names_where(&db, "name LIKE $1", "_").await, ["é"]);
    }

    async fn like_on_a_missing_text_is_not_true(db: Db) {
        named(&db, &["a"]).await;
        db.write(|tx| tx.execute("INSERT INTO things (id) VALUES (7)", &[])).await.unwrap();
        assert_eq!(names_where(&db, "NOT (name LIKE $1)", "b%").await, ["a"]);
    }

    async fn lower_knows_letters_beyond_ascii(db: Db) {
        named(&db, &["École", "ÉCOLE", "école", "ecole", "ΣΊΣΥΦΟΣ"]).await;
        let mut found = names_where(&db, "lower(name) LIKE lower($1)", "éCO%").await;
        found.extend(names_where(&db, "lower(name) = lower($1)", "σίσυφος").await);
        assert_eq!(found, ["ÉCOLE", "École", "école", "ΣΊΣΥΦΟΣ"]);
    }

    async fn what_lower_makes_sorts_by_its_bytes(db: Db) {
        named(&db, &["B", "a", "É", "_"]).await;
        let sql = "SELECT name FROM things ORDER BY lower(name)";
        let names = db.read(move |tx| tx.query(sql, &[], |row| row.get::<String>(0))).await.unwrap();
        assert_eq!(names, ["_", "a", "B", "É"]);
    }
}
