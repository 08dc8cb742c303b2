//! The Jumpgate command line.
use std::process::ExitCode;

/// Runs one command.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
