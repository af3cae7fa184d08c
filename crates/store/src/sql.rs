//! Small pieces of SQL text that several families need.

use modelry_db::{Engine, Param};

/// Lengths that an `IN` list is padded to, so that few statements serve every length. A page of 100 is the usual one, and
/// one more tells that there is a next page.
const LENGTHS: [usize; 5] = [1, 8, 32, 101, 500];

/// Splits `ids` into lists of a few fixed lengths; a short list repeats its last id, which changes no answer of `IN`.
pub(crate) fn padded<T: Clone>(ids: &[T]) -> Vec<Vec<T>> {
    let longest = LENGTHS[LENGTHS.len() - 1];
    ids.chunks(longest)
        .map(|chunk| {
            let length = LENGTHS.into_iter().find(|length| *length >= chunk.len()).unwrap_or(longest);
            let filler = chunk[chunk.len() - 1].clone();
            let mut list = chunk.to_vec();
            list.resize(length, filler);
            list
        })
        .collect()
}

/// `$first, $first+1, ...`: the placeholders of an `IN` list.
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 5);
    for number in first..first + count {
        if number > first {
            text.push_str(", ");
        }
        text.push('$');
        text.push_str(&number.to_string());
    }
    text
}

/// The row `alias` of `table` that `probe` finds by its whole primary key, for each of what stands before it; all such rows
/// of a list, where `probe` compares with [`modelry_db::Numbers::any`]. What is joined, and the condition under which it is.
///
/// SQLite keeps tables in the order in which they are joined. PostgreSQL would walk an index of the table instead, and look
/// through all that stands before it, where it thinks that few rows satisfy what else is asked of them (28 s at 30,000
/// candidates), or read the rows of all candidates there are; it takes no condition into a query with an offset, and puts
/// none before what it depends on.
pub(crate) fn look_up(engine: Engine, (table, alias): (&str, &str), probe: String) -> (String, String) {
    match engine {
        Engine::Sqlite => (format!("{table} {alias}"), probe),
        Engine::Postgres => {
            let row = format!("LATERAL (SELECT * FROM {table} {alias} WHERE {probe} OFFSET 0) {alias}");
            (row, "TRUE".to_owned())
        }
    }
}

/// Borrows each id as a bind value, after those in `before`.
pub(crate) fn bind<'a, T: Param>(before: &[&'a dyn Param], ids: &'a [T]) -> Vec<&'a dyn Param> {
    let mut params = before.to_vec();
    params.extend(ids.iter().map(|id| id as &dyn Param));
    params
}

/// Rows that one `INSERT` writes at most.
const ROWS: usize = 16;

/// Splits `items` into as few lists as possible of 16, 8, 4, 2 and 1, so that few statements serve every length.
pub(crate) fn by_powers_of_two<T>(items: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let length = 1 << rest.len().min(ROWS).checked_ilog2()?;
        let (some, others) = rest.split_at(length);
        rest = others;
        Some(some)
    })
}

/// `(shared, $first, ...), (shared, ...), ...`: the rows of an `INSERT`, each with `shared` and then `columns`
/// placeholders of its own.
pub(crate) fn rows(shared: &str, first: usize, columns: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * (shared.len() + columns * 5 + 6));
    for row in 0..count {
        text.push_str(if row == 0 { "(" } else { ", (" });
        text.push_str(shared);
        text.push_str(", ");
        text.push_str(&placeholders(first + row * columns, columns));
        text.push(')');
    }
    text
}

/// How many characters of a text are indexed (PostgreSQL refuses index rows over 2,704 bytes).
pub(crate) const SORT_CHARACTERS: usize = 128;

/// The start of a text that is indexed: [`SORT_CHARACTERS`] at most.
pub(crate) fn sort_prefix(value: &str) -> &str {
    match value.char_indices().nth(SORT_CHARACTERS) {
        Some((end, _)) => &value[..end],
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_padded_with_its_last_id() {
        assert_eq!(padded(&[5]), [[5]]);
        assert_eq!(padded(&[5, 6]), [[5, 6, 6, 6, 6, 6, 6, 6]]);
        let many: Vec<i64> = (0..501).collect();
        assert_eq!(padded(&many).iter().map(Vec::len).collect::<Vec<_>>(), [500, 1]);
        assert!(padded::<i64>(&[]).is_empty());
    }

    #[test]
    fn a_list_is_split_into_powers_of_two() {
        let lengths = |count: usize| by_powers_of_two(&vec![(); count]).map(<[()]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(0), [0; 0]);
        assert_eq!(lengths(7), [4, 2, 1]);
        assert_eq!(lengths(33), [16, 16, 1]);
    }

    #[test]
    fn rows_have_what_they_share_and_placeholders_of_their_own() {
        assert_eq!(rows("$1, $2", 3, 2, 2), "($1, $2, $3, $4), ($1, $2, $5, $6)");
    }

    #[test]
    fn the_sort_prefix_counts_characters() {
        assert_eq!(sort_prefix("short"), "short");
        assert_eq!(sort_prefix(&"ü".repeat(200)), "ü".repeat(128));
    }
}
