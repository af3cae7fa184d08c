//! A metric as a picture that needs no script: lines over the steps, with the least and the greatest value.

use std::fmt::Write as _;

use crate::format;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 200.0;
/// Room for the figures above and below the line.
const MARGIN: f64 = 24.0;

/// The colours of the lines, in turn.
const COLOURS: [&str; 10] = [
    "#2a98a2", "#c2691c", "#5b7fd6", "#b0508f", "#6f8f2f", "#8a6bd1", "#c05a5a", "#3f9a68", "#a08030",
    "#808790",
];

/// Draws lines of places, each with x and y, as SVG.
///
/// The colours are in a tone that is readable on light and dark pages, because a picture does not know what page it
/// stands in.
pub(crate) fn draw(lines: &[Vec<(f64, f64)>]) -> String {
    let places = || lines.iter().flatten();
    let across = Range::of(places().map(|place| place.0));
    let up = Range::of(places().map(|place| place.1));
    let (least, greatest) = if places().next().is_none() {
        ("no finite values".to_owned(), String::new())
    } else {
        (format::number(up.least), format::number(up.greatest))
    };
    let mut picture = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"><g font-family="sans-serif" font-size="12" fill="#808790"><text x="0" y="12">{greatest}</text><text x="0" y="{}">{least}</text></g><g fill="none" stroke-width="2" stroke-linejoin="round">"##,
        HEIGHT - 4.0,
    );
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let mut points = String::new();
        for (x, y) in line {
            let x = across.place(*x) * WIDTH;
            let y = HEIGHT - MARGIN - up.place(*y) * (HEIGHT - 2.0 * MARGIN);
            write!(points, "{x:.1},{y:.1} ").expect("a string takes every write");
        }
        write!(picture, r#"<polyline points="{}" stroke="{colour}"/>"#, points.trim_end())
            .expect("a string takes every write");
    }
    picture.push_str("</g></svg>");
    picture
}

/// The values of one axis.
struct Range {
    least: f64,
    greatest: f64,
}

impl Range {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let empty = Self { least: f64::INFINITY, greatest: f64::NEG_INFINITY };
        values.fold(empty, |range, value| Self {
            least: range.least.min(value),
            greatest: range.greatest.max(value),
        })
    }

    /// Where `value` lies, from 0 to 1; in the middle where there is but one value.
    fn place(&self, value: f64) -> f64 {
        let width = self.greatest - self.least;
        if width > 0.0 { (value - self.least) / width } else { 0.5 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_runs_from_edge_to_edge() {
        let picture = draw(&[vec![(0.0, 0.0), (1.0, 1.0), (2.0, 0.5)]]);
        assert!(picture.contains(r#"points="0.0,176.0 240.0,24.0 480.0,100.0""#), "{picture}");
    }

    #[test]
    fn lines_share_both_axes_and_differ_in_colour() {
        let picture = draw(&[vec![(0.0, 0.0), (1.0, 1.0)], vec![(1.0, 1.0), (2.0, 2.0)]]);
        assert!(picture.contains(r##"points="0.0,176.0 240.0,100.0" stroke="#2a98a2""##), "{picture}");
        assert!(picture.contains(r##"points="240.0,100.0 480.0,24.0" stroke="#c2691c""##), "{picture}");
    }

    #[test]
    fn without_values_the_picture_says_so() {
        let picture = draw(&[Vec::new()]);
        assert!(picture.contains("no finite values") && picture.contains(r#"points="""#), "{picture}");
    }

    #[test]
    fn a_single_place_lies_in_the_middle() {
        assert!(draw(&[vec![(5.0, 3.0)]]).contains(r#"points="240.0,100.0""#));
    }
}
