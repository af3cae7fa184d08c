//! The log: to standard error, for people or machines.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts the log. `RUST_LOG` chooses what is logged; `info` without it.
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
}
