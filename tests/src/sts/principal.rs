//! Who calls: IAM users, their sessions, role sessions, federated users; and what each brings into
//! the request context (reference_policies_variables, table "Principal key values").

use super::bytes::sha256;
use super::context::Context;
use super::entities::User;
use super::rules::{Rule, Rules};
use super::totp::to_base32;
use super::world::World;
use std::collections::BTreeSet;

/// Session policies as they were passed; none of both means that none were passed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SessionPolicies {
    pub(super) inline: Option<String>,
    pub(super) arns: Vec<String>,
}

impl SessionPolicies {
    pub(super) fn is_empty(&self) -> bool {
        self.inline.is_none() && self.arns.is_empty()
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RoleSession {
    pub(super) role_arn: String,
    pub(super) name: String,
    /// Session tags, the inherited transitive ones among them.
    pub(super) tags: Vec<(String, String)>,
    /// Transitive keys, lower case.
    pub(super) transitive: BTreeSet<String>,
    pub(super) source_identity: Option<String>,
    pub(super) policies: SessionPolicies,
    /// Only where [`Rule::MfaNotInRoleSession`] is out.
    pub(super) mfa_at: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FederatedSession {
    pub(super) user_arn: String,
    pub(super) name: String,
    pub(super) tags: Vec<(String, String)>,
    pub(super) policies: SessionPolicies,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// Without a rule about signatures, a caller that nobody knows.
    Nobody,
    /// Long-term keys of a user or of the root user.
    User {
        arn: String,
    },
    /// GetSessionToken's result.
    UserSession {
        arn: String,
        mfa_at: Option<i64>,
    },
    RoleSession(RoleSession),
    Federated(FederatedSession),
}

/// The signer of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) who: Who,
    pub(super) access_key_id: String,
    /// When temporary credentials were issued.
    pub(super) issued: Option<i64>,
    /// When they end.
    pub(super) expires: Option<i64>,
    /// The scope-down policies of GetScopedCredentials, the first call's first.
    pub(super) scopes: Vec<String>,
}

/// The account in an ARN.
pub(super) fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or("")
}

/// The last part of an ARN's name.
pub(super) fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or("")
}

/// reference_identifiers (unique ids): a prefix for the kind and 17 letters; the double derives them
/// from the ARN, so that they are stable.
pub(super) fn unique_id(prefix: &str, arn: &str) -> String {
    format!("{prefix}{}", &to_base32(&sha256(arn.as_bytes()))[..17])
}

impl Who {
    /// The user behind long-term keys and behind sessions of their own.
    pub(super) fn user<'w>(&self, world: &'w World) -> Option<&'w User> {
        match self {
            Who::User { arn } | Who::UserSession { arn, .. } => world.find_user(arn),
            _ => None,
        }
    }

    pub(super) fn is_root(&self, world: &World) -> bool {
        self.user(world).is_some_and(|user| user.root)
    }

    pub(super) fn account(&self) -> String {
        match self {
            Who::Nobody => "000000000000".to_owned(),
            Who::User { arn } | Who::UserSession { arn, .. } => account_of(arn).to_owned(),
            Who::RoleSession(session) => account_of(&session.role_arn).to_owned(),
            Who::Federated(session) => account_of(&session.user_arn).to_owned(),
        }
    }

    /// The ARN that GetCallerIdentity answers.
    pub(super) fn arn(&self) -> String {
        let account = self.account();
        match self {
            Who::Nobody => "arn:aws:iam::000000000000:user/nobody".to_owned(),
            Who::User { arn } | Who::UserSession { arn, .. } => arn.clone(),
            Who::RoleSession(session) => {
                let role = name_of(&session.role_arn);
                format!(
                    "arn:aws:sts::{account}:assumed-role/{role}/{}",
                    session.name
                )
            }
            Who::Federated(session) => {
                format!("arn:aws:sts::{account}:federated-user/{}", session.name)
            }
        }
    }

    /// `aws:PrincipalArn`: for a role session the role, not the session.
    fn principal_arn(&self) -> String {
        match self {
            Who::RoleSession(session) => session.role_arn.clone(),
            other => other.arn(),
        }
    }

    /// `aws:userid`.
    pub(super) fn user_id(&self) -> String {
        match self {
            Who::Nobody => "AIDANOBODY".to_owned(),
            Who::User { arn } | Who::UserSession { arn, .. } if arn.ends_with(":root") => {
                self.account()
            }
            Who::User { arn } | Who::UserSession { arn, .. } => unique_id("AIDA", arn),
            Who::RoleSession(session) => {
                format!("{}:{}", unique_id("AROA", &session.role_arn), session.name)
            }
            Who::Federated(session) => format!("{}:{}", self.account(), session.name),
        }
    }

    fn kind(&self, world: &World) -> &'static str {
        match self {
            Who::User { .. } | Who::UserSession { .. } if self.is_root(world) => "Account",
            Who::Nobody | Who::User { .. } | Who::UserSession { .. } => "User",
            Who::RoleSession(_) => "AssumedRole",
            Who::Federated(_) => "FederatedUser",
        }
    }

    /// Tags of the principal: the user's or role's own, then the session's over them.
    fn tags(&self, world: &World) -> Vec<(String, String)> {
        let own = |tags: &std::collections::BTreeMap<String, String>| {
            tags.iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect::<Vec<_>>()
        };
        match self {
            Who::Nobody => Vec::new(),
            Who::User { .. } | Who::UserSession { .. } => self
                .user(world)
                .map(|user| own(&user.tags))
                .unwrap_or_default(),
            Who::RoleSession(session) => {
                let role = world.find_role(&session.role_arn);
                let tags = role.map(|role| own(&role.tags)).unwrap_or_default();
                tags.into_iter()
                    .chain(session.tags.iter().cloned())
                    .collect()
            }
            Who::Federated(session) => {
                let user = world.find_user(&session.user_arn);
                let tags = user.map(|user| own(&user.tags)).unwrap_or_default();
                tags.into_iter()
                    .chain(session.tags.iter().cloned())
                    .collect()
            }
        }
    }
}

impl Caller {
    /// Puts all keys about the principal into the context.
    pub(super) fn describe(&self, world: &World, now: i64, context: &mut Context) {
        let rules = &world.without;
        let who = &self.who;
        context.set("aws:PrincipalArn", who.principal_arn());
        context.set("aws:PrincipalAccount", who.account());
        context.set("aws:PrincipalType", who.kind(world));
        if rules.enforces(Rule::UserIdContext) {
            context.set("aws:userid", who.user_id());
        }
        context.set_if(
            "aws:username",
            who.user(world).filter(|u| !u.root).map(|u| u.name.as_str()),
        );
        if rules.enforces(Rule::PrincipalTagContext) {
            for (key, value) in who.tags(world) {
                context.set(&format!("aws:PrincipalTag/{key}"), value);
            }
        }
        if let Who::RoleSession(session) = who {
            context.set_if("aws:SourceIdentity", session.source_identity.as_deref());
        }
        // reference_policies_condition-keys: present with temporary credentials only.
        if rules.enforces(Rule::TokenIssueTimeContext) {
            context.set_if("aws:TokenIssueTime", self.issued.map(super::clock::rfc3339));
        }
        self.describe_mfa(rules, now, context);
    }

    /// reference_policies_condition-keys: absent with long-term keys; id_credentials_mfa_configure-
    /// api-access: absent in role sessions; undocumented: absent for federated users.
    fn describe_mfa(&self, rules: &Rules, now: i64, context: &mut Context) {
        match &self.who {
            Who::UserSession { mfa_at, .. } => set_mfa(rules, Some(*mfa_at), now, context),
            Who::RoleSession(session) => {
                set_mfa(rules, session.mfa_at.map(Some), now, context);
            }
            Who::Nobody | Who::User { .. } | Who::Federated(_) => {}
        }
    }
}

/// `Some(None)`: temporary credentials without MFA; `None`: nothing is known, the keys are absent.
pub(super) fn set_mfa(rules: &Rules, mfa_at: Option<Option<i64>>, now: i64, context: &mut Context) {
    let Some(mfa_at) = mfa_at else { return };
    if rules.enforces(Rule::MfaPresentContext) {
        context.set("aws:MultiFactorAuthPresent", mfa_at.is_some().to_string());
    }
    if rules.enforces(Rule::MfaAgeContext) {
        context.set_if(
            "aws:MultiFactorAuthAge",
            mfa_at.map(|at| (now - at).to_string()),
        );
    }
}
