//! Findings for people: `FILE:LINE:COLUMN: SEVERITY RULE: what (statement)`, then why and what helps.

use super::{Judged, Sums, findings};
use crate::config::report::printable;

pub(super) fn render(judged: &[Judged]) -> String {
    let mut text = String::new();
    for (judged, finding) in findings(judged) {
        let (rule, at) = (finding.rule, finding.at);
        let place = format!("{}:{}:{}", printable(&judged.name), at.line, at.column);
        let statement = finding
            .statement
            .as_ref()
            .map_or_else(String::new, |name| format!(", in {name}"));
        text.push_str(&format!(
            "{place}: {} {rule}: {}{statement}\n  why: {}\n  fix: {}\n",
            rule.severity(),
            finding.what,
            rule.why(),
            finding.fix()
        ));
    }
    for judged in judged {
        let left_out = judged.outcome.as_ref().map_or(0, |linted| linted.left_out);
        if left_out > 0 {
            let name = printable(&judged.name);
            text.push_str(&format!("{name}: and {left_out} more\n"));
        }
    }
    text.push_str(&summary(&Sums::of(judged)));
    text
}

fn summary(sums: &Sums) -> String {
    let counted = |count: usize, noun: &str| match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    };
    format!(
        "{}: {}, {}, {}\n",
        counted(sums.files, "file"),
        counted(sums.errors, "error"),
        counted(sums.warnings, "warning"),
        counted(sums.notes, "note")
    )
}
