//! The URL table: each route with its guard, so that who may do what stands beside the path, and a test can walk it.

use std::convert::Infallible;

use axum::Router;
use axum::extract::{RawPathParams, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use modelry_core::policy::{Action, Doing};
use modelry_core::{Error, Result};

use crate::App;
use crate::access::{self, Caller};
use crate::naming::Naming;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Everybody; credentials are not even looked at.
    Public,
    /// Everybody; the handler is told who calls, and wrong credentials are refused.
    Anyone,
    /// Whoever is signed in.
    SignedIn,
    /// Administrators.
    Administrator,
    /// Whoever may do this in the project that the path's `{project}` names.
    Project(Action),
    /// As [`Guard::Project`], with the action that what the path names needs.
    Named(Naming, Doing),
    /// Whoever may do this with models, or with experiments: the handler is given an [`Undecided`](access::Undecided), and says of which when
    /// it has read that.
    Either(Doing),
}

impl Guard {
    /// Whether it is about a project, which the path names.
    pub fn is_of_project(self) -> bool {
        match self {
            Self::Project(_) | Self::Named(..) | Self::Either(_) => true,
            Self::Public | Self::Anyone | Self::SignedIn | Self::Administrator => false,
        }
    }
}

/// How a protocol tells an error that a guard found.
pub type Render = fn(&App, &HeaderMap, Error) -> Response;

/// Where a browser session's CSRF token is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Csrf {
    /// By the guard, in the header `X-CSRF-Token`.
    Header,
    /// By the form that the handler reads.
    Form,
}

/// A route, for tests that walk the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path, with `{parameters}`.
    pub path: String,
    /// Who may use it.
    pub guard: Guard,
}

/// A handler of a method.
pub(crate) type Mounted = MethodRouter<App, Infallible>;

/// Mounts a handler for a method.
pub(crate) fn mounted<H, T>(method: &Method, handler: H) -> Mounted
where
    H: Handler<T, App>,
    T: 'static,
{
    on(MethodFilter::try_from(method.clone()).expect("the table uses standard methods"), handler)
}

/// Routes of one protocol.
pub struct Table {
    app: App,
    render: Render,
    csrf: Csrf,
    router: Router<App>,
    routes: Vec<Route>,
}

impl Table {
    /// An empty table, whose guards tell errors with `render`.
    pub fn new(app: App, render: Render, csrf: Csrf) -> Self {
        Self { app, render, csrf, router: Router::new(), routes: Vec::new() }
    }

    /// Adds a route.
    #[must_use]
    pub fn route<H, T>(self, method: Method, path: &str, guard: Guard, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let mounted = mounted(&method, handler);
        self.add(method, path, guard, mounted)
    }

    /// As [`Table::route`], whatever the handler takes: what does not depend on that is compiled once.
    #[must_use]
    pub(crate) fn add(mut self, method: Method, path: &str, guard: Guard, plain: Mounted) -> Self {
        let guarded = if guard == Guard::Public {
            plain
        } else {
            let context = Context { app: self.app.clone(), render: self.render, csrf: self.csrf, guard };
            plain.layer(from_fn_with_state(context, check))
        };
        self.router = self.router.route(path, guarded);
        self.routes.push(Route { method, path: path.to_owned(), guard });
        self
    }

    /// The router, and the list of its routes.
    pub fn finish(self) -> (Router<App>, Vec<Route>) {
        (self.router, self.routes)
    }
}

#[derive(Clone)]
struct Context {
    app: App,
    render: Render,
    csrf: Csrf,
    guard: Guard,
}

async fn check(
    State(context): State<Context>,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(&context, &params, &mut request).await {
        Ok(()) => next.run(request).await.into_response(),
        Err(error) => (context.render)(&context.app, request.headers(), error),
    }
}

async fn admit(context: &Context, params: &RawPathParams, request: &mut Request) -> Result<()> {
    let caller: Caller = access::identify(&context.app, request.headers()).await?;
    if context.csrf == Csrf::Header && !request.method().is_safe() {
        let sent = request.headers().get("x-csrf-token").and_then(|value| value.to_str().ok());
        access::check_csrf(&caller, sent)?;
    }
    match context.guard {
        Guard::Public | Guard::Anyone => {}
        Guard::SignedIn if request.method().is_safe() => drop(caller.signed_in()?.clone()),
        Guard::SignedIn => drop(caller.may_write()?.clone()),
        Guard::Administrator if request.method().is_safe() => drop(caller.administrator()?.clone()),
        Guard::Administrator => {
            caller.administrator()?;
            caller.may_write()?;
        }
        Guard::Project(action) => {
            let granted = access::grant(&context.app, caller.clone(), project(params)?, action).await?;
            request.extensions_mut().insert(granted);
        }
        Guard::Named(naming, doing) => {
            let action = naming.feature(params).action(doing);
            let granted = access::grant(&context.app, caller.clone(), project(params)?, action).await?;
            request.extensions_mut().insert(granted);
        }
        Guard::Either(doing) => {
            let undecided = access::admit(&context.app, caller.clone(), project(params)?, doing).await?;
            request.extensions_mut().insert(undecided);
        }
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

/// What the path names a project by.
fn project(params: &RawPathParams) -> Result<&str> {
    let found = params.iter().find(|(name, _)| *name == "project").map(|(_, value)| value);
    found.ok_or_else(|| Error::internal("a project route without {project}"))
}
