//! What a policy of a class promises not to allow.

use super::actions::{data_reads, only_reads};
use super::pattern::covers;
use super::view::{Selection, Statement, Text, View};
use super::{Class, Findings, Rule};
use crate::excerpt::Excerpt;

/// Most actions that one finding names.
const MAX_NAMED: usize = 3;

pub(super) fn check(class: Class, view: &View<'_>, findings: &mut Findings) {
    let denied = denied_everywhere(view);
    for statement in view.allows() {
        if let Selection::Excluded(actions) = &statement.actions {
            let at = actions.first().map_or(statement.at, |action| action.at);
            let what = "NotAction allows every action but some, those that write among them";
            findings.add_in(statement, Rule::WriteAction, at, what);
        }
        for action in statement.actions.listed() {
            check_action(class, statement, action, &denied, findings);
        }
    }
}

/// Patterns of actions, in lower case, that are denied on every resource without a condition.
fn denied_everywhere(view: &View<'_>) -> Vec<String> {
    let denies = view.statements.iter().filter(|statement| {
        let everywhere = statement.resources.listed().iter().any(|r| r.text == "*");
        statement.denies && everywhere && statement.conditions.is_empty()
    });
    denies
        .flat_map(|deny| deny.actions.listed())
        .map(|action| action.text.to_ascii_lowercase())
        .collect()
}

fn check_action(
    class: Class,
    statement: &Statement<'_>,
    action: &Text<'_>,
    denied: &[String],
    findings: &mut Findings,
) {
    let is_denied = |action: &str| denied.iter().any(|pattern| covers(pattern, action));
    if is_denied(&action.text.to_ascii_lowercase()) {
        return;
    }
    let quoted = Excerpt::of(action.text);
    let data: Vec<&str> = data_reads(action.text).collect();
    let open: Vec<&str> = data
        .iter()
        .copied()
        .filter(|data| !is_denied(data))
        .collect();
    if class == Class::View && !open.is_empty() {
        let more = match open.len().saturating_sub(MAX_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named = open[..open.len().min(MAX_NAMED)].join(", ");
        let what = format!("{quoted} reads data: {named}{more}");
        findings.add_in(statement, Rule::DataRead, action.at, what);
    }
    // What reads data by another verb is no write.
    let plain_data = data
        .iter()
        .any(|data| action.text.eq_ignore_ascii_case(data));
    if !only_reads(action.text) && !plain_data {
        let what = match action.text.contains(['*', '?']) {
            true => format!("{quoted} matches actions that write"),
            false => format!("{quoted} writes, by its name"),
        };
        findings.add_in(statement, Rule::WriteAction, action.at, what);
    }
}
