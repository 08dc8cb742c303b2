//! The commands that move in from `~/.aws`, as typed values.

use std::ffi::OsString;

use super::{Made, Verb};
use crate::cli::parser::Matches;

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
