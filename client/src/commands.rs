//! The verbs, one file each, and what they have in common.

mod agent;
mod check;
pub(crate) mod credential_process;
mod doctor;
mod endpoint;
mod exec;
mod export;
mod identity;
mod journal;
mod lease;
mod leases;
mod lock;
mod moving;
mod narrow;
mod policy;
mod profile;
mod reload;
mod shadow;
mod status;
mod unlock;

use std::ffi::OsString;
use std::io::Write;
use std::time::SystemTime;

use jumpgate_api::{ExitStatus, Timestamp};
use serde::de::DeserializeOwned;

use crate::cli::{self, Environment, Json, Parsed, SdkEnvironment, Verb};
use crate::connection::{Agent, Audience, Reply, Request};
use crate::failure::{Exit, Failure};
use crate::output::{Stdout, escape};
use crate::person::{Person, StandardInput};

/// How a command ends.
type Outcome = Result<Exit, Failure>;

/// What a command works with.
struct Context<'a> {
    agent: Agent<'a>,
    out: &'a mut dyn Write,
    person: &'a mut dyn Person,
    now: Timestamp,
    sdk: &'a SdkEnvironment,
}

impl Context<'_> {
    /// Writes the result and is done.
    fn finish(&mut self, text: &str) -> Outcome {
        self.out.write_all(text.as_bytes())?;
        Ok(ExitStatus::Success.into())
    }

    /// Tells what a reply warns of.
    fn warn(&mut self, warnings: &[String]) {
        for warning in warnings {
            let warning = escape(warning);
            self.person.tell(&format!("jumpgate: warning: {warning}\n"));
        }
    }

    /// Asks for a listing and writes it for programs or for people.
    fn list<T: DeserializeOwned>(
        &mut self,
        json: Json,
        request: &Request,
        text: impl Fn(&T) -> String,
    ) -> Outcome {
        let reply = self.agent.reply(request)?;
        self.show(json, &reply, text)
    }

    /// Writes a reply for programs or for people.
    fn show<T: DeserializeOwned>(
        &mut self,
        Json(json): Json,
        reply: &Reply,
        text: impl Fn(&T) -> String,
    ) -> Outcome {
        let text = if json {
            reply.json()?
        } else {
            text(&reply.decode()?)
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
        sdk: &SdkEnvironment::read(),
    };
    run_in(&mut context, arguments)
}

fn run_in(context: &mut Context<'_>, arguments: Vec<OsString>) -> Outcome {
    match cli::parse(arguments)? {
        Parsed::Verb(verb) => dispatch(context, verb),
        Parsed::Text(text) => context.finish(&text),
    }
}

fn dispatch(context: &mut Context<'_>, verb: Verb) -> Outcome {
    match verb {
        Verb::CredentialProcess(ask) => credential_process::run(context, ask),
        Verb::Exec(arguments) => exec::run(context, arguments),
        Verb::Export(arguments) => export::run(context, arguments),
        Verb::Endpoint(arguments) => endpoint::run(context, arguments),
        Verb::Identity(verb) => identity::run(context, verb),
        Verb::Unlock { identity, json } => unlock::run(context, identity, json),
        Verb::Lock => lock::run(context),
        Verb::Status(json) => status::run(context, json),
        Verb::Profile(verb) => profile::run(context, verb),
        Verb::Leases(json) => leases::run(context, json),
        Verb::LeaseEnd { id } => lease::run(context, &id),
        Verb::Journal(arguments) => journal::run(context, &arguments),
        Verb::Policy(verb) => policy::run(context, &verb),
        Verb::Import(words) => moving::import(context, &words),
        Verb::Configure(words) => moving::configure(context, &words),
        Verb::Check { file } => check::run(context, file),
        Verb::Doctor(arguments) => doctor::run(context, &arguments),
        Verb::Reload => reload::run(context),
        Verb::Agent(verb) => agent::run(context, &verb),
        Verb::Completions(shell) => context.finish(&cli::completions::script(shell)),
        Verb::Man => context.finish(&cli::manual::text()),
    }
}

#[cfg(test)]
mod tests;
