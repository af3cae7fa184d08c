//! Making personal access tokens, and taking them back.

use modelry_core::ids::{TokenId, UserId};
use modelry_core::names::check_display_name;
use modelry_core::policy::Scope;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_store::ids::Series;
use modelry_store::tokens::{self, NewToken, Token};

use crate::{App, secrets};

/// The longest name of a token, in characters.
const LONGEST_NAME: usize = 255;

/// A token that is to be made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it ends, if ever.
    pub expires_at: Option<Timestamp>,
}

/// A token that was just made: the only moment at which its text is known.
#[derive(Clone, Debug)]
pub struct Made {
    /// The token.
    pub token: Token,
    /// Its text, to be shown once.
    pub text: String,
}

/// Makes a token that acts on behalf of `owner`.
///
/// Fails with `Invalid` for a name that does not do, or an end that is over.
pub async fn create(app: &App, owner: UserId, draft: Draft) -> Result<Made> {
    let now = app.clock.now();
    let name = check_display_name("token name", &draft.name, LONGEST_NAME)?;
    if draft.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Error::invalid("a token cannot expire in the past"));
    }
    let text = secrets::new_token(&app.random);
    let new = NewToken {
        id: TokenId(app.ids.next_global(Series::Token).await?),
        user: owner,
        name,
        hash: secrets::hash(&text),
        scope: draft.scope,
        created_at: now,
        expires_at: draft.expires_at,
    };
    let token = Token {
        id: new.id,
        name: new.name.clone(),
        scope: new.scope,
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
    };
    app.callers.change(move |tx| tokens::insert(tx, &new)).await?;
    Ok(Made { token, text })
}

/// Takes a token of `owner` back. Fails with `NotFound` when there is none to take back.
pub async fn revoke(app: &App, owner: UserId, id: TokenId) -> Result<()> {
    let now = app.clock.now();
    if app.callers.change(move |tx| tokens::revoke(tx, owner, id, now)).await? {
        return Ok(());
    }
    Err(Error::not_found(format!("you have no token {id}")))
}

/// Reads a day, `2027-01-31`, as its first moment in UTC: a token with that end does not work on that day.
///
/// Fails with `Invalid` when it is not a day between 1970 and 9999.
pub fn parse_day(text: &str) -> Result<Timestamp> {
    let wrong = || Error::invalid(format!("`{text}` is not a day: write it as 2027-01-31"));
    let mut parts = text.split('-');
    let mut part = |digits: usize| {
        let part =
            parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()));
        part.and_then(|part| part.parse::<i64>().ok()).ok_or_else(wrong)
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    if parts.next().is_some() || year < 1970 || !(1..=12).contains(&month) {
        return Err(wrong());
    }
    if day < 1 || day > days_before(year, month + 1) - days_before(year, month) {
        return Err(wrong());
    }
    let days = (year - 1970) * 365 + leap_days_before(year) - leap_days_before(1970)
        + days_before(year, month)
        + day
        - 1;
    Ok(Timestamp(days * 86_400_000))
}

/// The days of `year` before the first of `month`, 1 to 13.
fn days_before(year: i64, month: i64) -> i64 {
    let is_leap = leap_days_before(year + 1) > leap_days_before(year);
    let lengths = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    lengths.iter().zip(1..month).map(|(length, _)| length).sum()
}

/// The leap days of all years before `year`.
fn leap_days_before(year: i64) -> i64 {
    let years = year - 1;
    years / 4 - years / 100 + years / 400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_its_first_moment_in_utc() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("1972-03-01", 68_256_000),
            ("2000-02-29", 951_782_400),
            ("2027-01-31", 1_801_353_600),
            ("2100-03-01", 4_107_542_400),
            ("9999-12-31", 253_402_214_400),
        ] {
            assert_eq!(parse_day(text).expect(text), Timestamp(seconds * 1000), "{text}");
        }
    }

    #[test]
    fn what_is_in_no_calendar_is_no_day() {
        for text in [
            "",
            "2027",
            "2027-1-31",
            "2027-13-01",
            "2027-00-01",
            "2027-02-29",
            "2100-02-29",
            "2027-04-31",
            "2027-01-00",
            "2027-01-31-01",
            "1969-12-31",
            "+027-01-01",
            "tomorrow",
        ] {
            assert!(parse_day(text).is_err(), "{text}");
        }
    }
}
