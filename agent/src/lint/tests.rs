//! What is read, what is said of it, and with which status.

#![allow(clippy::unwrap_used)]

use super::*;

const GOOD: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;

fn judged(text: &str) -> Judged {
    Judged {
        name: "p.json".to_owned(),
        outcome: Ok(lint::lint(text, &Options::default())),
    }
}

fn unread() -> Judged {
    Judged {
        name: "gone.json".to_owned(),
        outcome: Err("no such file".to_owned()),
    }
}

#[test]
fn the_status_is_that_of_the_worst() {
    let warned = GOOD.replace("2012", "2008");
    let broken = GOOD.replace("Effect\":", "Effect\":\"Deny\",\"Effect\":");
    for (files, status) in [
        (vec![judged(GOOD)], ExitStatus::Success),
        (vec![judged(&warned)], ExitStatus::Success),
        (vec![judged(&broken), judged(GOOD)], ExitStatus::Failed),
        (vec![judged(GOOD), unread()], ExitStatus::Usage),
        (vec![judged(&broken), unread()], ExitStatus::Usage),
    ] {
        for format in [Format::Text, Format::Json, Format::Sarif] {
            let verdict = verdict(format, &files);
            assert_eq!(verdict.status as u8, status as u8, "{files:?}");
            let missed = files.iter().filter(|file| file.outcome.is_err()).count();
            assert_eq!(verdict.unread.len(), missed);
        }
    }
}

#[test]
fn at_most_so_many_bytes_are_read_and_they_are_utf_8() {
    let of = |bytes: &[u8]| read_from(bytes).map_err(|error| error.to_string());
    let full = vec![b' '; MAX_JSON_BYTES];
    assert_eq!(of(&full).unwrap().len(), MAX_JSON_BYTES);
    let long = vec![b' '; MAX_JSON_BYTES + 1];
    assert_eq!(of(&long).unwrap_err(), "it has more than 131072 bytes");
    assert_eq!(of(b"ab\xff").unwrap_err(), "it is not UTF-8 from byte 3 on");
}

#[test]
fn arguments() {
    let parse = |words: &str| {
        let words: Vec<&str> = words.split_whitespace().collect();
        Arguments::parse(&words).map_err(|error| error.to_string())
    };
    let parsed =
        parse("--format sarif --kind trust --class view --identity jump -- a - --b").unwrap();
    assert_eq!(parsed.format, Format::Sarif);
    assert_eq!(parsed.kind, Some(Kind::Trust));
    assert_eq!(parsed.class, Some(lint::Class::View));
    assert_eq!(parsed.identity.as_deref(), Some("jump"));
    assert_eq!(parsed.files, ["a", "-", "--b"]);
    for wrong in [
        "",
        "--",
        "--kind",
        "--kind x -- a",
        "--format x -- a",
        "--class x -- a",
        "--x y -- a",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
    let files = "a ".repeat(MAX_FILES);
    assert!(parse(&format!("-- {files}")).is_ok());
    assert!(
        parse(&format!("-- {files} a"))
            .unwrap_err()
            .contains("at most 1000")
    );
}

#[test]
fn names_of_files_are_escaped_for_people() {
    let mut strange = judged("{");
    strange.name = "\u{1b}[2J.json".to_owned();
    let text = verdict(Format::Text, &[strange]).text;
    assert!(
        text.starts_with("\\u{1b}[2J.json:1:2: error JSON000"),
        "{text}"
    );
}

#[test]
fn what_is_left_out_is_counted() {
    let many = r#""a*","#.repeat(lint::MAX_FINDINGS + 3);
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{"StringEquals":{{"a:b":[{many}"b"]}}}}}}}}"#
    );
    let files = [judged(&text)];
    assert!(
        verdict(Format::Text, &files)
            .text
            .contains("p.json: and 3 more\n")
    );
    assert!(
        verdict(Format::Json, &files)
            .text
            .contains("\"left_out\": 3")
    );
    assert!(
        verdict(Format::Sarif, &files)
            .text
            .contains("\"text\": \"and 3 more\"")
    );
}
