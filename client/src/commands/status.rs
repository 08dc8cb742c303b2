//! `jumpgate status`.

use super::{Context, Outcome};
use crate::cli::Json;
use crate::connection::Request;
use crate::output::listings;

pub(super) fn run(context: &mut Context<'_>, json: Json) -> Outcome {
    let now = context.now;
    context.list(json, &Request::new("GET", "status"), |status| {
        listings::status(status, now)
    })
}
