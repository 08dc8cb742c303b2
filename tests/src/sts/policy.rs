//! A policy document, read strictly by IAM's grammar (reference_policies_grammar), and what one
//! document says about one request.

use super::condition::{Condition, Operator};
use super::context::Context;
use super::json::{self, JsonFault};
use super::pattern::{action_matches, glob, matches};
use super::rules::{Rule, Rules};
use serde_json::{Map, Value};

/// What a document is for: which elements it must and must not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Attached to a user or role, or passed as a session policy: no principal.
    Identity,
    /// A role's trust policy: a principal, no resource.
    Trust,
    /// A bucket policy: both.
    Resource,
}

/// Actions, resources or principals: those named, or all but those named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named<T> {
    These(T),
    AllBut(T),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) allow: bool,
    actions: Named<Vec<String>>,
    resources: Option<Named<Vec<String>>>,
    /// `AWS` principals; `*` alone is `["*"]`.
    pub(super) principals: Option<Named<Vec<String>>>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) statements: Vec<Statement>,
    /// Variables are text in documents of the old version (reference_policies_elements_version).
    variables: bool,
}

/// One question to a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    pub(super) context: &'a Context,
    pub(super) rules: &'a Rules,
}

impl Policy {
    /// Reads a document; the error says what is wrong with it.
    pub(super) fn parse(text: &str, purpose: Purpose, rules: &Rules) -> Result<Policy, String> {
        let value = match json::read(text) {
            Ok(value) => value,
            Err(JsonFault::DuplicateKey(_)) if !rules.enforces(Rule::PolicyDuplicateKeys) => {
                serde_json::from_str(text).map_err(|error| error.to_string())?
            }
            Err(JsonFault::DuplicateKey(what) | JsonFault::Syntax(what)) => return Err(what),
        };
        let document = value.as_object().ok_or("not an object")?;
        only(document, &["Version", "Id", "Statement"])?;
        let variables = match document.get("Version").map(Value::as_str) {
            Some(Some("2012-10-17")) => true,
            None | Some(Some("2008-10-17")) => false,
            _ => return Err("Version must be 2012-10-17 or 2008-10-17".to_owned()),
        };
        let statements = match document.get("Statement") {
            Some(Value::Array(many)) if !many.is_empty() => many.iter().collect(),
            Some(one @ Value::Object(_)) => vec![one],
            _ => return Err("Statement is missing or empty".to_owned()),
        };
        if !unique_sids(&statements) {
            return Err("a Sid is there twice".to_owned());
        }
        let statements: Result<Vec<_>, _> = statements
            .into_iter()
            .map(|s| statement(s, purpose))
            .collect();
        Ok(Policy {
            statements: statements?,
            variables,
        })
    }

    /// The statements of one effect that speak about the question, whoever asks.
    pub(super) fn hits<'p>(
        &'p self,
        allow: bool,
        question: Question<'p>,
    ) -> impl Iterator<Item = &'p Statement> {
        let variables = self.variables && question.rules.enforces(Rule::PolicyVariables);
        self.statements
            .iter()
            .filter(move |s| s.allow == allow && s.speaks_about(question, variables))
    }

    pub(super) fn allows(&self, question: Question<'_>) -> bool {
        self.hits(true, question).next().is_some()
    }

    pub(super) fn denies(&self, question: Question<'_>) -> bool {
        self.hits(false, question).next().is_some()
    }
}

impl Statement {
    fn speaks_about(&self, question: Question<'_>, variables: bool) -> bool {
        let context = question.context;
        let action = |list: &[String]| list.iter().any(|a| action_matches(a, question.action));
        let resource = |list: &[String]| {
            list.iter()
                .filter_map(|text| glob(text, variables.then_some(context)))
                .any(|pattern| matches(&pattern, question.resource))
        };
        named(&self.actions, action)
            && self
                .resources
                .as_ref()
                .is_none_or(|resources| named(resources, resource))
            && self
                .conditions
                .iter()
                .all(|c| c.holds(context, question.rules, variables))
    }
}

pub(super) fn named(list: &Named<Vec<String>>, hit: impl Fn(&[String]) -> bool) -> bool {
    match list {
        Named::These(list) => hit(list),
        Named::AllBut(list) => !hit(list),
    }
}

fn only(object: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown element {key}")),
        None => Ok(()),
    }
}

const ELEMENTS: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

fn statement(value: &Value, purpose: Purpose) -> Result<Statement, String> {
    let object = value.as_object().ok_or("a statement is not an object")?;
    only(object, ELEMENTS)?;
    sid(object)?;
    let principals = either(object, "Principal", "NotPrincipal", principals)?;
    let resources = either(object, "Resource", "NotResource", strings)?;
    let actions = either(object, "Action", "NotAction", strings)?.ok_or("no Action")?;
    if principals.is_some() == (purpose == Purpose::Identity) {
        return Err("Principal is missing or out of place".to_owned());
    }
    if resources.is_some() == (purpose == Purpose::Trust) {
        return Err("Resource is missing or out of place".to_owned());
    }
    check_each(&actions, |a| a == "*" || vendor_and_name(a), "action")?;
    if let Some(resources) = &resources {
        let arn = |r: &str| r == "*" || (r.starts_with("arn:") && r.split(':').count() >= 6);
        check_each(resources, arn, "resource")?;
    }
    let allow = match object.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err("Effect must be Allow or Deny".to_owned()),
    };
    let conditions = object.get("Condition").map_or(Ok(Vec::new()), conditions)?;
    Ok(Statement {
        allow,
        actions,
        resources,
        principals,
        conditions,
    })
}

fn vendor_and_name(action: &str) -> bool {
    action
        .split_once(':')
        .is_some_and(|(vendor, name)| !vendor.is_empty() && !name.is_empty())
}

/// reference_policies_elements_sid: unique within the document.
fn unique_sids(statements: &[&Value]) -> bool {
    let sids: Vec<&Value> = statements.iter().filter_map(|s| s.get("Sid")).collect();
    sids.iter()
        .enumerate()
        .all(|(at, sid)| !sids[..at].contains(sid))
}

/// reference_policies_elements_sid: letters and digits.
fn sid(object: &Map<String, Value>) -> Result<(), String> {
    match object.get("Sid") {
        None => Ok(()),
        Some(Value::String(sid)) if sid.chars().all(|c| c.is_ascii_alphanumeric()) => Ok(()),
        Some(_) => Err("Sid must be letters and digits".to_owned()),
    }
}

fn check_each(
    list: &Named<Vec<String>>,
    good: impl Fn(&str) -> bool,
    what: &str,
) -> Result<(), String> {
    let (Named::These(list) | Named::AllBut(list)) = list;
    match list.iter().find(|text| !good(text)) {
        Some(text) => Err(format!("{text:?} is not a legal {what}")),
        None => Ok(()),
    }
}

/// One of two elements that exclude each other.
fn either(
    object: &Map<String, Value>,
    these: &str,
    all_but: &str,
    read: impl Fn(&Value) -> Result<Vec<String>, String>,
) -> Result<Option<Named<Vec<String>>>, String> {
    match (object.get(these), object.get(all_but)) {
        (Some(_), Some(_)) => Err(format!("{these} and {all_but} exclude each other")),
        (Some(value), None) => read(value).map(Named::These).map(Some),
        (None, Some(value)) => read(value).map(Named::AllBut).map(Some),
        (None, None) => Ok(None),
    }
}

/// A string or a list of strings, not empty.
fn strings(value: &Value) -> Result<Vec<String>, String> {
    let list: Option<Vec<String>> = match value {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(many) => many.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    list.filter(|l| !l.is_empty())
        .ok_or_else(|| "expected a string or a list of strings".into())
}

/// The AWS principals of a Principal element; others (Service, Federated) are kept out of it, since
/// no caller of the double is one.
fn principals(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::String(star) if star == "*" => Ok(vec!["*".to_owned()]),
        Value::Object(kinds) => {
            only(kinds, &["AWS", "Service", "Federated", "CanonicalUser"])?;
            kinds.get("AWS").map_or(Ok(Vec::new()), strings)
        }
        _ => Err("Principal must be \"*\" or an object".to_owned()),
    }
}

fn conditions(value: &Value) -> Result<Vec<Condition>, String> {
    let blocks = value.as_object().ok_or("Condition is not an object")?;
    let mut conditions = Vec::new();
    for (name, block) in blocks {
        let operator = Operator::parse(name).ok_or_else(|| format!("unknown operator {name}"))?;
        for (key, value) in block.as_object().ok_or("a condition is not an object")? {
            conditions.push(Condition {
                operator,
                key: key.clone(),
                values: scalars(value)?,
            });
        }
    }
    Ok(conditions)
}

fn scalars(value: &Value) -> Result<Vec<String>, String> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err("a condition value is no scalar".to_owned()),
    };
    match value {
        Value::Array(many) => many.iter().map(scalar).collect(),
        one => scalar(one).map(|text| vec![text]),
    }
}
