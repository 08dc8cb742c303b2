//! Findings as text for people and as JSON for programs.

use serde::Serialize;

use super::Manner;
use super::finding::{Finding, State};

#[derive(Serialize)]
struct Document<'a> {
    /// Nothing failed.
    healthy: bool,
    findings: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    check: &'static str,
    state: &'static str,
    what: &'a str,
    hint: Option<&'a str>,
}

/// Either of them.
pub(super) fn text(findings: &[Finding], manner: Manner) -> String {
    match manner.json {
        true => json(findings),
        false => listing(findings, manner.all),
    }
}

fn json(findings: &[Finding]) -> String {
    let entries = findings.iter().map(|finding| Entry {
        check: finding.check.as_str(),
        state: finding.state.as_str(),
        what: &finding.what,
        hint: finding.hint.as_deref(),
    });
    let document = Document {
        healthy: !findings.iter().any(Finding::is_failure),
        findings: entries.collect(),
    };
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// A line for each, with its remedy below; what is in order only where all is wanted. The last line counts.
fn listing(findings: &[Finding], all: bool) -> String {
    let mut text = String::new();
    let shown = |state: State| all || matches!(state, State::Warning | State::Failed);
    for finding in findings.iter().filter(|finding| shown(finding.state)) {
        let (mark, check) = (mark(finding.state), finding.check.as_str());
        text.push_str(&format!("{mark:8}{check:19}{}\n", finding.what));
        if let Some(hint) = &finding.hint {
            text.push_str(&format!("{:27}hint: {hint}\n", ""));
        }
    }
    let count = |state| findings.iter().filter(|found| found.state == state).count();
    text.push_str(&format!(
        "{} failed, {} to see to, {} in order, {} not looked at\n",
        count(State::Failed),
        count(State::Warning),
        count(State::Ok),
        count(State::Skipped),
    ));
    text
}

const fn mark(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Failed => "FAILED",
        State::Skipped => "-",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::doctor::check::Check;

    fn findings() -> Vec<Finding> {
        vec![
            Finding::ok(Check::Programs, "two"),
            Finding::warning(Check::Ptrace, "scope 0", "set it"),
            Finding::failed(Check::ConfigurationFile, "\u{1b}[2J\nmore", "chmod"),
            Finding::skipped(Check::Sts, "no endpoint"),
        ]
    }

    #[test]
    fn a_person_sees_what_is_wrong_and_what_to_do() {
        let manner = Manner::default();
        assert_eq!(
            text(&findings(), manner),
            "warning ptrace             scope 0\n                           hint: set it\n\
             FAILED  configuration-file \\u{1b}[2J\n                           hint: chmod\n\
             1 failed, 1 to see to, 1 in order, 1 not looked at\n"
        );
        let all = text(
            &findings(),
            Manner {
                all: true,
                ..manner
            },
        );
        assert!(all.starts_with("ok      programs           two\n"), "{all}");
        assert!(
            all.contains("\n-       sts                no endpoint\n"),
            "{all}"
        );
    }

    #[test]
    fn a_program_sees_everything() {
        let manner = Manner {
            json: true,
            all: false,
        };
        let document: serde_json::Value = serde_json::from_str(&text(&findings(), manner)).unwrap();
        assert_eq!(document["healthy"], false);
        assert_eq!(document["findings"].as_array().unwrap().len(), 4);
        assert_eq!(
            document["findings"][1],
            serde_json::json!({"check": "ptrace", "state": "warning", "what": "scope 0", "hint": "set it"})
        );
        assert_eq!(document["findings"][3]["hint"], serde_json::Value::Null);
    }
}
