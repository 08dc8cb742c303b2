//! `jumpgate-agent --jump`: the least policy that an IAM user needs for the profiles of an identity, and whether one
//! that exists will do. The client runs it, as it runs `--check`.
//!
//! Only roles that the identity assumes itself count; those behind `via` are assumed by another role. GetSessionToken
//! and GetCallerIdentity need no permission (their pages of the STS API reference), so they are not in it.

mod arguments;
mod check;
mod policy;

use jumpgate_api::ExitStatus;
use jumpgate_iam::Excerpt;
use serde::Serialize;

use crate::config::Config;
use crate::domain::scope::Surroundings;
use crate::lint::{NoSuchIdentity, needs};
pub(crate) use arguments::Arguments;
use check::Call;
use policy::{Needs, Policy};

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JumpError {
    /// The command line is not understood.
    #[error("{0}")]
    Usage(String),
    /// The configuration has no such identity.
    #[error(transparent)]
    Identity(#[from] NoSuchIdentity),
    /// Nothing is to be assumed.
    #[error("no profile has a role that identity {0} assumes itself")]
    NoRole(Excerpt),
}

/// What there is to say, and the exit status.
#[derive(Debug)]
pub(crate) struct Said {
    /// For standard output.
    pub(crate) text: String,
    /// For standard error: what could not be read.
    pub(crate) unread: Vec<String>,
    /// Failed if a policy that exists does not do.
    pub(crate) status: ExitStatus,
}

/// The least policy and what it is for. The keys are stable: new ones may come, none goes.
#[derive(Serialize)]
struct Document<'a> {
    identity: &'a str,
    policy: &'a Policy,
    /// Characters without whitespace; an IAM user's inline policies have 2,048 together, a managed one 6,144.
    characters: usize,
    no_permission_needed: [&'static str; 2],
    check: Option<Checked>,
}

#[derive(Serialize)]
struct Checked {
    findings: serde_json::Value,
    calls: Vec<Call>,
}

/// Writes the policy, or holds one against it.
pub(crate) fn run(
    arguments: &Arguments,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<Said, JumpError> {
    let roles = needs(&config.settings, &arguments.identity)?;
    let needs = Needs::of(&config.settings, &arguments.identity, surroundings);
    if needs.is_empty() {
        return Err(JumpError::NoRole(Excerpt::of(&arguments.identity)));
    }
    let policy = needs.policy();
    let checked = arguments
        .check
        .as_ref()
        .map(|file| check::run(file, arguments.json, &roles, &needs));
    let status = checked
        .as_ref()
        .map_or(ExitStatus::Success, |checked| checked.status);
    let unread = checked
        .as_ref()
        .map_or(Vec::new(), |checked| checked.unread.clone());
    let text = match (arguments.json, checked) {
        (false, None) => pretty(&policy),
        (false, Some(checked)) => checked.text(),
        (true, checked) => pretty(&Document {
            identity: &arguments.identity,
            characters: minified(&policy).chars().count(),
            policy: &policy,
            no_permission_needed: ["sts:GetSessionToken", "sts:GetCallerIdentity"],
            check: checked.map(|checked| Checked {
                findings: serde_json::from_str(&checked.findings).unwrap_or_default(),
                calls: checked.calls,
            }),
        }),
    };
    Ok(Said {
        text,
        unread,
        status,
    })
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("plain values become JSON") + "\n"
}

fn minified(policy: &Policy) -> String {
    serde_json::to_string(policy).expect("plain values become JSON")
}

#[cfg(test)]
mod tests;
