//! What the parts of a request weigh: before it is sent, and for the explanation when AWS finds all of it too large.
//!
//! AWS packs policies and tags into a form of its own and tells a percentage of the whole (API_AssumeRole,
//! PackedPolicySize), so these are the characters of what was sent: what is large here is large there.

use jumpgate_iam::policy::DOCUMENTED_POLICY_CHARACTERS;
use jumpgate_iam::{PolicyArns, PolicyDocument};

use super::assume_role::{AssumeRoleRequest, ScopeDown};
use super::narrowing::{Narrowed, Way};

/// What an ask's policy makes too long by AWS's documentation, which AWS may take all the same. Of a profile's own
/// policy the configuration's warnings say it.
#[must_use]
pub fn too_long(
    narrowed: &Narrowed,
    policy: Option<&PolicyDocument>,
    scope_down: Option<&ScopeDown>,
) -> Option<String> {
    narrowed.policy.as_ref()?;
    let (what, sent) = match narrowed.way {
        Way::SessionPolicy => ("the policy asked for", policy),
        Way::ScopeDown => (
            "the policy asked for",
            scope_down.and_then(|taken| taken.policy.as_ref()),
        ),
        Way::Denies => (
            "the profile's policy with the one asked for as denies",
            policy,
        ),
    };
    let sent = sent.filter(|policy| policy.exceeds_documented_limit())?;
    Some(format!(
        "{what} has {} characters when minified, and AWS may refuse more than {DOCUMENTED_POLICY_CHARACTERS}",
        sent.characters()
    ))
}

/// What a profile sends, to be found again in the journal.
#[derive(Debug)]
pub struct Sent<'a> {
    /// The profile.
    pub profile: &'a str,
    /// The inline session policy.
    pub policy: Option<&'a PolicyDocument>,
    /// The managed session policies.
    pub arns: &'a PolicyArns,
    /// How an ask's policy went into these.
    pub way: Option<Way>,
}

/// What AWS said of a session's size when it made one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSize {
    /// When, as in the journal.
    pub at: String,
    /// `PackedPolicySize`, percent; absent without policies and tags.
    pub packed_policy_percent: Option<u64>,
    /// The session token's size, bytes.
    pub token_bytes: u64,
    /// `SessionTokenUtilization`, percent.
    pub token_percent: Option<u64>,
}

/// The parts of a request, each with its characters: `an inline policy of 2731 characters; …`.
#[must_use]
pub fn weights(request: &AssumeRoleRequest) -> String {
    let inline = request.policy.iter();
    let inline = inline.map(inline_weight);
    let arns = request.policy_arns.iter().map(|arn| {
        let arn = arn.to_string();
        format!("{arn} of {} characters", arn.len())
    });
    let tags = request.tags.iter();
    let characters: usize = tags
        .map(|(key, value)| length(key.as_str()) + length(value.as_str()))
        .sum();
    let tags = match request.tags.len() {
        0 => None,
        1 => Some(format!("1 tag of {characters} characters")),
        count => Some(format!("{count} tags of {characters} characters together")),
    };
    inline
        .chain(arns)
        .chain(tags)
        .collect::<Vec<_>>()
        .join("; ")
}

/// The same of a scope-down: its own policy, and what the session that it is taken from carries.
#[must_use]
pub fn scoped_weights(taken: &ScopeDown, session: &AssumeRoleRequest) -> String {
    let own = taken.policy.iter().map(inline_weight);
    let carried = Some(weights(session)).filter(|weights| !weights.is_empty());
    own.chain(carried.map(|weights| format!("the session that it narrows has {weights}")))
        .collect::<Vec<_>>()
        .join("; ")
}

fn inline_weight(policy: &PolicyDocument) -> String {
    format!("an inline policy of {} characters", policy.characters())
}

fn length(text: &str) -> usize {
    text.chars().count()
}
