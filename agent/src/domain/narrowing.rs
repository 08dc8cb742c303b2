//! How what an ask takes away is put to AWS, so that nothing is allowed that profile or ask denies.
//!
//! AWS adds up the session policies of one call before it intersects them with the role (IAM user guide, "Session
//! policies"), so an ask's policy beside the profile's would widen it. The ways, in this order:
//!
//! 1. the profile has no session policy: the ask's becomes it;
//! 2. `scope_down = "sts"`: GetScopedCredentials on the profile's session, whose policy AWS intersects; the only
//!    way to a life under 15 minutes;
//! 3. the ask's policy as denies within the profile's, where that is exact; else refused.

use jumpgate_iam::narrow::complement;
use jumpgate_iam::{PolicyArns, PolicyDocument, RoleDuration, ScopedDuration};

use super::assume_role::ScopeDown;
use super::grant::{Denial, Narrowing};
use super::profile::Profile;

/// The way in which an ask was narrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The ask's policy is the session policy.
    SessionPolicy,
    /// GetScopedCredentials.
    ScopeDown,
    /// Denies within the profile's session policy.
    Denies,
}

impl Way {
    /// The text in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionPolicy => "session-policy",
            Self::ScopeDown => "scope-down",
            Self::Denies => "denies",
        }
    }
}

/// What an ask took away, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrowed {
    /// The way.
    pub way: Way,
    /// The ask's policy, if it was one.
    pub policy: Option<PolicyDocument>,
}

impl Narrowed {
    fn by(way: Way, asked: &Narrowing) -> Self {
        Self {
            way,
            policy: asked.policy.clone(),
        }
    }
}

/// What is asked of AWS for a profile and an ask.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// How long the role's session shall live.
    pub duration: RoleDuration,
    /// The role's inline session policy.
    pub policy: Option<PolicyDocument>,
    /// The role's managed session policies.
    pub policy_arns: PolicyArns,
    /// What is taken from its session afterwards.
    pub scope_down: Option<ScopeDown>,
    /// How, for the journal.
    pub narrowed: Option<Narrowed>,
}

/// Puts together what is asked of AWS. The ask must be one that the profile takes.
///
/// # Errors
/// A policy that no way is exact for; a life that none gives.
pub fn narrowed(profile: &Profile, asked: &Narrowing) -> Result<Bounds, Denial> {
    let scoped = profile.is_scoped();
    if scoped && !asked.policy_arns.is_empty() {
        return Err(Denial::PresetWouldWiden(profile.name.clone()));
    }
    let short = asked
        .duration
        .filter(|asked| RoleDuration::new(asked.seconds()).is_err());
    let intersects = asked.policy.is_some() && scoped;
    if profile.scope_down && (intersects || short.is_some()) {
        return Ok(by_scope_down(profile, asked));
    }
    let (policy, way) = match &asked.policy {
        Some(denied) if scoped => (with_denies(profile, denied)?, Some(Way::Denies)),
        _ => by_session_policy(profile, asked),
    };
    Ok(Bounds {
        duration: role_duration(profile, asked.duration)?,
        policy,
        policy_arns: arns(profile, asked),
        scope_down: None,
        narrowed: way.map(|way| Narrowed::by(way, asked)),
    })
}

/// The session policy without a second one to be narrowed by.
fn by_session_policy(
    profile: &Profile,
    asked: &Narrowing,
) -> (Option<PolicyDocument>, Option<Way>) {
    match asked.has_policies() {
        true => (asked.policy.clone(), Some(Way::SessionPolicy)),
        false => (profile.policy.clone(), None),
    }
}

/// Those of the one or of the other: never of both.
fn arns(profile: &Profile, asked: &Narrowing) -> PolicyArns {
    match profile.is_scoped() {
        true => profile.policy_arns.clone(),
        false => asked.policy_arns.clone(),
    }
}

/// The role's session is the one that callers without an ask get, where the profile has session policies: one
/// session serves them all.
fn by_scope_down(profile: &Profile, asked: &Narrowing) -> Bounds {
    let (policy, scoped, way) = match profile.is_scoped() {
        true => (profile.policy.clone(), asked.policy.clone(), None),
        false => (
            asked.policy.clone(),
            None,
            by_session_policy(profile, asked).1,
        ),
    };
    let taken = ScopeDown {
        policy: scoped,
        duration: asked.duration,
    };
    Bounds {
        duration: profile.effective_duration(),
        policy,
        policy_arns: arns(profile, asked),
        scope_down: Some(taken),
        narrowed: Some(Narrowed::by(way.unwrap_or(Way::ScopeDown), asked)),
    }
}

fn with_denies(
    profile: &Profile,
    asked: &PolicyDocument,
) -> Result<Option<PolicyDocument>, Denial> {
    complement(profile.policy.as_ref(), asked).map_err(|why| Denial::PolicyInexact {
        profile: profile.name.clone(),
        why,
    })
}

fn role_duration(profile: &Profile, asked: Option<ScopedDuration>) -> Result<RoleDuration, Denial> {
    let Some(asked) = asked else {
        return Ok(profile.effective_duration());
    };
    RoleDuration::new(asked.seconds()).map_err(|_| Denial::DurationTooShort {
        profile: profile.name.clone(),
        asked: asked.seconds(),
    })
}

#[cfg(test)]
mod tests;
