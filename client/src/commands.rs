//! The verbs, one file each, and what they have in common.

mod agent;
mod check;
mod completions;
pub(crate) mod credential_process;
mod exec;
mod export;
mod identity;
mod journal;
mod lease;
mod leases;
mod lock;
mod man;
mod narrow;
mod profile;
mod reload;
mod status;
mod unlock;

use std::ffi::OsString;
use std::io::Write;
use std::time::SystemTime;

use clap::Parser;
use clap::error::ErrorKind;
use jumpgate_api::{ExitStatus, Timestamp};
use serde::Serialize;

use crate::cli::{CommandLine, Environment, Json, Verb};
use crate::connection::{Agent, Audience};
use crate::failure::{Exit, Failure};
use crate::output::{self, Stdout};
use crate::person::{Person, StandardInput};

/// How a command ends.
type Outcome = Result<Exit, Failure>;

/// What a command works with.
struct Context<'a> {
    agent: Agent<'a>,
    out: &'a mut dyn Write,
    person: &'a mut dyn Person,
    now: Timestamp,
}

impl Context<'_> {
    /// Writes the result and is done.
    fn finish(&mut self, text: &str) -> Outcome {
        self.out.write_all(text.as_bytes())?;
        Ok(ExitStatus::Success.into())
    }

    /// Writes a listing for programs or for people.
    fn list<T: Serialize>(
        &mut self,
        json: Json,
        value: &T,
        text: impl Fn(&T) -> String,
    ) -> Outcome {
        let text = if json.json {
            output::json(value)
        } else {
            text(value)
        };
        self.finish(&text)
    }
}

/// Parses the arguments and does what they say.
pub(crate) fn run(environment: &Environment, arguments: Vec<OsString>) -> Outcome {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let mut context = Context {
        agent: Agent {
            environment,
            audience: Audience::Person,
        },
        out: &mut Stdout,
        person: &mut StandardInput,
        now: Timestamp::default().plus(now),
    };
    run_in(&mut context, arguments)
}

fn run_in(context: &mut Context<'_>, arguments: Vec<OsString>) -> Outcome {
    match CommandLine::try_parse_from(arguments) {
        Ok(command_line) => dispatch(context, command_line.verb),
        Err(error) => usage(&error, context.out),
    }
}

fn dispatch(context: &mut Context<'_>, verb: Verb) -> Outcome {
    match verb {
        Verb::CredentialProcess(ask) => credential_process::run(context, ask),
        Verb::Exec(arguments) => exec::run(context, arguments),
        Verb::Export(arguments) => export::run(context, arguments),
        Verb::Identity(verb) => identity::run(context, verb),
        Verb::Unlock { identity, json } => unlock::run(context, identity, json),
        Verb::Lock => lock::run(context),
        Verb::Status(json) => status::run(context, json),
        Verb::Profile(verb) => profile::run(context, verb),
        Verb::Leases(json) => leases::run(context, json),
        Verb::Lease(verb) => lease::run(context, verb),
        Verb::Journal(arguments) => journal::run(context, &arguments),
        Verb::Check { file } => check::run(context, file),
        Verb::Reload => reload::run(context),
        Verb::Agent(verb) => agent::run(context, &verb),
        Verb::Completions { shell } => completions::run(context, shell),
        Verb::Man => man::run(context),
    }
}

/// What clap has to say: help and version go to stdout, everything else is a failure of ours.
fn usage(error: &clap::Error, out: &mut dyn Write) -> Outcome {
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

#[cfg(test)]
mod tests;
