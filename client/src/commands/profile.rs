//! `jumpgate profile list` and `show`.

use jumpgate_api::{ProfileDetail, ProfileList, path_segment};

use super::{Context, Outcome};
use crate::cli::ProfileVerb;
use crate::connection::Request;
use crate::output::listings;

pub(super) fn run(context: &mut Context<'_>, verb: ProfileVerb) -> Outcome {
    match verb {
        ProfileVerb::List(json) => {
            let list: ProfileList = context.agent.call(&Request::new("GET", "profiles"))?;
            context.list(json, &list, listings::profiles)
        }
        ProfileVerb::Show { name, json } => {
            let path = format!("profiles/{}", path_segment(&name));
            let detail: ProfileDetail = context.agent.call(&Request::new("GET", &path))?;
            context.list(json, &detail, listings::profile)
        }
    }
}
