//! The MLflow tracking protocol for one project: its wire types, its errors, its quirks. Nothing else knows them.
//!
//! Every call is mounted twice below `/api/v4/projects/{project}/ml/mlflow`: under `/api/2.0/mlflow` for SDKs and under
//! `/ajax-api/2.0/mlflow` for pages.

mod artifacts;
mod datasets;
mod experiments;
mod info;
mod lineage;
mod log_model;
mod logged_models;
mod logging;
mod metrics;
mod registry;
mod runs;
mod search;
mod views;
mod wire;

use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use modelry_core::policy::{Action, Doing};
use modelry_core::{Error, Kind};

use crate::App;
use crate::error::{MlflowFailure, mlflow_endpoint_not_found, mlflow_method_not_allowed};
use crate::extract::base_url;
use crate::naming::Naming;
use crate::table::{Csrf, Guard, Mounted, Table, mounted};

/// Where a project's protocol starts.
pub const PREFIX: &str = "/api/v4/projects/{project}/ml/mlflow";

/// The page that makes tokens.
pub const TOKENS_PAGE: &str = "/-/user_settings/personal_access_tokens";

/// The protocol's part of the URL table.
pub fn table(app: &App) -> Table {
    let calls = Calls(Table::new(app.clone(), render, Csrf::Header));
    let calls = experiments::routes(calls);
    let calls = runs::routes(calls);
    let calls = search::routes(calls);
    let calls = logging::routes(calls);
    let calls = log_model::routes(calls);
    let calls = metrics::routes(calls);
    let calls = datasets::routes(calls);
    let calls = logged_models::routes(calls);
    let calls = artifacts::routes(calls);
    let calls = registry::routes(calls);
    info::routes(calls.0)
}

/// The table of the protocol's calls, each mounted for SDKs and for pages.
pub(crate) struct Calls(Table);

impl Calls {
    /// A call that reads.
    pub(crate) fn read<H, T>(self, method: Method, path: &str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        self.add(method, path, Action::ReadExperiments, handler)
    }

    /// A call that writes.
    pub(crate) fn write<H, T>(self, method: Method, path: &str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        self.add(method, path, Action::WriteExperiments, handler)
    }

    /// A call that reads models.
    pub(crate) fn read_models<H, T>(self, method: Method, path: &str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        self.add(method, path, Action::ReadModels, handler)
    }

    /// A call that writes models.
    pub(crate) fn write_models<H, T>(self, method: Method, path: &str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        self.add(method, path, Action::WriteModels, handler)
    }

    /// A call on an artifact: the action follows its address, which ends the path.
    pub(crate) fn artifact<H, T>(self, method: Method, path: &str, doing: Doing, handler: H) -> Self
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        let mounted = mounted(&method, handler);
        self.add_mounted(method, path, Guard::Named(Naming::Artifact, doing), mounted)
    }

    /// A call that reads either models or experiments: which, the handler finds out.
    pub(crate) fn read_either<H, T>(self, method: Method, path: &str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        let mounted = mounted(&method, handler);
        self.add_mounted(method, path, Guard::Either(Doing::Reading), mounted)
    }

    fn add<H, T>(self, method: Method, path: &str, action: Action, handler: H) -> Self
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        let mounted = mounted(&method, handler);
        self.add_mounted(method, path, Guard::Project(action), mounted)
    }

    fn add_mounted(self, method: Method, path: &str, guard: Guard, mounted: Mounted) -> Self {
        let at = |door: &str| format!("{PREFIX}/{door}/2.0/{path}");
        let table = self.0.add(method.clone(), &at("api"), guard, mounted.clone());
        Self(table.add(method, &at("ajax-api"), guard, mounted))
    }
}

/// The answer to a path below a project's protocol that is not in the table.
pub async fn not_offered(request: Request) -> Response {
    mlflow_endpoint_not_found(below_prefix(request.uri().path()))
}

/// The answer to a method that a path of the table does not take.
pub async fn wrong_method(request: Request) -> Response {
    mlflow_method_not_allowed(below_prefix(request.uri().path()))
}

fn below_prefix(path: &str) -> &str {
    path.split_once("/ml/mlflow").map_or(path, |(_, below)| below)
}

/// Tells an error that a guard found. Clients print the message of a 401 word for word, so it names the way out.
pub(crate) fn render(app: &App, headers: &HeaderMap, error: Error) -> Response {
    if error.kind() != Kind::Unauthenticated {
        return MlflowFailure(error).into_response();
    }
    let message = format!(
        "{}. Make a token at {}{TOKENS_PAGE} and set MLFLOW_TRACKING_TOKEN to it",
        error.message(),
        base_url(app, headers)
    );
    MlflowFailure(Error::new(Kind::Unauthenticated, message)).into_response()
}
