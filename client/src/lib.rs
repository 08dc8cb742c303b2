//! The Jumpgate command line: it asks the agent on its Unix socket and shows the answer.
//!
//! Blocking `std` I/O and nothing else: no async runtime, no TLS, no AWS library, no keyring. It writes
//! no secret to disk and keeps none longer than a command runs.
//!
//! | module | holds |
//! |---|---|
//! | `cli` | the arguments, the help, and the one place where the environment is read |
//! | `commands` | one file per verb |
//! | `connection` | one request on the socket; finds, checks and starts the agent |
//! | `output` | values to text, JSON and shell code; pure |
//! | `person` | asking the one who sits at the terminal |
//! | `failure` | what a command that did not succeed says, and its exit status |

mod cli;
mod commands;
mod connection;
mod failure;
mod output;
mod person;

use std::process::ExitCode;

use crate::cli::Environment;
use crate::failure::{Exit, Failure};

/// Runs one command.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = cli::arguments();
    let environment = Environment::read();
    // Every command of the AWS CLI starts us like this, so nothing is parsed that need not be.
    let outcome = match cli::plain_credential_process(&arguments) {
        Some(profile) => commands::credential_process::plain(&environment, profile),
        None => commands::run(&environment, arguments),
    };
    outcome.unwrap_or_else(report).into()
}

/// Says on stderr what went wrong.
fn report(failure: Failure) -> Exit {
    // A closed stderr is no reason to hide the exit status.
    let _ = rustix::io::write(rustix::stdio::stderr(), failure.to_string().as_bytes());
    failure.exit()
}
