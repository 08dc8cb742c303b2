//! The document: the profile's statements as they are, then the denies.

use super::NarrowError;
use super::grants::Deny;
use super::negate::Opposite;
use crate::json::{Member, Node, Position, Value, minified};
use crate::policy::{PolicyDocument, PolicyError};
use crate::statement::{Pattern, Selector};

const CURRENT: &str = "2012-10-17";
const OLD: &str = "2008-10-17";

/// The version of the result. What is no variable in one of the two documents must not become one.
pub(super) fn version(
    profile: Option<&PolicyDocument>,
    ask: &PolicyDocument,
) -> Result<&'static str, NarrowError> {
    let is_current = |policy: &PolicyDocument| {
        let version = policy.root().member("Version");
        version.and_then(|node| node.value.as_str()) == Some(CURRENT)
    };
    let both = || profile.into_iter().chain([ask]);
    let plain = both().all(|policy| !policy.minified().contains("${"));
    if plain || both().all(is_current) {
        Ok(CURRENT)
    } else if both().any(is_current) {
        Err(NarrowError::Versions)
    } else {
        Ok(OLD)
    }
}

/// The whole document; `None` where it would have no statement.
pub(super) fn document(
    version: &str,
    profile: Option<&PolicyDocument>,
    denies: &[Deny],
    ask: &PolicyDocument,
) -> Result<Option<PolicyDocument>, PolicyError> {
    let mut statements: Vec<Node> = Vec::new();
    let own = profile.map(PolicyDocument::statements).unwrap_or_default();
    statements.extend(own.into_iter().cloned().map(node));
    statements.extend(denies.iter().map(statement));
    let denied = ask.statements().into_iter().filter(|value| is_deny(value));
    statements.extend(denied.map(without_sid));
    if statements.is_empty() {
        return Ok(None);
    }
    let root = object([
        ("Version", text(version)),
        ("Statement", node(Value::Array(statements))),
    ]);
    PolicyDocument::parse(&minified(&root.value)).map(Some)
}

fn is_deny(statement: &Value) -> bool {
    let effect = statement.member("Effect");
    effect.and_then(|node| node.value.as_str()) == Some("Deny")
}

/// A Sid is unique within a document, and the profile may have the same one.
fn without_sid(statement: &Value) -> Node {
    let members = statement.as_object().unwrap_or_default().iter();
    let kept = members.filter(|member| member.key != "Sid").cloned();
    node(Value::Object(kept.collect()))
}

fn statement(deny: &Deny) -> Node {
    let resources = match &deny.term.resources {
        None => ("Resource", text("*")),
        Some(selector) => selected(["Resource", "NotResource"], selector),
    };
    let mut members = vec![
        ("Effect", text("Deny")),
        selected(["Action", "NotAction"], &deny.actions),
        resources,
    ];
    if !deny.term.conditions.is_empty() {
        members.push(("Condition", conditions(&deny.term.conditions)));
    }
    object(members)
}

fn selected(
    [only, all_but]: [&'static str; 2],
    selector: &Selector<Pattern>,
) -> (&'static str, Node) {
    let name = if selector.is_all_but() { all_but } else { only };
    (name, texts(selector.items().iter().map(Pattern::as_str)))
}

/// Operator to key to values; keys of one operator together.
fn conditions(all: &[Opposite]) -> Node {
    let mut operators: Vec<(String, Vec<Member>)> = Vec::new();
    for one in all {
        let name = one.operator.to_string();
        let values = texts(one.values.iter().map(String::as_str));
        let key = member(&one.key, values);
        match operators.iter_mut().find(|(known, _)| *known == name) {
            Some((_, keys)) => keys.push(key),
            None => operators.push((name, vec![key])),
        }
    }
    let blocks = operators.into_iter();
    let blocks = blocks.map(|(name, keys)| member(&name, node(Value::Object(keys))));
    node(Value::Object(blocks.collect()))
}

fn node(value: Value) -> Node {
    Node {
        value,
        position: Position::START,
    }
}

fn text(text: &str) -> Node {
    node(Value::String(text.to_owned()))
}

/// One text, or a list of them.
fn texts<'a>(all: impl Iterator<Item = &'a str>) -> Node {
    let mut all: Vec<Node> = all.map(text).collect();
    match all.pop() {
        Some(only) if all.is_empty() => only,
        last => {
            all.extend(last);
            node(Value::Array(all))
        }
    }
}

fn member(key: &str, value: Node) -> Member {
    Member {
        key: key.to_owned(),
        key_position: Position::START,
        value,
    }
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, Node)>) -> Node {
    let members = members.into_iter().map(|(key, value)| member(key, value));
    node(Value::Object(members.collect()))
}
