//! `jumpgate lock`: drops what the agent holds in memory.

use jumpgate_api::LockReply;

use super::{Context, Outcome};
use crate::connection::Request;
use crate::output::counted;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    // An agent that is started only to be locked would hold as little as none.
    let Some(stream) = context.agent.connect_if_running()? else {
        return context.finish("no agent is running: nothing is unlocked\n");
    };
    let reply = context
        .agent
        .exchange(stream, &Request::new("POST", "lock"))?;
    let LockReply {
        identities,
        sessions,
    } = reply.decode()?;
    let identities = counted(identities, "identity", "identities");
    let sessions = counted(sessions, "session", "sessions");
    context.finish(&format!("locked: {identities} and {sessions} dropped\n"))
}
