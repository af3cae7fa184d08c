//! The log: to standard error, for people or machines.

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogFormat;

/// Starts the log. `RUST_LOG` chooses what is logged, by targets and levels such as `info,modelry_db=debug`; `info` without
/// it.
pub(crate) fn start(format: LogFormat) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the variable is the log's own, the same for all Rust programs"
    )]
    let wanted = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let wanted = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    // The driver logs the values of statements, hashes of secrets among them, below this level.
    let filter = wanted.with_target("tokio_postgres", LevelFilter::WARN);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}
