//! What `docs/journal.md` tells readers to run, run.

use std::process::{Command, Output};

use super::*;
use crate::providers::skipped::{missing_program, skip};

const DOCUMENT: &str = include_str!("../../../../../docs/journal.md");

/// The document's code block of a language.
fn block(language: &str) -> &'static str {
    let start = DOCUMENT.split_once(&format!("```{language}\n")).unwrap().1;
    start.split_once("```").unwrap().0
}

/// A journal with several files and texts that are easy to get wrong, its oldest file pruned.
fn sample() -> Place {
    let place = Place::new();
    let mut odd = event(DAY);
    odd.facts.reason = Some("\"\\/\u{8}\u{c}\t\r\n\u{1}\u{1f}\u{7f}<>&'é€😀\u{fffd}".to_owned());
    odd.facts.tags = ["b", "B", "ä", "z", "\u{ffee}", "😀", ""]
        .map(|key| (key.into(), key.into()))
        .into();
    place.record([event(0), odd, event(31 * DAY + 1), event(32 * DAY)]);
    assert!(place.activities().contains(&"log.prune".to_owned()));
    place
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_script_in_the_document_verifies() {
    if let Some(missing) = missing_program(&["python3"]) {
        return skip(
            "the verification script in docs/journal.md",
            &format!("no {missing}"),
        );
    }
    let place = sample();
    let script = || {
        let output = Command::new("python3")
            .args(["-c", block("python")])
            .arg(place.path())
            .output();
        let output = output.unwrap();
        (output.status.success(), said(&output))
    };
    let head = verify(&place.path()).head.unwrap();
    assert_eq!(script(), (true, format!("intact, head {head}\n")));

    let name = &place.names()[0];
    let whole = place.text(name);
    std::fs::write(place.file(name), whole.replacen("Success", "Failure", 1)).unwrap();
    assert!(
        script()
            .1
            .ends_with(":1: the hash does not fit the record\n")
    );
    let second: String = whole.split_inclusive('\n').skip(1).collect();
    std::fs::write(place.file(name), second).unwrap();
    assert_eq!(
        script(),
        (false, "the oldest records are missing\n".to_owned())
    );
    std::fs::write(place.file(name), "").unwrap();
    assert!(!script().0);
}

#[test]
fn the_command_in_the_document_hashes_a_record() {
    if let Some(missing) = missing_program(&["jq", "sha256sum", "sh"]) {
        return skip(
            "the hash command in docs/journal.md",
            &format!("no {missing}"),
        );
    }
    let place = sample();
    let hashes = place.fields("/attestation_list/0/hash");
    let one_line = place.0.path().join("record");
    for (line, hash) in lines(&place).iter().zip(hashes) {
        std::fs::write(&one_line, line).unwrap();
        let output = Command::new("sh")
            .args(["-c", block("sh"), "sh"])
            .arg(&one_line)
            .output();
        assert_eq!(said(&output.unwrap()), format!("{hash}  -\n"), "{line}");
    }
}

fn lines(place: &Place) -> Vec<String> {
    let begin = super::super::read::Begin::Oldest;
    super::super::read::raw_lines(&place.path(), begin, None)
        .unwrap()
        .map(|l| l.unwrap())
        .collect()
}
