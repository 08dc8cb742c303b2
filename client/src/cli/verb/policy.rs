//! The commands about policies as typed values.

use std::ffi::OsString;

use super::{Json, Made, Verb};
use crate::cli::parser::Matches;
use crate::failure::Failure;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PolicyVerb {
    Lint(Lint),
    /// What the agent's program is run with.
    Offline(Vec<OsString>),
    /// All presets, or the one of that name.
    Presets {
        name: Option<String>,
        json: Json,
    },
}

/// Which files to hold against the rules, and how to show what is found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lint {
    /// One or more.
    pub(crate) files: Vec<OsString>,
    pub(crate) kind: Option<String>,
    pub(crate) class: Option<String>,
    pub(crate) identity: Option<String>,
    /// As the agent calls it: `text`, `json` or `sarif`.
    pub(crate) format: &'static str,
}

pub(crate) fn policy_lint(matches: &mut Matches) -> Made {
    let format = match (matches.flag("json"), matches.flag("sarif")) {
        (true, true) => return Err(Failure::usage("--json and --sarif exclude each other")),
        (true, false) => "json",
        (false, true) => "sarif",
        (false, false) => "text",
    };
    let mut files = Vec::new();
    while let Some(file) = matches.take("FILE") {
        files.push(file);
    }
    Ok(Verb::Policy(PolicyVerb::Lint(Lint {
        files,
        kind: matches.text("kind")?,
        class: matches.text("class")?,
        identity: matches.text("identity")?,
        format,
    })))
}

pub(crate) fn policy_jump(matches: &mut Matches) -> Made {
    let mut words: Vec<OsString> = vec!["--jump".into()];
    if matches.flag("json") {
        words.push("--json".into());
    }
    if let Some(file) = matches.take("check") {
        words.extend(["--check".into(), file]);
    }
    words.push("--".into());
    words.extend(matches.take("IDENTITY"));
    Ok(Verb::Policy(PolicyVerb::Offline(words)))
}

pub(crate) fn policy_explain(matches: &mut Matches) -> Made {
    let mut words: Vec<OsString> = vec!["--explain".into()];
    for name in ["json", "exit-code"] {
        if matches.flag(name) {
            words.push(format!("--{name}").into());
        }
    }
    let valued = [
        "role-policy",
        "scp",
        "boundary",
        "managed",
        "context",
        "policy",
        "peer",
        "matrix",
    ];
    for name in valued {
        while let Some(value) = matches.take(name) {
            words.extend([format!("--{name}").into(), value]);
        }
    }
    words.push("--".into());
    for name in ["PROFILE", "ACTION", "RESOURCE"] {
        words.extend(matches.take(name));
    }
    Ok(Verb::Policy(PolicyVerb::Offline(words)))
}

pub(crate) fn policy_preset(matches: &mut Matches) -> Made {
    let shows = matches.required("list|show")? == "show";
    let json = Json(matches.flag("json"));
    let name = matches.text("NAME")?;
    let name = match (shows, name) {
        (false, None) => None,
        (true, Some(name)) => Some(name),
        (true, None) => return Err(Failure::usage("NAME is missing")),
        (false, Some(_)) => return Err(Failure::usage("list takes no NAME; show does")),
    };
    Ok(Verb::Policy(PolicyVerb::Presets { name, json }))
}
