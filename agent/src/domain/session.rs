//! A session: what AssumeRole gave, once it is known to be what was asked for.

use std::time::Duration;

use jumpgate_api::{Secret, Timestamp};
use jumpgate_iam::{CallerArn, RoleArn};

use super::assume_role::AssumeRoleRequest;
use super::identity::{AccessKeyId, BaseCredentials};
use super::name::SessionId;

/// The largest session token, in bytes (AWS, September 2026: one limit of 4,096 bytes).
pub const MAX_TOKEN_BYTES: usize = 4_096;

/// How far AWS's clock and ours may differ before an expiry counts as not what was asked for. AWS refuses
/// signatures that are 5 minutes off, so a larger difference cannot come with an answer.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(300);

/// AWS's answer to AssumeRole, not yet believed.
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
    /// `AssumedRoleUser.Arn`
    pub arn: String,
    /// `AssumedRoleUser.AssumedRoleId`
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
    let token_bytes = answer.session_token.expose().len();
    if !(1..=MAX_TOKEN_BYTES).contains(&token_bytes) {
        return Err(InvalidAnswer::TokenSize(token_bytes));
    }
    Ok(Session {
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

fn is_for(asked: &AssumeRoleRequest, arn: &str) -> bool {
    CallerArn::parse(arn).is_ok_and(|caller| caller.is_session_of(&asked.role, &asked.session_name))
}

impl Session {
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
