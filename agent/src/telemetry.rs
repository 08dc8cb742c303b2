//! The log: the only place that decides where its text goes and whose it is.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Sets the log up on standard error. `level` is one of `off error warn info debug trace`; `warn` otherwise.
///
/// Only our own lines are let through: libraries trace what they send, and that would be secrets.
pub fn start(level: Option<&str>) {
    let level = level
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::WARN);
    let ours = Targets::new().with_target("jumpgate_agent", level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false);
    let _already_set = tracing_subscriber::registry()
        .with(lines)
        .with(ours)
        .try_init();
}
