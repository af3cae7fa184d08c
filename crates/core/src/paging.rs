//! Page tokens: where the next page starts, as text that clients carry back unread.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Longer tokens are not read: none that was ever given out is.
const MAX_TOKEN_BYTES: usize = 32 * 1_024;

/// The token that stands for `start`, plain data of at most 24 KiB as JSON.
///
/// It is readable by whoever cares to, so it says nothing that the page did not; and it can be forged, so the page
/// that it asks for is checked like any other.
pub fn encode_token<T: Serialize>(start: &T) -> String {
    let json = serde_json::to_vec(start).expect("plain data has a JSON form");
    URL_SAFE_NO_PAD.encode(json)
}

/// What a token stands for.
///
/// Fails with `Invalid` when no [`encode_token`] of a `T` gave it out.
pub fn decode_token<T: DeserializeOwned>(token: &str) -> Result<T> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Error::invalid("Invalid page token"));
    }
    let json = URL_SAFE_NO_PAD
        .decode(token)
        .map_err(|_| Error::invalid("Invalid page token, could not base64-decode"))?;
    serde_json::from_slice(&json).map_err(|_| Error::invalid("Invalid page token"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    use proptest::prelude::*;

    fn refusal(token: &str) -> String {
        let error = decode_token::<(i64, String)>(token).expect_err(token);
        assert_eq!(error.kind(), Kind::Invalid);
        error.message().to_owned()
    }

    #[test]
    fn a_token_that_is_not_base64_is_refused_in_mlflows_words() {
        for token in ["%%%", "a", "a b", "===="] {
            assert_eq!(refusal(token), "Invalid page token, could not base64-decode");
        }
    }

    #[test]
    fn a_token_of_something_else_is_refused() {
        let not_json = URL_SAFE_NO_PAD.encode("{");
        for token in ["", &not_json, &encode_token(&"text"), &encode_token(&("text", 1))] {
            assert_eq!(refusal(token), "Invalid page token");
        }
    }

    #[test]
    fn a_token_is_read_up_to_32_kib() {
        let token = |chars: usize| encode_token(&(1, "x".repeat(chars)));
        // 24,576 bytes of JSON, of which 6 are not the text, give 32,768 of base64.
        assert_eq!(token(24_570).len(), 32_768);
        assert!(decode_token::<(i64, String)>(&token(24_570)).is_ok());
        assert_eq!(refusal(&token(24_571)), "Invalid page token");
    }

    proptest! {
        #[test]
        fn tokens_read_back(number in any::<i64>(), text in ".{0,40}", value in prop::num::f64::NORMAL | prop::num::f64::NEGATIVE) {
            let start = (number, text, value);
            prop_assert_eq!(decode_token::<(i64, String, f64)>(&encode_token(&start)).unwrap(), start);
        }

        #[test]
        fn a_token_needs_no_escaping_in_a_url(text in ".{0,40}") {
            let token = encode_token(&text);
            prop_assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{}", token);
        }
    }
}
