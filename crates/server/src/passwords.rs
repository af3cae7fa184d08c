//! Passwords: argon2id, off the async threads, two at a time.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{CustomizedPasswordHasher as _, Error as HashError, PasswordVerifier as _};
use argon2::{Argon2, Params};
use modelry_core::{Error, Result};
use tokio::sync::Semaphore;

use crate::attempts::Attempts;

/// Memory of one hash in KiB, as OWASP advises for argon2id with [`PASSES`] and [`LANES`].
const MEMORY_KIB: u32 = 19_456;
/// How often the memory is gone over.
const PASSES: u32 = 2;
/// How many lanes are computed.
const LANES: u32 = 1;

/// How many hashes are computed at a time: each takes 19 MiB and a core for tens of milliseconds.
const AT_ONCE: usize = 2;
/// How many may wait for that; more are sent away rather than queued.
const WAITING: usize = 64;

/// The shortest password, in characters.
const SHORTEST: usize = 8;
/// The longest password, in characters.
const LONGEST: usize = 256;

/// Compared with when there is nothing to compare with, so that an unknown username takes as long as a known one. No
/// password has this hash but by a chance of 1 in 2^256.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and checks passwords.
#[derive(Debug)]
pub struct Passwords {
    /// Who was wrong how often.
    pub attempts: Attempts,
    computing: Arc<Semaphore>,
    admitted: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            attempts: Attempts::default(),
            computing: Arc::new(Semaphore::new(AT_ONCE)),
            admitted: Semaphore::new(AT_ONCE + WAITING),
        }
    }
}

impl Passwords {
    /// The hash of a new password, with a fresh random `salt`.
    ///
    /// Fails with `Invalid` when the password is too short or too long, with `Unavailable` when too many wait.
    pub async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<String> {
        check_length(password)?;
        let password = password.to_owned();
        self.compute(move || compute_hash(&password, &salt)).await?
    }

    /// Whether `password` is the one with this hash. Without a hash it takes as long and is `false`.
    ///
    /// Fails with `Unavailable` when too many wait.
    pub async fn matches(&self, hash: Option<String>, password: &str) -> Result<bool> {
        if password.chars().count() > LONGEST {
            return Ok(false);
        }
        let password = password.to_owned();
        self.compute(move || {
            let right = compare(hash.as_deref().unwrap_or(NOBODYS), &password)?;
            Ok(right && hash.is_some())
        })
        .await?
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _admitted = self
            .admitted
            .try_acquire()
            .map_err(|_| Error::unavailable("too many people are signing in at once: try again"))?;
        let permit = Arc::clone(&self.computing).acquire_owned().await.expect("nobody closes the semaphore");
        // The permit goes along: work whose caller has left still takes a core.
        let computed = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        computed.await.map_err(|error| Error::internal("a password hash was not computed").with_source(error))
    }
}

/// Fails with `Invalid` unless `password` is of a length that we take.
fn check_length(password: &str) -> Result<()> {
    if (SHORTEST..=LONGEST).contains(&password.chars().count()) {
        return Ok(());
    }
    Err(Error::invalid(format!("a password has {SHORTEST} to {LONGEST} characters")))
}

fn compute_hash(password: &str, salt: &[u8]) -> Result<String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are valid parameters");
    let hash: PasswordHash =
        Argon2::default()
            .hash_password_with_params(password.as_bytes(), salt, params)
            .map_err(|error| Error::internal(format!("a password could not be hashed: {error}")))?;
    Ok(hash.to_string())
}

fn compare(hash: &str, password: &str) -> Result<bool> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::internal(format!("a stored password hash is not readable: {error}"))
    };
    let parsed = PasswordHash::new(hash).map_err(|error| unreadable(&error))?;
    match Argon2::default().verify_password(password.as_bytes(), &parsed) {
        Ok(()) => Ok(true),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(error) => Err(unreadable(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelry_core::Kind;

    const SALT: [u8; 16] = [7; 16];

    #[tokio::test]
    async fn only_the_right_password_matches() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse", SALT).await.expect("a hash");
        assert!(passwords.matches(Some(hash.clone()), "correct horse").await.expect("compared"));
        assert!(!passwords.matches(Some(hash), "correct horsf").await.expect("compared"));
    }

    #[tokio::test]
    async fn without_a_hash_nothing_matches() {
        assert!(!Passwords::default().matches(None, "correct horse").await.expect("compared"));
    }

    #[tokio::test]
    async fn a_hash_costs_what_owasp_advises() {
        let hash = Passwords::default().hash("correct horse", SALT).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }

    #[test]
    fn nobodys_hash_costs_what_every_other_does() {
        let cost = |hash: &str| {
            let hash = PasswordHash::new(hash).expect("readable");
            let length = hash.hash.as_ref().map(|output| output.as_bytes().len());
            (hash.algorithm, hash.version, hash.params, length)
        };
        let usual = compute_hash("correct horse", &SALT).expect("a hash");
        assert_eq!(cost(NOBODYS), cost(&usual));
    }

    #[tokio::test]
    async fn short_and_endless_passwords_are_refused() {
        let passwords = Passwords::default();
        for password in ["", "1234567", &"x".repeat(LONGEST + 1)] {
            let error = passwords.hash(password, SALT).await.expect_err("refused");
            assert_eq!(error.kind(), Kind::Invalid);
        }
        assert!(passwords.hash("ü2345678", SALT).await.is_ok());
    }

    #[tokio::test]
    async fn a_stored_hash_that_is_damaged_is_our_defect_and_no_wrong_password() {
        let error =
            Passwords::default().matches(Some("$argon2id$broken".into()), "x").await.expect_err("refused");
        assert_eq!(error.kind(), Kind::Internal);
    }

    #[tokio::test]
    async fn who_would_wait_too_long_is_sent_away() {
        let passwords = Passwords::default();
        let _all = passwords.admitted.try_acquire_many(66).expect("nobody is there yet");
        let error = passwords.matches(None, "x").await.expect_err("refused");
        assert_eq!(error.kind(), Kind::Unavailable);
    }
}
