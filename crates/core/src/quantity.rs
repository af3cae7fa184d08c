//! How sizes and counts are written for people, on pages and in a terminal.

/// A size in decimal units with three digits: `0 B`, `812 B`, `4.2 kB`, `1.25 GB`.
pub fn bytes(size_bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    if size_bytes < 1_000 {
        return format!("{size_bytes} B");
    }
    let mut unit = 0;
    let mut divisor = 1_u64;
    while unit + 1 < UNITS.len() && size_bytes / divisor >= 1_000 {
        unit += 1;
        divisor *= 1_000;
    }
    let hundredths = size_bytes.saturating_mul(100) / divisor;
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    match whole {
        0..10 => format!("{whole}.{rest:02} {}", UNITS[unit]),
        10..100 => format!("{whole}.{} {}", rest / 10, UNITS[unit]),
        _ => format!("{whole} {}", UNITS[unit]),
    }
}

/// A count with thousands apart: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun: `1 candidate`, `2,400 candidates`.
pub fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_three_digits() {
        let written = [0, 999, 1_000, 4_215, 42_150, 421_500, 999_500, 1_250_000_000].map(bytes);
        assert_eq!(
            written,
            ["0 B", "999 B", "1.00 kB", "4.21 kB", "42.1 kB", "421 kB", "999 kB", "1.25 GB"]
                .map(str::to_owned)
        );
    }

    #[test]
    fn a_count_has_its_thousands_apart() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"].map(str::to_owned)
        );
    }
}
