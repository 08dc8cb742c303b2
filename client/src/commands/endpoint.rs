//! `jumpgate endpoint PROFILE`: a standing endpoint, and the variables that point an SDK at it.

use jumpgate_api::{EndpointKind, EndpointReply, EndpointRequest};
use zeroize::Zeroizing;

use super::{Context, Outcome, narrow, shadow};
use crate::cli::{Ask, Endpoint};
use crate::connection::{Agent, Reply, Request};
use crate::failure::Failure;
use crate::output::endpoint::Changes;
use crate::output::escape;

pub(super) fn run(context: &mut Context<'_>, arguments: Endpoint) -> Outcome {
    let kind = arguments.kind;
    let reply = open(context.agent, arguments.ask, kind, false)?;
    let endpoint: EndpointReply = reply.decode()?;
    context.warn(&endpoint.warnings);
    shadow::warn_of_variables(context, kind);
    shadow::warn_of_files(context, kind);
    if arguments.json.0 {
        return context.finish(&Zeroizing::new(reply.json()?));
    }
    let code = Changes::towards(&endpoint, &context.sdk.no_proxy).code();
    context.finish(&code)?;
    let lease = escape(&endpoint.lease);
    context.finish(&format!("# to end it: jumpgate lease end {lease}\n"))
}

/// An endpoint of this kind; with `until_exit` it ends with this process, whatever that becomes.
pub(super) fn open(
    agent: Agent<'_>,
    ask: Ask,
    kind: EndpointKind,
    until_exit: bool,
) -> Result<Reply, Failure> {
    let request = EndpointRequest {
        profile: ask.profile,
        kind,
        narrow: narrow::read(ask.narrow)?,
        until_exit,
    };
    Ok(agent.reply(&Request::new("POST", "endpoints").body(&request).patient())?)
}
