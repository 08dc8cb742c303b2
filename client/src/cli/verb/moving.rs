//! The commands that move in from `~/.aws`, as typed values.

use std::ffi::OsString;

use super::{IdentityVerb, Made, Verb};
use crate::cli::parser::Matches;
use crate::failure::Failure;

/// Where a key comes from instead of the terminal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeySource {
    /// A profile of the AWS CLI.
    pub(crate) profile: String,
    /// Whether it is taken out of there.
    pub(crate) remove: bool,
}

pub(crate) fn import(matches: &mut Matches) -> Made {
    let mut words = flags(matches, &["write", "aws-vault", "json"]);
    if let Some(account) = matches.take("account") {
        words.extend(["--account".into(), account]);
    }
    Ok(Verb::Import(words))
}

pub(crate) fn configure(matches: &mut Matches) -> Made {
    let mut words = flags(matches, &["write", "replace", "json"]);
    words.push("--".into());
    while let Some(profile) = matches.take("PROFILE") {
        words.push(profile);
    }
    Ok(Verb::Configure(words))
}

/// Those that were given, as the agent's program takes them.
fn flags(matches: &Matches, names: &[&str]) -> Vec<OsString> {
    let given = names.iter().filter(|name| matches.flag(name));
    given.map(|name| format!("--{name}").into()).collect()
}

pub(crate) fn identity_add(matches: &mut Matches) -> Made {
    let remove = matches.flag("remove-source");
    let profile = matches.text("from-aws-profile")?;
    if remove && profile.is_none() {
        return Err(Failure::usage("--remove-source needs --from-aws-profile"));
    }
    Ok(Verb::Identity(IdentityVerb::Add {
        name: matches.required("NAME")?,
        source: profile.map(|profile| KeySource { profile, remove }),
    }))
}
