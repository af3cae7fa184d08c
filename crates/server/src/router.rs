//! The whole URL table of the API.

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;

use crate::app::App;
use crate::mlflow;
use crate::table::{Csrf, Guard, Route, Table};
use crate::v4;

/// The API's routes, to be merged with the pages'.
pub fn api(app: &App) -> (Router<App>, Vec<Route>) {
    let (probes, mut routes) = probes(app).finish();
    let (native, native_routes) = v4::table(app).finish();
    let (protocol, protocol_routes) = mlflow::table(app).finish();
    routes.extend(native_routes);
    routes.extend(protocol_routes);
    let not_offered = format!("{}/{{*rest}}", mlflow::PREFIX);
    let merged = probes
        .merge(native)
        .merge(protocol.method_not_allowed_fallback(mlflow::wrong_method))
        .route(&not_offered, axum::routing::any(mlflow::not_offered));
    (merged, routes)
}

fn probes(app: &App) -> Table {
    Table::new(app.clone(), v4::render, Csrf::Header)
        .route(Method::GET, "/health", Guard::Public, health)
        .route(Method::GET, "/ready", Guard::Public, ready)
}

/// Whether the process is alive.
async fn health() -> &'static str {
    "OK"
}

/// Whether the server can answer: the database can be read.
async fn ready(
    axum::extract::State(app): axum::extract::State<App>,
) -> Result<&'static str, crate::error::Problem> {
    app.db.read(|tx| tx.query_one("SELECT 1", &[], |row| row.get::<i64>(0))).await?;
    Ok("ready")
}

/// The answer to a path below `/api` that is not in the table.
#[expect(clippy::unused_async, reason = "axum takes only async handlers")]
pub async fn unknown(request: Request) -> Response {
    v4::not_found(request.uri().path())
}
