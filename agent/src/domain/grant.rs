//! Rules × peer × profile × ask: a [`Grant`] with its bounds, or a [`Denial`].

use std::sync::Arc;

use jumpgate_api::Interface;
use jumpgate_iam::narrow::NarrowError;
use jumpgate_iam::{PolicyArns, PolicyDocument, RoleDuration, ScopedDuration, TagKey, TagValue};

use super::assume_role::ScopeDown;
use super::name::ProfileName;
use super::narrowing::{Narrowed, narrowed};
use super::peer::Peer;
use super::profile::Profile;
use super::rule::{RuleName, Ruled, ruled};
use super::settings::Settings;
use super::weight::too_long;

/// Longest reason, in characters.
pub const MAX_REASON: usize = 256;

/// Longest ticket, in characters.
pub const MAX_TICKET: usize = 128;

/// What a peer wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The profile.
    pub profile: ProfileName,
    /// What the credentials are for.
    pub interface: Interface,
    /// What it takes away from the profile's scope.
    pub narrowing: Narrowing,
    /// Why.
    pub reason: Option<String>,
    /// For which ticket.
    pub ticket: Option<String>,
}

/// What an ask takes away from a profile's scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// A session policy.
    pub policy: Option<PolicyDocument>,
    /// Managed policies beside it, which a preset brings.
    pub policy_arns: PolicyArns,
    /// A shorter life.
    pub duration: Option<ScopedDuration>,
    /// Further tags.
    pub tags: Vec<(TagKey, TagValue)>,
}

impl Narrowing {
    /// Whether it brings session policies.
    #[must_use]
    pub fn has_policies(&self) -> bool {
        self.policy.is_some() || !self.policy_arns.is_empty()
    }
}

/// Yes, within these bounds.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The profiles to assume, the asked one last.
    pub chain: Vec<Arc<Profile>>,
    /// The asked profile.
    pub profile: Arc<Profile>,
    /// How long the role's session shall live.
    pub duration: RoleDuration,
    /// The role's inline session policy: the profile's, the ask's, or one that stands for both.
    pub policy: Option<PolicyDocument>,
    /// The role's managed session policies: the profile's, or the ask's where the profile has no session policies.
    pub policy_arns: PolicyArns,
    /// What GetScopedCredentials takes from the role's session.
    pub scope_down: Option<ScopeDown>,
    /// How the ask's policy or life was put to AWS, for the journal.
    pub narrowed: Option<Narrowed>,
    /// The tags that the ask brings.
    pub tags: Vec<(TagKey, TagValue)>,
    /// Whether a person must say yes first.
    pub confirm: bool,
    /// The rules of `peers` that decided, for the journal.
    pub rule: Option<RuleName>,
    /// Why, for the journal.
    pub reason: Option<String>,
    /// For which ticket, for the journal and templates.
    pub ticket: Option<String>,
}

impl Grant {
    /// What the caller should know of its ask.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let narrowed = self.narrowed.as_ref()?;
        too_long(narrowed, self.policy.as_ref(), self.scope_down.as_ref())
    }
}

/// No, and why.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// No such profile, or one that this peer may not see: the two answers are the same on purpose.
    #[error("no profile is called {0}")]
    NoSuchProfile(ProfileName),
    /// The profile wants a reason.
    #[error("profile {0} asks for a reason")]
    ReasonMissing(ProfileName),
    /// The profile wants a ticket.
    #[error("profile {0} asks for a ticket")]
    TicketMissing(ProfileName),
    /// The profile takes no policy from callers.
    #[error("profile {0} takes no policy from a caller")]
    PolicyNotTaken(ProfileName),
    /// AWS adds session policies up, so a second one beside the profile's would widen it; and this one cannot be
    /// written as denies.
    #[error(
        "profile {profile} has session policies of its own, which the policy asked for would widen: {why}"
    )]
    PolicyInexact {
        /// The profile.
        profile: ProfileName,
        /// Which statement of the ask, and why.
        why: NarrowError,
    },
    /// Managed policies can be passed to AssumeRole only, where AWS adds them to the profile's own.
    #[error(
        "profile {0} has session policies of its own, and the managed policies of the preset beside \
         them would widen it"
    )]
    PresetWouldWiden(ProfileName),
    /// The profile takes no duration from callers.
    #[error("profile {0} takes no duration from a caller")]
    DurationNotTaken(ProfileName),
    /// The ask wants to live shorter than AssumeRole grants.
    #[error("profile {profile} allows no life under 900 s, and {asked} s were asked for")]
    DurationTooShort {
        /// The profile.
        profile: ProfileName,
        /// What was asked for.
        asked: u32,
    },
    /// The ask wants to live longer than the profile allows.
    #[error("profile {profile} allows {allowed} s, and {asked} s were asked for")]
    DurationTooLong {
        /// The profile.
        profile: ProfileName,
        /// Its effective duration.
        allowed: u32,
        /// What was asked for.
        asked: u32,
    },
    /// The profile takes no such tag from callers.
    #[error("profile {profile} takes no tag {} from a caller", .key.as_str().escape_debug())]
    TagNotTaken {
        /// The profile.
        profile: ProfileName,
        /// The tag's key.
        key: TagKey,
    },
    /// The ask would replace a tag of the profile.
    #[error("profile {profile} sets tag {} itself", .key.as_str().escape_debug())]
    TagIsTheProfiles {
        /// The profile.
        profile: ProfileName,
        /// The tag's key.
        key: TagKey,
    },
    /// The profile says no to whom this rule is for.
    #[error("{why} (by the rule {rule})")]
    ByRule {
        /// The rule.
        rule: RuleName,
        /// What it says.
        why: Box<Denial>,
    },
}

impl Denial {
    /// What the caller can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoSuchProfile(_) => "jumpgate profile list names those that you may use",
            Self::ReasonMissing(_) => "add --reason TEXT",
            Self::TicketMissing(_) => "add --ticket ID",
            Self::PolicyNotTaken(_) => "leave --policy out, or add policy = true to its narrow",
            Self::PresetWouldWiden(_) => {
                "use a preset without managed policies: jumpgate policy preset list"
            }
            Self::PolicyInexact { .. } => {
                "simplify that statement, or let AWS intersect: scope_down = \"sts\" in the profile"
            }
            Self::DurationNotTaken(_) => {
                "leave --duration out, or add duration = true to its narrow"
            }
            Self::DurationTooShort { .. } => {
                "ask for 15m or more, or let AWS shorten it: scope_down = \"sts\" in the profile"
            }
            Self::DurationTooLong { .. } => "ask for a shorter --duration",
            Self::TagNotTaken { .. } => "leave the tag out, or add its key to tags in its narrow",
            Self::TagIsTheProfiles { .. } => "leave the tag out",
            Self::ByRule { why, .. } => why.hint(),
        }
    }
}

/// Decides whether the peer gets what it asks for.
///
/// # Errors
/// The first rule that stands against it.
pub fn decide(settings: &Settings, peer: &Peer, ask: &Ask) -> Result<Grant, Denial> {
    let hidden = || Denial::NoSuchProfile(ask.profile.clone());
    let profile = settings.profiles.get(&ask.profile).ok_or_else(hidden)?;
    let chain = settings.chain(profile);
    // What a role asks of its callers, it asks of those too who only pass through it.
    let (chain, rule) = by_rules(&chain, peer).ok_or_else(hidden)?;
    let profile = chain.last().ok_or_else(hidden)?;
    let name = || profile.name.clone();
    if chain.iter().any(|hop| hop.require.reason) && ask.reason.is_none() {
        return Err(Denial::ReasonMissing(name()));
    }
    if chain.iter().any(|hop| hop.require.ticket) && ask.ticket.is_none() {
        return Err(Denial::TicketMissing(name()));
    }
    let within = within(Arc::clone(profile), chain.clone(), ask);
    match (within, rule) {
        (Ok(grant), rule) => Ok(Grant { rule, ..grant }),
        (Err(why), None) => Err(why),
        (Err(why), Some(rule)) => Err(Denial::ByRule {
            rule,
            why: Box::new(why),
        }),
    }
}

/// What the ask takes away from what the rules left.
fn within(profile: Arc<Profile>, chain: Vec<Arc<Profile>>, ask: &Ask) -> Result<Grant, Denial> {
    check_taken(&profile, &ask.narrowing)?;
    let bounds = narrowed(&profile, &ask.narrowing)?;
    Ok(Grant {
        confirm: chain.iter().any(|hop| hop.require.confirm),
        chain,
        duration: bounds.duration,
        policy: bounds.policy,
        policy_arns: bounds.policy_arns,
        scope_down: bounds.scope_down,
        narrowed: bounds.narrowed,
        tags: granted_tags(&profile, &ask.narrowing.tags)?,
        profile,
        rule: None,
        reason: ask.reason.clone(),
        ticket: ask.ticket.clone(),
    })
}

/// The profiles of a chain as the rules leave them for this peer, and the rules that decided; absent where one of them
/// is nothing for it.
fn by_rules(chain: &[Arc<Profile>], peer: &Peer) -> Option<(Vec<Arc<Profile>>, Option<RuleName>)> {
    let ruled: Option<Vec<Ruled>> = chain.iter().map(|hop| ruled(hop, peer)).collect();
    let (chain, rules): (Vec<_>, Vec<_>) = ruled?
        .into_iter()
        .map(|ruled| (ruled.profile, ruled.rule))
        .unzip();
    Some((chain, RuleName::joined(rules.into_iter().flatten())))
}

/// The rules that decide for a peer that asks for this profile, for the record of a refusal.
#[must_use]
pub fn rule_for(settings: &Settings, peer: &Peer, name: &ProfileName) -> Option<RuleName> {
    by_rules(&settings.chain(settings.profiles.get(name)?), peer)?.1
}

/// Whether the profile exists for this peer.
#[must_use]
pub fn may_see(profile: &Arc<Profile>, peer: &Peer) -> bool {
    ruled(profile, peer).is_some()
}

/// What the profile takes from callers, and for how long at most.
fn check_taken(profile: &Profile, asked: &Narrowing) -> Result<(), Denial> {
    if asked.has_policies() && !profile.narrow.policy {
        return Err(Denial::PolicyNotTaken(profile.name.clone()));
    }
    let Some(duration) = asked.duration else {
        return Ok(());
    };
    if !profile.narrow.duration {
        return Err(Denial::DurationNotTaken(profile.name.clone()));
    }
    let allowed = profile.effective_duration();
    if duration > allowed.into() {
        return Err(Denial::DurationTooLong {
            profile: profile.name.clone(),
            allowed: allowed.seconds(),
            asked: duration.seconds(),
        });
    }
    Ok(())
}

fn granted_tags(
    profile: &Profile,
    asked: &[(TagKey, TagValue)],
) -> Result<Vec<(TagKey, TagValue)>, Denial> {
    for (key, _) in asked {
        let same = |other: &TagKey| other.is_same_key(key);
        if profile.tags.iter().any(|(own, _)| same(own)) {
            let (profile, key) = (profile.name.clone(), key.clone());
            return Err(Denial::TagIsTheProfiles { profile, key });
        }
        if !profile.narrow.tags.contains(key) {
            let (profile, key) = (profile.name.clone(), key.clone());
            return Err(Denial::TagNotTaken { profile, key });
        }
    }
    Ok(asked.to_vec())
}

#[cfg(test)]
mod tests;
