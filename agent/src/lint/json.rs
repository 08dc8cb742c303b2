//! Findings for programs. The keys are stable: new ones may come, none goes.

use jumpgate_iam::lint::Finding;
use serde::Serialize;

use super::{Judged, Sums, findings};

#[derive(Serialize)]
struct Document<'a> {
    files: Vec<FileEntry<'a>>,
    findings: Vec<FindingEntry<'a>>,
    summary: Sums,
}

#[derive(Serialize)]
struct FileEntry<'a> {
    file: &'a str,
    /// What it was taken for; absent if it could not be read.
    kind: Option<&'static str>,
    /// Why it could not be read.
    error: Option<&'a str>,
    /// Findings beyond the most that are shown.
    left_out: usize,
}

#[derive(Serialize)]
struct FindingEntry<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    rule: &'static str,
    severity: &'static str,
    title: &'static str,
    what: &'a str,
    why: &'static str,
    fix: &'a str,
    statement: Option<StatementEntry<'a>>,
    related: Option<RelatedEntry>,
}

#[derive(Serialize)]
struct StatementEntry<'a> {
    number: usize,
    sid: Option<&'a str>,
}

#[derive(Serialize)]
struct RelatedEntry {
    line: usize,
    column: usize,
    what: &'static str,
}

pub(super) fn render(judged: &[Judged]) -> String {
    let document = Document {
        files: judged.iter().map(file).collect(),
        findings: findings(judged)
            .map(|(judged, found)| finding(&judged.name, found))
            .collect(),
        summary: Sums::of(judged),
    };
    let text = serde_json::to_string_pretty(&document).expect("plain values become JSON");
    text + "\n"
}

fn file(judged: &Judged) -> FileEntry<'_> {
    let linted = judged.outcome.as_ref();
    FileEntry {
        file: &judged.name,
        kind: linted.ok().map(|linted| linted.kind.name()),
        error: linted.err().map(String::as_str),
        left_out: linted.map_or(0, |linted| linted.left_out),
    }
}

fn finding<'a>(file: &'a str, found: &'a Finding) -> FindingEntry<'a> {
    FindingEntry {
        file,
        line: found.at.line,
        column: found.at.column,
        rule: found.rule.id(),
        severity: found.rule.severity().name(),
        title: found.rule.title(),
        what: &found.what,
        why: found.rule.why(),
        fix: found.fix(),
        statement: found.statement.as_ref().map(|name| StatementEntry {
            number: name.number,
            sid: name.sid.as_deref(),
        }),
        related: found.other.map(|(at, what)| RelatedEntry {
            line: at.line,
            column: at.column,
            what,
        }),
    }
}
