//! The complete question put to AWS: the session cache's key.

use std::time::Duration;

use jumpgate_iam::{
    ExternalId, PolicyArns, PolicyDocument, RoleArn, RoleDuration, RoleSessionName, ScopedDuration,
    SessionTags, SourceIdentity, TagKey, TagValue, TransitiveTagKeys,
};

use super::identity::Endpoint;
use super::name::{IdentityName, SAMPLE_SESSION_ID, SessionId};
use super::template::Pattern;

/// Identity, endpoint and every field of every hop. Equal questions get one session, and only equal ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AssumeRole {
    /// The identity that signs the first call.
    pub identity: IdentityName,
    /// The STS that is asked.
    pub endpoint: Endpoint,
    /// The roles before the last, the first to assume first.
    pub through: Vec<Hop>,
    /// The role that is handed out.
    pub last: Hop,
    /// What GetScopedCredentials takes from its session.
    pub scope_down: Option<ScopeDown>,
}

/// A GetScopedCredentials call on the last role's session: AWS intersects its policy with all that the session
/// may, and ends it sooner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ScopeDown {
    /// `Policy`
    pub policy: Option<PolicyDocument>,
    /// `DurationSeconds`; absent for as long as the session lasts.
    pub duration: Option<ScopedDuration>,
}

impl AssumeRole {
    /// The question for the session that signs the last call; absent when the identity does.
    #[must_use]
    pub fn prefix(&self) -> Option<Self> {
        if self.scope_down.is_some() {
            return Some(Self {
                scope_down: None,
                ..self.clone()
            });
        }
        let (last, through) = self.through.split_last()?;
        Some(Self {
            identity: self.identity.clone(),
            endpoint: self.endpoint.clone(),
            through: through.to_vec(),
            last: last.clone(),
            scope_down: None,
        })
    }

    /// Whether a role assumes the last one, which AWS calls role chaining.
    #[must_use]
    pub const fn is_chained(&self) -> bool {
        !self.through.is_empty()
    }
}

impl ScopeDown {
    /// The call on a session of which so much is left: AWS refuses a duration beyond that, and takes the session's
    /// own end where none is given.
    #[must_use]
    pub fn within(self, left: Duration) -> Self {
        Self {
            duration: self.duration.filter(|asked| Duration::from(*asked) < left),
            ..self
        }
    }
}

/// One AssumeRole call, with the session id still open.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hop {
    /// `RoleArn`
    pub role: RoleArn,
    /// `DurationSeconds`
    pub duration: RoleDuration,
    /// `RoleSessionName`
    pub session_name: Pattern,
    /// `ExternalId`
    pub external_id: Option<ExternalId>,
    /// `SourceIdentity`
    pub source_identity: Option<Pattern>,
    /// `Policy`
    pub policy: Option<PolicyDocument>,
    /// `PolicyArns`
    pub policy_arns: PolicyArns,
    /// `Tags`
    pub tags: Vec<(TagKey, Pattern)>,
    /// `TransitiveTagKeys`
    pub transitive: Vec<TagKey>,
}

/// One AssumeRole call as it is sent. Legal by construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRoleRequest {
    /// Our id of the session to come.
    pub session: SessionId,
    /// `RoleArn`
    pub role: RoleArn,
    /// `DurationSeconds`
    pub duration: RoleDuration,
    /// `RoleSessionName`
    pub session_name: RoleSessionName,
    /// `ExternalId`
    pub external_id: Option<ExternalId>,
    /// `SourceIdentity`
    pub source_identity: Option<SourceIdentity>,
    /// `Policy`
    pub policy: Option<PolicyDocument>,
    /// `PolicyArns`
    pub policy_arns: PolicyArns,
    /// `Tags`
    pub tags: SessionTags,
    /// `TransitiveTagKeys`
    pub transitive: TransitiveTagKeys,
}

/// A rendered value that AWS would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}{}: {why}", quoted(.value))]
pub struct IllegalValue {
    /// Which value, such as `session name` or `tag Team`.
    pub field: String,
    /// The value, at most 80 characters of it.
    pub value: String,
    /// What AWS expects.
    pub why: String,
}

/// A blank before it; nothing where many values are meant.
fn quoted(value: &str) -> String {
    match value {
        "" => String::new(),
        value => format!(" {}", value.escape_debug()),
    }
}

fn illegal(field: impl Into<String>, value: &str, why: &impl std::fmt::Display) -> IllegalValue {
    IllegalValue {
        field: field.into(),
        value: value.chars().take(80).collect(),
        why: why.to_string(),
    }
}

impl Hop {
    /// The call with the session id in its place.
    ///
    /// # Errors
    /// A value that AWS would refuse; none for a hop that [`Hop::checked`] let through, since all session ids
    /// are of one shape.
    pub fn request(&self, session: &SessionId) -> Result<AssumeRoleRequest, IllegalValue> {
        let name = self.session_name.with_session(session);
        let source = self
            .source_identity
            .as_ref()
            .map(|source| source.with_session(session));
        let tags = self.filled_tags(session)?;
        Ok(AssumeRoleRequest {
            session: session.clone(),
            role: self.role.clone(),
            duration: self.duration,
            session_name: RoleSessionName::parse(&name)
                .map_err(|error| illegal("session name", &name, &error))?,
            external_id: self.external_id.clone(),
            source_identity: source
                .map(|text| {
                    SourceIdentity::parse(&text)
                        .map_err(|error| illegal("source identity", &text, &error))
                })
                .transpose()?,
            policy: self.policy.clone(),
            policy_arns: self.policy_arns.clone(),
            transitive: TransitiveTagKeys::new(self.transitive.clone(), &tags)
                .map_err(|error| illegal("transitive tags", "", &error))?,
            tags,
        })
    }

    fn filled_tags(&self, session: &SessionId) -> Result<SessionTags, IllegalValue> {
        let mut tags = Vec::with_capacity(self.tags.len());
        for (key, pattern) in &self.tags {
            let text = pattern.with_session(session);
            let value = TagValue::parse(&text).map_err(|error| {
                illegal(
                    format!("tag {}", key.as_str().escape_debug()),
                    &text,
                    &error,
                )
            })?;
            tags.push((key.clone(), value));
        }
        SessionTags::new(tags).map_err(|error| illegal("tags", "", &error))
    }

    /// The hop itself, once it is known to be legal with any session id.
    ///
    /// # Errors
    /// A value that AWS would refuse.
    pub fn checked(self) -> Result<Self, IllegalValue> {
        let sample = SessionId::parse(SAMPLE_SESSION_ID)
            .map_err(|error| illegal("session id", SAMPLE_SESSION_ID, &error))?;
        self.request(&sample)?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
