//! Conditions that hold for more or less than they seem to.

use super::view::{Condition, Statement, View};
use super::{Findings, Rule};
use crate::excerpt::Excerpt;

/// Operators that compare `*` and `?` as they are.
const PLAIN: [&str; 4] = [
    "stringequals",
    "stringnotequals",
    "stringequalsignorecase",
    "stringnotequalsignorecase",
];

pub(super) fn check(view: &View<'_>, findings: &mut Findings) {
    for statement in &view.statements {
        for condition in &statement.conditions {
            vacuous(statement, condition, findings);
            inert_wildcard(statement, condition, findings);
        }
    }
}

fn vacuous(statement: &Statement<'_>, condition: &Condition<'_>, findings: &mut Findings) {
    let demands =
        |other: &Condition<'_>| other.is_key(condition.key.text) && other.demands_its_key();
    if !statement.allows || !condition.for_all || statement.conditions.iter().any(demands) {
        return;
    }
    let (key, at) = (Excerpt::of(condition.key.text), condition.key.at);
    let what = format!(
        "{} holds also for requests without {key}",
        condition.written
    );
    let finding = findings.add_in(statement, Rule::VacuousForAll, at, what);
    finding.remedy = Some(format!(
        "Add \"Null\": {{{key}: \"false\"}} to the condition."
    ));
}

fn inert_wildcard(statement: &Statement<'_>, condition: &Condition<'_>, findings: &mut Findings) {
    if !PLAIN.contains(&condition.operator.as_str()) {
        return;
    }
    for value in condition.values.iter().filter(|v| has_wildcard(v.text)) {
        let (value, at) = (Excerpt::of(value.text), value.at);
        let what = format!("{} compares {value} as it is written", condition.written);
        let finding = findings.add_in(statement, Rule::InertWildcard, at, what);
        let like = match condition.operator.contains("not") {
            true => "StringNotLike",
            false => "StringLike",
        };
        finding.remedy = Some(format!("Use {like}, or write the value out."));
    }
}

/// Whether there is a wildcard beyond the escaped ones, `${*}` and `${?}`.
fn has_wildcard(value: &str) -> bool {
    let bare = value.replace("${*}", "").replace("${?}", "");
    bare.contains(['*', '?'])
}
