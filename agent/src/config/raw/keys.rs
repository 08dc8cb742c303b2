//! The keys of each section.

pub(in crate::config) const TOP_KEYS: &[&str] = &[
    "version", "agent", "accounts", "identity", "profile", "serve",
];
pub(in crate::config) const AGENT_KEYS: &[&str] = &[
    "idle_lock",
    "max_unlock",
    "lock_on",
    "prompt_wait",
    "prompter",
    "journal_keep",
];
pub(in crate::config) const IDENTITY_KEYS: &[&str] = &[
    "kind",
    "account",
    "region",
    "mfa_serial",
    "mfa",
    "mfa_command",
    "mfa_session",
    "store",
    "passphrase_command",
    "sts_endpoint",
    "iam_endpoint",
    "rotate_after",
    "ca_bundle",
];
pub(in crate::config) const PROFILE_KEYS: &[&str] = &[
    "identity",
    "role_arn",
    "account",
    "role",
    "via",
    "region",
    "duration",
    "external_id",
    "session_name",
    "source_identity",
    "policy",
    "policy_arns",
    "tags",
    "transitive_tags",
    "require",
    "narrow",
    "scope_down",
    "notify",
    "peers",
];
pub(in crate::config) const NARROW_KEYS: &[&str] = &["policy", "duration", "tags"];
pub(in crate::config) const PEER_KEYS: &[&str] = &[
    "exe", "parent", "ancestor", "unit", "cgroup", "any", "policy", "duration", "confirm",
];
pub(in crate::config) const SERVE_KEYS: &[&str] = &["profile", "kind", "port", "imds_v1"];
