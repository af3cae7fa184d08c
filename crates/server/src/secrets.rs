//! Secrets: tokens, sessions, sign-in links. Only their SHA-256 is stored; they are 256 random bits, so a fast hash
//! is enough.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use modelry_core::digest::Sha256;
use sha2::Digest as _;

use crate::clock::Random;

/// What every token starts with, so that people and leak scanners recognise one.
pub const TOKEN_PREFIX: &str = "mdl_";

/// The text of a new personal access token: [`TOKEN_PREFIX`] and 43 characters.
pub fn new_token(random: &Random) -> String {
    format!("{TOKEN_PREFIX}{}", new_secret(random))
}

/// A new secret of 32 random bytes: 43 characters that are safe in URLs and cookies.
pub fn new_secret(random: &Random) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<32>())
}

/// What is stored of a secret.
pub fn hash(secret: &str) -> Sha256 {
    Sha256(sha2::Sha256::digest(secret.as_bytes()).into())
}

/// The CSRF token of a browser session: made from its secret, which foreign pages cannot read.
pub fn csrf_token(session_secret: &str) -> String {
    let digest =
        sha2::Sha256::new().chain_update(b"csrf\0").chain_update(session_secret.as_bytes()).finalize();
    BASE64_URL_SAFE_NO_PAD.encode(digest)
}
