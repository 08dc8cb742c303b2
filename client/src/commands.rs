//! The verbs, one file each.

pub(crate) mod credential_process;
mod narrow;

use std::ffi::OsString;
use std::io::Write;

use clap::Parser;
use clap::error::ErrorKind;
use jumpgate_api::ExitStatus;

use crate::cli::{CommandLine, Environment, Verb};
use crate::failure::{Exit, Failure};
use crate::output::Stdout;

/// Parses the arguments and does what they say.
pub(crate) fn run(environment: &Environment, arguments: Vec<OsString>) -> Result<Exit, Failure> {
    match CommandLine::try_parse_from(arguments) {
        Ok(command_line) => dispatch(environment, command_line.verb, &mut Stdout),
        Err(error) => usage(&error, &mut Stdout),
    }
}

fn dispatch(environment: &Environment, verb: Verb, out: &mut dyn Write) -> Result<Exit, Failure> {
    match verb {
        Verb::CredentialProcess(ask) => credential_process::run(environment, ask, out),
    }
}

/// What clap has to say: help and version go to stdout, everything else is a failure of ours.
fn usage(error: &clap::Error, out: &mut dyn Write) -> Result<Exit, Failure> {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            out.write_all(text.as_bytes())?;
            Ok(ExitStatus::Success.into())
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Err(Failure::usage("what to do is missing").hint("see: jumpgate --help"))
        }
        _ => Err(usage_failure(&text)),
    }
}

/// clap's paragraphs as one line: what is wrong, then its tip or where the help is.
fn usage_failure(text: &str) -> Failure {
    let mut lines = text.lines().map(str::trim);
    let what: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    let what = what.join(" ");
    let tip = lines
        .find_map(|line| line.strip_prefix("tip: "))
        .unwrap_or("see: jumpgate --help");
    Failure::usage(what.strip_prefix("error: ").unwrap_or(&what)).hint(tip)
}
