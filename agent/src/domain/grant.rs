//! Rules × peer × profile × ask: a [`Grant`] with its bounds, or a [`Denial`].

use std::sync::Arc;

use jumpgate_api::Interface;
use jumpgate_iam::{PolicyArns, PolicyDocument, RoleDuration, TagKey, TagValue};

use super::name::ProfileName;
use super::peer::Peer;
use super::profile::Profile;
use super::settings::Settings;

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
    pub duration: Option<RoleDuration>,
    /// Further tags.
    pub tags: Vec<(TagKey, TagValue)>,
}

/// Yes, within these bounds.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The profiles to assume, the asked one last.
    pub chain: Vec<Arc<Profile>>,
    /// The asked profile.
    pub profile: Arc<Profile>,
    /// How long the session shall live.
    pub duration: RoleDuration,
    /// The session policy that the ask brings, where the profile has none.
    pub policy: Option<PolicyDocument>,
    /// The managed policies that the ask brings, where the profile has no session policies.
    pub policy_arns: PolicyArns,
    /// The tags that the ask brings.
    pub tags: Vec<(TagKey, TagValue)>,
    /// Whether a person must say yes first.
    pub confirm: bool,
    /// Why, for the journal.
    pub reason: Option<String>,
    /// For which ticket, for the journal and templates.
    pub ticket: Option<String>,
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
    /// AWS adds session policies up, so a second one beside the profile's would widen it.
    #[error(
        "profile {0} has session policies of its own, and a second one beside them would widen it"
    )]
    PolicyWouldWiden(ProfileName),
    /// Managed policies can be passed to AssumeRole only, where AWS adds them to the profile's own.
    #[error(
        "profile {0} has session policies of its own, and the managed policies of the preset beside \
         them would widen it"
    )]
    PresetWouldWiden(ProfileName),
    /// The profile takes no duration from callers.
    #[error("profile {0} takes no duration from a caller")]
    DurationNotTaken(ProfileName),
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
            Self::PolicyWouldWiden(_) => "leave --policy out, or use a profile without a policy",
            Self::PresetWouldWiden(_) => {
                "use a preset without managed policies: jumpgate policy preset list"
            }
            Self::DurationNotTaken(_) => {
                "leave --duration out, or add duration = true to its narrow"
            }
            Self::DurationTooLong { .. } => "ask for a shorter --duration",
            Self::TagNotTaken { .. } => "leave the tag out, or add its key to tags in its narrow",
            Self::TagIsTheProfiles { .. } => "leave the tag out",
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
    if !chain.iter().all(|hop| may_see(hop, peer)) {
        return Err(hidden());
    }
    let name = || profile.name.clone();
    if chain.iter().any(|hop| hop.require.reason) && ask.reason.is_none() {
        return Err(Denial::ReasonMissing(name()));
    }
    if chain.iter().any(|hop| hop.require.ticket) && ask.ticket.is_none() {
        return Err(Denial::TicketMissing(name()));
    }
    Ok(Grant {
        confirm: chain.iter().any(|hop| hop.require.confirm),
        chain,
        duration: granted_duration(profile, ask.narrowing.duration)?,
        policy: granted_policy(profile, &ask.narrowing)?,
        policy_arns: ask.narrowing.policy_arns.clone(),
        tags: granted_tags(profile, &ask.narrowing.tags)?,
        profile: Arc::clone(profile),
        reason: ask.reason.clone(),
        ticket: ask.ticket.clone(),
    })
}

/// Whether the profile exists for this peer.
#[must_use]
pub fn may_see(profile: &Profile, peer: &Peer) -> bool {
    let is_it = |exe: &String| profile.peers.iter().any(|rule| rule.exe == *exe);
    profile.peers.is_empty() || peer.executable.as_ref().is_some_and(is_it)
}

fn granted_duration(
    profile: &Profile,
    asked: Option<RoleDuration>,
) -> Result<RoleDuration, Denial> {
    let allowed = profile.effective_duration();
    let Some(asked) = asked else {
        return Ok(allowed);
    };
    if !profile.narrow.duration {
        return Err(Denial::DurationNotTaken(profile.name.clone()));
    }
    if asked > allowed {
        return Err(Denial::DurationTooLong {
            profile: profile.name.clone(),
            allowed: allowed.seconds(),
            asked: asked.seconds(),
        });
    }
    Ok(asked)
}

fn granted_policy(profile: &Profile, asked: &Narrowing) -> Result<Option<PolicyDocument>, Denial> {
    let asks = asked.policy.is_some() || !asked.policy_arns.is_empty();
    match &asked.policy {
        _ if asks && !profile.narrow.policy => Err(Denial::PolicyNotTaken(profile.name.clone())),
        _ if !asked.policy_arns.is_empty() && profile.is_scoped() => {
            Err(Denial::PresetWouldWiden(profile.name.clone()))
        }
        None => Ok(None),
        Some(_) if profile.is_scoped() => Err(Denial::PolicyWouldWiden(profile.name.clone())),
        Some(policy) => Ok(Some(policy.clone())),
    }
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
