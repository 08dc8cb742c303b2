//! What a policy of a class promises not to allow.

use super::actions::{data_reads, only_reads};
use super::pattern::covers;
use super::view::{Selection, Statement, Text, View};
use super::{Class, Findings, Rule};
use crate::excerpt::Excerpt;

/// Most actions that one finding names.
const MAX_NAMED: usize = 3;

pub(super) fn check(class: Class, view: &View<'_>, findings: &mut Findings) {
    let promise = Promise::of(class, view);
    for statement in view.allows() {
        if let Selection::Excluded(actions) = &statement.actions {
            let at = actions.first().map_or(statement.at, |action| action.at);
            let what = "NotAction allows every action but some, those that write among them";
            findings.add_in(statement, Rule::WriteAction, at, what);
        }
        for action in statement.actions.listed() {
            promise.check(statement, action, findings);
        }
    }
}

/// What must not be allowed in a document.
struct Promise {
    class: Class,
    /// Patterns of actions, in lower case, that are denied on every resource without a condition.
    denied: Vec<String>,
    /// The reads of data that are not denied so.
    open_data: Vec<&'static str>,
}

impl Promise {
    fn of(class: Class, view: &View<'_>) -> Self {
        let denies = view.statements.iter().filter(|statement| {
            let everywhere = statement.resources.listed().iter().any(|r| r.text == "*");
            statement.denies && everywhere && statement.conditions.is_empty()
        });
        let mut denied: Vec<String> = denies
            .flat_map(|deny| deny.actions.listed())
            .map(|action| action.text.to_ascii_lowercase())
            .collect();
        denied.sort_unstable();
        denied.dedup();
        let is_open = |data: &&str| !denied.iter().any(|pattern| covers(pattern, data));
        let open_data = data_reads().filter(is_open).collect();
        Self {
            class,
            denied,
            open_data,
        }
    }

    fn check(&self, statement: &Statement<'_>, action: &Text<'_>, findings: &mut Findings) {
        let lower = action.text.to_ascii_lowercase();
        if self.denied.iter().any(|pattern| covers(pattern, &lower)) {
            return;
        }
        if self.class == Class::View {
            self.check_data(statement, action, &lower, findings);
        }
        // What reads data by another verb is no write.
        if only_reads(&lower) || data_reads().any(|data| data == lower) {
            return;
        }
        let quoted = Excerpt::of(action.text);
        let what = match lower.contains(['*', '?']) {
            true => format!("{quoted} matches actions that write"),
            false => format!("{quoted} writes, by its name"),
        };
        findings.add_in(statement, Rule::WriteAction, action.at, what);
    }

    fn check_data(
        &self,
        statement: &Statement<'_>,
        action: &Text<'_>,
        lower: &str,
        findings: &mut Findings,
    ) {
        let data = self.open_data.iter().copied();
        let open: Vec<&str> = data.filter(|data| covers(lower, data)).collect();
        if open.is_empty() {
            return;
        }
        let more = match open.len().saturating_sub(MAX_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (quoted, named) = (Excerpt::of(action.text), &open[..open.len().min(MAX_NAMED)]);
        let what = format!("{quoted} reads data: {}{more}", named.join(", "));
        findings.add_in(statement, Rule::DataRead, action.at, what);
    }
}
