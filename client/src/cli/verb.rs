//! The commands as typed values, each made of what the parser found.

mod identity;
mod moving;
mod policy;

use std::ffi::OsString;
use std::path::PathBuf;

use jumpgate_api::EndpointKind;

use super::parser::Matches;
use crate::failure::Failure;

pub(crate) use self::identity::{
    IdentityVerb, KeySource, Rotate, identity_add, identity_check, identity_list, identity_remove,
    identity_rotate,
};
pub(crate) use self::moving::{configure, import};
pub(crate) use self::policy::{
    Lint, PolicyVerb, policy_explain, policy_jump, policy_lint, policy_preset,
};

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    CredentialProcess(Ask),
    Exec(Exec),
    Export(Export),
    Endpoint(Endpoint),
    Identity(IdentityVerb),
    Unlock {
        identity: Option<String>,
        json: Json,
    },
    Lock,
    Status(Json),
    Profile(ProfileVerb),
    Leases(Json),
    LeaseEnd {
        id: String,
    },
    Journal(Journal),
    Policy(PolicyVerb),
    /// What the agent's program is run with, beside the files of `~/.aws`.
    Import(Vec<OsString>),
    /// The same.
    Configure(Vec<OsString>),
    Check {
        file: Option<PathBuf>,
    },
    Doctor(Doctor),
    Reload,
    Agent(AgentVerb),
    Completions(Shell),
    Man,
}

/// How a listing is shown: JSON for programs, or text for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Json(pub(crate) bool);

/// Which session, and what to take away from it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) profile: String,
    pub(crate) narrow: NarrowFlags,
}

/// What a caller takes away from a profile's scope. It cannot add anything.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NarrowFlags {
    /// A file, or `preset:NAME`.
    pub(crate) policy: Option<OsString>,
    pub(crate) tags: Vec<(String, String)>,
    /// 1 to 43,200 seconds.
    pub(crate) duration: Option<u32>,
    pub(crate) reason: Option<String>,
    pub(crate) ticket: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exec {
    pub(crate) ask: Ask,
    pub(crate) via: Via,
    /// Not empty.
    pub(crate) command: Vec<OsString>,
}

/// How a command gets its credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// From an endpoint that lives as long as the command.
    Endpoint(EndpointKind),
    Env,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) ask: Ask,
    pub(crate) kind: EndpointKind,
    pub(crate) json: Json,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Export {
    pub(crate) ask: Ask,
    pub(crate) format: Format,
}

/// What `export` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Env,
    Fish,
    PowerShell,
    Json,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ProfileVerb {
    List(Json),
    Show { name: String, json: Json },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Journal {
    pub(crate) verb: JournalVerb,
    pub(crate) json: Json,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JournalVerb {
    Show { last: Option<u32> },
    Tail,
    Verify,
    Export,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AgentVerb {
    Start,
    Stop,
    Run,
}

/// A shell that completions are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// What `doctor` looks at, and shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Doctor {
    /// Ask for a session of each profile too.
    pub(crate) deep: bool,
    /// What the agent's program is told: `--all`, `--json`.
    pub(crate) words: Vec<&'static str>,
}

type Made = Result<Verb, Failure>;

pub(super) fn credential_process(matches: &mut Matches) -> Made {
    ask(matches).map(Verb::CredentialProcess)
}

pub(super) fn exec(matches: &mut Matches) -> Made {
    let via = match matches.text("via")?.as_deref() {
        Some("env") => Via::Env,
        via => Via::Endpoint(kind(via)),
    };
    Ok(Verb::Exec(Exec {
        ask: ask(matches)?,
        via,
        command: matches.rest(),
    }))
}

pub(super) fn export(matches: &mut Matches) -> Made {
    let format = match matches.text("format")?.as_deref() {
        Some("fish") => Format::Fish,
        Some("powershell") => Format::PowerShell,
        Some("json") => Format::Json,
        _ => Format::Env,
    };
    Ok(Verb::Export(Export {
        ask: ask(matches)?,
        format,
    }))
}

pub(super) fn endpoint(matches: &mut Matches) -> Made {
    let kind = kind(matches.text("kind")?.as_deref());
    let json = Json(matches.text("format")?.as_deref() == Some("json"));
    Ok(Verb::Endpoint(Endpoint {
        ask: ask(matches)?,
        kind,
        json,
    }))
}

/// Container is the default: SDKs refresh from it without any other request.
fn kind(word: Option<&str>) -> EndpointKind {
    match word {
        Some("imds") => EndpointKind::Imds,
        _ => EndpointKind::Container,
    }
}

pub(super) fn unlock(matches: &mut Matches) -> Made {
    Ok(Verb::Unlock {
        identity: matches.text("IDENTITY")?,
        json: json(matches),
    })
}

pub(super) fn status(matches: &mut Matches) -> Made {
    Ok(Verb::Status(json(matches)))
}

pub(super) fn profile_list(matches: &mut Matches) -> Made {
    Ok(Verb::Profile(ProfileVerb::List(json(matches))))
}

pub(super) fn profile_show(matches: &mut Matches) -> Made {
    let name = matches.required("PROFILE")?;
    Ok(Verb::Profile(ProfileVerb::Show {
        name,
        json: json(matches),
    }))
}

pub(super) fn leases(matches: &mut Matches) -> Made {
    Ok(Verb::Leases(json(matches)))
}

pub(super) fn lease_end(matches: &mut Matches) -> Made {
    Ok(Verb::LeaseEnd {
        id: matches.required("ID")?,
    })
}

pub(super) fn journal_show(matches: &mut Matches) -> Made {
    let expected = |_| Failure::usage("--last needs a number of records");
    let last = matches
        .text("last")?
        .map(|last| last.parse().map_err(expected))
        .transpose()?;
    journal(matches, JournalVerb::Show { last })
}

pub(super) fn journal_tail(matches: &mut Matches) -> Made {
    journal(matches, JournalVerb::Tail)
}

pub(super) fn journal_verify(matches: &mut Matches) -> Made {
    journal(matches, JournalVerb::Verify)
}

pub(super) fn journal_export(matches: &mut Matches) -> Made {
    journal(matches, JournalVerb::Export)
}

fn journal(matches: &Matches, verb: JournalVerb) -> Made {
    Ok(Verb::Journal(Journal {
        verb,
        json: json(matches),
    }))
}

pub(super) fn check(matches: &mut Matches) -> Made {
    Ok(Verb::Check {
        file: matches.take("FILE").map(PathBuf::from),
    })
}

pub(super) fn doctor(matches: &mut Matches) -> Made {
    let words = [("all", "--all"), ("json", "--json")];
    let given = words.into_iter().filter(|(name, _)| matches.flag(name));
    Ok(Verb::Doctor(Doctor {
        deep: matches.flag("deep"),
        words: given.map(|(_, word)| word).collect(),
    }))
}

pub(super) fn agent_start(_: &mut Matches) -> Made {
    Ok(Verb::Agent(AgentVerb::Start))
}

pub(super) fn agent_stop(_: &mut Matches) -> Made {
    Ok(Verb::Agent(AgentVerb::Stop))
}

pub(super) fn agent_run(_: &mut Matches) -> Made {
    Ok(Verb::Agent(AgentVerb::Run))
}

pub(super) fn completions(matches: &mut Matches) -> Made {
    Ok(Verb::Completions(
        match matches.required("SHELL")?.as_str() {
            "bash" => Shell::Bash,
            "zsh" => Shell::Zsh,
            _ => Shell::Fish,
        },
    ))
}

fn json(matches: &Matches) -> Json {
    Json(matches.flag("json"))
}

fn ask(matches: &mut Matches) -> Result<Ask, Failure> {
    let mut tags = Vec::new();
    while let Some(text) = matches.text("tag")? {
        tags.push(tag(&text)?);
    }
    let narrow = NarrowFlags {
        policy: matches.take("policy"),
        tags,
        duration: matches
            .text("duration")?
            .map(|text| duration_seconds(&text))
            .transpose()?,
        reason: matches.text("reason")?,
        ticket: matches.text("ticket")?,
    };
    Ok(Ask {
        profile: matches.required("PROFILE")?,
        narrow,
    })
}

/// `KEY=VALUE`; the value may hold further `=`.
fn tag(text: &str) -> Result<(String, String), Failure> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Failure::usage(format!("--tag {text} is not KEY=VALUE"))),
    }
}

/// `900s`, `15m`, `1h`: up to the 12 h that AWS grants. Less than 900 s is the profile's to allow.
fn duration_seconds(text: &str) -> Result<u32, Failure> {
    any_unit(text)
        .filter(|seconds| (1..=43_200).contains(seconds))
        .ok_or_else(|| {
            Failure::usage(format!(
                "--duration {text} is not a duration from 1 second to 12 hours"
            ))
            .hint("write it as 900s, 15m or 1h")
        })
}

/// Seconds, minutes or hours.
fn any_unit(text: &str) -> Option<u32> {
    let (end, digits) = text.as_bytes().split_last()?;
    let unit = match end {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        _ => return None,
    };
    seconds(std::str::from_utf8(digits).ok()?, unit)
}

fn seconds(digits: &str, unit: u32) -> Option<u32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let count = plain.then(|| digits.parse::<u32>().ok())??;
    count.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [
            ("900s", Some(900)),
            ("15m", Some(900)),
            ("1h", Some(3600)),
            ("12h", Some(43_200)),
            ("43200s", Some(43_200)),
            ("899s", Some(899)),
            ("1s", Some(1)),
            ("0s", None),
            ("43201s", None),
            ("13h", None),
            ("900", None),
            ("h", None),
            ("+1h", None),
            ("1 h", None),
            ("1d", None),
            ("1.5h", None),
            ("4294967296s", None),
            ("4294967295h", None),
            ("1é", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(duration_seconds(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn tags() {
        let pair = |key: &str, value: &str| Some((key.to_owned(), value.to_owned()));
        assert_eq!(tag("Ticket=OPS-1").ok(), pair("Ticket", "OPS-1"));
        assert_eq!(tag("K=a=b").ok(), pair("K", "a=b"));
        assert_eq!(tag("K=").ok(), pair("K", ""));
        assert_eq!(tag("=v").ok(), None);
        assert_eq!(tag("K").ok(), None);
    }
}
