//! The accounts and the configuration that the load runs on, and what each session may do there.

use jumpgate_tests::sts::{ROLE_ARN, Role, TARGET_ACCOUNT, World};

use super::steps::Want;

pub(crate) const READS: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;

const DEPLOY: &str = "Deploy";

/// The demo's world, and a role that Developer may assume.
pub(crate) fn world() -> World {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ROLE_ARN}"}},
            "Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}}]}}"#
    );
    World::demo().role(Role::new(TARGET_ACCOUNT, DEPLOY, &trust).policy(READS))
}

/// What lets Developer go on to the other role, and have its sessions scoped down.
pub(crate) const DEVELOPER_MAY_ALSO: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
    "Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity","sts:GetScopedCredentials"],"Resource":"*"}}"#;

/// The whole file. `edition` is in a tag of every session, so that another edition asks other questions.
pub(crate) fn configuration(edition: u64, ports: [u16; 2]) -> String {
    let [container, imds] = ports;
    format!(
        r#"version = 1

[accounts]
jump = "111111111111"
target = "222222222222"

[identity.jump]
kind = "iam-user"
account = "jump"
region = "us-east-1"
mfa_serial = "arn:aws:iam::111111111111:mfa/alice"
mfa = "command"
mfa_command = ["@HOME@/bin/next-code"]
store = "file"
passphrase_command = ["@HOME@/bin/passphrase"]
sts_endpoint = "@STS@"

[profile.plain]
account = "target"
role = "Developer"
duration = "15m"
tags = {{ Edition = "{edition}" }}

[profile.listing]
account = "target"
role = "Developer"
duration = "15m"
tags = {{ Edition = "{edition}" }}
policy = '{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}}}}'

[profile.short]
account = "target"
role = "Developer"
duration = "15m"
scope_down = "sts"
tags = {{ Edition = "{edition}" }}

[profile.wide]
account = "target"
role = "Developer"
duration = "20m"
tags = {{ Edition = "{edition}" }}

[profile.chained]
account = "target"
role = "{DEPLOY}"
via = "plain"
duration = "15m"

[profile.ruled]
account = "target"
role = "Developer"
duration = "15m"
tags = {{ Edition = "{edition}" }}
peers = [{{ exe = "@HOME@/bin/jumpgate", policy = {{ preset = "view-only" }} }}]

[serve.box]
profile = "plain"
kind = "container"
port = {container}

[serve.meta]
profile = "plain"
kind = "imds"
port = {imds}
"#
    )
}

/// Files that are no configuration.
pub(crate) const BROKEN: [&str; 3] = [
    "version = 1\n[profile.plain\n",
    "version = 1\n[profile.plain]\nidentity = \"nobody\"\nrole_arn = \"arn:aws:iam::222222222222:role/Developer\"\n",
    "\u{0}\u{1}garbage",
];

impl Want {
    pub(crate) const fn profile(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Reading(_) => "wide",
            Self::Listing => "listing",
            Self::Short(_) => "short",
            Self::Chained => "chained",
            Self::Ruled => "ruled",
        }
    }

    pub(crate) const fn role(self) -> &'static str {
        match self {
            Self::Chained => DEPLOY,
            _ => "Developer",
        }
    }

    /// Whether its session lists the bucket, and whether it reads of it.
    pub(crate) const fn may(self) -> [bool; 2] {
        match self {
            Self::Plain | Self::Short(_) => [true, true],
            Self::Listing | Self::Ruled => [true, false],
            Self::Reading(_) | Self::Chained => [false, true],
        }
    }

    /// What the client is told beside the profile. `reads` is a file with [`READS`].
    pub(crate) fn arguments(self, reads: &str) -> Vec<String> {
        match self {
            Self::Reading(seconds) => vec![
                "--policy".into(),
                reads.into(),
                "--duration".into(),
                format!("{seconds}s"),
            ],
            Self::Short(seconds) => vec!["--duration".into(), format!("{seconds}s")],
            Self::Plain | Self::Listing | Self::Chained | Self::Ruled => Vec::new(),
        }
    }

    /// The same as `narrow` of the control API.
    pub(crate) fn narrow(self) -> serde_json::Value {
        match self {
            Self::Reading(seconds) => {
                serde_json::json!({"policy": READS, "duration_seconds": seconds})
            }
            Self::Short(seconds) => serde_json::json!({"duration_seconds": seconds}),
            Self::Plain | Self::Listing | Self::Chained | Self::Ruled => serde_json::json!({}),
        }
    }

    /// How long its sessions live, seconds.
    pub(crate) const fn life(self) -> u64 {
        match self {
            Self::Reading(seconds) | Self::Short(seconds) => seconds,
            Self::Plain | Self::Listing | Self::Chained | Self::Ruled => 900,
        }
    }
}
