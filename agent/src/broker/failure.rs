//! Why a request to the broker fails. Shared by all waiters of a flight, so it can be cloned.

use std::time::Duration;

use jumpgate_api::Code;

use crate::domain::grant::Denial;
use crate::domain::identity::{Mfa, UnfitKey};
use crate::domain::name::{IdentityName, LeaseId, ProfileName};
use crate::domain::rotation::Refusal;
use crate::domain::rule::RuleName;
use crate::domain::scope::ScopeError;
use crate::domain::session::InvalidAnswer;
use crate::ports::{JournalError, PromptError, StoreError, TokenError, TokenErrorKind};

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The user locked the agent.
    #[error("the agent is locked")]
    Locked,
    /// The rules say no.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// What would be sent is not legal.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// No identity of this name is configured.
    #[error("no identity is called {0}")]
    NoSuchIdentity(String),
    /// No such lease is live.
    #[error("no lease {0} is live")]
    NoSuchLease(LeaseId),
    /// A person has to supply something, and cannot be asked from here.
    #[error("identity {identity} is locked: {}", needs.describe())]
    InteractionRequired {
        /// The identity.
        identity: IdentityName,
        /// What is missing.
        needs: Needs,
    },
    /// The profile or a rule asks for a person's yes, and nobody can be asked.
    #[error("{0} asks for a person's yes, and nobody can be asked from here")]
    ConfirmationUnavailable(String),
    /// The process that asked has ended, or became another program, and a rule was for the one that it was.
    #[error(
        "the process that asked is not the same any more, and the rule {0} is for the one that it was"
    )]
    PeerChanged(RuleName),
    /// A person was asked for a yes, and there is none.
    #[error("profile {profile}: {error}")]
    Unconfirmed {
        /// The profile.
        profile: ProfileName,
        /// Why.
        error: PromptError,
    },
    /// A person is being asked, and this caller cannot wait for the answer.
    #[error("{0}: a person is being asked")]
    BeingAsked(String),
    /// A person was asked and gave no answer.
    #[error("identity {identity}: {error}")]
    Unanswered {
        /// The identity.
        identity: IdentityName,
        /// Why.
        error: PromptError,
    },
    /// The code was sent to AWS before; AWS takes each code once.
    #[error("identity {0}: this MFA code was used already")]
    CodeUsedBefore(IdentityName),
    /// The store did not do its work.
    #[error("identity {identity}: {error}")]
    Store {
        /// The identity.
        identity: IdentityName,
        /// Why.
        error: StoreError,
    },
    /// The key is not one that we keep.
    #[error(transparent)]
    Unfit(#[from] UnfitKey),
    /// A rotation does not go on.
    #[error("identity {identity}: {refusal}")]
    Rotation {
        /// The identity.
        identity: IdentityName,
        /// Why.
        refusal: Refusal,
    },
    /// STS gave nothing.
    #[error("{call}: {error}")]
    Upstream {
        /// Which call, such as `AssumeRole arn:…`.
        call: String,
        /// Why.
        error: TokenError,
    },
    /// STS found the policies and tags too large.
    #[error("{call}: {error}; what was sent: {weights}")]
    TooLarge {
        /// Which call.
        call: String,
        /// What STS said.
        error: TokenError,
        /// What each part weighs.
        weights: String,
    },
    /// STS gave something else.
    #[error("{call}: {error}")]
    Invalid {
        /// Which call.
        call: String,
        /// What was wrong with it.
        error: InvalidAnswer,
    },
    /// The caller's patience ended before an answer came.
    #[error("no answer in {} ms", .0.as_millis())]
    Waited(Duration),
    /// What cannot be recorded is not handed out.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A limit of ours.
    #[error("{0}")]
    Busy(&'static str),
    /// A fault of ours.
    #[error("a fault of the agent: {0}")]
    Internal(&'static str),
}

/// What a person has to supply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The passphrase of the sealed key.
    pub passphrase: bool,
    /// A code of this MFA device.
    pub mfa_serial: Option<String>,
    /// The seed of the MFA device, to be kept.
    pub totp_seed: bool,
}

impl Needs {
    pub(super) fn passphrase() -> Self {
        Self {
            passphrase: true,
            ..Self::default()
        }
    }

    pub(super) fn code(mfa: &Mfa) -> Self {
        Self {
            mfa_serial: Some(mfa.serial.to_string()),
            ..Self::default()
        }
    }

    pub(super) fn seed() -> Self {
        Self {
            totp_seed: true,
            ..Self::default()
        }
    }

    /// Whether nothing is missing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.passphrase && self.mfa_serial.is_none() && !self.totp_seed
    }

    fn describe(&self) -> &'static str {
        match (self.passphrase, self.mfa_serial.is_some()) {
            (true, true) => "it needs its passphrase and an MFA code",
            (true, false) => "it needs its passphrase",
            (false, _) if self.totp_seed => "it needs the TOTP seed of its MFA device",
            (false, _) => "it needs an MFA code",
        }
    }
}

impl Failure {
    /// The problem code that a peer and the journal see.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Locked => Code::Locked,
            Self::Denied(Denial::NoSuchProfile(_)) => Code::ProfileNotFound,
            Self::Denied(_) => Code::AccessDenied,
            Self::Scope(_) => Code::InvalidRequest,
            Self::NoSuchIdentity(_) => Code::IdentityNotFound,
            Self::NoSuchLease(_) => Code::LeaseNotFound,
            Self::InteractionRequired { .. }
            | Self::ConfirmationUnavailable(_)
            | Self::BeingAsked(_) => Code::InteractionRequired,
            Self::Unconfirmed { error, .. } => unanswered_code(error, Code::InteractionRequired),
            Self::Unanswered { error, .. } => unanswered_code(error, Code::IdentityLocked),
            Self::CodeUsedBefore(_) | Self::Unfit(_) | Self::PeerChanged(_) => Code::AccessDenied,
            Self::Store { error, .. } => match error {
                StoreError::NothingStored => Code::IdentityNotFound,
                StoreError::PassphraseMissing | StoreError::WrongPassphrase => Code::IdentityLocked,
                StoreError::Declined => Code::UserDeclined,
                StoreError::Unavailable { .. } | StoreError::Malformed { .. } => {
                    Code::StoreUnavailable
                }
            },
            Self::Upstream { error, .. } | Self::TooLarge { error, .. } => {
                upstream_code(error.kind)
            }
            Self::Rotation { .. } => Code::Conflict,
            Self::Invalid { .. } => Code::UpstreamInvalid,
            Self::Waited(_) => Code::UpstreamTimedOut,
            Self::Journal(_) => Code::JournalUnavailable,
            Self::Busy(_) => Code::Busy,
            Self::Internal(_) => Code::Internal,
        }
    }

    /// How long the same question is answered with the same failure, so that a retry storm costs one call to
    /// STS: some SDKs repeat a refused request five times within four seconds. What a person can mend at once
    /// is not remembered.
    #[must_use]
    pub fn remembered(&self) -> Option<Duration> {
        match self {
            Self::Upstream { error, .. } => Some(match error.kind {
                TokenErrorKind::Throttled
                | TokenErrorKind::Unavailable
                | TokenErrorKind::TimedOut
                | TokenErrorKind::Invalid => TEMPORARY,
                TokenErrorKind::Denied
                | TokenErrorKind::MfaRejected
                | TokenErrorKind::CredentialsRejected
                | TokenErrorKind::RequestRejected
                | TokenErrorKind::ClockSkewed
                | TokenErrorKind::RegionDisabled => FOR_GOOD,
            }),
            Self::TooLarge { .. } => Some(FOR_GOOD),
            Self::Invalid { .. } => Some(TEMPORARY),
            Self::Unanswered {
                error: PromptError::Declined,
                ..
            }
            | Self::Unconfirmed {
                error: PromptError::Declined,
                ..
            }
            | Self::Store {
                error: StoreError::Declined,
                ..
            } => Some(FOR_GOOD),
            Self::Unconfirmed {
                error: PromptError::TimedOut | PromptError::NoPrompter | PromptError::Failed(_),
                ..
            }
            | Self::Unanswered { .. }
            | Self::Store { .. } => Some(TEMPORARY),
            Self::Locked
            | Self::Denied(_)
            | Self::Scope(_)
            | Self::NoSuchIdentity(_)
            | Self::NoSuchLease(_)
            | Self::InteractionRequired { .. }
            | Self::ConfirmationUnavailable(_)
            | Self::BeingAsked(_)
            | Self::Unconfirmed {
                error: PromptError::Withdrawn,
                ..
            }
            | Self::PeerChanged(_)
            | Self::CodeUsedBefore(_)
            | Self::Unfit(_)
            | Self::Rotation { .. }
            | Self::Waited(_)
            | Self::Journal(_)
            | Self::Busy(_)
            | Self::Internal(_) => None,
        }
    }
}

const fn unanswered_code(error: &PromptError, otherwise: Code) -> Code {
    match error {
        PromptError::Declined => Code::UserDeclined,
        PromptError::NoPrompter
        | PromptError::TimedOut
        | PromptError::Withdrawn
        | PromptError::Failed(_) => otherwise,
    }
}

const fn upstream_code(kind: TokenErrorKind) -> Code {
    match kind {
        TokenErrorKind::Denied
        | TokenErrorKind::MfaRejected
        | TokenErrorKind::CredentialsRejected
        | TokenErrorKind::RequestRejected
        | TokenErrorKind::ClockSkewed
        | TokenErrorKind::RegionDisabled => Code::UpstreamDenied,
        TokenErrorKind::Throttled => Code::UpstreamThrottled,
        TokenErrorKind::Unavailable => Code::UpstreamUnavailable,
        TokenErrorKind::TimedOut => Code::UpstreamTimedOut,
        TokenErrorKind::Invalid => Code::UpstreamInvalid,
    }
}

/// A denial is remembered this long.
pub const FOR_GOOD: Duration = Duration::from_secs(10);

/// A failure that may pass is remembered this long.
pub const TEMPORARY: Duration = Duration::from_secs(3);
