//! `jumpgate lock`: drops what the agent holds in memory.

use jumpgate_api::LockReply;

use super::{Context, Outcome};
use crate::connection::Request;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let running = context
        .agent
        .call_running::<LockReply>(&Request::new("POST", "lock"))?;
    let text = match running {
        Some((reply, _)) => format!(
            "locked: {} and {} dropped\n",
            counted(reply.identities, "identity", "identities"),
            counted(reply.sessions, "session", "sessions")
        ),
        // An agent that is started only to be locked would hold as little as none.
        None => "no agent is running: nothing is unlocked\n".to_owned(),
    };
    context.finish(&text)
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
