//! Values for tests: one jump account, one IAM user with an MFA device, roles in a target account.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use jumpgate_api::{Interface, Timestamp};
use jumpgate_iam::{
    AccountId, MfaSerial, MfaSessionDuration, PolicyArn, PolicyArns, PolicyDocument, Region,
    RoleArn, RoleDuration, ScopedDuration, TagKey, TagValue,
};

use super::assume_role::AssumeRoleRequest;
use super::grant::{Ask, Narrowing};
use super::identity::{
    AccessKeyId, Argv, CodeSource, Endpoint, Identity, LongTermKey, Mfa, MfaSession, Store,
};
use super::name::{IdentityName, ProfileName};
use super::peer::Peer;
use super::profile::{NarrowBounds, Profile, Requirements};
use super::rule::{Criteria, PeerRule};
use super::scope::Surroundings;
use super::session::AssumedRole;
use super::settings::{AgentSettings, Settings};
use super::template::Template;

/// The long-term key's id.
pub const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";

/// A profile's name.
#[must_use]
pub fn profile_name(text: &str) -> ProfileName {
    ProfileName::parse(text).unwrap()
}

/// An identity's name.
#[must_use]
pub fn identity_name(text: &str) -> IdentityName {
    IdentityName::parse(text).unwrap()
}

/// A tag's key.
#[must_use]
pub fn tag_key(text: &str) -> TagKey {
    TagKey::parse(text).unwrap()
}

/// A tag's value.
#[must_use]
pub fn tag_value(text: &str) -> TagValue {
    TagValue::parse(text).unwrap()
}

/// A template.
#[must_use]
pub fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

/// A duration of an ask.
#[must_use]
pub fn asked_duration(seconds: u32) -> ScopedDuration {
    ScopedDuration::new(seconds).unwrap()
}

/// A duration of a role session.
#[must_use]
pub fn duration(seconds: u32) -> RoleDuration {
    RoleDuration::new(seconds).unwrap()
}

/// A session policy that allows one action.
#[must_use]
pub fn policy(action: &str) -> PolicyDocument {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#
    );
    PolicyDocument::parse(&text).unwrap()
}

/// Managed policies of AWS.
#[must_use]
pub fn policy_arns(names: &[&str]) -> PolicyArns {
    let arn = |name: &&str| PolicyArn::parse(&format!("arn:aws:iam::aws:policy/{name}")).unwrap();
    PolicyArns::new(names.iter().map(arn).collect()).unwrap()
}

/// The identity `jump`: an IAM user's key in the keyring, a person types the code, one code serves 8 hours.
#[must_use]
pub fn identity() -> Identity {
    Identity {
        name: identity_name("jump"),
        account: AccountId::parse("111111111111").unwrap(),
        endpoint: Endpoint {
            region: Region::parse("eu-west-1").unwrap(),
            url: None,
            ca_bundle: None,
        },
        iam_url: None,
        mfa: Some(Mfa {
            serial: MfaSerial::parse("arn:aws:iam::111111111111:mfa/alice").unwrap(),
            source: CodeSource::Prompt,
            session: MfaSession::For(MfaSessionDuration::new(8 * 3600).unwrap()),
        }),
        store: Store::Keyring,
        passphrase_command: None,
        rotate_after: None,
    }
}

/// The same with a program that prints the codes.
#[must_use]
pub fn commanded() -> Identity {
    let mut identity = identity();
    let mfa = identity.mfa.as_mut().unwrap();
    mfa.source = CodeSource::Command(Argv {
        program: "ykman".into(),
        arguments: Vec::new(),
    });
    identity
}

/// The identity's long-term key.
#[must_use]
pub fn long_term_key() -> LongTermKey {
    LongTermKey {
        access_key_id: AccessKeyId::parse(KEY_ID).unwrap(),
        secret_access_key: "canary-long-term-secret".into(),
    }
}

/// A profile of the identity `jump` that assumes a role of the same name for an hour.
#[must_use]
pub fn profile(name: &str) -> Profile {
    Profile {
        name: profile_name(name),
        identity: identity_name("jump"),
        role: RoleArn::parse(&format!("arn:aws:iam::222222222222:role/{name}")).unwrap(),
        account_name: None,
        via: None,
        region: None,
        duration: RoleDuration::DEFAULT,
        external_id: None,
        session_name: template("{user}-{session}"),
        source_identity: None,
        policy: None,
        policy_arns: PolicyArns::default(),
        tags: Vec::new(),
        transitive: Vec::new(),
        require: Requirements::default(),
        narrow: NarrowBounds::default(),
        preset: None,
        scope_down: false,
        notify: false,
        peers: Vec::new(),
    }
}

/// The same, chained through another profile.
#[must_use]
pub fn profile_via(name: &str, via: &str) -> Profile {
    Profile {
        via: Some(profile_name(via)),
        ..profile(name)
    }
}

/// A rule for an executable that takes nothing away.
#[must_use]
pub fn rule_for_exe(exe: &str) -> PeerRule {
    PeerRule {
        index: 0,
        criteria: Criteria {
            exe: Some(exe.into()),
            ..Criteria::default()
        },
        bounded: None,
    }
}

/// A configuration of these profiles.
#[must_use]
pub fn settings(identities: Vec<Identity>, profiles: Vec<Profile>) -> Settings {
    let identities = identities.into_iter();
    let profiles = profiles.into_iter();
    Settings::new(
        AgentSettings::default(),
        BTreeMap::from_iter(identities.map(|one| (one.name.clone(), Arc::new(one)))),
        BTreeMap::from_iter(profiles.map(|one| (one.name.clone(), Arc::new(one)))),
        BTreeMap::new(),
    )
}

/// A process of our user.
#[must_use]
pub fn peer() -> Peer {
    Peer {
        pid: 4242,
        uid: 1000,
        executable: Some("/usr/bin/aws".into()),
        origin: None,
    }
}

/// An ask that narrows nothing.
#[must_use]
pub fn ask(profile: &str) -> Ask {
    Ask {
        profile: profile_name(profile),
        interface: Interface::Process,
        narrowing: Narrowing::default(),
        reason: None,
        ticket: None,
    }
}

/// Where we run.
#[must_use]
pub fn surroundings() -> Surroundings {
    Surroundings {
        user: "alice".into(),
        host: "laptop".into(),
    }
}

/// STS's answer to a request, the `number`th.
#[must_use]
pub fn answer(request: &AssumeRoleRequest, number: usize, expires_at: Timestamp) -> AssumedRole {
    let (role, name) = (&request.role, request.session_name.as_str());
    AssumedRole {
        access_key_id: AccessKeyId::parse(&format!("ASIA{number:016}")).unwrap(),
        secret_access_key: "canary-session-secret".into(),
        session_token: "canary-session-token".into(),
        expires_at,
        arn: format!(
            "arn:{}:sts::{}:assumed-role/{}/{name}",
            role.partition(),
            role.account(),
            role.name()
        ),
        assumed_role_id: format!("AROA{number:017}:{name}"),
        packed_policy_percent: Some(7),
        token_percent: None,
        request_id: Some(format!("request-{number}")),
    }
}
