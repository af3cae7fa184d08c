//! The pictures beside words: line drawings on a 16 by 16 grid, in the colour of the text they stand in.

use std::fmt;

use askama::filters::HtmlSafe;

/// A decorative picture; the word beside it, or the label of its button, carries the meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icon(&'static str);

/// Model experiments.
pub const FLASK: Icon =
    Icon("M6 2h4M6.75 2v4.2L3 12.6A1 1 0 0 0 3.9 14h8.2a1 1 0 0 0 .9-1.4L9.25 6.2V2M4.8 10h6.4");
/// Members.
pub const PEOPLE: Icon = Icon(
    "M8.3 5.2a2.3 2.3 0 1 1-4.6 0a2.3 2.3 0 0 1 4.6 0M1.8 13.2c0-2.5 1.8-3.9 4.2-3.9s4.2 1.4 4.2 3.9\
     M10.6 3.1a2.2 2.2 0 0 1 0 4.2M12.2 9.8c1.3.5 2 1.6 2 3.4",
);
/// Settings.
pub const SLIDERS: Icon = Icon(
    "M2 4.5h5M11 4.5h3M2 11.5h3M9 11.5h5M11 4.5a2 2 0 1 1-4 0a2 2 0 0 1 4 0M9 11.5a2 2 0 1 1-4 0a2 2 0 0 1 4 0",
);
/// A project's first page.
pub const HOUSE: Icon = Icon("M2.5 7.5L8 3l5.5 4.5M4 6.5V13h8V6.5M6.8 13V9.5h2.4V13");
/// All projects.
pub const GRID: Icon = Icon("M2.5 2.5h4v4h-4zM9.5 2.5h4v4h-4zM2.5 9.5h4v4h-4zM9.5 9.5h4v4h-4z");
/// Access tokens.
pub const KEY: Icon = Icon("M8.5 10.5a3 3 0 1 1-6 0a3 3 0 0 1 6 0M7.6 8.4L13.5 2.5M11.2 4.8l1.8 1.8");
/// Signing out.
pub const LEAVE: Icon = Icon("M6.5 13.5h-4v-11h4M6 8h8M11 5l3 3l-3 3");
/// The words page.
pub const HELP: Icon =
    Icon("M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0M6.2 6.4a1.8 1.8 0 1 1 2.6 1.6c-.5.3-.8.6-.8 1.2M8 11.4v.1");
/// Light or dark.
pub const CONTRAST: Icon = Icon("M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0M8 2v12M8 5l4.2-1M8 8h6M8 11l4.2 1");
/// The navigation of a narrow window.
pub const MENU: Icon = Icon("M2.5 4h11M2.5 8h11M2.5 12h11");
/// Something new.
pub const PLUS: Icon = Icon("M8 3v10M3 8h10");
/// A search box.
pub const LENS: Icon = Icon("M11.5 7a4.5 4.5 0 1 1-9 0a4.5 4.5 0 0 1 9 0M10.3 10.3L14 14");
/// Copying a text.
pub const COPY: Icon = Icon("M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3");
/// Downloading a file.
pub const DOWNLOAD: Icon = Icon("M8 2v8M4.8 7L8 10.2L11.2 7M2.5 13.5h11");
/// A directory.
pub const FOLDER: Icon = Icon("M2 12.5v-9h4.2l1.5 2H14v7z");
/// A file.
pub const FILE: Icon = Icon("M3.5 1.8h5.5l3.5 3.5v8.9h-9zM9 1.8v3.5h3.5");
/// A logged model.
pub const BOX: Icon = Icon("M8 1.8l5.5 3v6.4L8 14.2l-5.5-3V4.8zM2.5 4.8L8 7.9l5.5-3.1M8 7.9v6.3");
/// Packages.
pub const ARCHIVE: Icon = Icon("M2 2.8h12v3.4H2zM3 6.2v7h10v-7M6.3 8.9h3.4");
/// Seen by members only.
pub const LOCK: Icon = Icon("M3.5 7h9v6.5h-9zM5.3 7V4.8a2.7 2.7 0 0 1 5.4 0V7");
/// Seen by whoever signs in.
pub const SHIELD: Icon = Icon("M8 1.8l5 1.9v4.1c0 3-2 5.2-5 6.4c-3-1.2-5-3.4-5-6.4V3.7z");
/// Seen by everyone.
pub const GLOBE: Icon =
    Icon("M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0M2 8h12M8 2c4 3.6 4 8.4 0 12M8 2c-4 3.6-4 8.4 0 12");
/// The columns of a table.
pub const COLUMNS: Icon = Icon("M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10");
/// One step down the path.
pub const CHEVRON: Icon = Icon("M6 3.5L10.5 8L6 12.5");
/// A data set.
pub const TABLE: Icon = Icon("M2.5 3h11v10h-11zM2.5 6.4h11M2.5 9.7h11M6.5 6.4V13");

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(path) = self;
        write!(f, r#"<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="{path}"/></svg>"#)
    }
}

impl HtmlSafe for Icon {}
