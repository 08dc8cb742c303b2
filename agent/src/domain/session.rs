//! A session: what AssumeRole gave, once it is known to be what was asked for.

use std::time::Duration;

use jumpgate_api::{Secret, Timestamp};
use jumpgate_iam::{CallerArn, RoleArn};

use super::assume_role::{AssumeRoleRequest, ScopeDown};
use super::identity::{AccessKeyId, BaseCredentials};
use super::lifetime::last_seconds;
use super::name::SessionId;

/// The largest session token, in bytes (AWS, September 2026: one limit of 4,096 bytes).
pub const MAX_TOKEN_BYTES: usize = 4_096;

/// How far AWS's clock and ours may differ before an expiry counts as not what was asked for. AWS refuses
/// signatures that are 5 minutes off, so a larger difference cannot come with an answer.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(300);

/// AWS's answer to AssumeRole or GetScopedCredentials, not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// `Credentials.AccessKeyId`
    pub access_key_id: AccessKeyId,
    /// `Credentials.SecretAccessKey`
    pub secret_access_key: Secret<String>,
    /// `Credentials.SessionToken`
    pub session_token: Secret<String>,
    /// `Credentials.Expiration`
    pub expires_at: Timestamp,
    /// `AssumedRoleUser.Arn`, `ScopedSession.Arn`
    pub arn: String,
    /// `AssumedRoleUser.AssumedRoleId`, `ScopedSession.ScopedSessionId`
    pub assumed_role_id: String,
    /// `PackedPolicySize`, percent
    pub packed_policy_percent: Option<u32>,
    /// `SessionTokenUtilization`, percent of 4,096 bytes
    pub token_percent: Option<u32>,
    /// The answer's request id
    pub request_id: Option<String>,
}

/// One cache entry: a session that may be handed out until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Our id, part of the role session name, the CloudTrail join key.
    pub id: SessionId,
    /// The role.
    pub role: RoleArn,
    /// The access key id (`ASIA…`).
    pub access_key_id: AccessKeyId,
    /// The secret access key.
    pub secret_access_key: Secret<String>,
    /// The session token.
    pub session_token: Secret<String>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When AWS stops accepting it.
    pub expires_at: Timestamp,
    /// `aws:userid` of its calls: the key to deny it by.
    pub assumed_role_id: String,
    /// `PackedPolicySize`, percent.
    pub packed_policy_percent: Option<u32>,
    /// `SessionTokenUtilization`, percent.
    pub token_percent: Option<u32>,
    /// The id of AWS's answer.
    pub request_id: Option<String>,
    /// Whether a role assumed it.
    pub chained: bool,
}

/// AWS's answer is not what was asked for. It is thrown away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAnswer {
    /// Another role, account or session name.
    #[error("STS answered for another session than the one asked for")]
    OtherSession,
    /// Already over, or about to be.
    #[error("STS answered with credentials that have expired")]
    Expired,
    /// Longer than the session that they were made from.
    #[error("STS answered with credentials that outlive the session they come from")]
    Outlives,
    /// Longer than asked for.
    #[error("STS answered with credentials that live longer than asked for")]
    TooLong,
    /// A token that AWS could not have made.
    #[error("STS answered with a session token of {0} bytes")]
    TokenSize(usize),
}

/// Believes an answer, or not.
///
/// # Errors
/// Another role than asked, an expiry in the past or beyond the duration, a token of impossible size.
pub fn accept(
    asked: &AssumeRoleRequest,
    chained: bool,
    answer: AssumedRole,
    now: Timestamp,
) -> Result<Session, InvalidAnswer> {
    if !is_for(asked, &answer.arn) {
        return Err(InvalidAnswer::OtherSession);
    }
    if answer.expires_at.since(now) <= super::lifetime::LAST_SECONDS {
        return Err(InvalidAnswer::Expired);
    }
    let asked_life = Duration::from_secs(u64::from(asked.duration.seconds()));
    if answer.expires_at.since(now) > asked_life + CLOCK_TOLERANCE {
        return Err(InvalidAnswer::TooLong);
    }
    Session::of(asked, chained, answer, now)
}

/// Believes the answer to a scope-down of a session, or not. `asked` is what the session was made by.
///
/// # Errors
/// Another session, an end in the past, after the session's own or beyond the duration, a token of impossible size.
pub fn accept_scoped(
    asked: &AssumeRoleRequest,
    within: &Session,
    taken: &ScopeDown,
    answer: AssumedRole,
    now: Timestamp,
) -> Result<Session, InvalidAnswer> {
    if !is_for(asked, &answer.arn) {
        return Err(InvalidAnswer::OtherSession);
    }
    if answer.expires_at <= now {
        return Err(InvalidAnswer::Expired);
    }
    if answer.expires_at > within.expires_at {
        return Err(InvalidAnswer::Outlives);
    }
    let asked_life = taken.duration.map(Duration::from);
    if asked_life.is_some_and(|life| answer.expires_at.since(now) > life + CLOCK_TOLERANCE) {
        return Err(InvalidAnswer::TooLong);
    }
    Session::of(asked, within.chained, answer, now)
}

fn is_for(asked: &AssumeRoleRequest, arn: &str) -> bool {
    CallerArn::parse(arn).is_ok_and(|caller| caller.is_session_of(&asked.role, &asked.session_name))
}

impl Session {
    fn of(
        asked: &AssumeRoleRequest,
        chained: bool,
        answer: AssumedRole,
        now: Timestamp,
    ) -> Result<Self, InvalidAnswer> {
        let token_bytes = answer.session_token.expose().len();
        if !(1..=MAX_TOKEN_BYTES).contains(&token_bytes) {
            return Err(InvalidAnswer::TokenSize(token_bytes));
        }
        Ok(Self {
            id: asked.session.clone(),
            role: asked.role.clone(),
            access_key_id: answer.access_key_id,
            secret_access_key: answer.secret_access_key,
            session_token: answer.session_token,
            issued_at: now,
            expires_at: answer.expires_at,
            assumed_role_id: answer.assumed_role_id,
            packed_policy_percent: answer.packed_policy_percent,
            token_percent: answer.token_percent,
            request_id: answer.request_id,
            chained,
        })
    }

    /// Whether so little of it is left that it is handed out no more.
    #[must_use]
    pub fn is_spent(&self, now: Timestamp) -> bool {
        self.expires_at.since(now) <= last_seconds(self.expires_at.since(self.issued_at))
    }

    /// What signs the next hop's call.
    #[must_use]
    pub fn as_base(&self) -> BaseCredentials {
        BaseCredentials {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.clone(),
            session_token: Some(self.session_token.clone()),
            expires_at: Some(self.expires_at),
        }
    }
}
