//! The Jumpgate agent.
use std::process::ExitCode;

pub mod broker;
pub mod domain;
pub mod ports;
pub mod providers;

/// Runs the agent.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
