//! Requests and replies. Field names are the contract; `golden/*.json` holds one example of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::secret::{Secret, on_the_wire, optional_on_the_wire};
use crate::timestamp::Timestamp;

/// Through which interface credentials leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interface {
    /// `credential_process`.
    Process,
    /// The container credentials endpoint.
    Container,
    /// The IMDSv2 endpoint.
    Imds,
    /// Text for a shell or variables of a child.
    Export,
}

impl Interface {
    /// The word in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Container => "container",
            Self::Imds => "imds",
            Self::Export => "export",
        }
    }
}

/// `POST /v1/credentials`: an ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialsRequest {
    /// The profile's name.
    pub profile: String,
    /// What the credentials are for.
    pub interface: Interface,
    /// What the caller takes away from the profile's scope.
    #[serde(default)]
    pub narrow: Narrow,
}

/// What a caller may ask for beyond the profile's name. It can only narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Narrow {
    /// A session policy: its JSON text, or `preset:NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Further session tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// A shorter life, in seconds (900 to 43,200).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
    /// Why, in the caller's words; kept in the journal. At most 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A ticket's id; kept in the journal, usable in templates. At most 128 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// The answer to an ask: one lease of one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialsReply {
    /// The session's access key id (`ASIA…`).
    pub access_key_id: String,
    /// The session's secret access key.
    #[serde(serialize_with = "on_the_wire")]
    pub secret_access_key: Secret<String>,
    /// The session token, at most 4,096 bytes.
    #[serde(serialize_with = "on_the_wire")]
    pub session_token: Secret<String>,
    /// When AWS stops accepting it.
    pub expires_at: Timestamp,
    /// The role's account.
    pub account_id: String,
    /// The role.
    pub role_arn: String,
    /// The profile's region, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Our session id, the CloudTrail join key.
    pub session: String,
    /// The lease's id.
    pub lease: String,
    /// What the caller should know of its ask, such as a policy over the documented length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// `POST /v1/unlock`. Without answers it says what a person has to supply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UnlockRequest {
    /// Which identity; the only one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The passphrase of a sealed identity.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "optional_on_the_wire"
    )]
    pub passphrase: Option<Secret<String>>,
    /// The code of the multi-factor device.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "optional_on_the_wire"
    )]
    pub mfa_code: Option<Secret<String>>,
}

/// What is unlocked until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnlockReply {
    /// The identity.
    pub identity: String,
    /// When it locks at the latest; absent for never.
    pub unlocked_until: Option<Timestamp>,
    /// Until when no further code is needed; absent without `mfa_session`.
    pub mfa_until: Option<Timestamp>,
}

/// What `lock` dropped from memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockReply {
    /// Identities that were unlocked.
    pub identities: usize,
    /// Sessions that were cached.
    pub sessions: usize,
}

/// `GET /v1/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The agent's version.
    pub version: String,
    /// The agent's process id.
    pub pid: u32,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// Where the configuration in force was read from.
    pub config_path: String,
    /// Why the last reload was refused; absent when the file's last state is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_error: Option<String>,
    /// Whether the user locked the agent.
    pub locked: bool,
    /// Whether memory is locked against swapping.
    pub memory_locked: bool,
    /// The identities of the configuration.
    pub identities: Vec<IdentityStatus>,
    /// The sessions in the cache.
    pub sessions: Vec<SessionStatus>,
    /// How many leases are live.
    pub leases: usize,
    /// Endpoints for SDKs: those that stand by configuration, open or not, then those that were asked for.
    pub endpoints: Vec<EndpointStatus>,
    /// Calls to STS since the start.
    pub sts: StsStatus,
    /// The journal.
    pub journal: JournalStatus,
    /// What a reader should know, such as a duration that is capped by role chaining.
    pub notes: Vec<String>,
}

/// Whether an identity can be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentityState {
    /// Nothing of it is in memory.
    Locked,
    /// Its base credentials are in memory.
    Unlocked,
    /// A person is being asked.
    Prompting,
}

/// One identity in `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityStatus {
    /// Its name in the configuration.
    pub name: String,
    /// Its kind, such as `iam-user`.
    pub kind: String,
    /// Whether it can be used now.
    pub state: IdentityState,
    /// When it locks at the latest.
    pub unlocked_until: Option<Timestamp>,
    /// Until when no further MFA code is needed.
    pub mfa_until: Option<Timestamp>,
    /// Its key, as far as it was read since the agent started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyStatus>,
}

/// What may be told of a stored key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyStatus {
    /// The key that signs (`AKIA…`).
    pub access_key_id: String,
    /// When it was added or a rotation made it; absent for a key of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// How far its rotation is: `creating`, `created`, `switched`, `retiring` or `withdrawing`; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The other key of that rotation: the next, the former, or the one to be deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_access_key_id: Option<String>,
    /// `retiring`: from when on the former key may be deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_at: Option<Timestamp>,
}

/// One session in `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionStatus {
    /// The profile that asked first.
    pub profile: String,
    /// The role.
    pub role_arn: String,
    /// When AWS stops accepting it.
    pub expires_at: Timestamp,
    /// Our session id.
    pub session: String,
    /// Whether the role was assumed by another role, which AWS caps at one hour.
    pub chained: bool,
    /// `PackedPolicySize`, percent.
    pub packed_policy_percent: Option<u32>,
    /// Size of the session token, bytes.
    pub token_bytes: usize,
    /// `SessionTokenUtilization`, percent of 4,096 bytes.
    pub token_percent: Option<u32>,
}

/// Which interface an endpoint for SDKs speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndpointKind {
    /// Container credentials.
    Container,
    /// IMDSv2.
    Imds,
}

impl EndpointKind {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Imds => "imds",
        }
    }
}

/// `POST /v1/endpoints`: opens an endpoint for SDKs, or shows the one that stands for the same ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointRequest {
    /// The profile's name.
    pub profile: String,
    /// What the endpoint speaks.
    pub kind: EndpointKind,
    /// What the caller takes away from the profile's scope.
    #[serde(default)]
    pub narrow: Narrow,
    /// Whether it ends with the asking process: `exec` replaces itself by the command, so that this is the
    /// command. Otherwise it stands until it is ended.
    #[serde(default)]
    pub until_exit: bool,
}

/// Where an endpoint is and what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointReply {
    /// The lease's id; ending the lease closes the endpoint.
    pub lease: String,
    /// The profile.
    pub profile: String,
    /// What it speaks.
    pub kind: EndpointKind,
    /// Container: the full URI. IMDS: the root, without a slash at its end.
    pub url: String,
    /// Container: the value of the `Authorization` header.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "optional_on_the_wire"
    )]
    pub token: Option<Secret<String>>,
    /// Container: a file that holds the token, mode 0600, without a newline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<String>,
    /// The profile's region, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The role.
    pub role_arn: String,
    /// What the caller should know of its ask, such as a policy over the documented length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One endpoint in `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointStatus {
    /// The profile.
    pub profile: String,
    /// `container` or `imds`.
    pub kind: String,
    /// Its address.
    pub url: String,
    /// The name of the section that it stands by, `[serve.NAME]`; absent for one that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serve: Option<String>,
    /// Why it is not open; absent for one that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Calls to STS since the agent started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StsStatus {
    /// All calls.
    pub calls: u64,
    /// Those that did not succeed.
    pub failures: u64,
    /// Seconds that AWS's clock is ahead of ours, as last measured; absent before the first answer.
    #[serde(default)]
    pub skew_seconds: Option<i64>,
}

/// The journal in `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalStatus {
    /// Its directory.
    pub path: String,
    /// Records written by this agent since its start.
    pub records: u64,
    /// Whether the last write succeeded.
    pub healthy: bool,
}

/// `GET /v1/profiles`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileList {
    /// In the order of their names.
    pub profiles: Vec<ProfileSummary>,
}

/// One line of `profile list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileSummary {
    /// Its name.
    pub name: String,
    /// The identity behind it.
    pub identity: String,
    /// The role.
    pub role_arn: String,
    /// Seconds a session lives, after all caps.
    pub duration_seconds: u32,
    /// The profile it is chained through.
    pub via: Option<String>,
    /// Whether it has a session policy or managed policy ARNs.
    pub scoped: bool,
}

/// `GET /v1/profiles/NAME`: everything that would be sent, templates unrendered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileDetail {
    /// The line of the listing.
    #[serde(flatten)]
    pub summary: ProfileSummary,
    /// The region given to callers.
    pub region: Option<String>,
    /// The external id. AWS: not a secret.
    pub external_id: Option<String>,
    /// Template of the role session name.
    pub session_name: String,
    /// Template of the source identity.
    pub source_identity: Option<String>,
    /// The preset that the session policy comes from.
    pub preset: Option<PresetUse>,
    /// The session policy, minified.
    pub policy: Option<String>,
    /// Its characters as STS counts them.
    pub policy_characters: Option<usize>,
    /// Managed policy ARNs.
    pub policy_arns: Vec<String>,
    /// Session tags, templates unrendered.
    pub tags: BTreeMap<String, String>,
    /// The transitive tag keys.
    pub transitive_tags: Vec<String>,
    /// What a caller must give: `reason`, `ticket`, `confirm`.
    pub require: Vec<String>,
    /// What a caller may add: `policy`, `duration`, and tag keys as `tag:KEY`.
    pub narrow: Vec<String>,
    /// Who intersects a caller's policy with the profile's: `sts`; absent where it becomes denies.
    pub scope_down: Option<String>,
    /// Whom its rules are for, each with what it takes away; empty for any process of the same user.
    pub peers: Vec<String>,
    /// What a reader should know, such as a duration that is capped by role chaining.
    pub notes: Vec<String>,
}

/// A preset as a profile uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetUse {
    /// Its name.
    pub name: String,
    /// Every parameter with its values, those by default too.
    pub parameters: BTreeMap<String, Vec<String>>,
}

/// `GET /v1/leases`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseList {
    /// The newest last.
    pub leases: Vec<LeaseStatus>,
}

/// Who holds what until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseStatus {
    /// The lease's id.
    pub id: String,
    /// The profile.
    pub profile: String,
    /// The role.
    pub role_arn: String,
    /// Our session id.
    pub session: String,
    /// Through which interface.
    pub interface: Interface,
    /// The holder's process id.
    pub pid: u32,
    /// The holder's executable, if the kernel told.
    pub executable: Option<String>,
    /// The rules of `peers` that decided, if the profile has some: what they are called in the configuration, and whom
    /// they are for.
    pub rule: Option<String>,
    /// When it was handed out.
    pub issued_at: Timestamp,
    /// When AWS stops accepting the session.
    pub expires_at: Timestamp,
}

/// `DELETE /v1/leases/ID`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseEnded {
    /// The lease's id.
    pub id: String,
    /// Until when AWS goes on accepting what was handed out: a lease's end is not a revocation.
    pub valid_until: Timestamp,
}

/// `GET /v1/identities`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityList {
    /// In the order of their names.
    pub identities: Vec<IdentitySummary>,
}

/// One line of `identity list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentitySummary {
    /// Its name.
    pub name: String,
    /// Its kind, such as `iam-user`.
    pub kind: String,
    /// The account that its key must belong to.
    pub account_id: String,
    /// `keyring` or `file`.
    pub store: String,
    /// The MFA device.
    pub mfa_serial: Option<String>,
    /// Whether it can be used now.
    pub state: IdentityState,
    /// Its key, as far as it was read since the agent started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyStatus>,
}

/// `PUT /v1/identities/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityAddRequest {
    /// The access key id (`AKIA…`).
    pub access_key_id: String,
    /// The secret access key.
    #[serde(serialize_with = "on_the_wire")]
    pub secret_access_key: Secret<String>,
    /// The passphrase to seal it with, for `store = "file"` without `passphrase_command`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "optional_on_the_wire"
    )]
    pub passphrase: Option<Secret<String>>,
    /// The seed of the user's virtual MFA device in base32, for `mfa = "stored"`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "optional_on_the_wire"
    )]
    pub totp_seed: Option<Secret<String>>,
}

/// An identity as AWS sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityReply {
    /// Its name in the configuration.
    pub name: String,
    /// The IAM user that the key belongs to.
    pub arn: String,
    /// The user's account.
    pub account_id: String,
    /// `keyring` or `file`.
    pub store: String,
}

/// Where a rotation shall end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RotateAim {
    /// A new key.
    #[default]
    Begin,
    /// The end of a rotation that was cut off, or whose grace is over.
    Resume,
    /// The former key back.
    Abort,
}

/// `POST /v1/identities/NAME/rotate`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RotateRequest {
    /// Where it shall end.
    pub aim: RotateAim,
    /// How long the former key can be taken back, in seconds (0 to 2,592,000, 30 days); a day when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<u32>,
    /// The passphrase, for `store = "file"` without `passphrase_command`.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "optional_on_the_wire"
    )]
    pub passphrase: Option<Secret<String>>,
    /// A code of the multi-factor device, where the identity is locked.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "optional_on_the_wire"
    )]
    pub mfa_code: Option<Secret<String>>,
}

/// What is stored after a rotation, or after as much of it as was possible for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotateReply {
    /// The identity's name in the configuration.
    pub name: String,
    /// Its key.
    #[serde(flatten)]
    pub key: KeyStatus,
}

/// `DELETE /v1/identities/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRemoved {
    /// Its name in the configuration.
    pub name: String,
}

/// `GET /v1/journal/verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalReport {
    /// The files read, oldest first.
    pub files: Vec<String>,
    /// Good records.
    pub records: u64,
    /// The chain's head: the last record's hash, lower-case hex.
    pub head: Option<String>,
    /// What is wrong; empty for an intact journal.
    pub damage: Vec<JournalDamage>,
    /// What is worth a look without being damage, such as a clock that was set back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<JournalDamage>,
}

/// One place where the journal is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalDamage {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub what: String,
}

/// `POST /v1/reload`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadReply {
    /// The file that was read.
    pub config_path: String,
    /// Profiles now in force.
    pub profiles: usize,
    /// Identities now in force.
    pub identities: usize,
    /// What a reader should know, such as a policy over the documented length.
    pub warnings: Vec<String>,
}

/// `POST /v1/stop`: sent before the agent drains and ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopReply {
    /// The agent's process id.
    pub pid: u32,
}

/// `policy preset list` and `show`: session policies that come with the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetList {
    /// In the order of their names.
    pub presets: Vec<PresetDetail>,
}

/// One preset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetDetail {
    /// Its name.
    pub name: String,
    /// What it allows, in a sentence.
    pub allows: String,
    /// Its managed policies, in the partition `aws`.
    pub policy_arns: Vec<String>,
    /// Its inline policy as JSON; parameters stand as `<NAME>`.
    pub policy: String,
    /// Characters of the inline policy; absent where parameters decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_characters: Option<usize>,
    /// Its parameters.
    pub parameters: Vec<PresetParameter>,
}

/// A parameter of a preset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetParameter {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// What it takes.
    pub expected: String,
    /// What it is where it is not given; absent if it must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}
