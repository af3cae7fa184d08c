//! Comma-separated values as RFC 4180 has them, for programs and for spreadsheets.

/// Adds one line of `cells`, with the comma between them and the line's end.
///
/// A cell with a comma, a quote or a line break stands in quotes, and quotes in it are doubled.
pub fn write_line<'c>(out: &mut String, cells: impl IntoIterator<Item = &'c str>) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_cell(out, cell);
    }
    out.push_str("\r\n");
}

fn write_cell(out: &mut String, cell: &str) {
    if !cell.contains([',', '"', '\r', '\n']) {
        out.push_str(cell);
        return;
    }
    out.push('"');
    out.push_str(&cell.replace('"', "\"\""));
    out.push('"');
}

/// A text that somebody chose, as a cell that no spreadsheet runs.
///
/// A spreadsheet takes a cell that starts with `=`, `+`, `-`, `@`, a tab or a line break for a formula, which can fetch
/// addresses and start programs on the machine of whoever opens the file; and what was logged may come from
/// somebody else. Such a text gets a `'` in front, unless it is a number and so is no formula: `-0.5` stays as it is.
pub fn harmless(text: &str) -> std::borrow::Cow<'_, str> {
    let may_be_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if may_be_formula && text.parse::<f64>().is_err() { format!("'{text}").into() } else { text.into() }
}

/// A metric's value: a number with every digit it has, or one of the words `NaN`, `Infinity` and `-Infinity`.
/// The greatest number stands for infinity, as metrics are stored.
pub fn number(value: f64) -> String {
    match value {
        f64::MAX.. => "Infinity".to_owned(),
        ..=f64::MIN => "-Infinity".to_owned(),
        // The debug form turns to an exponent where that is shorter.
        _ => format!("{value:?}").trim_end_matches(".0").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn line(cells: &[&str]) -> String {
        let mut out = String::new();
        write_line(&mut out, cells.iter().copied());
        out
    }

    /// The cells of one line, read as RFC 4180 says.
    fn read(line: &str) -> Vec<String> {
        let mut rest = line.strip_suffix("\r\n").expect("a line ends");
        let mut cells = Vec::new();
        loop {
            let (cell, left) = read_cell(rest);
            cells.push(cell);
            match left.strip_prefix(',') {
                Some(left) => rest = left,
                None => return cells,
            }
        }
    }

    fn read_cell(text: &str) -> (String, &str) {
        let Some(mut rest) = text.strip_prefix('"') else {
            let (cell, _) = text.split_once(',').unwrap_or((text, ""));
            return (cell.to_owned(), &text[cell.len()..]);
        };
        let mut cell = String::new();
        loop {
            let (part, left) = rest.split_once('"').expect("a quote is closed");
            cell.push_str(part);
            match left.strip_prefix('"') {
                Some(left) => {
                    cell.push('"');
                    rest = left;
                }
                None => return (cell, left),
            }
        }
    }

    #[test]
    fn only_cells_that_need_it_stand_in_quotes() {
        assert_eq!(
            line(&["a", "b c", "", "1,5", "say \"hi\"", "x\ny"]),
            "a,b c,,\"1,5\",\"say \"\"hi\"\"\",\"x\ny\"\r\n"
        );
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for (text, expected) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("-0.5", "-0.5"),
            ("+1e-3", "+1e-3"),
            ("-inf", "-inf"),
            ("adam", "adam"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), expected);
        }
    }

    #[test]
    fn a_number_has_every_digit_or_is_a_word() {
        let written = [0.1, -10.0, 1e300, f64::NAN, f64::INFINITY, f64::MAX, f64::MIN, f64::NEG_INFINITY];
        let written = written.map(number);
        assert_eq!(written[..3], ["0.1", "-10", "1e300"]);
        assert_eq!(written[3..], ["NaN", "Infinity", "Infinity", "-Infinity", "-Infinity"]);
    }

    proptest! {
        #[test]
        fn a_line_reads_back(cells in prop::collection::vec("[a-c,\"\r\n ']{0,6}", 1..5)) {
            let texts: Vec<&str> = cells.iter().map(String::as_str).collect();
            prop_assert_eq!(read(&line(&texts)), cells);
        }
    }
}
