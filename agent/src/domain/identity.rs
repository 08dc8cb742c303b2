//! An identity: where base credentials come from, and what they are.

use std::path::PathBuf;
use std::time::Duration;

use jumpgate_api::{Secret, Timestamp};
use jumpgate_iam::{AccountId, CallerArn, MfaSerial, MfaSessionDuration, Region};

use super::name::IdentityName;

/// An identity of the configuration. The only kind so far is the IAM user's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its name.
    pub name: IdentityName,
    /// The account that the key must belong to.
    pub account: AccountId,
    /// Which STS to talk to.
    pub endpoint: Endpoint,
    /// Another address of IAM than the partition's own: a test. `http` only to a loopback address.
    pub iam_url: Option<EndpointUrl>,
    /// The second factor, if it has one.
    pub mfa: Option<Mfa>,
    /// Where the key is kept.
    pub store: Store,
    /// The program that prints the passphrase, for machines where nobody can type.
    pub passphrase_command: Option<Argv>,
    /// After how long `status` says that the key is due for a rotation.
    pub rotate_after: Option<Duration>,
}

impl Identity {
    /// Whether the agent makes its MFA codes, of a seed that is stored beside the key.
    #[must_use]
    pub fn makes_codes(&self) -> bool {
        let mfa = self.mfa.as_ref();
        mfa.is_some_and(|mfa| mfa.source == CodeSource::Stored)
    }

    /// Where the calls about its keys go.
    #[must_use]
    pub fn iam(&self) -> Endpoint {
        let partition = self.endpoint.region.partition();
        let own = || EndpointUrl(format!("https://{}", partition.iam_host()));
        Endpoint {
            region: partition.iam_region(),
            url: Some(self.iam_url.clone().unwrap_or_else(own)),
            ca_bundle: self.endpoint.ca_bundle.clone(),
        }
    }
}

/// Which STS to talk to. Part of the cache key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The region: of the regional endpoint and of the signature. Never the global endpoint.
    pub region: Region,
    /// Another address than the region's own: a VPC endpoint, a test. `http` only to a loopback address.
    pub url: Option<EndpointUrl>,
    /// PEM file of the certificate authorities to trust instead of the system's.
    pub ca_bundle: Option<PathBuf>,
}

/// The address of an STS endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EndpointUrl(String);

/// An address that is no STS endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointUrlError {
    /// Neither `https` nor `http`, or no host.
    #[error("expected https://HOST[:PORT]")]
    NotAUrl,
    /// `http` to somewhere else than this machine: the reply holds credentials in the clear.
    #[error("expected https:// (http:// is for loopback addresses only)")]
    PlainHttp,
    /// A path, a query or a user part.
    #[error("expected nothing behind HOST[:PORT]")]
    Excess,
}

impl EndpointUrl {
    /// Takes `https://HOST[:PORT]`, or `http://` with a loopback address.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, EndpointUrlError> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let (plain, authority) = match (text.strip_prefix("https://"), text.strip_prefix("http://"))
        {
            (Some(authority), _) => (false, authority),
            (_, Some(authority)) => (true, authority),
            (None, None) => return Err(EndpointUrlError::NotAUrl),
        };
        if authority.contains(['/', '?', '#', '@']) {
            return Err(EndpointUrlError::Excess);
        }
        let (host, port) = split_port(authority).ok_or(EndpointUrlError::NotAUrl)?;
        let legal = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        if host.is_empty() || !host.chars().all(legal) || port == Some(0) || text.len() > 255 {
            return Err(EndpointUrlError::NotAUrl);
        }
        if plain && !is_loopback(host) {
            return Err(EndpointUrlError::PlainHttp);
        }
        Ok(Self(text.to_owned()))
    }

    /// The address, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let host_end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority[host_end..].rfind(':') {
        Some(colon) => {
            let port = &authority[host_end + colon + 1..];
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            digits.then_some(())?;
            Some((&authority[..host_end + colon], Some(port.parse().ok()?)))
        }
        None => Some((authority, None)),
    }
}

/// Literal addresses only: a name such as `localhost` is what the resolver says it is.
fn is_loopback(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    bare.parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback())
}

/// The second factor of an identity. FIDO keys cannot be passed to STS; AWS takes TOTP codes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mfa {
    /// The device.
    pub serial: MfaSerial,
    /// Where codes come from.
    pub source: CodeSource,
    /// How long one code serves.
    pub session: MfaSession,
}

/// Where MFA codes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeSource {
    /// A person types it.
    Prompt,
    /// A program prints it.
    Command(Argv),
    /// The agent makes it of the seed that is stored beside the key: both factors in one place, where nobody can type.
    Stored,
}

/// How long one MFA code serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaSession {
    /// One GetSessionToken for all roles.
    For(MfaSessionDuration),
    /// A code for each AssumeRole.
    Off,
}

/// Where the long-term key is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// The desktop's keyring.
    Keyring,
    /// A file sealed by a passphrase.
    File,
}

impl Store {
    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file",
        }
    }
}

/// A program and its arguments; run directly, never by a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argv {
    /// The program: an absolute path, or a name to look up on PATH.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// A long-term key, as it is kept in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongTermKey {
    /// The access key id (`AKIA…`).
    pub access_key_id: AccessKeyId,
    /// The secret access key.
    pub secret_access_key: Secret<String>,
}

/// What signs STS calls: a long-term key, or what GetSessionToken made of it. Never leaves the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseCredentials {
    /// The access key id (`AKIA…` or `ASIA…`).
    pub access_key_id: AccessKeyId,
    /// The secret access key.
    pub secret_access_key: Secret<String>,
    /// The session token of temporary credentials.
    pub session_token: Option<Secret<String>>,
    /// When AWS stops accepting them; absent for a long-term key.
    pub expires_at: Option<Timestamp>,
}

impl From<&LongTermKey> for BaseCredentials {
    fn from(key: &LongTermKey) -> Self {
        Self {
            access_key_id: key.access_key_id.clone(),
            secret_access_key: key.secret_access_key.clone(),
            session_token: None,
            expires_at: None,
        }
    }
}

/// Base credentials that end within this time are made anew: a chain of calls must fit in.
pub const BASE_MARGIN: Duration = Duration::from_secs(300);

impl BaseCredentials {
    /// Whether they are good for a further call.
    #[must_use]
    pub fn usable_at(&self, now: Timestamp) -> bool {
        self.expires_at
            .is_none_or(|expiry| expiry.since(now) > BASE_MARGIN)
    }

    /// Whether AWS takes them no more.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expiry| expiry <= now)
    }
}

/// An access key id. Not a secret: it is the best join key to CloudTrail.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccessKeyId(String);

/// A text that is no access key id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an access key id: 16 to 128 letters and digits, such as AKIA…")]
pub struct AccessKeyIdError;

impl AccessKeyId {
    /// Takes 16 to 128 word characters (API_AccessKey of the IAM reference).
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, AccessKeyIdError> {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if (16..=128).contains(&text.len()) && text.chars().all(legal) {
            Ok(Self(text.to_owned()))
        } else {
            Err(AccessKeyIdError)
        }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the id of temporary credentials, which are no identity to keep.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.0.starts_with("ASIA")
    }
}

/// Why GetCallerIdentity's answer makes a key unfit to be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitKey {
    /// The key of an account's root user.
    #[error("this is a key of the root user of account {0}; root keys are never kept")]
    Root(AccountId),
    /// Temporary credentials of a role or a federated user.
    #[error("these are temporary credentials ({0}), not the long-term key of an IAM user")]
    Temporary(String),
    /// A user of another account.
    #[error("the key belongs to account {actual}, and the identity is configured for {expected}")]
    OtherAccount {
        /// The configured account.
        expected: AccountId,
        /// The key's account.
        actual: AccountId,
    },
}

/// Whether a key is one that we keep: of an IAM user of the identity's account.
///
/// # Errors
/// A root key, temporary credentials, a user of another account.
pub fn fit_to_keep(
    identity: &Identity,
    key: &LongTermKey,
    caller: &CallerArn,
) -> Result<(), UnfitKey> {
    if key.access_key_id.is_temporary() {
        return Err(UnfitKey::Temporary(caller.to_string()));
    }
    match caller {
        CallerArn::Root { account, .. } => Err(UnfitKey::Root(*account)),
        CallerArn::AssumedRole { .. } | CallerArn::FederatedUser { .. } => {
            Err(UnfitKey::Temporary(caller.to_string()))
        }
        CallerArn::User { arn } if arn.account() != identity.account => {
            Err(UnfitKey::OtherAccount {
                expected: identity.account,
                actual: arn.account(),
            })
        }
        CallerArn::User { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn endpoint_addresses() {
        for good in [
            "https://sts.eu-west-1.amazonaws.com",
            "https://vpce-1.sts.eu-west-1.vpce.amazonaws.com:443/",
            "http://127.0.0.1:4566",
            "http://[::1]:80",
            "http://127.9.9.9",
        ] {
            assert_eq!(
                EndpointUrl::parse(good).unwrap().as_str(),
                good.trim_end_matches('/')
            );
        }
        for (bad, error) in [
            ("sts.amazonaws.com", EndpointUrlError::NotAUrl),
            ("https://", EndpointUrlError::NotAUrl),
            ("https://:80", EndpointUrlError::NotAUrl),
            ("https://a:b", EndpointUrlError::NotAUrl),
            ("https://a:+80", EndpointUrlError::NotAUrl),
            ("https://a:0", EndpointUrlError::NotAUrl),
            ("https://a:65536", EndpointUrlError::NotAUrl),
            ("https://a b", EndpointUrlError::NotAUrl),
            ("https://user@host", EndpointUrlError::Excess),
            ("https://host/path", EndpointUrlError::Excess),
            ("https://host?x", EndpointUrlError::Excess),
            ("http://localhost", EndpointUrlError::PlainHttp),
            ("http://10.0.0.1", EndpointUrlError::PlainHttp),
            ("http://127.0.0.1.evil.example", EndpointUrlError::PlainHttp),
        ] {
            assert_eq!(EndpointUrl::parse(bad), Err(error), "{bad}");
        }
    }

    #[test]
    fn access_key_ids() {
        assert!(AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").is_ok());
        assert!(
            AccessKeyId::parse("ASIAIOSFODNN7EXAMPLE")
                .unwrap()
                .is_temporary()
        );
        let long = "A".repeat(129);
        for bad in [
            "",
            "AKIA",
            "AKIAIOSFODNN7 EXAMPLE",
            "AKIAIOSFODNN7EXÄMPLE",
            &long,
        ] {
            assert_eq!(AccessKeyId::parse(bad), Err(AccessKeyIdError), "{bad}");
        }
    }

    #[test]
    fn base_credentials_end_before_aws_says_so() {
        let now = Timestamp::from_unix_seconds(1_000_000);
        let mut base = BaseCredentials {
            access_key_id: AccessKeyId::parse("ASIAIOSFODNN7EXAMPLE").unwrap(),
            secret_access_key: "s".into(),
            session_token: None,
            expires_at: None,
        };
        assert!(base.usable_at(now));
        base.expires_at = Some(now.plus(BASE_MARGIN));
        assert!(!base.usable_at(now));
        base.expires_at = Some(now.plus(BASE_MARGIN + Duration::from_secs(1)));
        assert!(base.usable_at(now));
    }
}
