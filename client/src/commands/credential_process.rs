//! `jumpgate credential-process PROFILE`: what the AWS CLI and every SDK start. It is on the way of each
//! command of the AWS CLI, so the plain form does as little as can be done.

use std::io::Write;

use jumpgate_api::{CredentialsReply, CredentialsRequest, ExitStatus, Interface, Narrow};

use crate::cli::{Ask, Environment};
use crate::commands::{Context, Outcome, narrow};
use crate::connection::{Agent, Audience, Request};
use crate::failure::Failure;
use crate::output::Stdout;
use crate::output::document::document;

/// Without any flag.
pub(crate) fn plain(environment: &Environment, profile: &str) -> Outcome {
    serve(environment, profile, Narrow::default(), &mut Stdout).map_err(Failure::brief)
}

/// With what the caller takes away.
pub(super) fn run(context: &mut Context<'_>, ask: Ask) -> Outcome {
    let narrow = narrow::read(ask.narrow).map_err(Failure::brief)?;
    let environment = context.agent.environment;
    serve(environment, &ask.profile, narrow, context.out).map_err(Failure::brief)
}

fn serve(environment: &Environment, profile: &str, narrow: Narrow, out: &mut dyn Write) -> Outcome {
    let agent = Agent {
        environment,
        audience: Audience::Program,
    };
    let reply = credentials(agent, profile, Interface::Process, narrow)?;
    let document = document(&reply)
        .map_err(|error| Failure::new(ExitStatus::Unavailable, error.to_string()))?;
    out.write_all(&document)?;
    Ok(ExitStatus::Success.into())
}

/// A lease of a session of this profile.
pub(super) fn credentials(
    agent: Agent<'_>,
    profile: &str,
    interface: Interface,
    narrow: Narrow,
) -> Result<CredentialsReply, Failure> {
    let ask = CredentialsRequest {
        profile: profile.to_owned(),
        interface,
        narrow,
    };
    let request = Request::new("POST", "credentials").body(&ask);
    Ok(agent.call(&request.patient().repeatable())?)
}
