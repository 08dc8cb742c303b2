//! A session in the two forms that SDKs read. Every time is `YYYY-MM-DDTHH:MM:SSZ`: JS and Rust take no other.

use std::sync::Arc;

use hyper::body::Bytes;
use jumpgate_api::{Code, Secret, Timestamp, on_the_wire};
use serde::Serialize;

use crate::domain::session::Session;

/// What a document is beyond its session token, bytes: the CRT reads 10,000 in all, a token has at most 4,096.
const BESIDE_TOKEN: usize = 1_024;

/// What the ECS agent answers with, without a `Code`: Rust reads that as an error.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Container<'a> {
    access_key_id: &'a str,
    #[serde(serialize_with = "on_the_wire")]
    secret_access_key: &'a Secret<String>,
    #[serde(serialize_with = "on_the_wire")]
    token: &'a Secret<String>,
    expiration: Timestamp,
    account_id: String,
    role_arn: String,
}

/// What IMDS answers with (EC2 user guide, "Retrieve security credentials from instance metadata").
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Imds<'a> {
    code: &'static str,
    last_updated: Timestamp,
    r#type: &'static str,
    access_key_id: &'a str,
    #[serde(serialize_with = "on_the_wire")]
    secret_access_key: &'a Secret<String>,
    #[serde(serialize_with = "on_the_wire")]
    token: &'a Secret<String>,
    expiration: Timestamp,
    account_id: String,
}

pub(super) fn container(session: &Session) -> Secret<Vec<u8>> {
    write(
        session,
        &Container {
            access_key_id: session.access_key_id.as_str(),
            secret_access_key: &session.secret_access_key,
            token: &session.session_token,
            expiration: session.expires_at,
            account_id: session.role.account().to_string(),
            role_arn: session.role.to_string(),
        },
    )
}

pub(super) fn imds(session: &Session) -> Secret<Vec<u8>> {
    write(
        session,
        &Imds {
            code: "Success",
            last_updated: session.issued_at,
            r#type: "AWS-HMAC",
            access_key_id: session.access_key_id.as_str(),
            secret_access_key: &session.secret_access_key,
            token: &session.session_token,
            expiration: session.expires_at,
            account_id: session.role.account().to_string(),
        },
    )
}

/// The room is made beforehand: a buffer that grows leaves copies behind.
fn write(session: &Session, document: &impl Serialize) -> Secret<Vec<u8>> {
    let mut bytes = Vec::with_capacity(session.session_token.expose().len() + BESIDE_TOKEN);
    let written = serde_json::to_writer(&mut bytes, document);
    debug_assert!(written.is_ok(), "strings and times have a JSON form");
    Secret::new(bytes)
}

/// A rendered document on its way out, without another copy of it.
pub(super) struct Outgoing(pub(super) Arc<Secret<Vec<u8>>>);

impl AsRef<[u8]> for Outgoing {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

impl From<Outgoing> for Bytes {
    fn from(outgoing: Outgoing) -> Self {
        Self::from_owner(outgoing)
    }
}

/// Whether the same request may be answered later without the asker doing anything else, or after a person did
/// something: then the endpoint is unavailable. Otherwise it refuses.
pub(super) const fn may_pass(code: Code) -> bool {
    match code {
        Code::Locked
        | Code::IdentityLocked
        | Code::InteractionRequired
        | Code::UpstreamUnavailable
        | Code::UpstreamThrottled
        | Code::UpstreamTimedOut
        | Code::UpstreamInvalid
        | Code::JournalUnavailable
        | Code::StoreUnavailable
        | Code::Busy
        | Code::Internal => true,
        Code::InvalidRequest
        | Code::UnsupportedVersion
        | Code::NotFound
        | Code::ProfileNotFound
        | Code::IdentityNotFound
        | Code::LeaseNotFound
        | Code::InvalidConfiguration
        | Code::AccessDenied
        | Code::UserDeclined
        | Code::Conflict
        | Code::UpstreamDenied => false,
    }
}
