//! What is shown: escapes, tables, spans of time.

#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn what_could_do_more_to_a_terminal_than_show_is_escaped() {
    let cases = [
        ("plain é 漢 'x' \\", "plain é 漢 'x' \\"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\u{1b}[2J\u{7f}\u{9b}31m", "\\u{1b}[2J\\u{7f}\\u{9b}31m"),
        (
            "\u{202e}evil\u{2066}\u{200f}\u{2028}\u{feff}",
            "\\u{202e}evil\\u{2066}\\u{200f}\\u{2028}\\u{feff}",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(escape(text), expected);
        assert_eq!(
            escape(expected),
            expected,
            "escaping twice is escaping once"
        );
    }
}

#[test]
fn a_table_is_as_wide_as_its_cells() {
    let row = |cells: [&str; 3]| cells.map(str::to_owned);
    let rows = [row(["é", "long cell", "x"]), row(["abcdef", "", "\u{1b}"])];
    assert_eq!(
        table(["A", "B", "LAST"], rows.into_iter()),
        "A       B          LAST\né       long cell  x\nabcdef             \\u{1b}\n"
    );
    assert_eq!(table(["A", "B", "C"], std::iter::empty()), "");
}

#[test]
fn fields_stand_below_each_other() {
    let lines = vec![("a", "1\n2".to_owned()), ("longer", String::new())];
    assert_eq!(fields(lines), "a       1\\n2\nlonger  \n");
}

#[test]
fn spans_are_shown_in_the_unit_that_says_something() {
    let cases = [
        (0, "0 s"),
        (99, "99 s"),
        (100, "1 min"),
        (3120, "52 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (86_400, "24 h"),
    ];
    for (seconds, expected) in cases {
        assert_eq!(remaining(seconds), expected);
    }
    let now = Timestamp::from_unix_seconds(1000);
    assert_eq!(
        until(now, Timestamp::from_unix_seconds(1052)),
        "1970-01-01T00:17:32Z (in 52 s)"
    );
    assert_eq!(until(now, now), "1970-01-01T00:16:40Z (over)");
}

#[test]
fn json_stays_json_and_becomes_harmless() {
    let text = "{\n  \"a\": \"\u{7f}\u{9b}\u{202e}é\"\n}\n\n";
    let line = json(text);
    assert_eq!(line, "{\n  \"a\": \"\\u007f\\u009b\\u202eé\"\n}\n");
    let [before, after] =
        [text, &line].map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
    assert_eq!(before, after);
}
