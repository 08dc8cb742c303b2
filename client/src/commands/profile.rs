//! `jumpgate profile list` and `show`.

use jumpgate_api::path_segment;

use super::{Context, Outcome};
use crate::cli::ProfileVerb;
use crate::connection::Request;
use crate::output::listings;

pub(super) fn run(context: &mut Context<'_>, verb: ProfileVerb) -> Outcome {
    match verb {
        ProfileVerb::List(json) => {
            context.list(json, &Request::new("GET", "profiles"), listings::profiles)
        }
        ProfileVerb::Show { name, json } => {
            let path = format!("profiles/{}", path_segment(&name));
            context.list(json, &Request::new("GET", &path), listings::profile)
        }
    }
}
