//! A profile: a named role with its identity, scope and bounds, as the configuration has it.

use jumpgate_iam::{ExternalId, PolicyArns, PolicyDocument, Region, RoleArn, RoleDuration, TagKey};

use super::name::{IdentityName, ProfileName};
use super::preset::Chosen;
use super::rule::PeerRule;
use super::template::Template;

/// A profile of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: ProfileName,
    /// The identity that the chain starts from.
    pub identity: IdentityName,
    /// The role.
    pub role: RoleArn,
    /// The account's name in the configuration, for `{account}`.
    pub account_name: Option<String>,
    /// The profile whose session assumes this role; absent for the identity itself.
    pub via: Option<ProfileName>,
    /// The region told to callers.
    pub region: Option<Region>,
    /// How long a session shall live; role chaining caps it at an hour.
    pub duration: RoleDuration,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<ExternalId>,
    /// The role session name.
    pub session_name: Template,
    /// The source identity.
    pub source_identity: Option<Template>,
    /// The preset that the session policies come from.
    pub preset: Option<Chosen>,
    /// The inline session policy.
    pub policy: Option<PolicyDocument>,
    /// The managed session policies.
    pub policy_arns: PolicyArns,
    /// The session tags, in the order of the configuration.
    pub tags: Vec<(TagKey, Template)>,
    /// Which of the tags are transitive.
    pub transitive: Vec<TagKey>,
    /// What a caller must give.
    pub require: Requirements,
    /// What a caller may add.
    pub narrow: NarrowBounds,
    /// Whether GetScopedCredentials may narrow its sessions for an ask.
    pub scope_down: bool,
    /// Whether the desktop shows each of its hand-outs.
    pub notify: bool,
    /// Who may ask; empty for any process of the same user.
    pub peers: Vec<PeerRule>,
}

/// What a caller must give before anything is unlocked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requirements {
    /// A reason.
    pub reason: bool,
    /// A ticket.
    pub ticket: bool,
    /// A person's yes.
    pub confirm: bool,
}

/// What a caller may add to narrow the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NarrowBounds {
    /// A session policy.
    pub policy: bool,
    /// A shorter duration.
    pub duration: bool,
    /// Tags with these keys.
    pub tags: Vec<TagKey>,
}

impl Default for NarrowBounds {
    /// A policy and a duration can only take away; a tag can open doors (ABAC), so none is allowed unasked.
    fn default() -> Self {
        Self {
            policy: true,
            duration: true,
            tags: Vec::new(),
        }
    }
}

impl Profile {
    /// Whether its sessions are cut down by session policies.
    #[must_use]
    pub fn is_scoped(&self) -> bool {
        self.policy.is_some() || !self.policy_arns.is_empty()
    }

    /// How long a session can really live: a chained role at most an hour
    /// (API_AssumeRole: "role chaining limits … to a maximum of one hour").
    #[must_use]
    pub fn effective_duration(&self) -> RoleDuration {
        match self.via {
            Some(_) => self.duration.capped_for_chaining(),
            None => self.duration,
        }
    }

    /// Why the effective duration is not the configured one.
    #[must_use]
    pub fn duration_note(&self) -> Option<String> {
        let effective = self.effective_duration();
        (effective != self.duration).then(|| {
            format!(
                "profile {}: {} s are capped at {} s by role chaining (via)",
                self.name,
                self.duration.seconds(),
                effective.seconds()
            )
        })
    }
}
