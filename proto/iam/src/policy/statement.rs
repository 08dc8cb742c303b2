//! The grammar of one statement.

use super::grammar::{object, one_of, string, strings, unknown_key};
use super::{PolicyError, PolicyKind, condition};
use crate::excerpt::Excerpt;
use crate::json::{Node, Position, Value};

const PLACE: &str = "a statement";

const KEYS: [&str; 9] = [
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

const PRINCIPAL_KINDS: [&str; 4] = ["AWS", "Federated", "Service", "CanonicalUser"];

/// Two keys of which a statement has exactly one, and where it was found.
struct Choice {
    names: [&'static str; 2],
    both: &'static str,
    found: Option<(&'static str, Position)>,
}

impl Choice {
    fn of(names: [&'static str; 2], both: &'static str) -> Self {
        Self {
            names,
            both,
            found: None,
        }
    }

    fn take(&mut self, key: &str, at: Position) -> Result<(), PolicyError> {
        let key = if key == self.names[0] {
            self.names[0]
        } else {
            self.names[1]
        };
        match self.found.replace((key, at)) {
            None => Ok(()),
            Some((other, first)) => Err(PolicyError::ExclusiveKeys {
                at,
                key,
                first,
                other,
            }),
        }
    }

    /// Whether it was found if it must be, and was not if it must not be.
    fn settle(&self, wanted: bool, kind: PolicyKind, at: Position) -> Result<(), PolicyError> {
        match self.found {
            None if wanted => Err(PolicyError::MissingKey {
                at,
                expected: self.both,
                place: PLACE,
            }),
            Some((key, at)) if !wanted => Err(PolicyError::ForbiddenKey {
                at,
                key,
                kind: kind.name(),
            }),
            _ => Ok(()),
        }
    }
}

/// Whether `node` is a statement for that kind of policy; its Sid and the Sid's place if it has one
/// that is not empty.
pub(super) fn check(
    kind: PolicyKind,
    node: &Node,
) -> Result<Option<(&str, Position)>, PolicyError> {
    let mut sid = None;
    let mut effect = false;
    let mut principal = Choice::of(["Principal", "NotPrincipal"], "Principal or NotPrincipal");
    let mut action = Choice::of(["Action", "NotAction"], "Action or NotAction");
    let mut resource = Choice::of(["Resource", "NotResource"], "Resource or NotResource");
    for member in object(PLACE, node)? {
        let (at, value) = (member.key_position, &member.value);
        match member.key.as_str() {
            "Sid" => sid = Some((string("Sid", value)?, value.position)),
            "Effect" => {
                one_of("Effect", "Allow or Deny", &["Allow", "Deny"], value)?;
                effect = true;
            }
            // Where a principal is out of place, what it says does not matter.
            key @ ("Principal" | "NotPrincipal") => {
                principal.take(key, at)?;
                principal.settle(kind.has_principal(), kind, at)?;
                check_principal(value)?;
            }
            key @ ("Action" | "NotAction") => {
                action.take(key, at)?;
                check_actions(value)?;
            }
            key @ ("Resource" | "NotResource") => {
                resource.take(key, at)?;
                resource.settle(kind.has_resource(), kind, at)?;
                check_resources(value)?;
            }
            "Condition" => condition::check(value)?,
            _ => return Err(unknown_key(PLACE, &KEYS, member)),
        }
    }
    if !effect {
        return Err(PolicyError::MissingKey {
            at: node.position,
            expected: "Effect",
            place: PLACE,
        });
    }
    principal.settle(kind.has_principal(), kind, node.position)?;
    action.settle(true, kind, node.position)?;
    resource.settle(kind.has_resource(), kind, node.position)?;
    Ok(sid.filter(|(text, _)| !text.is_empty()))
}

/// `*` or `service:Name`, where the name may have wildcards.
fn check_actions(node: &Node) -> Result<(), PolicyError> {
    for (text, at) in strings("Action", node)? {
        let legal = match text.split_once(':') {
            Some((service, name)) => is_action_word(service) && is_action_word(name),
            None => text == "*",
        };
        if !legal {
            return Err(wrong_text(
                at,
                "Action",
                "* or service:Name, such as s3:GetObject",
                text,
            ));
        }
    }
    Ok(())
}

fn is_action_word(word: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_*?".contains(c);
    !word.is_empty() && word.chars().all(legal)
}

/// `*` or the pattern of an ARN. IAM completes an ARN with missing parts, so only its beginning is
/// certain.
fn check_resources(node: &Node) -> Result<(), PolicyError> {
    for (text, at) in strings("Resource", node)? {
        if text != "*" && !text.starts_with("arn:") {
            return Err(wrong_text(at, "Resource", "* or an ARN", text));
        }
    }
    Ok(())
}

/// `"*"`, or an object of one or more kinds of principals.
fn check_principal(node: &Node) -> Result<(), PolicyError> {
    let what = "Principal";
    if let Value::String(text) = &node.value {
        if text == "*" {
            return Ok(());
        }
        return Err(wrong_text(
            node.position,
            what,
            "* or an object such as {\"AWS\": …}",
            text,
        ));
    }
    let members = object(what, node)?;
    if members.is_empty() {
        return Err(PolicyError::MissingKey {
            at: node.position,
            expected: "AWS, Federated, Service or CanonicalUser",
            place: what,
        });
    }
    for member in members {
        if !PRINCIPAL_KINDS.contains(&member.key.as_str()) {
            return Err(unknown_key(what, &PRINCIPAL_KINDS, member));
        }
        strings(what, &member.value)?;
    }
    Ok(())
}

fn wrong_text(at: Position, what: &'static str, expected: &'static str, text: &str) -> PolicyError {
    PolicyError::WrongText {
        at,
        what,
        expected,
        found: Excerpt::of(text),
        nearest: None,
    }
}
