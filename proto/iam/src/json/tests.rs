//! Tests of the JSON reader and writer: tables, and serde_json as the second opinion.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{JsonError, MAX_DEPTH, MAX_JSON_BYTES, Node, Position, Value, minified, parse};

fn at(line: usize, column: usize) -> Position {
    Position { line, column }
}

fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

#[test]
fn every_node_knows_its_place() {
    let root = parse("{\n  \"é\\n\": [1, {\"b\":null}],\r\n\t\"c\" : true}").unwrap();
    let members = root.value.as_object().unwrap();
    assert_eq!(root.position, at(1, 1));
    assert_eq!(
        (members[0].key.as_str(), members[0].key_position),
        ("é\n", at(2, 3))
    );
    let list = members[0].value.value.as_array().unwrap();
    assert_eq!(members[0].value.position, at(2, 10));
    assert_eq!((list[0].position, list[1].position), (at(2, 11), at(2, 14)));
    assert_eq!(list[1].value.member("b").unwrap().position, at(2, 19));
    assert_eq!(
        (members[1].key_position, members[1].value.position),
        (at(3, 2), at(3, 8))
    );
}

#[test]
fn what_is_read_is_written_in_the_fewest_characters() {
    for (text, expected) in [
        (" [ 1 , 2 ] ", "[1,2]"),
        ("{ \"z\" : 1 , \"a\" : { } }", "{\"z\":1,\"a\":{}}"),
        (
            "[-0, 0.50, 1E+5, 10e-2, 18446744073709551616]",
            "[-0,0.50,1E+5,10e-2,18446744073709551616]",
        ),
        (r#""\u0041\/\u00e9\"\\""#, r#""A/é\"\\""#),
        (
            r#""\b\f\n\r\t\u0000\u001F\u007f""#,
            "\"\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}\"",
        ),
        (r#""\u00ff\u0100\uD83D\uDE00""#, r#""ÿ\u0100\ud83d\ude00""#),
        ("\"€😀\"", r#""\u20ac\ud83d\ude00""#),
        ("true", "true"),
        ("[false,null,[],\"\"]", "[false,null,[],\"\"]"),
    ] {
        assert_eq!(minified(&parse(text).unwrap().value), expected, "{text}");
    }
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for (text, line, column) in [
        ("", 1, 1),
        ("  \n", 2, 1),
        ("{", 1, 2),
        ("{\"a\":1,}", 1, 8),
        ("{\"a\" 1}", 1, 6),
        ("{\"a\":}", 1, 6),
        ("{a:1}", 1, 2),
        ("{'a':1}", 1, 2),
        ("{\"a\":1 \"b\":2}", 1, 8),
        ("[1,]", 1, 4),
        ("[1 2]", 1, 4),
        ("[1", 1, 3),
        ("[,1]", 1, 2),
        ("1 2", 1, 3),
        ("{}\n}", 2, 1),
        ("01", 1, 2),
        ("-01", 1, 3),
        ("-", 1, 2),
        ("+1", 1, 1),
        (".5", 1, 1),
        ("1.", 1, 3),
        ("1.e5", 1, 3),
        ("1e", 1, 3),
        ("1e+", 1, 4),
        ("0x10", 1, 2),
        ("NaN", 1, 1),
        ("Infinity", 1, 1),
        ("tru", 1, 4),
        ("trUe", 1, 3),
        ("True", 1, 1),
        ("nul1", 1, 4),
        ("\"abc", 1, 5),
        ("\"a\nb\"", 1, 3),
        ("\"a\tb\"", 1, 3),
        ("\"a\u{0}b\"", 1, 3),
        (r#""\x""#, 1, 3),
        (r#""\u12g4""#, 1, 6),
        (r#""\u+123""#, 1, 4),
        (r#""\u12"#, 1, 6),
        (r#""ab\ud800""#, 1, 4),
        (r#""ab\ud800x""#, 1, 4),
        (r#""ab\ud800\n""#, 1, 4),
        (r#""ab\udc00""#, 1, 4),
        (r#""ab\ud800\ud800""#, 1, 4),
        (r#""ab\udc00\udc00""#, 1, 4),
        (r#""ab\ud800\u0041""#, 1, 4),
        ("\u{feff}{}", 1, 1),
        ("\u{a0}{}", 1, 1),
        ("// no\n{}", 1, 1),
        ("{} // no", 1, 4),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.position(), at(line, column), "{text:?}: {error}");
    }
}

#[test]
fn errors_say_what_is_expected_and_escape_what_they_found() {
    for (text, expected) in [
        (
            "[1 2]",
            "line 1, column 4: a comma or ] is expected, not '2'",
        ),
        (
            "[1",
            "line 1, column 3: a comma or ] is expected, but the text ends",
        ),
        (
            "01",
            "line 1, column 2: no digit after a leading zero is expected, not '1'",
        ),
        (
            "\"\u{1b}\"",
            "line 1, column 2: a character or an escape such as \\n is expected, not '\\u{1b}'",
        ),
        (
            r#""\ud800""#,
            "line 1, column 2: a surrogate escape is expected to be one of a pair",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_repeated_key_is_refused_at_any_depth_and_however_it_is_escaped() {
    for (text, first, second) in [
        (r#"{"a":1,"a":1}"#, at(1, 2), at(1, 8)),
        (r#"{"a":1,"\u0061":2}"#, at(1, 2), at(1, 8)),
        (
            "[{\"x\":{\"y\":[{\"k\":1,\n\"j\":2,\n\"k\":3}]}}]",
            at(1, 14),
            at(3, 1),
        ),
        // The second key is what is wrong, whatever follows it.
        (r#"{"a":1,"a":oops"#, at(1, 2), at(1, 8)),
    ] {
        match parse(text).unwrap_err() {
            JsonError::DuplicateKey {
                at, first: earlier, ..
            } => {
                assert_eq!((earlier, at), (first, second), "{text}");
            }
            other => panic!("{text}: {other}"),
        }
    }
    assert!(parse(r#"[{"a":1},{"a":1},{"A":1,"a":{"a":1}}]"#).is_ok());
}

#[test]
fn nesting_ends_at_its_maximum() {
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    let error = parse(&nested(MAX_DEPTH + 1)).unwrap_err();
    assert_eq!(
        error,
        JsonError::TooDeep {
            at: at(1, MAX_DEPTH + 1)
        }
    );
    assert!(matches!(
        parse(&"[{\"a\":".repeat(20_000)),
        Err(JsonError::TooDeep { .. })
    ));
}

#[test]
fn the_text_ends_at_its_maximum() {
    let text = |bytes: usize| format!("\"{}\"", "a".repeat(bytes - 2));
    assert!(parse(&text(MAX_JSON_BYTES)).is_ok());
    let error = parse(&text(MAX_JSON_BYTES + 1)).unwrap_err();
    assert_eq!(
        error,
        JsonError::TooLong {
            found: MAX_JSON_BYTES + 1
        }
    );
}

/// A value as serde_json has it. Numbers go through its own reader, so that only structure, order
/// aside, is compared.
fn as_serde(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(bool) => (*bool).into(),
        Value::Number(text) => serde_json::from_str(text).unwrap(),
        Value::String(text) => text.as_str().into(),
        Value::Array(elements) => elements.iter().map(|node| as_serde(&node.value)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|member| (member.key.clone(), as_serde(&member.value.value)))
            .collect(),
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        (-1e9..1e9_f64).prop_map(serde_json::Value::from),
        any::<String>().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Text that is often nearly JSON.
fn json_like() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "{", "}", "[", "]", ":", ",", "\"a\"", "\"b\"", "\"", "\\", "\\u00e9", "\\ud83d",
        "\\ude00", "\\n", "0", "1", "-", ".", "e", "E+", "true", "false", "null", " ", "\n", "é",
        "\u{1}",
    ]);
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

/// Whether ours and serde_json agree, but for what ours refuses on purpose.
fn agrees_with_serde(text: &str) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    match (parse(text), theirs) {
        (Ok(ours), Ok(theirs)) => prop_assert_eq!(as_serde(&ours.value), theirs),
        (Err(JsonError::DuplicateKey { .. } | JsonError::TooDeep { .. }), Ok(_)) => {}
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => {
            prop_assert!(
                error.to_string().contains("number out of range"),
                "{text:?}: {error}"
            );
        }
        (Err(error), Ok(_)) => prop_assert!(false, "{text:?}: {error}"),
    }
    Ok(())
}

fn positions_rise(node: &Node, after: Position) -> Result<(), TestCaseError> {
    prop_assert!(node.position >= after);
    for element in node.value.as_array().unwrap_or_default() {
        positions_rise(element, node.position)?;
    }
    for member in node.value.as_object().unwrap_or_default() {
        prop_assert!(member.key_position > node.position);
        positions_rise(&member.value, member.key_position)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn minifying_keeps_the_value_and_is_done_after_once(json in any_json()) {
        let pretty = serde_json::to_string_pretty(&json).unwrap();
        let once = minified(&parse(&pretty).unwrap().value);
        // Both through serde_json's reader, which rounds some numbers.
        let theirs = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        prop_assert_eq!(theirs(&once), theirs(&pretty));
        prop_assert_eq!(minified(&parse(&once).unwrap().value), once.clone());
        let sendable = once.chars().all(|c| (32..256).contains(&u32::from(c)));
        prop_assert!(sendable, "{once}");
    }

    #[test]
    fn serde_json_agrees_on_any_text(text in any::<String>()) {
        agrees_with_serde(&text)?;
    }

    #[test]
    fn serde_json_agrees_on_text_like_json(text in json_like()) {
        agrees_with_serde(&text)?;
    }

    #[test]
    fn places_rise_through_the_text(json in any_json()) {
        let node = parse(&serde_json::to_string_pretty(&json).unwrap()).unwrap();
        positions_rise(&node, Position::START)?;
    }
}
