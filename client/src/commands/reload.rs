//! `jumpgate reload`: the configuration is read again.

use std::fmt::Write;

use jumpgate_api::ReloadReply;

use super::{Context, Outcome};
use crate::connection::Request;
use crate::output::{counted, escape};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let reply: ReloadReply = context.agent.call(&Request::new("POST", "reload"))?;
    let path = escape(&reply.config_path);
    let profiles = counted(reply.profiles, "profile", "profiles");
    let identities = counted(reply.identities, "identity", "identities");
    let mut text = format!("{path}: in force, {profiles} and {identities}\n");
    for warning in &reply.warnings {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  warning: {}", escape(warning));
    }
    context.finish(&text)
}
