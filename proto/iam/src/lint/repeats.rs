//! Keys that an object has twice, and those of conditions that differ in case only.

use std::collections::{HashMap, HashSet};

use super::view::{Statement, StatementName, View, named};
use super::{Findings, Rule};
use crate::excerpt::Excerpt;
use crate::json::{self, Member, Node, Value};

pub(super) fn check(view: &View<'_>, findings: &mut Findings) {
    match view.root.value.as_object() {
        Some(members) => {
            repeated_members(members, "the policy document", None, findings);
            for member in members.iter().filter(|member| member.key != "Statement") {
                repeated_below(&member.value, "an element", None, findings);
            }
        }
        None => repeated_below(view.root, "the document", None, findings),
    }
    for statement in &view.statements {
        in_statement(statement, findings);
    }
}

fn in_statement(statement: &Statement<'_>, findings: &mut Findings) {
    let name = Some(&statement.name);
    repeated_below(statement.node, "the statement", name, findings);
    for block in named(&statement.node.value, "Condition") {
        let operators = block.value.value.as_object().unwrap_or_default();
        case_twins(operators, &statement.name, findings);
        for operator in operators {
            let keys = operator.value.value.as_object().unwrap_or_default();
            case_twins(keys, &statement.name, findings);
        }
    }
}

fn repeated_below(node: &Node, place: &str, name: Option<&StatementName>, findings: &mut Findings) {
    match &node.value {
        Value::Array(elements) => {
            for element in elements {
                repeated_below(element, place, name, findings);
            }
        }
        Value::Object(members) => {
            repeated_members(members, place, name, findings);
            for member in members {
                let inside = Excerpt::of(&member.key).to_string();
                repeated_below(&member.value, &inside, name, findings);
            }
        }
        _ => {}
    }
}

fn repeated_members(
    members: &[Member],
    place: &str,
    name: Option<&StatementName>,
    findings: &mut Findings,
) {
    let mut seen: HashMap<&str, &Member> = HashMap::new();
    for member in members {
        let Some(first) = seen.insert(&member.key, member) else {
            continue;
        };
        let key = Excerpt::of(&member.key);
        let what = format!(
            "key {key} is in {place} already at {}; most readers keep {} and lose {}",
            first.key_position,
            shown(&member.value),
            shown(&first.value),
        );
        let finding = findings.add(Rule::DuplicateKey, member.key_position, what);
        finding.statement = name.cloned();
        finding.other = Some((first.key_position, "the key is here first"));
        finding.remedy = merged(first, member);
    }
}

/// One key with the values of both, where that is possible.
fn merged(first: &Member, second: &Member) -> Option<String> {
    let mut seen = HashSet::new();
    let both = elements(&first.value)?.chain(elements(&second.value)?);
    let listed: Vec<String> = both
        .filter(|value| seen.insert(value.as_str()))
        .map(json::minified)
        .collect();
    let key = json::minified(&Value::String(second.key.clone()));
    let list = Excerpt::limited(
        &format!("{key}: [{}]", listed.join(", ")),
        MERGED_CHARACTERS,
    );
    Some(format!(
        "If both were meant, write {list}, which matches more than either key alone; else take one of the two out."
    ))
}

/// Most characters of a list of merged values that is shown.
const MERGED_CHARACTERS: usize = 400;

/// The values of a text or of a list of texts.
fn elements(node: &Node) -> Option<impl Iterator<Item = &Value>> {
    let nodes = match &node.value {
        Value::Array(elements) => elements,
        _ => std::slice::from_ref(node),
    };
    let plain = nodes.iter().all(|node| node.value.as_str().is_some());
    plain.then(|| nodes.iter().map(|node| &node.value))
}

fn shown(node: &Node) -> String {
    match &node.value {
        Value::Object(_) => "its object".to_owned(),
        value => Excerpt::limited(&json::minified(value), Excerpt::MAX_CHARACTERS),
    }
}

fn case_twins(members: &[Member], name: &StatementName, findings: &mut Findings) {
    let mut seen: HashMap<String, &Member> = HashMap::new();
    for member in members {
        let Some(first) = seen.insert(member.key.to_lowercase(), member) else {
            continue;
        };
        if first.key == member.key {
            continue;
        }
        let (key, other) = (Excerpt::of(&member.key), Excerpt::of(&first.key));
        let what = format!("{key} is {other} at {} in another case", first.key_position);
        let finding = findings.add(Rule::CaseTwins, member.key_position, what);
        finding.statement = Some(name.clone());
        finding.other = Some((first.key_position, "the key is here first"));
    }
}

/// The document as most readers see it: of a repeated key the last value, at the first one's place
/// in the order.
pub(super) fn last_wins(node: &Node) -> Node {
    let value = match &node.value {
        Value::Array(elements) => Value::Array(elements.iter().map(last_wins).collect()),
        Value::Object(members) => {
            let mut kept: Vec<Member> = Vec::new();
            let mut places: HashMap<&str, usize> = HashMap::new();
            for member in members {
                let whole = Member {
                    key: member.key.clone(),
                    key_position: member.key_position,
                    value: last_wins(&member.value),
                };
                match places.get(member.key.as_str()) {
                    Some(&place) => kept[place] = whole,
                    None => {
                        places.insert(&member.key, kept.len());
                        kept.push(whole);
                    }
                }
            }
            Value::Object(kept)
        }
        plain => plain.clone(),
    };
    Node {
        value,
        position: node.position,
    }
}
