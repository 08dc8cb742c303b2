//! The Jumpgate agent.
use std::process::ExitCode;

pub mod broker;
pub mod domain;
pub mod ports;
pub mod providers;
pub mod server;

/// Runs the agent.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
