//! The policy of a resource: a grant from the other side.
//!
//! Source: IAM user guide, "Policies and permissions" (session policies and resource policies),
//! "Evaluating identity-based policies with resource-based policies", "Cross account policy
//! evaluation logic", "AWS JSON policy elements: Principal".

use super::answer::{Answer, Doubt};
use super::context::Request;
use super::{Cited, Document, Doubtful, Findings, Role, Verdict, intersected, matching};
use crate::statement::{Effect, Principal, PrincipalKind, Selector};

/// Who asks, as a resource policy may name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account, twelve digits.
    pub account: String,
    /// The ARN of the user, or of the session (`arn:…:assumed-role/ROLE/SESSION`).
    pub arn: String,
    /// For a session: the ARN of its role.
    pub role_arn: Option<String>,
}

/// The policy of the resource that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePolicy {
    /// The policy.
    pub document: Document,
    /// Who asks.
    pub caller: Caller,
    /// The account that owns the resource.
    pub owner: String,
}

/// What a resource policy grants, by how it names the caller.
pub(super) struct Grants {
    pub(super) found: Findings,
    /// By the user's or session's own ARN: session policies and the boundary do not limit it.
    itself: Found,
    /// By the role's ARN: they do.
    role: Found,
    /// By `*` or by all but some: which of the two is not documented.
    everyone: Found,
    /// By the account, which passes the decision on to the account's own policies.
    account: Found,
    same_account: bool,
}

#[derive(Default)]
struct Found {
    sure: Vec<Cited>,
    doubtful: Vec<Doubtful>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Account,
    Everyone,
    Role,
    Itself,
}

/// Whether the principals of a statement mean the caller, and how.
fn reach(principals: Option<&Selector<Principal>>, caller: &Caller) -> Option<Reach> {
    let principals = principals?;
    let one = |principal: &Principal| one_reach(principal, caller);
    let named = principals.items().iter().filter_map(one).max();
    match (principals.is_all_but(), named) {
        (false, named) => named,
        (true, None) => Some(Reach::Everyone),
        (true, Some(_)) => None,
    }
}

fn one_reach(principal: &Principal, caller: &Caller) -> Option<Reach> {
    if principal.kind != PrincipalKind::Aws {
        return None;
    }
    let name = &principal.name;
    let root = name
        .strip_suffix(":root")
        .and_then(|arn| arn.rsplit(':').next());
    if *name == caller.arn {
        Some(Reach::Itself)
    } else if caller.role_arn.as_ref() == Some(name) {
        Some(Reach::Role)
    } else if name == "*" {
        Some(Reach::Everyone)
    } else {
        let account = *name == caller.account || root == Some(&caller.account);
        account.then_some(Reach::Account)
    }
}

pub(super) fn grants(policy: &ResourcePolicy, request: &Request) -> Grants {
    let mut grants = Grants {
        found: Findings::default(),
        itself: Found::default(),
        role: Found::default(),
        everyone: Found::default(),
        account: Found::default(),
        same_account: policy.owner == policy.caller.account,
    };
    for statement in &policy.document.statements {
        let Some(reach) = reach(statement.principals.as_ref(), &policy.caller) else {
            continue;
        };
        let by = Cited {
            role: Role::Resource,
            document: policy.document.name.clone(),
            statement: statement.name(),
        };
        let answer = matching::applies(statement, request);
        if statement.effect == Effect::Deny {
            grants.found.note(statement.effect, by, answer);
            continue;
        }
        let list = match reach {
            Reach::Itself => &mut grants.itself,
            Reach::Role => &mut grants.role,
            Reach::Everyone => &mut grants.everyone,
            Reach::Account => &mut grants.account,
        };
        match answer {
            Answer::Yes => list.sure.push(by),
            Answer::Unknown(why) => list.doubtful.push(Doubtful {
                effect: Effect::Allow,
                by,
                why,
            }),
            Answer::No => {}
        }
    }
    grants
}

/// The layers together with what the resource grants, denies aside.
pub(super) fn with_grants(layers: &[(&Role, Findings)], grants: &Grants) -> Verdict {
    if !grants.same_account {
        return across_accounts(layers, grants);
    }
    let limited = |role: &Role| *role == Role::Identity;
    let free = |role: &Role| !matches!(role, Role::ServiceControl { .. });
    let sure = |found: &Found, instead: &dyn Fn(&Role) -> bool| {
        let cited = || found.sure.iter().take(1).cloned().collect();
        let stands_in = |role: &Role| (instead(role) && !found.sure.is_empty()).then(cited);
        intersected(layers, stands_in)
    };
    let certain = [
        intersected(layers, |_| None),
        sure(&grants.itself, &free),
        sure(&grants.role, &limited),
        sure(&grants.everyone, &limited),
    ];
    let mut doubts = Vec::new();
    for verdict in &certain {
        match verdict {
            Verdict::Allowed { .. } => return verdict.clone(),
            Verdict::CannotTell { doubts: more } => doubts.extend(more.clone()),
            _ => {}
        }
    }
    if let Verdict::Allowed { by } = sure(&grants.everyone, &free) {
        doubts.extend(by.into_iter().map(beyond_the_session));
    }
    doubts.extend(deciding(layers, &grants.itself, free));
    doubts.extend(deciding(layers, &grants.role, limited));
    doubts.extend(deciding(layers, &grants.everyone, free));
    let [without, ..] = certain;
    settled(without, doubts)
}

/// Both sides must allow.
fn across_accounts(layers: &[(&Role, Findings)], grants: &Grants) -> Verdict {
    let all = [
        &grants.itself,
        &grants.role,
        &grants.everyone,
        &grants.account,
    ];
    let sure: Vec<Cited> = all.iter().flat_map(|found| found.sure.clone()).collect();
    let doubtful = all.iter().flat_map(|found| found.doubtful.clone());
    match (intersected(layers, |_| None), sure.first()) {
        (Verdict::Allowed { mut by }, Some(grant)) => {
            by.push(grant.clone());
            Verdict::Allowed { by }
        }
        (Verdict::Allowed { .. }, None) => settled(
            Verdict::ImplicitlyDenied {
                by: vec![Role::Resource],
            },
            doubtful.collect(),
        ),
        (Verdict::CannotTell { .. }, None) if all.iter().all(|found| found.doubtful.is_empty()) => {
            Verdict::ImplicitlyDenied {
                by: vec![Role::Resource],
            }
        }
        (other, _) => other,
    }
}

/// The doubts of a grant that would lead to an allow, were it certain.
fn deciding(
    layers: &[(&Role, Findings)],
    found: &Found,
    instead: impl Fn(&Role) -> bool,
) -> Vec<Doubtful> {
    if found.doubtful.is_empty() {
        return Vec::new();
    }
    match intersected(layers, |role| instead(role).then(Vec::new)) {
        Verdict::Allowed { .. } | Verdict::CannotTell { .. } => found.doubtful.clone(),
        _ => Vec::new(),
    }
}

fn beyond_the_session(by: Cited) -> Doubtful {
    Doubtful {
        effect: Effect::Allow,
        by,
        why: Doubt::Principal {
            name: "*".to_owned(),
        },
    }
}

fn settled(otherwise: Verdict, doubts: Vec<Doubtful>) -> Verdict {
    if doubts.is_empty() {
        otherwise
    } else {
        Verdict::CannotTell { doubts }
    }
}
