//! `jumpgate agent start|stop|run`.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use jumpgate_api::{Status, StopReply};

use super::{Context, Outcome};
use crate::cli::AgentVerb;
use crate::connection::{Request, program, wait_for_process};
use crate::failure::Failure;

/// How long the agent's process may go on behind its last answer.
const LAST_STEPS: Duration = Duration::from_secs(5);

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
            Err(Failure::cannot_run_agent(&error))
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
    // What it does behind its last byte is to take its socket away. It has stopped either way.
    let _in_another_namespace = wait_for_process(reply.pid, LAST_STEPS);
    context.finish(&format!("the agent has stopped (pid {})\n", reply.pid))
}
