//! Small pieces of SQL text that several families need.

use modelry_db::Param;

/// Lengths that an `IN` list is padded to, so that few statements serve every length. A page of 100 is the usual one.
const LENGTHS: [usize; 5] = [1, 8, 32, 100, 500];

/// Splits `ids` into lists of a few fixed lengths; a short list repeats its last id, which changes no answer of `IN`.
pub(crate) fn padded(ids: &[i64]) -> Vec<Vec<i64>> {
    let longest = LENGTHS[LENGTHS.len() - 1];
    ids.chunks(longest)
        .map(|chunk| {
            let length = LENGTHS.into_iter().find(|length| *length >= chunk.len()).unwrap_or(longest);
            let filler = chunk[chunk.len() - 1];
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

/// Borrows each id as a bind value, after those in `before`.
pub(crate) fn bind<'a>(before: &[&'a dyn Param], ids: &'a [i64]) -> Vec<&'a dyn Param> {
    let mut params = before.to_vec();
    params.extend(ids.iter().map(|id| id as &dyn Param));
    params
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
        assert!(padded(&[]).is_empty());
    }

    #[test]
    fn the_sort_prefix_counts_characters() {
        assert_eq!(sort_prefix("short"), "short");
        assert_eq!(sort_prefix(&"ü".repeat(200)), "ü".repeat(128));
    }
}
