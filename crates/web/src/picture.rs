//! A metric as a picture that needs no script: one line over the steps, with the least and the greatest value.

use std::fmt::Write as _;

use modelry_core::points::Point;

use crate::format;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 200.0;
/// Room for the figures above and below the line.
const MARGIN: f64 = 24.0;

/// Draws `points` as SVG; those that are no finite number are left out.
///
/// The colours are those of the light scheme's charts, in a tone that is readable on dark pages too, because a picture
/// does not know what page it stands in.
pub(crate) fn draw(points: &[Point]) -> String {
    let finite: Vec<&Point> = points.iter().filter(|point| is_finite(point.value())).collect();
    let across = Range::of(finite.iter().map(|point| whole(point.step())));
    let up = Range::of(finite.iter().map(|point| point.value()));
    let mut line = String::new();
    for point in &finite {
        let x = across.place(whole(point.step())) * WIDTH;
        let y = HEIGHT - MARGIN - up.place(point.value()) * (HEIGHT - 2.0 * MARGIN);
        write!(line, "{x:.1},{y:.1} ").expect("a string takes every write");
    }
    let (least, greatest) = if finite.is_empty() {
        ("no finite values".to_owned(), String::new())
    } else {
        (format::number(up.least), format::number(up.greatest))
    };
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"><g font-family="sans-serif" font-size="12" fill="#808790"><text x="0" y="12">{greatest}</text><text x="0" y="{}">{least}</text></g><polyline points="{}" fill="none" stroke="#2a98a2" stroke-width="2" stroke-linejoin="round"/></svg>"##,
        HEIGHT - 4.0,
        line.trim_end()
    )
}

fn is_finite(value: f64) -> bool {
    value.is_finite() && !format::is_infinite(value)
}

#[expect(clippy::cast_precision_loss, reason = "a place in a picture of 480 points needs no more")]
fn whole(step: i64) -> f64 {
    step as f64
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

    fn points(values: &[f64]) -> Vec<Point> {
        values.iter().zip(0..).map(|(value, step)| Point::new(0, step, *value)).collect()
    }

    #[test]
    fn a_line_runs_from_edge_to_edge() {
        let picture = draw(&points(&[0.0, 1.0, 0.5]));
        assert!(picture.contains(r#"points="0.0,176.0 240.0,24.0 480.0,100.0""#), "{picture}");
    }

    #[test]
    fn what_is_no_finite_number_is_left_out() {
        let picture = draw(&points(&[f64::NAN, f64::INFINITY]));
        assert!(picture.contains("no finite values"), "{picture}");
        assert!(picture.contains(r#"points="""#), "{picture}");
    }

    #[test]
    fn a_single_point_lies_in_the_middle() {
        assert!(draw(&points(&[3.0])).contains(r#"points="240.0,100.0""#));
    }
}
