//! Tests of the whole: text in, settings or reports out.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::domain::identity::{CodeSource, MfaSession, Store};
use crate::domain::name::{IdentityName, ProfileName};
use crate::domain::serve::Speaks;
use crate::domain::settings::{AgentSettings, PromptBy};

mod doc;
mod files;
mod laws;
mod limits;
mod mistakes;
mod peers;

/// Everything that the configuration knows, at once.
const WHOLE: &str = r#"version = 1

[agent]
idle_lock    = "never"
max_unlock   = "36h"
lock_on      = ["suspend"]
prompt_wait  = "1s"
prompter     = "pinentry-qt"
journal_keep = "3650d"

[accounts]
jump = "111111111111"
dev  = "222222222222"

[identity.jump]
kind        = "iam-user"
account     = "jump"
region      = "ap-northeast-1"
mfa_serial  = "arn:aws:iam::111111111111:mfa/alice"
mfa         = "command"
mfa_command = ["ykman", "oath", "accounts", "code", "-s", "AWS"]
mfa_session = "off"
store       = "file"
passphrase_command = ["/usr/bin/systemd-creds", "cat", "jumpgate"]
sts_endpoint = "https://vpce-1.sts.ap-northeast-1.vpce.amazonaws.com"
iam_endpoint = "https://iam.example.com"
rotate_after = "90d"
ca_bundle   = "/etc/ssl/corp.pem"

[profile.custodian]
role_arn    = "arn:aws:iam::111111111111:role/Custodian"

[profile."dev.eu"]
identity    = "jump"
account     = "dev"
role        = "team/Developer"
via         = "custodian"
region      = "ap-northeast-1"
duration    = "1h"
external_id = "x:1/2"
session_name    = "{user}@{host}-{session}"
source_identity = "{user}"
policy      = "policies/dev.json"
policy_arns = ["arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"]
tags        = { Zone = "{account_id}", Account = "{account}", Ticket = "{ticket}" }
transitive_tags = ["Zone"]
require     = ["reason", "ticket", "confirm"]
narrow      = { policy = false, duration = false, tags = ["Team"] }
scope_down  = "sts"
notify      = true
peers       = [{ exe = "/usr/bin/terraform" }, { exe = "/usr/bin/aws" }]

[serve.build]
profile = "custodian"
kind    = "container"
port    = 4100

[serve.old]
profile = "custodian"
kind    = "imds"
port    = 61000
imds_v1 = false
"#;

const POLICY: &str = r#"{ "Version": "2012-10-17", "Statement":
  [{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }] }"#;

/// Parses with the one policy file that there is.
fn parsed(text: &str) -> Result<Config, ConfigErrors> {
    parse(text, Path::new("/etc/jumpgate/config.toml"), &|path| {
        if path == Path::new("/etc/jumpgate/policies/dev.json") {
            return Ok(POLICY.to_owned());
        }
        Err(io::Error::from(io::ErrorKind::NotFound))
    })
}

fn valid(text: &str) -> Config {
    parsed(text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The reports without the file's name.
fn lines(reports: &[Report]) -> Vec<String> {
    let lines = reports.iter().map(ToString::to_string);
    let short = |line: String| line.replace("/etc/jumpgate/config.toml:", "");
    lines.map(short).collect()
}

fn mistakes_in(text: &str) -> Vec<String> {
    lines(parsed(text).expect_err("there are mistakes").reports())
}

fn profile(config: &Config, name: &str) -> std::sync::Arc<crate::domain::profile::Profile> {
    std::sync::Arc::clone(&config.settings.profiles[&ProfileName::parse(name).unwrap()])
}

fn identity(config: &Config, name: &str) -> std::sync::Arc<crate::domain::identity::Identity> {
    std::sync::Arc::clone(&config.settings.identities[&IdentityName::parse(name).unwrap()])
}

#[test]
fn every_key_arrives() {
    let config = valid(WHOLE);
    assert_eq!(config.warnings, []);
    assert_eq!(config.path, Path::new("/etc/jumpgate/config.toml"));
    let agent = AgentSettings {
        idle_lock: None,
        max_unlock: Some(Duration::from_secs(36 * 3_600)),
        lock_on_suspend: true,
        lock_on_screen_lock: false,
        prompt_wait: Duration::from_secs(1),
        prompter: PromptBy::Program("pinentry-qt"),
        journal_keep: Duration::from_secs(3_650 * 86_400),
    };
    assert_eq!(config.settings.agent, agent);
    let identity = identity(&config, "jump");
    assert_eq!(identity.account.as_str(), "111111111111");
    assert_eq!(identity.endpoint.region.as_str(), "ap-northeast-1");
    assert_eq!(
        identity.endpoint.url.as_ref().unwrap().as_str(),
        "https://vpce-1.sts.ap-northeast-1.vpce.amazonaws.com"
    );
    assert_eq!(
        identity.endpoint.ca_bundle.as_deref(),
        Some(Path::new("/etc/ssl/corp.pem"))
    );
    assert_eq!(
        identity.iam().url.unwrap().as_str(),
        "https://iam.example.com"
    );
    assert_eq!(
        identity.rotate_after,
        Some(Duration::from_secs(90 * 86_400))
    );
    assert_eq!(identity.store, Store::File);
    let passphrase = identity.passphrase_command.as_ref().unwrap();
    assert_eq!(passphrase.program, "/usr/bin/systemd-creds");
    assert_eq!(passphrase.arguments, ["cat", "jumpgate"]);
    let mfa = identity.mfa.as_ref().unwrap();
    assert_eq!(mfa.serial.as_str(), "arn:aws:iam::111111111111:mfa/alice");
    assert_eq!(mfa.session, MfaSession::Off);
    let CodeSource::Command(command) = &mfa.source else {
        panic!("{mfa:?}");
    };
    assert_eq!(command.program, "ykman");
    assert_eq!(command.arguments.len(), 5);
}

#[test]
fn every_key_of_a_profile_arrives() {
    let config = valid(WHOLE);
    let dev = profile(&config, "dev.eu");
    assert_eq!(dev.identity.as_str(), "jump");
    assert_eq!(
        dev.role.as_str(),
        "arn:aws:iam::222222222222:role/team/Developer"
    );
    assert_eq!(dev.account_name.as_deref(), Some("dev"));
    assert_eq!(dev.via.as_ref().unwrap().as_str(), "custodian");
    assert_eq!(dev.region.as_ref().unwrap().as_str(), "ap-northeast-1");
    assert_eq!(dev.duration.seconds(), 3_600);
    assert_eq!(dev.external_id.as_ref().unwrap().as_str(), "x:1/2");
    assert_eq!(dev.session_name.to_string(), "{user}@{host}-{session}");
    assert_eq!(dev.source_identity.as_ref().unwrap().to_string(), "{user}");
    assert!(
        dev.policy
            .as_ref()
            .unwrap()
            .as_str()
            .starts_with(r#"{"Version":"#)
    );
    assert_eq!(dev.policy_arns.len(), 1);
    let tags = dev.tags.iter();
    let tags: Vec<String> = tags.map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        tags,
        ["Zone={account_id}", "Account={account}", "Ticket={ticket}"]
    );
    assert_eq!(dev.transitive.len(), 1);
    assert!(dev.require.reason && dev.require.ticket && dev.require.confirm);
    assert!(!dev.narrow.policy && !dev.narrow.duration && dev.scope_down && dev.notify);
    assert_eq!(dev.narrow.tags.len(), 1);
    let exes = dev.peers.iter().map(|rule| rule.criteria.exe.as_deref());
    let exes: Vec<&str> = exes.flatten().collect();
    assert_eq!(exes, ["/usr/bin/terraform", "/usr/bin/aws"]);
    assert_eq!(config.settings.chain(&dev).len(), 2);
}

#[test]
fn every_key_of_a_standing_endpoint_arrives() {
    let serves = valid(WHOLE).settings.serves;
    let seen: Vec<_> = serves
        .values()
        .map(|serve| {
            (
                serve.name.as_str(),
                serve.profile.as_str(),
                serve.speaks,
                serve.port.number(),
            )
        })
        .collect();
    let expected = [
        ("build", "custodian", Speaks::Container, 4_100),
        ("old", "custodian", Speaks::Imds { v1: false }, 61_000),
    ];
    assert_eq!(seen, expected);
    let v1 = valid(&WHOLE.replace("imds_v1 = false", "imds_v1 = true"));
    assert_eq!(v1.warnings.len(), 1, "it is warned of: {:?}", v1.warnings);
    let old = v1.settings.serves.into_values().next_back().unwrap();
    assert_eq!(old.speaks, Speaks::Imds { v1: true });
}

#[test]
fn codes_of_a_stored_seed_need_no_command() {
    let device = "mfa_serial = \"arn:aws:iam::111111111111:mfa/alice\"\n";
    assert!(EXAMPLE.contains(device));
    let stored = EXAMPLE.replace(device, &format!("{device}mfa = \"stored\"\n"));
    let config = valid(&stored);
    assert_eq!(config.warnings, []);
    let jump = identity(&config, "jump");
    assert_eq!(jump.mfa.as_ref().unwrap().source, CodeSource::Stored);
    assert!(jump.makes_codes());
    let both = stored.replace(device, &format!("{device}mfa_command = [\"code\"]\n"));
    assert_eq!(valid(&both).warnings.len(), 1, "the command is never run");
}

#[test]
fn defaults() {
    let config = valid(EXAMPLE);
    assert_eq!(config.warnings, []);
    assert_eq!(config.settings.agent, AgentSettings::default());
    let jump = identity(&config, "jump");
    assert_eq!(jump.endpoint.region.as_str(), DEFAULT_REGION);
    assert_eq!(
        (&jump.endpoint.url, &jump.endpoint.ca_bundle),
        (&None, &None)
    );
    assert_eq!(jump.store, Store::Keyring);
    let mfa = jump.mfa.as_ref().unwrap();
    assert_eq!(mfa.source, CodeSource::Prompt);
    let MfaSession::For(session) = mfa.session else {
        panic!("{mfa:?}");
    };
    assert_eq!(session.seconds(), DEFAULT_MFA_SESSION);
    let dev = profile(&config, "dev");
    assert_eq!(dev.identity, jump.name, "the only identity");
    assert_eq!(dev.duration.seconds(), 3_600);
    assert_eq!(dev.session_name.to_string(), DEFAULT_SESSION_NAME);
    assert_eq!(dev.account_name, None);
    assert_eq!(dev.narrow, Default::default());
    assert!(!dev.scope_down && !dev.notify);
    assert_eq!(dev.require, Default::default());
    assert_eq!((dev.policy.as_ref(), dev.peers.len()), (None, 0));
}

#[test]
fn a_version_alone_is_a_configuration() {
    let config = valid("version = 1");
    assert_eq!(config.settings.identities, BTreeMap::new());
    assert_eq!(config.settings.profiles, BTreeMap::new());
}
