//! `jumpgate leases`: who holds what until when.

use jumpgate_api::LeaseList;

use super::{Context, Outcome};
use crate::cli::Json;
use crate::connection::Request;
use crate::output::listings;

pub(super) fn run(context: &mut Context<'_>, json: Json) -> Outcome {
    let list: LeaseList = context.agent.call(&Request::new("GET", "leases"))?;
    let now = context.now;
    context.list(json, &list, |list| listings::leases(list, now))
}
