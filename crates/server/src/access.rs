//! Who calls, and whether they may.
//!
//! A request's credentials become a [`Caller`]; a caller, a project and an action become [`Granted`], or an error that
//! tells no more than the caller may know. The URL table attaches the check to each route, so a handler that wants a
//! project finds it only in the [`Granted`] it is given.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use base64::Engine as _;
use modelry_core::digest::Sha256;
use modelry_core::ids::{ProjectId, TokenId, UserId};
use modelry_core::policy::{self, Access, Action, Doing, Feature, Scope, Standing};
use modelry_core::{Error, Kind, Result};
use modelry_store::users::User;
use subtle::ConstantTimeEq as _;

use crate::App;

/// The name of the browser session's cookie.
pub const SESSION_COOKIE: &str = "modelry_session";

/// How a request says who sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A personal access token, from `Authorization: Bearer`, `PRIVATE-TOKEN` or the password of Basic.
    Token(String),
    /// The secret of a browser session.
    Session(String),
    /// Nothing.
    None,
}

impl Credential {
    /// Reads the headers; a token wins over a session.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            return authorization(value.to_str().unwrap_or_default());
        }
        if let Some(token) = headers.get("private-token") {
            return Ok(Self::Token(token.to_str().unwrap_or_default().to_owned()));
        }
        let session =
            headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).find_map(|cookies| {
                cookies.split(';').find_map(|pair| {
                    pair.trim().strip_prefix(SESSION_COOKIE)?.strip_prefix('=').map(str::to_owned)
                })
            });
        Ok(session.map_or(Self::None, Self::Session))
    }
}

fn authorization(value: &str) -> Result<Credential> {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let unreadable = || {
        Error::new(Kind::Unauthenticated, "the Authorization header is not readable: send `Bearer <token>`")
    };
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Credential::Token(rest.trim().to_owned()));
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = base64::prelude::BASE64_STANDARD.decode(rest.trim()).map_err(|_| unreadable())?;
        let text = String::from_utf8(decoded).map_err(|_| unreadable())?;
        let (_, password) = text.split_once(':').ok_or_else(unreadable)?;
        return Ok(Credential::Token(password.to_owned()));
    }
    Err(unreadable())
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Number of the user.
    pub user: UserId,
    /// Name in URLs.
    pub username: String,
    /// Name for people.
    pub name: String,
    /// Whether the user administers the instance.
    pub admin: bool,
    /// What the token allows; `Api` for a browser session.
    pub scope: Scope,
    /// The token that says so, if it is one.
    pub token: Option<TokenId>,
    /// Where a browser session says so, rather than a token: what state-changing requests must carry along, since a
    /// browser sends the session's cookie with requests of foreign pages too.
    pub csrf_token: Option<String>,
    /// What the caller is known by, to look them up again inside a transaction.
    pub key: Key,
}

impl Identity {
    /// A user who is known by `key`, of a session without its CSRF token.
    pub(crate) fn new(user: User, scope: Scope, token: Option<TokenId>, key: Key) -> Self {
        Self {
            user: user.id,
            username: user.username,
            name: user.name,
            admin: user.admin,
            scope,
            token,
            csrf_token: None,
            key,
        }
    }
}

/// The hash that a caller is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Of a personal access token.
    Token(Sha256),
    /// Of a browser session's secret.
    Session(Sha256),
}

/// Who sends a request: somebody, or nobody known.
#[derive(Clone, Debug, Default)]
pub struct Caller(pub Option<Arc<Identity>>);

impl Caller {
    /// The signed-in user's number.
    pub fn user(&self) -> Option<UserId> {
        self.0.as_ref().map(|identity| identity.user)
    }

    /// The signed-in user. Fails with `Unauthenticated` when there is none.
    pub fn signed_in(&self) -> Result<&Arc<Identity>> {
        self.0.as_ref().ok_or_else(|| Error::new(Kind::Unauthenticated, "sign in or send a token"))
    }

    /// The signed-in user, whose token may write. Fails with `Forbidden` for one that only reads.
    pub fn may_write(&self) -> Result<&Arc<Identity>> {
        let identity = self.signed_in()?;
        if identity.scope == Scope::ReadApi {
            let message = "this token has the scope read_api; a token of scope api is needed";
            return Err(Error::new(Kind::Forbidden, message));
        }
        Ok(identity)
    }

    /// The signed-in administrator. Fails with `Forbidden` for anybody else.
    pub fn administrator(&self) -> Result<&Arc<Identity>> {
        let identity = self.signed_in()?;
        if !identity.admin {
            return Err(Error::new(Kind::Forbidden, "only administrators may do this"));
        }
        Ok(identity)
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = std::convert::Infallible;

    /// The caller that the route's guard found; nobody on a route without a guard.
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// How a URL names a project: by number, or by full path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ProjectRef {
    /// Its number.
    Number(i64),
    /// Its full path, in lower case.
    Path(String),
}

impl From<&str> for ProjectRef {
    fn from(text: &str) -> Self {
        match text.parse() {
            Ok(number) => Self::Number(number),
            Err(_) => Self::Path(text.to_lowercase()),
        }
    }
}

/// A project as a caller finds it: where it is, and what the caller is to it.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its number.
    pub project: ProjectId,
    /// Its full path, as its owner wrote it.
    pub full_path: Arc<str>,
    /// What the caller is to it.
    pub standing: Standing,
}

/// Proof that the caller may do what the route does, with the project to do it in.
#[derive(Clone, Debug)]
pub struct Granted {
    /// What may be done, and where.
    pub access: Access,
    /// Who may.
    pub caller: Caller,
    /// The project's full path, for links.
    pub full_path: Arc<str>,
}

impl Granted {
    /// The project.
    pub fn project(&self) -> ProjectId {
        self.access.project()
    }
}

impl FromRequestParts<App> for Granted {
    type Rejection = crate::error::Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Error::internal(format!("the route {} has no project guard", parts.uri.path())).into()
        })
    }
}

/// Finds out who sends a request with these headers.
pub async fn identify(app: &App, headers: &HeaderMap) -> Result<Caller> {
    let credential = Credential::from_headers(headers)?;
    app.callers.identify(&credential, app.clock.now()).await
}

/// Fails with `Forbidden` when a browser session's request that changes something does not carry its CSRF token.
pub fn check_csrf(caller: &Caller, sent: Option<&str>) -> Result<()> {
    let expected = caller.0.as_ref().and_then(|identity| identity.csrf_token.as_deref());
    let Some(expected) = expected else { return Ok(()) };
    let same = sent.is_some_and(|sent| bool::from(sent.as_bytes().ct_eq(expected.as_bytes())));
    if same {
        return Ok(());
    }
    Err(Error::new(
        Kind::Forbidden,
        "this request does not come from a page of this session: reload the page",
    ))
}

/// Proof that the caller may do something with models, or with experiments, of a project. With which of them shows later:
/// [`Undecided::about`] makes it a [`Granted`].
#[derive(Clone, Debug)]
pub struct Undecided {
    found: Found,
    caller: Caller,
    doing: Doing,
}

impl Undecided {
    /// The project, to look up what is meant. Nothing of it may be told before [`Undecided::about`] has agreed.
    pub fn project(&self) -> ProjectId {
        self.found.project
    }

    /// The user who calls.
    pub fn user(&self) -> Option<UserId> {
        self.caller.user()
    }

    /// Whether the caller may do it with `feature`.
    pub fn may(&self, feature: Feature) -> bool {
        self.about(feature).is_ok()
    }

    /// Decides, now that it is known what is meant.
    pub fn about(&self, feature: Feature) -> Result<Granted> {
        decide(Some(self.found.clone()), self.caller.clone(), feature.action(self.doing))
    }
}

impl FromRequestParts<App> for Undecided {
    type Rejection = crate::error::Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Error::internal(format!("the route {} has no guard of either", parts.uri.path())).into()
        })
    }
}

/// Decides whether `caller` may do `action` in the project that a URL names.
pub async fn grant(app: &App, caller: Caller, project: &str, action: Action) -> Result<Granted> {
    let found = app.callers.find_project(&caller, &ProjectRef::from(project), app.clock.now()).await?;
    decide(found, caller, action)
}

/// Decides whether `caller` may be `doing` something with models, or with experiments, of the project that a URL names.
pub async fn admit(app: &App, caller: Caller, project: &str, doing: Doing) -> Result<Undecided> {
    let found = app.callers.find_project(&caller, &ProjectRef::from(project), app.clock.now()).await?;
    let about = |feature: Feature| decide(found.clone(), caller.clone(), feature.action(doing));
    if let Err(error) = about(Feature::Models) {
        about(Feature::Experiments).map_err(|_| error)?;
    }
    let found = found.ok_or_else(|| Error::internal("a project was granted that there is not"))?;
    Ok(Undecided { found, caller, doing })
}

fn decide(found: Option<Found>, caller: Caller, action: Action) -> Result<Granted> {
    let decided = match found {
        Some(found) => {
            policy::decide(found.project, found.standing, action).map(|access| (access, found.full_path))
        }
        None => Err(Error::not_found("project not found")),
    };
    match decided {
        Ok((access, full_path)) => Ok(Granted { access, caller, full_path }),
        // Whoever is not signed in is told the same of a hidden project as of none: that signing in may help.
        Err(error) if error.kind() == Kind::NotFound && caller.user().is_none() => Err(Error::new(
            Kind::Unauthenticated,
            "project not found, or it needs you to sign in or send a token",
        )),
        Err(error) => Err(error),
    }
}
