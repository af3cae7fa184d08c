//! The log: to standard error, for people or machines.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts the log. `RUST_LOG` chooses what is logged; `info` without it.
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // The driver logs the values of statements, hashes of secrets among them, below this level.
    let filter = filter.add_directive("tokio_postgres=warn".parse().expect("the directive is well formed"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
}
