//! `jumpgate status`.

use jumpgate_api::Status;

use super::{Context, Outcome};
use crate::cli::Json;
use crate::connection::Request;
use crate::output::listings;

pub(super) fn run(context: &mut Context<'_>, json: Json) -> Outcome {
    let status: Status = context.agent.call(&Request::new("GET", "status"))?;
    let now = context.now;
    context.list(json, &status, |status| listings::status(status, now))
}
