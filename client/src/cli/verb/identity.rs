//! The commands about identities as typed values.

use jumpgate_api::RotateAim;

use super::{Json, Made, Verb, any_unit, json, seconds};
use crate::cli::parser::Matches;
use crate::failure::Failure;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IdentityVerb {
    Add {
        name: String,
        source: Option<KeySource>,
    },
    List(Json),
    Remove {
        name: String,
    },
    Check {
        name: String,
    },
    Rotate(Rotate),
}

/// A key's rotation, or the end of one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rotate {
    pub(crate) name: String,
    pub(crate) aim: RotateAim,
    /// At most 30 days.
    pub(crate) grace_seconds: Option<u32>,
    pub(crate) json: Json,
}

/// Where a key comes from instead of the terminal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeySource {
    /// A profile of the AWS CLI.
    pub(crate) profile: String,
    /// Whether it is taken out of there.
    pub(crate) remove: bool,
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

pub(crate) fn identity_list(matches: &mut Matches) -> Made {
    Ok(Verb::Identity(IdentityVerb::List(json(matches))))
}

pub(crate) fn identity_remove(matches: &mut Matches) -> Made {
    Ok(Verb::Identity(IdentityVerb::Remove {
        name: matches.required("NAME")?,
    }))
}

pub(crate) fn identity_check(matches: &mut Matches) -> Made {
    Ok(Verb::Identity(IdentityVerb::Check {
        name: matches.required("NAME")?,
    }))
}

pub(crate) fn identity_rotate(matches: &mut Matches) -> Made {
    let aim = match (matches.flag("resume"), matches.flag("abort")) {
        (false, false) => RotateAim::Begin,
        (true, false) => RotateAim::Resume,
        (false, true) => RotateAim::Abort,
        (true, true) => return Err(Failure::usage("--resume and --abort exclude one another")),
    };
    let grace = matches.text("grace")?;
    if grace.is_some() && aim == RotateAim::Abort {
        return Err(Failure::usage("with --abort there is no --grace"));
    }
    Ok(Verb::Identity(IdentityVerb::Rotate(Rotate {
        grace_seconds: grace.map(|text| grace_seconds(&text)).transpose()?,
        aim,
        json: json(matches),
        name: matches.required("NAME")?,
    })))
}

/// `0s`, `12h`, `7d`: up to the 30 days that the agent waits.
fn grace_seconds(text: &str) -> Result<u32, Failure> {
    let found = match text.strip_suffix('d') {
        Some(days) => seconds(days, 86_400),
        None => any_unit(text),
    };
    found
        .filter(|seconds| *seconds <= 2_592_000)
        .ok_or_else(|| {
            Failure::usage(format!("--grace {text} is not a duration from 0s to 30d"))
                .hint("write it as 0s, 12h or 7d")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graces() {
        let cases = [
            ("0s", Some(0)),
            ("12h", Some(43_200)),
            ("7d", Some(604_800)),
            ("30d", Some(2_592_000)),
            ("31d", None),
            ("2592001s", None),
            ("d", None),
            ("7", None),
            ("-1d", None),
            ("4294967295d", None),
        ];
        for (text, expected) in cases {
            assert_eq!(grace_seconds(text).ok(), expected, "{text}");
        }
    }
}
