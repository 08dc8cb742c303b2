//! `jumpgate agent start|stop|run`.

use std::os::unix::process::CommandExt;
use std::process::Command;

use jumpgate_api::{ExitStatus, Status, StopReply};

use super::{Context, Outcome};
use crate::cli::AgentVerb;
use crate::connection::{Request, program};
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

/// The agent answers, drains, and ends the answer as the last thing that it does.
fn stop(context: &mut Context<'_>) -> Outcome {
    let Some(stream) = context.agent.connect_if_running()? else {
        return context.finish("no agent is running\n");
    };
    let request = Request::new("POST", "stop").patient();
    let reply: StopReply = context
        .agent
        .exchange_to_the_end(stream, &request)?
        .decode()?;
    context.finish(&format!("the agent has stopped (pid {})\n", reply.pid))
}
