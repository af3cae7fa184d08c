//! What is wrong with a text that is no semantic version, and which one it probably means.

use super::{MAX_CHARS, MAX_NUMBER, Version, is_digits, number_of, quoted};
use crate::Error;

const NUMBERS: [&str; 3] = ["major", "minor", "patch"];

/// The error for `text`, which is no version.
pub(super) fn error(text: &str) -> Error {
    let length = text.chars().count();
    if length > MAX_CHARS {
        return Error::invalid(format!(
            "{} is not a semantic version: it has {length} characters, at most {MAX_CHARS} are allowed",
            quoted(text)
        ));
    }
    let problems = joined(&problems(text));
    let suggestion = nearest(text).map(|nearest| format!("; did you mean {nearest}?"));
    let suggestion = suggestion.unwrap_or_default();
    Error::invalid(format!("{} is not a semantic version: it {problems}{suggestion}", quoted(text)))
}

/// What is wrong with `text`, each as the end of a sentence about it. Empty exactly when it is a version, but for the
/// length.
pub(super) fn problems(text: &str) -> Vec<String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return vec!["is blank".to_owned()];
    }
    let mut problems = Vec::new();
    if trimmed != text {
        problems.push("has blanks around it".to_owned());
    }
    let numbered = without_v(trimmed);
    if numbered.len() < trimmed.len() {
        problems.push(format!("starts with {}", quoted(&trimmed[..1])));
    }
    if !numbered.starts_with(|c: char| c.is_ascii_digit()) {
        problems.push("has no number at its start".to_owned());
        return problems;
    }
    let (rest, build) = split(numbered, '+');
    let (numbers, pre) = split(rest, '-');
    number_problems(numbers, &mut problems);
    problems.extend(pre.and_then(|pre| identifiers_problem("pre-release", pre, pre_release_problem)));
    problems.extend(build.and_then(|build| identifiers_problem("build metadata", build, |_| None)));
    problems
}

fn number_problems(numbers: &str, problems: &mut Vec<String>) {
    let parts: Vec<&str> = numbers.split('.').collect();
    problems.extend(parts.iter().zip(NUMBERS).filter_map(|(part, name)| number_problem(part, name)));
    match parts.len() {
        1 => problems.push("has no minor and no patch number".to_owned()),
        2 => problems.push("has no patch number".to_owned()),
        3 => {}
        _ => problems.push("has more than three numbers".to_owned()),
    }
}

fn number_problem(part: &str, name: &str) -> Option<String> {
    if part.is_empty() {
        return Some(format!("has no {name} number"));
    }
    if !is_digits(part) {
        return Some(format!("has {} as its {name} number", quoted(part)));
    }
    digits_problem(part).map(|problem| format!("has a {name} number {problem}"))
}

/// The first problem of a dotted list of identifiers, `own` being what else can be wrong with one.
fn identifiers_problem(what: &str, list: &str, own: fn(&str) -> Option<String>) -> Option<String> {
    list.split('.').find_map(|identifier| {
        if identifier.is_empty() {
            return Some(format!("has an empty part in its {what}"));
        }
        if let Some(bad) = identifier.chars().find(|c| !is_identifier_char(*c)) {
            return Some(format!("has the character {} in its {what}", quoted(&bad.to_string())));
        }
        own(identifier).map(|problem| format!("has a number {problem} in its {what}"))
    })
}

fn pre_release_problem(identifier: &str) -> Option<String> {
    if is_digits(identifier) { digits_problem(identifier) } else { None }
}

fn digits_problem(digits: &str) -> Option<String> {
    if digits.len() > 1 && digits.starts_with('0') {
        return Some("with a leading zero".to_owned());
    }
    number_of(digits).is_none().then(|| format!("greater than {MAX_NUMBER}"))
}

/// See [`Version::nearest`].
pub(super) fn nearest(text: &str) -> Option<Version> {
    Version::read(text).or_else(|| {
        let (numbers, rest) = leading_numbers(without_v(text.trim()))?;
        let is_plain = |c: char| is_identifier_char(c) || matches!(c, '.' | '+' | '_');
        let is_wildcard = |part: &str| matches!(part, "x" | "X");
        // What looks like a range, or lacks a number in between, means no single version.
        if !rest.chars().all(is_plain) || rest.split('.').any(is_wildcard) || rest.starts_with("..") {
            return None;
        }
        let (pre, build) = split(rest, '+');
        let mut pre = identifiers(pre, true);
        let mut build = identifiers(build.unwrap_or(""), false);
        // A fourth number, as in 1.2.3.4, orders nothing in SemVer.
        if rest.starts_with('.') && pre.first().is_some_and(|first| is_digits(first)) {
            pre.append(&mut build);
            std::mem::swap(&mut pre, &mut build);
        }
        let text = [numbers, led_by('-', &pre), led_by('+', &build)].concat();
        Version::read(&text)
    })
}

/// Up to three numbers at the start of `text`, as the `major.minor.patch` they stand for, and what follows them.
fn leading_numbers(text: &str) -> Option<(String, &str)> {
    let mut numbers = Vec::with_capacity(NUMBERS.len());
    let mut rest = text;
    while numbers.len() < NUMBERS.len() {
        let from_digits = if numbers.is_empty() { Some(rest) } else { rest.strip_prefix('.') };
        let Some(from_digits) = from_digits else { break };
        let length = from_digits.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            break;
        }
        numbers.push(without_leading_zeros(&from_digits[..length]));
        rest = &from_digits[length..];
    }
    if numbers.is_empty() {
        return None;
    }
    numbers.resize(NUMBERS.len(), "0");
    Some((numbers.join("."), rest))
}

/// The identifiers in `text` as they have to be written; those that are empty are left out.
fn identifiers(text: &str, zeros_stripped: bool) -> Vec<String> {
    let text = text.strip_prefix('-').unwrap_or(text).replace('_', "-");
    let parts = text.split('.').filter(|part| !part.is_empty());
    let written =
        parts.map(|part| if zeros_stripped && is_digits(part) { without_leading_zeros(part) } else { part });
    written.map(str::to_owned).collect()
}

fn led_by(sign: char, identifiers: &[String]) -> String {
    if identifiers.is_empty() { String::new() } else { format!("{sign}{}", identifiers.join(".")) }
}

fn without_leading_zeros(digits: &str) -> &str {
    match digits.trim_start_matches('0') {
        "" => "0",
        stripped => stripped,
    }
}

/// `text` without a `v` at its start.
pub(super) fn without_v(text: &str) -> &str {
    text.strip_prefix(['v', 'V']).unwrap_or(text)
}

fn split(text: &str, sign: char) -> (&str, Option<&str>) {
    match text.split_once(sign) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

fn is_identifier_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

/// `a, b and c`.
fn joined(parts: &[String]) -> String {
    match parts {
        [leading @ .., last] if !leading.is_empty() => format!("{} and {last}", leading.join(", ")),
        _ => parts.concat(),
    }
}
