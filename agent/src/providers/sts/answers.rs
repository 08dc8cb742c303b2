//! STS's answers as our own types. The SDK's do not wipe what they hold, so each text is moved, not copied,
//! into a type that does.

use aws_sdk_sts::operation::RequestId;
use aws_sdk_sts::operation::assume_role::AssumeRoleOutput;
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use aws_sdk_sts::operation::get_session_token::GetSessionTokenOutput;
use aws_sdk_sts::types::Credentials;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use jumpgate_api::{Secret, Timestamp};
use jumpgate_iam::CallerArn;

use super::errors::invalid;
use super::query::{Answered, element};
use crate::domain::identity::{AccessKeyId, BaseCredentials};
use crate::domain::session::{AssumedRole, MAX_TOKEN_BYTES};
use crate::ports::TokenError;

/// The longest ARN or role id that is taken from an answer, in bytes (ARNs: 2,048).
const MAX_NAME_BYTES: usize = 2_048;

pub(super) fn caller(output: GetCallerIdentityOutput) -> Result<CallerArn, TokenError> {
    let id = output.request_id().map(str::to_owned);
    let arn = output.arn.ok_or_else(|| missing("Arn", id.as_deref()))?;
    let unknown = |error| {
        invalid(
            &format!("STS named a caller that is not known: {error}"),
            id.as_deref(),
        )
    };
    CallerArn::parse(&arn).map_err(unknown)
}

pub(super) fn base_credentials(
    output: GetSessionTokenOutput,
) -> Result<BaseCredentials, TokenError> {
    let id = output.request_id().map(str::to_owned);
    let parts = parts(output.credentials, id.as_deref())?;
    Ok(BaseCredentials {
        access_key_id: parts.access_key_id,
        secret_access_key: parts.secret_access_key,
        session_token: Some(parts.session_token),
        expires_at: Some(parts.expires_at),
    })
}

// PackedPolicySize: where the session token has the only limit (since September 2026), it may stay away.
#[expect(deprecated, reason = "partitions with the older limit still report it")]
pub(super) fn assumed_role(output: AssumeRoleOutput) -> Result<AssumedRole, TokenError> {
    let request_id = output.request_id().map(str::to_owned);
    let id = request_id.as_deref();
    let parts = parts(output.credentials, id)?;
    let user = output
        .assumed_role_user
        .ok_or_else(|| missing("AssumedRoleUser", id))?;
    if user.arn.len() > MAX_NAME_BYTES || user.assumed_role_id.len() > MAX_NAME_BYTES {
        return Err(invalid("STS's answer has a name of impossible length", id));
    }
    Ok(AssumedRole {
        access_key_id: parts.access_key_id,
        secret_access_key: parts.secret_access_key,
        session_token: parts.session_token,
        expires_at: parts.expires_at,
        arn: user.arn,
        assumed_role_id: user.assumed_role_id,
        packed_policy_percent: output.packed_policy_size.and_then(percent),
        token_percent: output.session_token_utilization.and_then(percent),
        request_id,
    })
}

/// API_GetScopedCredentials, "Response Elements".
pub(super) fn scoped_credentials(answer: Answered) -> Result<AssumedRole, TokenError> {
    let id = answer.request_id.as_deref();
    let text = |name: &str| element(&answer.body, name).ok_or_else(|| missing(name, id));
    let plain = |name: &str| text(name).map(|text| text.to_string());
    let (arn, session) = (plain("Arn")?, plain("ScopedSessionId")?);
    if arn.len() > MAX_NAME_BYTES || session.len() > MAX_NAME_BYTES {
        return Err(invalid("STS's answer has a name of impossible length", id));
    }
    let expiration = DateTime::from_str(&plain("Expiration")?, Format::DateTime);
    let made = Made {
        access_key_id: plain("AccessKeyId")?,
        secret_access_key: Secret::new(plain("SecretAccessKey")?),
        session_token: Secret::new(plain("SessionToken")?),
        expires_at: expiration.ok().as_ref().and_then(timestamp),
    };
    let parts = made.parts(id)?;
    let percent = element(&answer.body, "SessionTokenUtilization");
    Ok(AssumedRole {
        access_key_id: parts.access_key_id,
        secret_access_key: parts.secret_access_key,
        session_token: parts.session_token,
        expires_at: parts.expires_at,
        arn,
        assumed_role_id: session,
        packed_policy_percent: None,
        token_percent: percent.and_then(|percent| percent.parse().ok()),
        request_id: answer.request_id,
    })
}

struct Parts {
    access_key_id: AccessKeyId,
    secret_access_key: Secret<String>,
    session_token: Secret<String>,
    expires_at: Timestamp,
}

fn parts(credentials: Option<Credentials>, id: Option<&str>) -> Result<Parts, TokenError> {
    let credentials = credentials.ok_or_else(|| missing("Credentials", id))?;
    let made = Made {
        access_key_id: credentials.access_key_id,
        secret_access_key: Secret::new(credentials.secret_access_key),
        session_token: Secret::new(credentials.session_token),
        expires_at: timestamp(&credentials.expiration),
    };
    made.parts(id)
}

/// Credentials as they came.
struct Made {
    access_key_id: String,
    secret_access_key: Secret<String>,
    session_token: Secret<String>,
    expires_at: Option<Timestamp>,
}

impl Made {
    fn parts(self, id: Option<&str>) -> Result<Parts, TokenError> {
        if self.secret_access_key.expose().is_empty() {
            return Err(missing("SecretAccessKey", id));
        }
        let size = self.session_token.expose().len();
        if !(1..=MAX_TOKEN_BYTES).contains(&size) {
            let what = format!("STS answered with a session token of {size} bytes");
            return Err(invalid(&what, id));
        }
        Ok(Parts {
            access_key_id: AccessKeyId::parse(&self.access_key_id)
                .map_err(|_| invalid("STS's answer has no legal AccessKeyId", id))?,
            secret_access_key: self.secret_access_key,
            session_token: self.session_token,
            expires_at: self
                .expires_at
                .ok_or_else(|| invalid("STS's answer has no legal Expiration", id))?,
        })
    }
}

pub(super) fn timestamp(instant: &DateTime) -> Option<Timestamp> {
    let seconds = instant.secs();
    (seconds > 0).then(|| Timestamp::from_unix_seconds(seconds))
}

/// STS promises no more than 100 for an accepted request; a negative number is no number.
fn percent(value: i32) -> Option<u32> {
    u32::try_from(value).ok()
}

pub(super) fn missing(field: &str, id: Option<&str>) -> TokenError {
    invalid(&format!("STS's answer has no {field}"), id)
}
