//! Rotation: an identity's long-term key is replaced by a new one, in steps that can be cut off anywhere.
//!
//! Two places have to agree, AWS and the store, and no step changes both. So each change at AWS stands between two
//! states of the store, and whatever it was cut off in, the next run goes on from what is stored:
//!
//! ```text
//! settled --> creating --> created --> switched --> retiring --> settled      (resume)
//!                 |           |            |            |
//!                 |           +----> withdrawing <------+                      (abort)
//!                 +------------> settled <--+
//! ```
//!
//! The key that is stored as current is a working one in all of them. AWS holds two keys of a user at most
//! (reference_iam-quotas), so nothing is created before the survey has found a single one.

mod run;

use std::time::Duration;

use jumpgate_api::Timestamp;

use super::identity::{AccessKeyId, LongTermKey};
use super::totp::TotpSeed;

pub use self::run::{Aim, Event, Run, Step};

/// How long the former key can be taken back, if nobody says otherwise: a day.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(86_400);

/// The longest grace: 30 days.
pub const MAX_GRACE: Duration = Duration::from_secs(30 * 86_400);

/// A key and since when it is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedKey {
    /// The key.
    pub key: LongTermKey,
    /// When a rotation made it or a person added it; unknown for what older versions stored.
    pub since: Option<Timestamp>,
}

impl DatedKey {
    fn id(&self) -> &AccessKeyId {
        &self.key.access_key_id
    }
}

/// What a store keeps of an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// The key that signs.
    pub current: DatedKey,
    /// The seed of the user's MFA device, for `mfa = "stored"`. It is the user's, whatever becomes of the keys.
    pub totp_seed: Option<TotpSeed>,
    /// The rotation that is not finished.
    pub rotation: Option<Rotation>,
}

/// A rotation that is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// How far it is.
    pub phase: Phase,
    /// How long the former key can be taken back.
    pub grace: Duration,
}

/// How far a rotation is. Each says what is true at AWS, whatever the last run was cut off in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// A key may have been made whose secret nobody has. It is none of those known before.
    Creating {
        /// The user's keys before.
        known: Vec<AccessKeyId>,
        /// When this was stored.
        at: Timestamp,
    },
    /// A key was made and is stored beside the current one; nobody knows whether AWS takes it already.
    Created {
        /// The new key.
        next: DatedKey,
    },
    /// The new key is proved and current; the former is active, or inactive already.
    Switched {
        /// The key that was current.
        former: DatedKey,
    },
    /// The former key is inactive; it is deleted, or will be.
    Retiring {
        /// The key that was current.
        former: DatedKey,
        /// When it may be deleted.
        delete_at: Timestamp,
    },
    /// The rotation is taken back: a key that nobody uses is deleted, or will be.
    Withdrawing {
        /// It.
        doomed: AccessKeyId,
    },
}

impl Phase {
    /// The word for people, the journal and the store.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Creating { .. } => "creating",
            Self::Created { .. } => "created",
            Self::Switched { .. } => "switched",
            Self::Retiring { .. } => "retiring",
            Self::Withdrawing { .. } => "withdrawing",
        }
    }

    /// The other key that it is about.
    #[must_use]
    pub fn other(&self) -> Option<&AccessKeyId> {
        match self {
            Self::Creating { .. } => None,
            Self::Created { next } => Some(next.id()),
            Self::Switched { former } | Self::Retiring { former, .. } => Some(former.id()),
            Self::Withdrawing { doomed } => Some(doomed),
        }
    }
}

impl StoredKey {
    /// A key without any history.
    #[must_use]
    pub const fn new(key: LongTermKey, since: Option<Timestamp>) -> Self {
        Self {
            current: DatedKey { key, since },
            totp_seed: None,
            rotation: None,
        }
    }

    /// Whether the former key's grace is over and nothing else is left to do.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        matches!(self.phase(), Some(Phase::Retiring { delete_at, .. }) if *delete_at <= now)
    }

    /// How far its rotation is, if one is not finished.
    #[must_use]
    pub fn phase(&self) -> Option<&Phase> {
        self.rotation.as_ref().map(|rotation| &rotation.phase)
    }

    fn settled(&self) -> Self {
        Self {
            current: self.current.clone(),
            totp_seed: self.totp_seed.clone(),
            rotation: None,
        }
    }

    /// The next state of its rotation.
    fn with(&self, current: &DatedKey, phase: Phase, grace: Duration) -> Self {
        Self {
            current: current.clone(),
            totp_seed: self.totp_seed.clone(),
            rotation: Some(Rotation { phase, grace }),
        }
    }
}

/// What may be told of a stored key: no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHistory {
    /// The key that signs.
    pub current: AccessKeyId,
    /// Since when it is ours.
    pub since: Option<Timestamp>,
    /// How far its rotation is, if one is not finished.
    pub phase: Option<&'static str>,
    /// The other key of that rotation.
    pub other: Option<AccessKeyId>,
    /// When the former key may be deleted.
    pub delete_at: Option<Timestamp>,
}

impl KeyHistory {
    /// What may be told of this one.
    #[must_use]
    pub fn of(stored: &StoredKey) -> Self {
        let phase = stored.phase();
        Self {
            current: stored.current.id().clone(),
            since: stored.current.since,
            phase: phase.map(Phase::as_str),
            other: phase.and_then(Phase::other).cloned(),
            delete_at: match phase {
                Some(Phase::Retiring { delete_at, .. }) => Some(*delete_at),
                _ => None,
            },
        }
    }
}

/// One key of the user, as AWS lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// Its id.
    pub id: AccessKeyId,
    /// Whether AWS takes it.
    pub active: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it signed last.
    pub last_used: LastUse,
}

/// When a key signed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastUse {
    /// Not that AWS knew.
    Never,
    /// Then.
    At(Timestamp),
    /// AWS was not asked, or did not say.
    Unknown,
}

/// Why a rotation does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is nothing to resume or to abort.
    #[error("no rotation is under way")]
    NotUnderWay,
    /// One has to be ended first.
    #[error("a rotation is under way already: {0}")]
    UnderWay(&'static str),
    /// AWS's limit is reached.
    #[error("the user has two access keys, the most that AWS allows: {}", shown(.0))]
    NoRoom(Vec<ListedKey>),
    /// A key appeared that may be somebody's.
    #[error("the user has a second access key that may not be ours: {}", shown(.0))]
    Foreign(Vec<ListedKey>),
    /// The key that is stored is none of the user's.
    #[error("the stored key {} is none of the user's access keys", .0.as_str())]
    Unlisted(AccessKeyId),
    /// The former key was deleted.
    #[error("the former key {} is deleted at AWS, so that nothing can be taken back", .0.as_str())]
    FormerIsGone(AccessKeyId),
    /// A step brought what it cannot bring.
    #[error("a step of the rotation brought something else")]
    Confused,
}

fn shown(keys: &[ListedKey]) -> String {
    let shown = |key: &ListedKey| {
        let state = if key.active { "active" } else { "inactive" };
        let used = match key.last_used {
            LastUse::Never => ", never used".to_owned(),
            LastUse::At(at) => format!(", last used {at}"),
            LastUse::Unknown => String::new(),
        };
        format!("{} ({state}{used})", key.id.as_str())
    };
    keys.iter().map(shown).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
