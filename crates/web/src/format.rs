//! How times, sizes, durations and numbers are written on pages.

use askama::Template;
use askama::filters::HtmlSafe;
use modelry_core::time::Timestamp;

pub use modelry_core::quantity::{bytes, count, counted};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
const MONTH_MS: i64 = 30 * DAY_MS;
const YEAR_MS: i64 = 365 * DAY_MS;

/// MLflow's stand-in for an infinite metric on the wire; pages write the infinity again.
const MLFLOW_INFINITY: f64 = f64::MAX;

/// A moment as people read it: how long ago, with the exact time behind it.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(ext = "html", source = r#"<time datetime="{{ iso }}" title="{{ exact }}">{{ relative }}</time>"#)]
pub struct Moment {
    /// `2026-05-04T13:37:00Z`, for machines.
    pub iso: String,
    /// `4 May 2026, 13:37:00 UTC`, for people who want to know exactly.
    pub exact: String,
    /// `3 hours ago`.
    pub relative: String,
}

impl HtmlSafe for Moment {}

impl Moment {
    /// `at` as seen from `now`.
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        let date = Date::of(at);
        Self { iso: date.iso(), exact: date.exact(), relative: relative(at, now) }
    }
}

/// The calendar day of `at` in UTC, `2026-05-04`.
pub fn day(at: Timestamp) -> String {
    let date = Date::of(at);
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

/// A length of time in at most two units: `350 ms`, `12.3 s`, `2 min 14 s`, `3 h 5 min`, `2 d 4 h`.
pub fn duration(ms: i64) -> String {
    match ms {
        ..0 => "–".to_owned(),
        0..SECOND_MS => format!("{ms} ms"),
        SECOND_MS..MINUTE_MS => format!("{}.{} s", ms / SECOND_MS, ms % SECOND_MS / 100),
        MINUTE_MS..HOUR_MS => format!("{} min {} s", ms / MINUTE_MS, ms % MINUTE_MS / SECOND_MS),
        HOUR_MS..DAY_MS => format!("{} h {} min", ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS),
        DAY_MS.. => format!("{} d {} h", ms / DAY_MS, ms % DAY_MS / HOUR_MS),
    }
}

/// A metric value with six significant digits: `0.934211`, `1.2e-7`, `NaN`, `−∞`.
pub fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if is_infinite(value) {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    let scientific = format!("{value:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').expect("the format asks for an exponent");
    let exponent: i32 = exponent.parse().expect("an exponent is a whole number");
    match exponent {
        -4..=5 => trimmed(&format!("{value:.*}", usize::try_from(5 - exponent).expect("0 to 9"))),
        6..=14 if value.fract() == 0.0 => format!("{value:.0}"),
        _ => format!("{}e{exponent}", trimmed(mantissa)),
    }
}

/// A metric value with every digit it has, for titles and copying.
pub fn number_in_full(value: f64) -> String {
    if value.is_nan() || is_infinite(value) { number(value) } else { value.to_string() }
}

/// Whether a metric value is an infinity, in MLflow's form or in its own.
pub fn is_infinite(value: f64) -> bool {
    value.abs() >= MLFLOW_INFINITY
}

fn trimmed(decimal: &str) -> String {
    if decimal.contains('.') {
        decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        decimal.to_owned()
    }
}

fn relative(at: Timestamp, now: Timestamp) -> String {
    let elapsed = now.ms().saturating_sub(at.ms());
    let (amount, unit) = match elapsed.abs() {
        ..MINUTE_MS => return "just now".to_owned(),
        MINUTE_MS..HOUR_MS => (elapsed.abs() / MINUTE_MS, "minute"),
        HOUR_MS..DAY_MS => (elapsed.abs() / HOUR_MS, "hour"),
        DAY_MS..MONTH_MS => (elapsed.abs() / DAY_MS, "day"),
        MONTH_MS..YEAR_MS => (elapsed.abs() / MONTH_MS, "month"),
        YEAR_MS.. => (elapsed.abs() / YEAR_MS, "year"),
    };
    let length = counted(amount.unsigned_abs(), unit);
    if elapsed < 0 { format!("in {length}") } else { format!("{length} ago") }
}

/// A moment of the Gregorian calendar, in UTC.
struct Date {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Date {
    /// Counts in years that begin in March, so that the leap day is the last day of a year, and in eras of 400 such
    /// years (146,097 days), after which the calendar repeats.
    fn of(at: Timestamp) -> Self {
        let of_day = at.ms().rem_euclid(DAY_MS) / SECOND_MS;
        let days = at.ms().div_euclid(DAY_MS) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        Self {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month,
            day: of_year - (153 * march_month + 2) / 5 + 1,
            hour: of_day / 3_600,
            minute: of_day % 3_600 / 60,
            second: of_day % 60,
        }
    }

    fn iso(&self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    fn exact(&self) -> String {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let Self { year, month, day, hour, minute, second } = self;
        let month = MONTHS[usize::try_from(month - 1).expect("months are 1 to 12")];
        format!("{day} {month} {year}, {hour:02}:{minute:02}:{second:02} UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_knows_its_calendar_date() {
        // Checked with `date -u -d @SECONDS`: a leap day, the epoch, the last second of a century, before the epoch.
        let iso = |seconds: i64| Date::of(Timestamp(seconds * 1_000)).iso();
        assert_eq!(iso(1_709_209_845), "2024-02-29T12:30:45Z");
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso(4_102_444_799), "2099-12-31T23:59:59Z");
        assert_eq!(iso(-1), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn a_moment_says_how_long_ago_it_was() {
        let now = Timestamp(1_800_000_000_000);
        let ago = |ms: i64| relative(Timestamp(now.ms() - ms), now);
        assert_eq!(ago(59_999), "just now");
        assert_eq!(ago(MINUTE_MS), "1 minute ago");
        assert_eq!(ago(3 * HOUR_MS + 5), "3 hours ago");
        assert_eq!(ago(-2 * DAY_MS), "in 2 days");
        assert_eq!(ago(800 * DAY_MS), "2 years ago");
    }

    #[test]
    fn a_number_keeps_six_digits_and_its_magnitude() {
        let written =
            [0.0, 1.0, 0.934_211_49, -12.5, 123_456.0, 12_345_678.0, 0.000_2, 1.2e-7, 6.022e23, 0.1 + 0.2]
                .map(number);
        assert_eq!(
            written,
            ["0", "1", "0.934211", "-12.5", "123456", "12345678", "0.0002", "1.2e-7", "6.022e23", "0.3"]
                .map(str::to_owned)
        );
    }

    #[test]
    fn numbers_that_are_not_finite_are_named() {
        assert_eq!(
            [f64::NAN, f64::MAX, f64::NEG_INFINITY].map(number),
            ["NaN", "∞", "−∞"].map(str::to_owned)
        );
    }

    #[test]
    fn a_duration_has_at_most_two_units() {
        let written = [0, 12_345, 134_000, 11_100_000, 190_000_000].map(duration);
        assert_eq!(written, ["0 ms", "12.3 s", "2 min 14 s", "3 h 5 min", "2 d 4 h"].map(str::to_owned));
    }
}
