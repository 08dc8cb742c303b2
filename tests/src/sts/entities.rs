//! What a world is made of: users, roles, managed policies, buckets.

use super::policy::{Policy, Purpose};
use super::rules::{Rule, Rules};
use super::totp;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// reference_iam-quotas: access keys of one user.
pub(super) const KEYS_MAX: usize = 2;
/// reference_iam-quotas: MFA devices of one user.
const MFA_DEVICES_MAX: usize = 8;

/// An IAM user, or the root user of an account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Twelve digits.
    pub account: String,
    /// The user's name.
    pub name: String,
    /// Whether this is the account's root user; its ARN ends in `:root`.
    #[serde(default)]
    pub root: bool,
    /// At most two.
    #[serde(default)]
    pub keys: Vec<AccessKey>,
    /// At most eight.
    #[serde(default)]
    pub mfa: Vec<MfaDevice>,
    /// Inline policies, JSON text each.
    #[serde(default, deserialize_with = "texts")]
    pub policies: Vec<String>,
    /// ARNs of attached managed policies.
    #[serde(default)]
    pub managed: Vec<String>,
    /// Tags of the user: `aws:PrincipalTag`.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// A long-term access key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKey {
    /// `AKIA…`, 16 to 128 letters and digits.
    pub id: String,
    /// The secret access key.
    pub secret: String,
    /// An inactive key is refused.
    #[serde(default = "yes")]
    pub active: bool,
    /// When it was made, Unix seconds.
    #[serde(default)]
    pub created: i64,
}

/// A virtual or hardware MFA device with one-time codes.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MfaDevice {
    /// ARN of a virtual device, or a hardware device's serial number.
    pub serial: String,
    /// The seed in base32.
    pub seed: String,
}

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Twelve digits.
    pub account: String,
    /// The role's name.
    pub name: String,
    /// Path, with a slash at both ends.
    #[serde(default = "slash")]
    pub path: String,
    /// Trust policy, JSON text.
    #[serde(deserialize_with = "text")]
    pub trust: String,
    /// Inline permission policies, JSON text each.
    #[serde(default, deserialize_with = "texts")]
    pub policies: Vec<String>,
    /// ARNs of attached managed policies.
    #[serde(default)]
    pub managed: Vec<String>,
    /// Maximum session duration in seconds, 3600 to 43200.
    #[serde(default = "hour")]
    pub max_session: i64,
    /// Tags of the role: `aws:PrincipalTag` of its sessions.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// A customer managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedPolicy {
    /// `arn:aws:iam::ACCOUNT:policy/NAME`.
    pub arn: String,
    /// JSON text.
    #[serde(deserialize_with = "text")]
    pub document: String,
}

/// A bucket with its objects.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// The account that owns it.
    pub account: String,
    /// The bucket's name.
    pub name: String,
    /// Bucket policy, JSON text.
    #[serde(default, deserialize_with = "text_if")]
    pub policy: Option<String>,
    /// Objects that are there at the start: key and text.
    #[serde(default)]
    pub objects: BTreeMap<String, String>,
}

/// A managed instance, for `ssm:StartSession`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// The account that owns it.
    pub account: String,
    /// `i-0123456789abcdef0`
    pub id: String,
    /// Its tags: `ssm:resourceTag`, `aws:ResourceTag`.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

fn slash() -> String {
    "/".to_owned()
}

fn hour() -> i64 {
    3600
}

/// In a file, a policy may be JSON text or the document itself.
fn text_of(value: serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text,
        document => document.to_string(),
    }
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    serde_json::Value::deserialize(from).map(text_of)
}

fn text_if<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::<serde_json::Value>::deserialize(from).map(|value| value.map(text_of))
}

fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let values = Vec::<serde_json::Value>::deserialize(from)?;
    Ok(values.into_iter().map(text_of).collect())
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for MfaDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MfaDevice")
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

fn policies_parse(policies: &[String], rules: &Rules) -> Result<(), String> {
    policies
        .iter()
        .try_for_each(|text| Policy::parse(text, Purpose::Identity, rules).map(drop))
}

impl User {
    /// An IAM user without keys, devices and policies.
    pub fn new(account: &str, name: &str) -> User {
        User {
            account: account.to_owned(),
            name: name.to_owned(),
            ..User::default()
        }
    }

    /// The root user of an account.
    pub fn root(account: &str) -> User {
        User {
            root: true,
            ..User::new(account, "root")
        }
    }

    /// Adds an active access key.
    pub fn key(mut self, id: &str, secret: &str) -> User {
        self.keys.push(AccessKey {
            id: id.to_owned(),
            secret: secret.to_owned(),
            active: true,
            created: 0,
        });
        self
    }

    /// Adds an MFA device with a base32 seed.
    pub fn mfa(mut self, serial: &str, seed: &str) -> User {
        self.mfa.push(MfaDevice {
            serial: serial.to_owned(),
            seed: seed.to_owned(),
        });
        self
    }

    /// Adds an inline policy.
    pub fn policy(mut self, json: &str) -> User {
        self.policies.push(json.to_owned());
        self
    }

    /// Adds a tag.
    pub fn tag(mut self, key: &str, value: &str) -> User {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// `arn:aws:iam::ACCOUNT:user/NAME`, or `…:root`.
    pub fn arn(&self) -> String {
        match self.root {
            true => format!("arn:aws:iam::{}:root", self.account),
            false => format!("arn:aws:iam::{}:user/{}", self.account, self.name),
        }
    }

    pub(super) fn check(&self, rules: &Rules) -> Result<(), String> {
        if self.keys.len() > KEYS_MAX && rules.enforces(Rule::KeysPerUser) {
            return Err(format!("a user has at most {KEYS_MAX} access keys"));
        }
        if self.mfa.len() > MFA_DEVICES_MAX && rules.enforces(Rule::MfaDevicesPerUser) {
            return Err(format!("a user has at most {MFA_DEVICES_MAX} MFA devices"));
        }
        match self
            .mfa
            .iter()
            .find(|device| totp::base32(&device.seed).is_none())
        {
            Some(device) => Err(format!("the seed of {} is not base32", device.serial)),
            None => policies_parse(&self.policies, rules),
        }
    }
}

impl Role {
    /// A role with a trust policy, no permissions and one hour at most.
    pub fn new(account: &str, name: &str, trust: &str) -> Role {
        Role {
            account: account.to_owned(),
            name: name.to_owned(),
            path: slash(),
            trust: trust.to_owned(),
            policies: Vec::new(),
            managed: Vec::new(),
            max_session: hour(),
            tags: BTreeMap::new(),
        }
    }

    /// Adds an inline permission policy.
    pub fn policy(mut self, json: &str) -> Role {
        self.policies.push(json.to_owned());
        self
    }

    /// Sets the maximum session duration in seconds.
    pub fn max_session(mut self, seconds: i64) -> Role {
        self.max_session = seconds;
        self
    }

    /// Adds a tag.
    pub fn tag(mut self, key: &str, value: &str) -> Role {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// `arn:aws:iam::ACCOUNT:role/PATH/NAME`.
    pub fn arn(&self) -> String {
        format!(
            "arn:aws:iam::{}:role{}{}",
            self.account, self.path, self.name
        )
    }

    pub(super) fn check(&self, rules: &Rules) -> Result<(), String> {
        if !(3600..=43_200).contains(&self.max_session) {
            return Err("the maximum session duration is 3600 to 43200 s".to_owned());
        }
        Policy::parse(&self.trust, Purpose::Trust, rules)?;
        policies_parse(&self.policies, rules)
    }
}

impl Instance {
    /// An instance without tags.
    pub fn new(account: &str, id: &str) -> Instance {
        Instance {
            account: account.to_owned(),
            id: id.to_owned(),
            ..Instance::default()
        }
    }

    /// Adds a tag.
    pub fn tag(mut self, key: &str, value: &str) -> Instance {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }
}

impl Bucket {
    /// An empty bucket without a policy.
    pub fn new(account: &str, name: &str) -> Bucket {
        Bucket {
            account: account.to_owned(),
            name: name.to_owned(),
            ..Bucket::default()
        }
    }

    /// Adds an object.
    pub fn object(mut self, key: &str, text: &str) -> Bucket {
        self.objects.insert(key.to_owned(), text.to_owned());
        self
    }

    /// Sets the bucket policy.
    pub fn policy(mut self, json: &str) -> Bucket {
        self.policy = Some(json.to_owned());
        self
    }

    pub(super) fn arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.name)
    }
}
