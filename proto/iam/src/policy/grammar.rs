//! The grammar of a whole document, and the checks that all its parts share.

use std::collections::HashMap;

use super::{PolicyError, PolicyKind, statement};
use crate::excerpt::Excerpt;
use crate::json::{Member, Node, Position, Value};
use crate::nearest::nearest;

const VERSIONS: [&str; 2] = ["2012-10-17", "2008-10-17"];
const DOCUMENT: &str = "the policy document";

/// Whether `root` is a policy of that kind.
pub(super) fn check(kind: PolicyKind, root: &Node) -> Result<(), PolicyError> {
    let mut statements = None;
    for member in object(DOCUMENT, root)? {
        match member.key.as_str() {
            "Version" => one_of(
                "Version",
                "2012-10-17 or 2008-10-17",
                &VERSIONS,
                &member.value,
            )?,
            "Id" => _ = string("Id", &member.value)?,
            "Statement" => statements = Some(&member.value),
            _ => {
                return Err(unknown_key(
                    DOCUMENT,
                    &["Version", "Id", "Statement"],
                    member,
                ));
            }
        }
    }
    let statements = statements.ok_or(PolicyError::MissingKey {
        at: root.position,
        expected: "Statement",
        place: DOCUMENT,
    })?;
    check_statements(kind, statements)
}

fn check_statements(kind: PolicyKind, statements: &Node) -> Result<(), PolicyError> {
    let mut sids = HashMap::new();
    for node in one_or_more("Statement", statements)? {
        let Some((sid, at)) = statement::check(kind, node)? else {
            continue;
        };
        if let Some(first) = sids.insert(sid, at) {
            return Err(PolicyError::RepeatedSid {
                at,
                first,
                sid: Excerpt::of(sid),
            });
        }
    }
    Ok(())
}

/// The members of an object.
pub(crate) fn object<'a>(what: &'static str, node: &'a Node) -> Result<&'a [Member], PolicyError> {
    node.value
        .as_object()
        .ok_or_else(|| wrong_type(what, "an object", node))
}

/// The text of a string.
pub(crate) fn string<'a>(what: &'static str, node: &'a Node) -> Result<&'a str, PolicyError> {
    node.value
        .as_str()
        .ok_or_else(|| wrong_type(what, "a string", node))
}

/// The elements of a list that must not be empty, or the one value that stands for such a list.
pub(crate) fn one_or_more<'a>(
    what: &'static str,
    node: &'a Node,
) -> Result<&'a [Node], PolicyError> {
    match &node.value {
        Value::Array(elements) if elements.is_empty() => Err(PolicyError::EmptyList {
            at: node.position,
            what,
        }),
        Value::Array(elements) => Ok(elements),
        _ => Ok(std::slice::from_ref(node)),
    }
}

/// A string, or a list of strings that is not empty.
pub(crate) fn strings<'a>(
    what: &'static str,
    node: &'a Node,
) -> Result<Vec<(&'a str, Position)>, PolicyError> {
    let elements = one_or_more(what, node)?;
    elements
        .iter()
        .map(|element| match element.value.as_str() {
            Some(text) => Ok((text, element.position)),
            None => Err(wrong_type(what, "a string or a list of strings", element)),
        })
        .collect()
}

/// A string that is one of some words.
pub(super) fn one_of(
    what: &'static str,
    expected: &'static str,
    words: &[&'static str],
    node: &Node,
) -> Result<(), PolicyError> {
    let text = string(what, node)?;
    if words.contains(&text) {
        return Ok(());
    }
    Err(PolicyError::WrongText {
        at: node.position,
        what,
        expected,
        found: Excerpt::of(text),
        nearest: nearest(text, words),
    })
}

pub(crate) fn wrong_type(what: &'static str, expected: &'static str, node: &Node) -> PolicyError {
    PolicyError::WrongType {
        at: node.position,
        what,
        expected,
        found: node.value.kind(),
    }
}

pub(crate) fn unknown_key(
    place: &'static str,
    known: &[&'static str],
    member: &Member,
) -> PolicyError {
    PolicyError::UnknownKey {
        at: member.key_position,
        key: Excerpt::of(&member.key),
        place,
        nearest: nearest(&member.key, known),
    }
}
