//! `jumpgate reload`: the configuration is read again.

use std::fmt::Write;

use jumpgate_api::ReloadReply;

use super::{Context, Outcome};
use crate::connection::Request;
use crate::output::escape;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let reply: ReloadReply = context.agent.call(&Request::new("POST", "reload"))?;
    let (path, profiles, identities) =
        (escape(&reply.config_path), reply.profiles, reply.identities);
    let mut text = format!("{path}: in force, {profiles} profiles and {identities} identities\n");
    for warning in &reply.warnings {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  warning: {}", escape(warning));
    }
    context.finish(&text)
}
