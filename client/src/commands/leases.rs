//! `jumpgate leases`: who holds what until when.

use super::{Context, Outcome};
use crate::cli::Json;
use crate::connection::Request;
use crate::output::listings;

pub(super) fn run(context: &mut Context<'_>, json: Json) -> Outcome {
    let now = context.now;
    context.list(json, &Request::new("GET", "leases"), |list| {
        listings::leases(list, now)
    })
}
