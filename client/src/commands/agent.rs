//! `jumpgate agent start|stop|run`.

use std::os::unix::process::CommandExt;
use std::process::Command;

use jumpgate_api::{ExitStatus, Status, StopReply};

use super::{Context, Outcome};
use crate::cli::AgentVerb;
use crate::connection::{ConnectionError, Request, program};
use crate::failure::Failure;

pub(super) fn run(context: &mut Context<'_>, verb: &AgentVerb) -> Outcome {
    match verb {
        AgentVerb::Start => {
            let status: Status = context.agent.call(&Request::new("GET", "status"))?;
            context.finish(&format!("the agent is running (pid {})\n", status.pid))
        }
        AgentVerb::Stop => stop(context),
        AgentVerb::Run => {
            let error = Command::new(program(context.agent.environment)?)
                .arg("--foreground")
                .exec();
            let what = format!("cannot run jumpgate-agent: {error}");
            Err(Failure::new(ExitStatus::Unavailable, what))
        }
    }
}

/// The agent answers, drains, and closes the connection as the last thing that it does.
fn stop(context: &mut Context<'_>) -> Outcome {
    let request = Request::new("POST", "stop").patient();
    match context.agent.call_running::<StopReply>(&request)? {
        None => context.finish("no agent is running\n"),
        Some((reply, connection)) => {
            connection.wait_for_end().map_err(ConnectionError::from)?;
            context.finish(&format!("the agent has stopped (pid {})\n", reply.pid))
        }
    }
}
