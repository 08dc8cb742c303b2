//! The Jumpgate agent.
use std::process::ExitCode;

pub mod broker;
pub mod domain;
pub mod ports;

/// Runs the agent.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
