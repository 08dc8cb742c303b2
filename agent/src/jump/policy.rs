//! The least policy, and what each of its statements is needed for.

use std::collections::{BTreeMap, BTreeSet};

use jumpgate_iam::RoleArn;
use jumpgate_iam::arn::MfaSerial;
use serde::Serialize;

use crate::domain::identity::{Identity, Mfa, MfaSession};
use crate::domain::profile::Profile;
use crate::domain::scope::Surroundings;
use crate::domain::settings::Settings;
use crate::domain::template::{Template, Variable};

/// What stands for the IAM user's own name.
pub(super) const USER_VARIABLE: &str = "${aws:username}";

/// What stands for what an ask brings.
const ANY: &str = "*";

/// What one profile's AssumeRole passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) role: RoleArn,
    pub(super) tags: bool,
    pub(super) source_identity: Option<Pin>,
}

/// What is known about the source identities that a profile passes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pin {
    /// The name of the IAM user.
    UserName,
    /// This text.
    Text(String),
    /// What matches, since an ask brings a part of it.
    Like(String),
    /// Nothing: it differs from session to session.
    Open,
}

/// All that the profiles of an identity need.
#[derive(Debug)]
pub(super) struct Needs {
    pub(super) each: Vec<Need>,
    /// The IAM user's name, if its MFA device says it.
    pub(super) user: Option<String>,
    /// Whether each call is made with MFA: by a session of GetSessionToken.
    pub(super) mfa: bool,
}

impl Needs {
    /// Those of an identity's own profiles, in the order of their names.
    pub(super) fn of(settings: &Settings, identity: &str, surroundings: &Surroundings) -> Self {
        let found = settings.identities.values();
        let mfa = found
            .filter(|found| found.name.as_str() == identity)
            .find_map(|found: &std::sync::Arc<Identity>| found.mfa.as_ref());
        let user = mfa.and_then(|mfa| device_name(&mfa.serial));
        let own = settings
            .profiles
            .values()
            .filter(|profile| profile.identity.as_str() == identity && profile.via.is_none());
        let each = own.map(|profile| Need {
            role: profile.role.clone(),
            tags: !profile.tags.is_empty() || !profile.narrow.tags.is_empty(),
            source_identity: profile
                .source_identity
                .as_ref()
                .map(|template| pin(template, profile, surroundings, user.as_deref())),
        });
        Self {
            each: each.collect(),
            mfa: mfa.is_some_and(|mfa: &Mfa| matches!(mfa.session, MfaSession::For(_))),
            user,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// The policy.
    pub(super) fn policy(&self) -> Policy {
        let roles = |which: &dyn Fn(&Need) -> bool| {
            let needs = self.each.iter().filter(|need| which(need));
            needs.map(|need| need.role.to_string()).collect()
        };
        let mut statements = vec![Statement {
            condition: match self.mfa {
                true => condition("Bool", "aws:MultiFactorAuthPresent", "true"),
                false => Condition::new(),
            },
            ..Statement::new("AssumeRoles", "sts:AssumeRole", roles(&|_| true))
        }];
        let tagged: BTreeSet<String> = roles(&|need| need.tags);
        if !tagged.is_empty() {
            statements.push(Statement::new("PassTags", "sts:TagSession", tagged));
        }
        let pins: BTreeSet<&Pin> = self
            .each
            .iter()
            .filter_map(|need| need.source_identity.as_ref())
            .collect();
        for (index, pin) in pins.into_iter().enumerate() {
            let pinned = roles(&|need| need.source_identity.as_ref() == Some(pin));
            let sid = format!("SetSourceIdentity{}", index + 1);
            statements.push(Statement {
                condition: pin.condition(),
                ..Statement::new(&sid, "sts:SetSourceIdentity", pinned)
            });
        }
        Policy {
            version: "2012-10-17",
            statement: statements,
        }
    }
}

/// The name in the ARN of a virtual device. AWS's console names the first device so that users can manage their own.
fn device_name(serial: &MfaSerial) -> Option<String> {
    let (_, name) = serial.as_str().split_once(":mfa/")?;
    name.rsplit('/').next().map(str::to_owned)
}

/// `${aws:username}` only where it is true: the template is the user's name, and the user of this machine is called as
/// the IAM user is. Else the text that will be sent.
fn pin(
    template: &Template,
    profile: &Profile,
    surroundings: &Surroundings,
    user: Option<&str>,
) -> Pin {
    if template.to_string() == "{user}" && user == Some(surroundings.user.as_str()) {
        return Pin::UserName;
    }
    if template.names(Variable::Session) {
        return Pin::Open;
    }
    let text = surroundings.render(template, profile, Some(ANY));
    let text = text.ok().and_then(|text| text.fixed_text());
    match text {
        Some(text) if template.names(Variable::Ticket) => Pin::Like(text),
        Some(text) => Pin::Text(text),
        None => Pin::Open,
    }
}

impl Pin {
    fn condition(&self) -> Condition {
        let key = "sts:SourceIdentity";
        match self {
            Self::UserName => condition("StringEquals", key, USER_VARIABLE),
            Self::Text(text) => condition("StringEquals", key, text),
            Self::Like(text) => condition("StringLike", key, text),
            Self::Open => Condition::new(),
        }
    }
}

type Condition = BTreeMap<&'static str, BTreeMap<&'static str, String>>;

fn condition(operator: &'static str, key: &'static str, value: &str) -> Condition {
    Condition::from([(operator, BTreeMap::from([(key, value.to_owned())]))])
}

/// A policy as it is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: String,
    effect: &'static str,
    action: &'static str,
    resource: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: Condition,
}

impl Statement {
    fn new(sid: &str, action: &'static str, resource: BTreeSet<String>) -> Self {
        Self {
            sid: sid.to_owned(),
            effect: "Allow",
            action,
            resource,
            condition: Condition::new(),
        }
    }
}
