//! `jumpgate lease end ID`.

use jumpgate_api::{LeaseEnded, path_segment};

use super::{Context, Outcome};
use crate::connection::Request;
use crate::output::{escape, until};

pub(super) fn run(context: &mut Context<'_>, id: &str) -> Outcome {
    let request = Request::new("DELETE", &format!("leases/{}", path_segment(id)));
    let ended: LeaseEnded = context.agent.call(&request)?;
    let (id, until) = (escape(&ended.id), until(context.now, ended.valid_until));
    context.finish(&format!(
        "{id}: ended; AWS accepts what was handed out until {until}\n"
    ))
}
