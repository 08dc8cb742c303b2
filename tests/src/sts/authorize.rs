//! May this principal do that? Identity policies, session policies and the resource's policy,
//! put together as IAM documents it (reference_policies_evaluation-logic and its pages for one
//! account, across accounts, and for session policies).

use super::context::Context;
use super::organization;
use super::policy::{Named, Policy, Purpose, Question, Statement, named};
use super::principal::{Caller, SessionPolicies, Who};
use super::rules::{Rule, Rules};
use super::world::World;

/// The resource that is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) arn: &'a str,
    /// Account of the owner; `None` where the resource is the caller's own.
    pub(super) account: Option<&'a str>,
    /// Text of the resource's own policy.
    pub(super) policy: Option<(&'a str, Purpose)>,
}

/// How exactly a statement of a resource policy names the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Its account: that only passes the decision on to the account's own policies.
    Account,
    /// Its role, or everyone: session policies still cut.
    Role,
    /// Exactly this user or session.
    Itself,
}

/// All that the policies say, before it is put together.
struct Findings {
    denied: bool,
    identity: bool,
    session: bool,
    reach: Option<Reach>,
    /// Every scope-down policy and every level of service control policies allows it.
    left: bool,
}

/// Whether a policy denies `action` to the caller, whatever others allow.
pub(super) fn denied(
    world: &World,
    caller: &Caller,
    action: &str,
    target: Target<'_>,
    context: &Context,
) -> bool {
    let question = Question {
        action,
        resource: target.arn,
        context,
        rules: &world.without,
    };
    Findings::of(world, caller, target, question).denied
}

/// Whether the caller may do `action` to the target.
pub(super) fn allowed(
    world: &World,
    caller: &Caller,
    action: &str,
    target: Target<'_>,
    context: &Context,
) -> bool {
    let (who, rules) = (&caller.who, &world.without);
    let question = Question {
        action,
        resource: target.arn,
        context,
        rules,
    };
    let found = Findings::of(world, caller, target, question);
    let stopped = found.denied && rules.enforces(Rule::ExplicitDeny);
    if stopped || !found.left {
        return false;
    }
    let trust = matches!(target.policy, Some((_, Purpose::Trust)));
    let by_identity = found.identity && found.session;
    let reached = match found.reach {
        Some(Reach::Itself) if rules.enforces(Rule::SessionArnEscapes) => true,
        Some(Reach::Itself | Reach::Role) => found.session,
        Some(Reach::Account) => by_identity,
        None => false,
    };
    let home = target
        .account
        .is_none_or(|account| account == who.account());
    if !home && rules.enforces(Rule::CrossAccountBoth) {
        return by_identity && found.reach.is_some();
    }
    // A role's trust policy is never replaced by the caller's own policies.
    if trust {
        reached
    } else {
        by_identity || reached
    }
}

impl Findings {
    fn of(world: &World, caller: &Caller, target: Target<'_>, question: Question<'_>) -> Findings {
        let (who, rules) = (&caller.who, &world.without);
        let scopes = scope_downs(world, caller);
        let control = organization::said(world, who, question);
        let identity = identity_policies(world, who);
        let session = session_policies(world, who);
        let resource = target
            .policy
            .and_then(|(text, purpose)| parsed(text, purpose, rules));
        let hits = |allow| {
            resource
                .iter()
                .flat_map(move |p| p.hits(allow, question))
                .filter_map(|s| reach(s, who))
        };
        let denies = |p: &Policy| p.denies(question);
        let denied = identity.iter().any(denies)
            || session.iter().flatten().any(denies)
            || scopes.iter().any(denies)
            || control.denied
            || hits(false).next().is_some();
        let trust = matches!(target.policy, Some((_, Purpose::Trust)));
        let free = trust && !rules.enforces(Rule::TrustPolicy);
        Findings {
            denied,
            left: control.allowed && scopes.iter().all(|p| p.allows(question)),
            identity: who.is_root(world)
                || !rules.enforces(Rule::IdentityPolicy)
                || identity.iter().any(|p| p.allows(question)),
            session: session.is_none_or(|s| s.iter().any(|p| p.allows(question))),
            reach: if free {
                Some(Reach::Itself)
            } else {
                hits(true).max()
            },
        }
    }
}

fn parsed(text: &str, purpose: Purpose, rules: &Rules) -> Option<Policy> {
    Policy::parse(text, purpose, rules).ok()
}

/// The policies of the user, or of the role behind a session.
fn identity_policies(world: &World, who: &Who) -> Vec<Policy> {
    let user = match who {
        Who::Federated(session) => world.find_user(&session.user_arn),
        other => other.user(world),
    };
    let role = match who {
        Who::RoleSession(session) => world.find_role(&session.role_arn),
        _ => None,
    };
    let of_user = user.map(|user| (&user.policies, &user.managed));
    let Some((inline, managed)) = of_user.or(role.map(|role| (&role.policies, &role.managed)))
    else {
        return Vec::new();
    };
    let managed = managed.iter().filter_map(|arn| world.managed_text(arn));
    let texts = inline.iter().map(String::as_str).chain(managed);
    texts
        .filter_map(|text| parsed(text, Purpose::Identity, &world.without))
        .collect()
}

/// The session policies; `None` where the session has none and is as wide as its role. A federated
/// user without any may do nothing (API_GetFederationToken).
fn session_policies(world: &World, who: &Who) -> Option<Vec<Policy>> {
    let rules = &world.without;
    let passed = match who {
        Who::RoleSession(session) => Some(&session.policies).filter(|p| !p.is_empty()),
        Who::Federated(session) => Some(&session.policies)
            .filter(|p| !p.is_empty() || rules.enforces(Rule::FederationNeedsPolicy)),
        Who::Nobody | Who::User { .. } | Who::UserSession { .. } => None,
    }?;
    rules
        .enforces(Rule::SessionPolicyIntersection)
        .then(|| documents(world, passed))
}

/// The scope-down policies: each cuts all that the session may, by whatever policy it may it
/// (id_credentials_temp_control-access_getscopedcredentials).
fn scope_downs(world: &World, caller: &Caller) -> Vec<Policy> {
    let texts = caller.scopes.iter();
    let texts = texts.filter(|_| world.without.enforces(Rule::ScopedIntersection));
    texts
        .filter_map(|text| parsed(text, Purpose::Identity, &world.without))
        .collect()
}

fn documents(world: &World, passed: &SessionPolicies) -> Vec<Policy> {
    let managed = passed.arns.iter().filter_map(|arn| world.managed_text(arn));
    let texts = passed.inline.as_deref().into_iter().chain(managed);
    texts
        .filter_map(|text| parsed(text, Purpose::Identity, &world.without))
        .collect()
}

/// How a statement names the caller; `None` where it does not.
fn reach(statement: &Statement, who: &Who) -> Option<Reach> {
    match statement.principals.as_ref()? {
        Named::These(names) => names.iter().filter_map(|name| one_reach(name, who)).max(),
        all_but => named(all_but, |names| {
            names.iter().any(|name| one_reach(name, who).is_some())
        })
        .then_some(Reach::Role),
    }
}

/// reference_policies_elements_principal: `*`, an account, a user, a role, a session. No wildcards
/// within an ARN.
fn one_reach(name: &str, who: &Who) -> Option<Reach> {
    let account = who.account();
    if name == who.arn() && !name.ends_with(":root") {
        return Some(Reach::Itself);
    }
    let parent = match who {
        Who::RoleSession(session) => Some(&session.role_arn),
        Who::Federated(session) => Some(&session.user_arn),
        Who::Nobody | Who::User { .. } | Who::UserSession { .. } => None,
    };
    if name == "*" || parent.is_some_and(|parent| name == parent) {
        return Some(Reach::Role);
    }
    let whole = name == account || *name == format!("arn:aws:iam::{account}:root");
    whole.then_some(Reach::Account)
}
