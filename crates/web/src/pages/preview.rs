//! What a file looks like on its page: text, a table, a picture, or nothing.
//!
//! A file is a stranger's: pictures are shown by address and only in formats that cannot carry a script, everything
//! else is text.

use std::ops::Range;

use crate::format;
use crate::views::artifacts::{Preview, TablePreview};

/// How much of a file is read for its preview, in bytes.
const MOST_BYTES: u64 = 256 * 1_024;

/// The largest picture that is shown, in bytes.
const LARGEST_PICTURE: u64 = 20 << 20;

/// How many rows and columns of a table are shown.
const MOST_ROWS: usize = 200;
const MOST_COLUMNS: usize = 50;

/// What the name of a file says of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// A picture in a harmless format.
    Picture,
    /// Values with this byte between them.
    Table(u8),
    /// JSON.
    Json,
    /// Text that grows at its end.
    Log,
    /// Text, if its bytes say so too.
    Text,
}

impl Looks {
    /// Judges by the end of the name.
    pub(super) fn of(name: &str) -> Self {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
        match extension.as_str() {
            "png" | "jpg" | "jpeg" | "gif" | "webp" => Self::Picture,
            "csv" => Self::Table(b','),
            "tsv" => Self::Table(b'\t'),
            "json" => Self::Json,
            "log" | "out" | "err" => Self::Log,
            _ => Self::Text,
        }
    }

    /// Which bytes of a file of `size_bytes` the preview is made from: the end of a log, the start of all else.
    pub(super) fn range(self, size_bytes: u64) -> Range<u64> {
        match self {
            Self::Picture => 0..0,
            Self::Log => size_bytes.saturating_sub(MOST_BYTES)..size_bytes,
            Self::Table(_) | Self::Json | Self::Text => 0..size_bytes.min(MOST_BYTES),
        }
    }
}

/// A part of a file.
pub(super) struct Part {
    /// Which bytes.
    pub(super) range: Range<u64>,
    /// The size of the whole file.
    pub(super) size_bytes: u64,
    /// The bytes.
    pub(super) bytes: Vec<u8>,
}

/// A preview, and what it leaves out.
pub(super) struct Made {
    /// What the file looks like.
    pub(super) preview: Preview,
    /// What is left out.
    pub(super) note: Option<String>,
    /// Whether it is text up to the very end of the file, which can be followed.
    pub(super) is_text_to_the_end: bool,
}

/// Makes the preview of a file that is not a picture.
pub(super) fn make(looks: Looks, part: &Part) -> Made {
    let Some(text) = text(part) else {
        return nothing("This kind of file has no preview: download it to look at it.");
    };
    let is_whole = part.range == (0..part.size_bytes);
    match looks {
        Looks::Table(separator) => {
            let (table, is_cut) = table(text, char::from(separator));
            let note = (is_cut || !is_whole).then(|| {
                format!(
                    "The first {} and {MOST_COLUMNS} columns at most.",
                    format::counted(MOST_ROWS as u64, "row")
                )
            });
            Made { preview: Preview::Table(table), note, is_text_to_the_end: false }
        }
        Looks::Json if is_whole => {
            let pretty = serde_json::from_str::<serde_json::Value>(text)
                .and_then(|value| serde_json::to_string_pretty(&value));
            let is_json = pretty.is_ok();
            let preview = Preview::Text(pretty.unwrap_or_else(|_| text.to_owned()));
            Made { preview, note: None, is_text_to_the_end: !is_json }
        }
        Looks::Json | Looks::Log | Looks::Text | Looks::Picture => Made {
            preview: Preview::Text(text.to_owned()),
            note: left_out(part),
            is_text_to_the_end: part.range.end == part.size_bytes,
        },
    }
}

/// Shows a picture by its address.
pub(super) fn picture(href: String, size_bytes: u64) -> Made {
    if size_bytes > LARGEST_PICTURE {
        return nothing("This picture is too large for a preview: download it to look at it.");
    }
    Made { preview: Preview::Image(href), note: None, is_text_to_the_end: false }
}

fn nothing(reason: &str) -> Made {
    Made { preview: Preview::Nothing(reason.to_owned()), note: None, is_text_to_the_end: false }
}

fn left_out(part: &Part) -> Option<String> {
    let (shown, whole) = (format::bytes(MOST_BYTES), format::bytes(part.size_bytes));
    if part.range.start > 0 {
        return Some(format!("The last {shown} of {whole}."));
    }
    (part.range.end < part.size_bytes).then(|| format!("The first {shown} of {whole}."))
}

/// The bytes as text; where the part begins or ends in the middle of a character, without that character.
fn text(part: &Part) -> Option<&str> {
    let mut bytes = part.bytes.as_slice();
    if part.range.start > 0 {
        let line = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes = &bytes[line..];
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // A character that is cut off at the end is at most three bytes of it.
        Err(error) if error.error_len().is_none() && part.range.end < part.size_bytes => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    (!text.contains('\0')).then_some(text)
}

fn table(text: &str, separator: char) -> (TablePreview, bool) {
    let mut rows = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && rows.len() <= MOST_ROWS {
        let (row, after) = row(rest, separator);
        rows.push(row);
        rest = after;
    }
    let is_cut = !rest.is_empty() || rows.iter().any(|row| row.len() > MOST_COLUMNS);
    for row in &mut rows {
        row.truncate(MOST_COLUMNS);
    }
    let header = if rows.is_empty() { Vec::new() } else { rows.remove(0) };
    (TablePreview { header, rows }, is_cut)
}

/// Reads one row, whose cells may stand in quotes with quotes doubled and lines broken inside; answers it and the rest.
fn row(text: &str, separator: char) -> (Vec<String>, &str) {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let cell = cells.last_mut().expect("there is a cell from the start");
        match c {
            '"' if is_quoted && chars.next_if(|(_, next)| *next == '"').is_some() => cell.push('"'),
            '"' if is_quoted => is_quoted = false,
            '"' if cell.is_empty() => is_quoted = true,
            '\n' if !is_quoted => return (cells, &text[at + 1..]),
            '\r' if !is_quoted => {}
            _ if c == separator && !is_quoted => cells.push(String::new()),
            _ => cell.push(c),
        }
    }
    (cells, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(bytes: &[u8], range: Range<u64>, size_bytes: u64) -> Part {
        Part { range, size_bytes, bytes: bytes.to_vec() }
    }

    fn whole(text: &str) -> Part {
        part(text.as_bytes(), 0..text.len() as u64, text.len() as u64)
    }

    fn text_of(made: Made) -> String {
        match made.preview {
            Preview::Text(text) => text,
            other => panic!("no text: {other:?}"),
        }
    }

    #[test]
    fn a_table_keeps_what_stands_in_quotes_together() {
        let (table, is_cut) = table("a,\"b, c\"\r\n\"say \"\"hi\"\"\",\"two\nlines\"\n", ',');
        assert_eq!(table.header, ["a", "b, c"]);
        assert_eq!(table.rows, [["say \"hi\"".to_owned(), "two\nlines".to_owned()]]);
        assert!(!is_cut);
    }

    #[test]
    fn a_long_table_is_cut() {
        let made = make(Looks::Table(b','), &whole(&"1,2\n".repeat(MOST_ROWS + 2)));
        let Preview::Table(table) = &made.preview else { panic!("no table") };
        assert_eq!(table.rows.len(), MOST_ROWS);
        assert!(made.note.is_some());
    }

    #[test]
    fn json_is_indented() {
        let made = make(Looks::Json, &whole(r#"{"a":[1,2]}"#));
        assert_eq!(text_of(made), "{\n  \"a\": [\n    1,\n    2\n  ]\n}");
    }

    #[test]
    fn what_only_claims_to_be_json_is_text() {
        assert_eq!(text_of(make(Looks::Json, &whole("{oops"))), "{oops");
    }

    #[test]
    fn the_end_of_a_log_starts_with_a_whole_line() {
        let made = make(Looks::Log, &part("ß cut\nwhole\n".as_bytes(), 100..113, 113));
        assert!(made.is_text_to_the_end);
        assert_eq!(made.note.as_deref(), Some("The last 262 kB of 113 B."));
        assert_eq!(text_of(made), "whole\n");
    }

    #[test]
    fn a_character_that_is_cut_off_is_left_out() {
        let bytes = "größe".as_bytes();
        assert_eq!(text_of(make(Looks::Text, &part(&bytes[..3], 0..3, 7))), "gr");
    }

    #[test]
    fn bytes_that_are_no_text_have_no_preview() {
        for bytes in [&b"\x89PNG\xff"[..], b"text\0with nul", b"\xff\xfe"] {
            let made = make(Looks::Text, &part(bytes, 0..bytes.len() as u64, bytes.len() as u64));
            assert!(matches!(made.preview, Preview::Nothing(_)), "{bytes:?}");
        }
    }

    #[test]
    fn a_drawing_that_can_carry_a_script_is_no_picture() {
        assert_eq!(Looks::of("plot.svg"), Looks::Text);
        assert_eq!(Looks::of("plot.PNG"), Looks::Picture);
        assert_eq!(Looks::of("page.html"), Looks::Text);
    }
}
