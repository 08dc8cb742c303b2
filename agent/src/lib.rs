//! The Jumpgate agent: holds the jump-account identity and hands out role sessions that are scoped, short-lived
//! and recorded.
//!
//! | module | what it is |
//! |---|---|
//! | [`start`] | command line, daemon, from configuration to a serving agent |
//! | [`app`] | the composition root: the only place that knows all the others |
//! | [`config`] | text to domain types; opens nothing but its own files |
//! | [`server`] | bytes to the broker and back |
//! | [`broker`] | the life of a request: domain decisions and port calls |
//! | `lint`, `presets` | policy files held against rules, presets printed; needs no running agent |
//! | `import`, `configure`, `leftover` | what moves in from `~/.aws` and what is written there; the same |
//! | `aws_files` | the files in `~/.aws` on the disk |
//! | [`doctor`] | what is wrong with a set-up; needs no running agent |
//! | [`domain`] | what should happen: pure |
//! | [`ports`] | every contact with the world, as a trait |
//! | [`providers`] | one file per port, the only one that names its library |
//! | [`harden`], [`telemetry`] | what the process does to itself; where its log goes |
//!
//! Invariants, each with a test (docs/architecture.md): a long-term secret never leaves the process; no credential
//! leaves without a journal record written first; a request can only narrow its profile; the cache key is the complete
//! question put to AWS; whoever cannot be identified is refused; what has expired is never served; no lock is held across
//! an await.

pub mod app;
mod aws_files;
pub mod broker;
pub mod config;
mod configure;
pub mod doctor;
pub mod domain;
mod explain;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
pub mod harden;
mod import;
mod jump;
mod leftover;
mod lint;
pub mod ports;
mod presets;
pub mod providers;
pub mod server;
pub mod start;
pub mod telemetry;

use std::process::ExitCode;

/// Runs the agent's command line.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    start::run(&arguments)
}
