//! The grammar of a statement's Condition: operator to key to one value or more.

use std::collections::HashMap;

use super::PolicyError;
use super::grammar::{object, one_or_more, wrong_type};
use crate::excerpt::Excerpt;
use crate::json::{Member, Node, Value};
use crate::nearest::nearest;

/// IAM user guide, "Condition operators". All but `Null` may end in `IfExists`, all may begin with
/// one of [`SET_PREFIXES`].
pub(crate) const OPERATORS: [&str; 27] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

const SET_PREFIXES: [&str; 2] = ["forallvalues:", "foranyvalue:"];

/// Whether `node` is a Condition. It may be empty, which is no condition.
pub(super) fn check(node: &Node) -> Result<(), PolicyError> {
    let operators = object("Condition", node)?;
    refuse_case_twins(operators)?;
    for operator in operators {
        check_operator(operator)?;
        let keys = object("a condition operator's value", &operator.value)?;
        refuse_case_twins(keys)?;
        for key in keys {
            check_key(key)?;
            check_values(&key.value)?;
        }
    }
    Ok(())
}

/// IAM reads condition keys without their case, so two that differ in it only are one key twice.
/// Which of them would count is nowhere said.
fn refuse_case_twins(members: &[Member]) -> Result<(), PolicyError> {
    let mut seen: HashMap<String, &Member> = HashMap::new();
    for member in members {
        if let Some(earlier) = seen.insert(member.key.to_lowercase(), member) {
            return Err(PolicyError::ConditionKeyCase {
                at: member.key_position,
                key: Excerpt::of(&member.key),
                first: earlier.key_position,
                other: Excerpt::of(&earlier.key),
            });
        }
    }
    Ok(())
}

fn check_operator(operator: &Member) -> Result<(), PolicyError> {
    let lower = operator.key.to_ascii_lowercase();
    let name = SET_PREFIXES
        .iter()
        .find_map(|prefix| lower.strip_prefix(prefix))
        .unwrap_or(&lower);
    let name = name
        .strip_suffix("ifexists")
        .filter(|name| *name != "null")
        .unwrap_or(name);
    if OPERATORS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
    {
        return Ok(());
    }
    Err(PolicyError::UnknownKey {
        at: operator.key_position,
        key: Excerpt::of(&operator.key),
        place: "Condition, which has condition operators such as StringEquals",
        nearest: nearest(name, &OPERATORS),
    })
}

/// `service:name`, such as `aws:SourceIp` or `ssm:resourceTag/Name`.
fn check_key(key: &Member) -> Result<(), PolicyError> {
    match key.key.split_once(':') {
        Some((service, name)) if !service.is_empty() && !name.is_empty() => Ok(()),
        _ => Err(PolicyError::WrongText {
            at: key.key_position,
            what: "a condition key",
            expected: "service:name, such as aws:SourceIp",
            found: Excerpt::of(&key.key),
            nearest: None,
        }),
    }
}

fn check_values(node: &Node) -> Result<(), PolicyError> {
    for value in one_or_more("a condition key's value", node)? {
        if !matches!(
            value.value,
            Value::String(_) | Value::Bool(_) | Value::Number(_)
        ) {
            let expected = "a string, a boolean, a number or a list of them";
            return Err(wrong_type("a condition key's value", expected, value));
        }
    }
    Ok(())
}
