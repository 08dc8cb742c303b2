//! From the tree of a document to its statements.

use super::pattern::{NoVariable, Syntax};
use super::{
    Condition, ConditionValue, Effect, Operator, Pattern, Principal, PrincipalKind, Selector,
    Statement, Test,
};
use crate::excerpt::Excerpt;
use crate::json::{Member, Node, Position, Value};
use crate::policy::grammar::{object, one_or_more, string, strings, unknown_key, wrong_type};
use crate::policy::{PolicyDocument, PolicyError};

/// The version whose documents have policy variables.
const VERSION_WITH_VARIABLES: &str = "2012-10-17";

/// The statements of a document in order.
///
/// # Errors
/// When a policy variable is none: not closed, empty, without `:` or with a default that is not in
/// single quotes. AWS does not say what such a text would match.
pub fn statements(document: &PolicyDocument) -> Result<Vec<Statement>, PolicyError> {
    let version = document.root().member("Version");
    let variables = version.and_then(|node| node.value.as_str()) == Some(VERSION_WITH_VARIABLES);
    let Some(list) = document.root().member("Statement") else {
        return Ok(Vec::new());
    };
    let nodes = one_or_more("Statement", list)?.iter().enumerate();
    nodes
        .map(|(index, node)| statement(index + 1, node, variables))
        .collect()
}

fn statement(number: usize, node: &Node, variables: bool) -> Result<Statement, PolicyError> {
    let value = &node.value;
    let sid = value.member("Sid").and_then(|node| node.value.as_str());
    let effect = value.member("Effect").map(|node| string("Effect", node));
    let actions = selector(value, ["Action", "NotAction"], |node| {
        let texts = strings("Action", node)?.into_iter();
        Ok(texts.map(|(text, at)| Pattern::action(text, at)).collect())
    })?;
    let resources = selector(value, ["Resource", "NotResource"], |node| {
        let texts = strings("Resource", node)?.into_iter();
        let wild = Syntax {
            wildcards: true,
            variables,
        };
        texts.map(|(text, at)| pattern(text, wild, at)).collect()
    })?;
    let conditions = value.member("Condition");
    Ok(Statement {
        number,
        position: node.position,
        sid: sid.filter(|sid| !sid.is_empty()).map(str::to_owned),
        effect: match effect.transpose()? {
            Some("Allow") => Effect::Allow,
            _ => Effect::Deny,
        },
        principals: selector(value, ["Principal", "NotPrincipal"], principals)?,
        actions: actions.ok_or_else(|| lacks(node, "Action or NotAction"))?,
        resources,
        conditions: conditions.map_or(Ok(Vec::new()), |node| read_conditions(node, variables))?,
    })
}

/// The grammar has been checked, so this is for the compiler; it names the place all the same.
fn lacks(node: &Node, expected: &'static str) -> PolicyError {
    PolicyError::MissingKey {
        at: node.position,
        expected,
        place: "a statement",
    }
}

fn selector<T>(
    statement: &Value,
    [only, all_but]: [&str; 2],
    items: impl Fn(&Node) -> Result<Vec<T>, PolicyError>,
) -> Result<Option<Selector<T>>, PolicyError> {
    if let Some(node) = statement.member(only) {
        return Ok(Some(Selector::Only(items(node)?)));
    }
    let node = statement.member(all_but);
    node.map(|node| items(node).map(Selector::AllBut))
        .transpose()
}

fn pattern(text: &str, syntax: Syntax, at: Position) -> Result<Pattern, PolicyError> {
    Pattern::read(text, syntax, at).map_err(|NoVariable| PolicyError::WrongText {
        at,
        what: "a policy variable",
        expected: "${service:key}, ${service:key, 'default'}, ${*}, ${?} or ${$}",
        found: Excerpt::of(text),
        nearest: None,
    })
}

const PRINCIPALS: [(&str, PrincipalKind); 4] = [
    ("AWS", PrincipalKind::Aws),
    ("Federated", PrincipalKind::Federated),
    ("Service", PrincipalKind::Service),
    ("CanonicalUser", PrincipalKind::CanonicalUser),
];

fn principals(node: &Node) -> Result<Vec<Principal>, PolicyError> {
    if let Value::String(name) = &node.value {
        return Ok(vec![Principal {
            kind: PrincipalKind::Aws,
            name: name.clone(),
            position: node.position,
        }]);
    }
    let mut all = Vec::new();
    for member in object("Principal", node)? {
        let known = PRINCIPALS.iter().find(|(name, _)| *name == member.key);
        let (_, kind) = known.ok_or_else(|| unknown_key("Principal", &["AWS"], member))?;
        let names = strings("Principal", &member.value)?.into_iter();
        all.extend(names.map(|(name, position)| Principal {
            kind: *kind,
            name: name.to_owned(),
            position,
        }));
    }
    Ok(all)
}

fn read_conditions(node: &Node, variables: bool) -> Result<Vec<Condition>, PolicyError> {
    let mut all = Vec::new();
    for block in object("Condition", node)? {
        let operator = Operator::parse(&block.key)
            .ok_or_else(|| unknown_key("Condition", &["StringEquals"], block))?;
        for key in object("a condition operator's value", &block.value)? {
            all.push(Condition {
                operator,
                operator_text: block.key.clone(),
                key: key.key.clone(),
                position: key.key_position,
                values: values(key, operator, variables)?,
            });
        }
    }
    Ok(all)
}

fn values(
    key: &Member,
    operator: Operator,
    variables: bool,
) -> Result<Vec<ConditionValue>, PolicyError> {
    let what = "a condition key's value";
    let syntax = Syntax {
        wildcards: matches!(operator.test, Test::StringLike | Test::Arn),
        variables: variables && has_variables(operator.test),
    };
    let read = |node: &Node| {
        let text = match &node.value {
            Value::String(text) | Value::Number(text) => text.as_str(),
            Value::Bool(true) => "true",
            Value::Bool(false) => "false",
            _ => return Err(wrong_type(what, "a string, a boolean or a number", node)),
        };
        Ok(ConditionValue {
            pattern: pattern(text, syntax, node.position)?,
            is_string: matches!(node.value, Value::String(_)),
        })
    };
    one_or_more(what, &key.value)?.iter().map(read).collect()
}

/// Variables are supported in values of string, ARN and Boolean operators; elsewhere `${` is text
/// that is no number, date or address.
fn has_variables(test: Test) -> bool {
    matches!(
        test,
        Test::StringEquals
            | Test::StringEqualsIgnoreCase
            | Test::StringLike
            | Test::Arn
            | Test::Bool
    )
}
