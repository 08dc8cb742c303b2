//! Who a role trusts, and whether the conditions on that can hold.

use std::collections::HashMap;

use super::pattern::covers;
use super::view::{Condition, Principal, Statement, View};
use super::{Findings, Rule};
use crate::excerpt::Excerpt;
use crate::json::Position;

/// Keys that say whose principal it is, in lower case: enough even where everyone is trusted.
const BELONGING: [&str; 8] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:userid",
];

/// Keys that limit who of an account it may be, or how.
const LIMITING: [&str; 5] = [
    "aws:multifactorauthpresent",
    "aws:principaltag/",
    "aws:username",
    "sts:externalid",
    "sts:sourceidentity",
];

/// Issuers that IAM knows without a provider of its own.
const KNOWN_ISSUERS: [&str; 4] = [
    "accounts.google.com",
    "cognito-identity.amazonaws.com",
    "graph.facebook.com",
    "www.amazon.com",
];

pub(super) fn check(view: &View<'_>, findings: &mut Findings) {
    for statement in view.allows() {
        open_trust(statement, findings);
        open_federation(statement, findings);
        source_identity(statement, findings);
    }
    for statement in &view.statements {
        impossible_mfa(statement, findings);
    }
    spellings(view, findings);
    session_tagging(view, findings);
}

/// Whether a condition demands one of these keys, with a value that is not just anything.
fn demands(statement: &Statement<'_>, keys: &[&str]) -> bool {
    statement.conditions.iter().any(|condition| {
        let named = keys.iter().any(|key| match key.ends_with('/') {
            true => condition.key_after(key).is_some(),
            false => condition.is_key(key),
        });
        let anything = condition.values.iter().any(|value| value.text == "*");
        let refused =
            condition.operator == "bool" && condition.values.iter().all(|v| v.text != "true");
        named
            && condition.demands_its_key()
            && condition.operator != "null"
            && !anything
            && !refused
    })
}

fn open_trust(statement: &Statement<'_>, findings: &mut Findings) {
    if demands(statement, &BELONGING) {
        return;
    }
    if let Some(at) = statement.not_principal {
        let what = "NotPrincipal in an Allow trusts everyone but some";
        findings.add_in(statement, Rule::OpenTrust, at, what);
    }
    for principal in &statement.principals {
        let Principal { kind, name } = principal;
        let what = if *kind == "*" || *kind == "AWS" && name.text == "*" {
            "every principal of every account is trusted".to_owned()
        } else if *kind == "AWS" && is_account(name.text) && !demands(statement, &LIMITING) {
            let quoted = Excerpt::of(name.text);
            format!("{quoted} is everyone whom that account allows, without a condition")
        } else {
            continue;
        };
        findings.add_in(statement, Rule::OpenTrust, name.at, what);
    }
}

/// `111111111111` or `arn:aws:iam::111111111111:root`
fn is_account(name: &str) -> bool {
    let id = match name.strip_suffix(":root") {
        Some(arn) => arn.rsplit(':').next().unwrap_or_default(),
        None => name,
    };
    id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn allows_action(statement: &Statement<'_>, action: &str) -> bool {
    let mut actions = statement.actions.listed().iter();
    actions.any(|pattern| covers(&pattern.text.to_ascii_lowercase(), action))
}

fn open_federation(statement: &Statement<'_>, findings: &mut Findings) {
    if !allows_action(statement, "sts:assumerolewithwebidentity") {
        return;
    }
    let is_oidc = |principal: &&Principal<'_>| {
        let name = principal.name.text;
        principal.kind == "Federated"
            && (name.contains(":oidc-provider/") || KNOWN_ISSUERS.contains(&name))
    };
    let Some(principal) = statement.principals.iter().find(is_oidc) else {
        return;
    };
    let has_key = |ends: &[&str]| {
        let limits = |condition: &&Condition<'_>| {
            !condition.operator.contains("not") && condition.operator != "null"
        };
        statement.conditions.iter().filter(limits).any(|condition| {
            let key = condition.key.text.to_ascii_lowercase();
            ends.iter().any(|end| key.ends_with(end))
        })
    };
    let tagged = || {
        let tag = |c: &Condition<'_>| c.key_after("aws:RequestTag/").is_some();
        statement.conditions.iter().any(tag)
    };
    let audience = has_key(&[":aud", ":azp", ":oaud", ":app_id"]);
    let subject = has_key(&[":sub", ":id", ":user_id", ":amr"]) || tagged();
    let missing = match (audience, subject) {
        (true, true) => return,
        (false, false) => "neither the audience nor the subject of a token is",
        (false, true) => "the audience of a token is not",
        (true, false) => "the subject of a token (or a tag) is not",
    };
    let provider = Excerpt::of(principal.name.text);
    let what = format!("{missing} in the conditions on {provider}");
    findings.add_in(statement, Rule::OpenFederation, principal.name.at, what);
}

fn impossible_mfa(statement: &Statement<'_>, findings: &mut Findings) {
    let of_mfa = |condition: &&Condition<'_>| {
        let mfa = ["aws:multifactorauthpresent", "aws:multifactorauthage"];
        mfa.iter().any(|key| condition.is_key(key)) && condition.operator != "null"
    };
    let Some(caller) = caller_without_mfa(statement) else {
        return;
    };
    for condition in statement.conditions.iter().filter(of_mfa) {
        let (key, written) = (Excerpt::of(condition.key.text), condition.written);
        let effect = match condition.if_exists {
            true => "always true",
            false => "never true",
        };
        let what = format!("{caller} has no {key}: {written} is {effect}");
        findings.add_in(statement, Rule::ImpossibleMfa, condition.key.at, what);
    }
}

/// What calls, if no caller of the statement can have used MFA towards AWS.
fn caller_without_mfa(statement: &Statement<'_>) -> Option<&'static str> {
    let assuming: Vec<String> = statement
        .actions
        .listed()
        .iter()
        .map(|action| action.text.to_ascii_lowercase())
        .filter(|action| action.starts_with("sts:assumerole"))
        .collect();
    let all = |action: &str| !assuming.is_empty() && assuming.iter().all(|given| given == action);
    if all("sts:assumerolewithwebidentity") {
        return Some("a web identity");
    }
    if all("sts:assumerolewithsaml") {
        return Some("a SAML assertion");
    }
    let is_session = |principal: &Principal<'_>| {
        let name = principal.name.text;
        let of_role = name.contains(":role/") || name.contains(":assumed-role/");
        principal.kind == "AWS" && name.starts_with("arn:") && of_role
    };
    let chained = !statement.principals.is_empty() && statement.principals.iter().all(is_session);
    chained.then_some("a session of a role (chaining)")
}

fn source_identity(statement: &Statement<'_>, findings: &mut Findings) {
    let mut conditions = statement.conditions.iter();
    let demanded = conditions.find(|c| c.is_key("sts:SourceIdentity") && c.demands_its_key());
    if let Some(condition) = demanded {
        let what = "the role can be assumed with a source identity only";
        findings.add_in(
            statement,
            Rule::ConsoleSourceIdentity,
            condition.key.at,
            what,
        );
    }
}

/// A tag key where it is spelled.
struct Spelling<'a> {
    key: &'a str,
    at: Position,
    /// Whether it is a value of a list of keys, and not part of a condition key.
    listed: bool,
}

fn spellings(view: &View<'_>, findings: &mut Findings) {
    for statement in &view.statements {
        // The first spelling in a list, and the first in a condition key.
        let mut seen: HashMap<String, [Option<Spelling<'_>>; 2]> = HashMap::new();
        for spelling in statement.conditions.iter().flat_map(tag_keys) {
            let firsts = seen.entry(spelling.key.to_lowercase()).or_default();
            // Two condition keys are compared without their case, so they do not matter to each other.
            let counts = |first: &&Spelling<'_>| {
                first.key != spelling.key && (first.listed || spelling.listed)
            };
            if let Some(first) = firsts.iter().flatten().find(counts) {
                differs(statement, first, &spelling, findings);
            }
            firsts[usize::from(spelling.listed)].get_or_insert(spelling);
        }
    }
}

fn differs(
    statement: &Statement<'_>,
    first: &Spelling<'_>,
    spelling: &Spelling<'_>,
    findings: &mut Findings,
) {
    let (key, other) = (Excerpt::of(spelling.key), Excerpt::of(first.key));
    let what = format!("tag key {key} is spelled {other} at {}", first.at);
    let finding = findings.add_in(statement, Rule::TagSpelling, spelling.at, what);
    finding.other = Some((first.at, "the other spelling"));
}

fn tag_keys<'a>(condition: &'a Condition<'a>) -> Vec<Spelling<'a>> {
    let at = condition.key.at;
    let named = ["aws:RequestTag/", "aws:PrincipalTag/"]
        .into_iter()
        .filter_map(|prefix| condition.key_after(prefix));
    let lists = ["sts:TransitiveTagKeys", "aws:TagKeys"];
    let is_list = lists.iter().any(|key| condition.is_key(key)) && condition.operator != "null";
    let values = condition.values.iter().filter(|_| is_list);
    let listed = values.map(|value| Spelling {
        key: value.text,
        at: value.at,
        listed: true,
    });
    named
        .map(|key| Spelling {
            key,
            at,
            listed: false,
        })
        .chain(listed)
        .collect()
}

/// A trust policy that speaks of tags or a source identity, and lets nobody pass them.
fn session_tagging(view: &View<'_>, findings: &mut Findings) {
    demanded_without(view, "sts:TagSession", is_of_tags, findings);
    demanded_without(
        view,
        "sts:SetSourceIdentity",
        is_of_source_identity,
        findings,
    );
}

fn is_of_tags(condition: &Condition<'_>) -> bool {
    let lists = ["sts:TransitiveTagKeys", "aws:TagKeys"];
    lists.iter().any(|key| condition.is_key(key))
        || condition.key_after("aws:RequestTag/").is_some()
}

fn is_of_source_identity(condition: &Condition<'_>) -> bool {
    condition.is_key("sts:SourceIdentity")
}

fn demanded_without(
    view: &View<'_>,
    action: &str,
    speaks: fn(&Condition<'_>) -> bool,
    findings: &mut Findings,
) {
    let wanted = action.to_ascii_lowercase();
    let demanded = view.allows().find_map(|statement| {
        let mut conditions = statement.conditions.iter();
        let condition = conditions.find(|c| speaks(c) && c.demands_its_key())?;
        Some((statement, condition))
    });
    let Some((statement, condition)) = demanded else {
        return;
    };
    if !view.allows().any(|s| allows_action(s, &wanted)) {
        let (key, at) = (Excerpt::of(condition.key.text), condition.key.at);
        let what = format!("{key} is demanded, and no statement allows {action}");
        let finding = findings.add_in(statement, Rule::SessionTagging, at, what);
        finding.remedy = Some(format!("Add {action} to the actions that are allowed."));
    }
}
