//! Coming in by password or one-time link, and going out.

use std::net::IpAddr;

use modelry_core::ids::UserId;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Kind, Result};
use modelry_store::sessions::{self, NewSession};
use modelry_store::users;

use crate::attempts::Source;
use crate::{App, secrets};

/// How long a browser stays signed in, in milliseconds: two weeks.
pub const SESSION_MS: i64 = 14 * 86_400_000;

/// How long a sign-in link works, in milliseconds: a day.
pub const LINK_MS: i64 = 86_400_000;

/// A session that was just started.
#[derive(Clone, Debug)]
pub struct Started {
    /// What the browser's cookie is to hold.
    pub secret: String,
    /// Who is signed in.
    pub user: UserId,
    /// When the session ends.
    pub expires_at: Timestamp,
}

/// Signs somebody in by password, from a browser at `address` if that is known.
///
/// Fails with `Unauthenticated`, in the same words and time for an unknown username, a wrong password and a blocked
/// user; and with `RateLimited` after too many failures.
pub async fn by_password(
    app: &App,
    username: &str,
    password: &str,
    address: Option<IpAddr>,
) -> Result<Started> {
    let source = Source::new(username, address);
    app.passwords.attempts.begin(&source, app.clock.now())?;
    let wanted = username.to_owned();
    let credentials = app.db.read(move |tx| users::find_credentials(tx, &wanted)).await?;
    let hash = credentials.as_ref().and_then(|credentials| credentials.password_hash.clone());
    let right = app.passwords.matches(hash, password).await?;
    let user = credentials.map(|credentials| credentials.user);
    let Some(user) = user.filter(|user| right && user.blocked_at.is_none()) else {
        return Err(Error::new(Kind::Unauthenticated, "the username or the password is wrong"));
    };
    app.passwords.attempts.forgive(&source);
    let (started, session) = new_session(app, user.id);
    app.callers.change(move |tx| sessions::insert(tx, &session)).await?;
    Ok(started)
}

/// Makes a link that signs `user` in once, and answers its secret.
pub async fn new_link(app: &App, user: UserId) -> Result<String> {
    let secret = secrets::new_secret(&app.random);
    let (hash, expires_at) = (secrets::hash(&secret), app.clock.now().plus_ms(LINK_MS));
    app.callers.change(move |tx| sessions::insert_link(tx, &hash, user, expires_at)).await?;
    Ok(secret)
}

/// Signs somebody in by a link, which is used up by it.
///
/// Fails with `Unauthenticated` when the link is unknown, used or over.
pub async fn by_link(app: &App, secret: &str) -> Result<Started> {
    let hash = secrets::hash(secret);
    let now = app.clock.now();
    // Whose session it will be is known only inside the transaction; its secret is drawn before.
    let (started, session) = new_session(app, UserId(0));
    let taken = app.callers.change(move |tx| {
        let user = sessions::take_link(tx, &hash, now)?.map(|user| user.id);
        if let Some(user) = user {
            sessions::insert(tx, &NewSession { user, ..session.clone() })?;
        }
        Ok(user)
    });
    let user = taken.await?.ok_or_else(|| {
        Error::new(
            Kind::Unauthenticated,
            "this sign-in link does not work: it was used, is too old, or never was one",
        )
    })?;
    Ok(Started { user, ..started })
}

/// Ends the session with this secret, if there is one.
pub async fn out(app: &App, secret: &str) -> Result<()> {
    let hash = secrets::hash(secret);
    app.callers.change(move |tx| sessions::delete(tx, &hash)).await?;
    Ok(())
}

fn new_session(app: &App, user: UserId) -> (Started, NewSession) {
    let secret = secrets::new_secret(&app.random);
    let created_at = app.clock.now();
    let expires_at = created_at.plus_ms(SESSION_MS);
    let session = NewSession { hash: secrets::hash(&secret), user, created_at, expires_at };
    (Started { secret, user, expires_at }, session)
}
