//! Tests of tags: every limit at its edge, and the keys' case.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{MAX_TAGS, SessionTags, TagError, TagKey, TagValue, TransitiveTagKeys};

fn key(text: &str) -> TagKey {
    TagKey::parse(text).unwrap()
}

fn value(text: &str) -> TagValue {
    TagValue::parse(text).unwrap()
}

fn tags(pairs: &[(&str, &str)]) -> Result<SessionTags, TagError> {
    SessionTags::new(pairs.iter().map(|(k, v)| (key(k), value(v))).collect())
}

fn numbered(count: usize) -> Vec<(TagKey, TagValue)> {
    (0..count)
        .map(|number| (key(&format!("key{number}")), value("")))
        .collect()
}

#[test]
fn lengths_end_where_sts_says() {
    for letter in ["a", "é", "語"] {
        for (length, legal) in [(0, false), (1, true), (128, true), (129, false)] {
            assert_eq!(
                TagKey::parse(&letter.repeat(length)).is_ok(),
                legal,
                "{letter} {length}"
            );
        }
        for (length, legal) in [(0, true), (256, true), (257, false)] {
            assert_eq!(
                TagValue::parse(&letter.repeat(length)).is_ok(),
                legal,
                "{letter} {length}"
            );
        }
    }
}

#[test]
fn the_characters_of_tags() {
    let legal = [
        "azAZ09",
        "_.:/=+-@",
        "a b",
        "\u{a0}\u{2028}\u{3000}",
        "éßΩж",
        "語한",
        "٣Ⅷ½²",
        "ªʰ",
    ];
    for text in legal {
        assert!(TagKey::parse(text).is_ok(), "{text:?}");
        assert!(TagValue::parse(text).is_ok(), "{text:?}");
    }
    for bad in
        "\t\n\r\0\u{1b}\u{7f}\u{85}!\"#$%&'()*,;<>?[\\]^`{|}~€©\u{200b}\u{202e}\u{feff}😀\u{301}"
            .chars()
    {
        let text = format!("a{bad}");
        assert!(TagKey::parse(&text).is_err(), "{bad:?}");
        assert!(TagValue::parse(&text).is_err(), "{bad:?}");
    }
}

#[test]
fn keys_do_not_begin_like_awss_own() {
    for text in ["aws:x", "AWS:x", "Aws:", "aWS:PrincipalTag"] {
        assert!(
            matches!(TagKey::parse(text), Err(TagError::ReservedKey { .. })),
            "{text}"
        );
        assert!(TagValue::parse(text).is_ok(), "{text}");
    }
    for text in ["aws", "aws.x", "xaws:y", "aw"] {
        assert!(TagKey::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn fifty_tags_and_no_more() {
    let fifty = SessionTags::new(numbered(50)).unwrap();
    assert_eq!((fifty.len(), MAX_TAGS), (50, 50));
    assert_eq!(
        SessionTags::new(numbered(51)),
        Err(TagError::TooManyTags { found: 51 })
    );
    assert_eq!(
        fifty.with(key("x"), value("")),
        Err(TagError::TooManyTags { found: 51 })
    );
}

#[test]
fn keys_must_differ_in_more_than_case() {
    for (one, other) in [
        ("a", "a"),
        ("a", "A"),
        ("Team", "tEAM"),
        ("Straße", "STRASSE"),
        ("É", "é"),
        ("σας", "ΣΑΣ"),
    ] {
        let error = tags(&[("x", ""), (one, "1"), ("y", ""), (other, "1")]).unwrap_err();
        let expected = TagError::RepeatedKey {
            first: key(one),
            first_number: 2,
            second: key(other),
            second_number: 4,
        };
        assert_eq!(error, expected);
        assert!(
            tags(&[(one, "")])
                .unwrap()
                .with(key(other), value(""))
                .is_err()
        );
    }
    assert!(tags(&[("a", ""), ("á", "")]).is_ok());
    assert_eq!(
        tags(&[("Team", ""), ("team", "")]).unwrap_err().to_string(),
        "tag key team (tag 2) repeats Team (tag 1); keys must differ in more than case"
    );
}

#[test]
fn order_and_spelling_are_kept_while_look_up_ignores_case() {
    let tags = tags(&[("Zone", "1"), ("alpha", "2")]).unwrap();
    let pairs: Vec<_> = tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(pairs, [("Zone", "1"), ("alpha", "2")]);
    assert_eq!(tags.value_of(&key("zONE")), Some(&value("1")));
    assert_eq!(tags.value_of(&key("beta")), None);
}

#[test]
fn serde_refuses_what_new_refuses() {
    let tags = tags(&[("b", "1"), ("a", "")]).unwrap();
    assert_eq!(serde_json::to_string(&tags).unwrap(), r#"{"b":"1","a":""}"#);
    assert_eq!(
        serde_json::from_str::<SessionTags>(r#"{"b":"1","a":""}"#).unwrap(),
        tags
    );
    for text in [
        r#"{"a":"","a":""}"#,
        r#"{"a":"","A":""}"#,
        r#"{"aws:a":""}"#,
        r#"{"a":"*"}"#,
        "[]",
    ] {
        assert!(serde_json::from_str::<SessionTags>(text).is_err(), "{text}");
    }
    let many = |count| {
        let pairs: Vec<_> = (0..count)
            .map(|number| format!("\"k{number}\":\"\""))
            .collect();
        serde_json::from_str::<SessionTags>(&format!("{{{}}}", pairs.join(",")))
    };
    assert!(many(50).is_ok());
    assert!(
        many(51)
            .unwrap_err()
            .to_string()
            .contains("at most 50 tags")
    );
}

#[test]
fn transitive_keys_are_keys_of_the_same_request() {
    let tags = tags(&[("Team", "sre"), ("Env", "dev")]).unwrap();
    let keys =
        |texts: &[&str]| TransitiveTagKeys::new(texts.iter().map(|t| key(t)).collect(), &tags);
    assert_eq!(keys(&[]).unwrap(), TransitiveTagKeys::default());
    assert_eq!(keys(&["Env", "Team"]).unwrap().len(), 2);
    assert_eq!(
        keys(&["Cost"]),
        Err(TagError::UnknownTransitiveKey { key: key("Cost") })
    );
    let spelling = TagError::TransitiveSpelling {
        key: key("team"),
        tag: key("Team"),
    };
    assert_eq!(keys(&["team"]), Err(spelling));
    assert_eq!(
        keys(&["Env", "Env"]),
        Err(TagError::RepeatedTransitiveKey { key: key("Env") })
    );
}

#[test]
fn fifty_transitive_keys_and_no_more() {
    let tags = SessionTags::new(numbered(50)).unwrap();
    let mut keys: Vec<_> = tags.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(
        TransitiveTagKeys::new(keys.clone(), &tags).unwrap().len(),
        50
    );
    keys.push(key("x"));
    let error = TransitiveTagKeys::new(keys, &tags).unwrap_err();
    assert_eq!(error, TagError::TooManyTransitiveKeys { found: 51 });
}

#[test]
fn a_later_hop_must_not_override_what_it_inherits() {
    let first = tags(&[("Team", "sre"), ("Env", "dev")]).unwrap();
    let inherited = TransitiveTagKeys::new(vec![key("Team")], &first).unwrap();
    let later = tags(&[("Env", "prod"), ("TEAM", "sre")]).unwrap();
    assert_eq!(inherited.overridden_by(&later), Some(&key("TEAM")));
    assert_eq!(
        inherited.overridden_by(&tags(&[("Env", "prod")]).unwrap()),
        None
    );
    assert_eq!(serde_json::to_string(&inherited).unwrap(), r#"["Team"]"#);
}

#[test]
fn errors_quote_without_control_characters() {
    assert_eq!(
        TagKey::parse("a\u{7}").unwrap_err().to_string(),
        "tag key \"a\\u{7}\" is not legal: character 2 is '\\u{7}', allowed are letters, digits, \
         spaces and _ . : / = + - @"
    );
    assert_eq!(
        TagValue::parse(&"v".repeat(257)).unwrap_err().to_string(),
        format!(
            "tag value \"{}…\" is not legal: 0 to 256 characters are expected, there are 257",
            "v".repeat(64)
        )
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_parses_is_displayed_as_it_was(text in any::<String>(), nearly in "[a-zA-Z:é ]{1,6}") {
        for text in [text, nearly] {
            if let Ok(key) = TagKey::parse(&text) {
                prop_assert_eq!(key.as_str(), &text);
                prop_assert!(key.is_same_key(&key));
            }
            if let Ok(value) = TagValue::parse(&text) {
                prop_assert_eq!(value.to_string(), text);
            }
        }
    }

    /// STS joins keys without their case; whatever the standard library calls equal in lower or in
    /// upper case is one key.
    #[test]
    fn case_never_makes_two_keys_of_one(text in "\\p{L}{1,20}") {
        let variants = [text.to_lowercase(), text.to_uppercase()];
        for variant in variants.iter().filter_map(|text| TagKey::parse(text).ok()) {
            if let Ok(key) = TagKey::parse(&text) {
                prop_assert!(key.is_same_key(&variant), "{} {}", text, variant);
            }
        }
    }

    #[test]
    fn tags_survive_json(pairs in prop::collection::vec(("[a-z]{1,3}", "[a-z0-9 ]{0,4}"), 0..8)) {
        let pairs = pairs.iter().map(|(k, v)| (key(k), value(v))).collect();
        if let Ok(tags) = SessionTags::new(pairs) {
            let text = serde_json::to_string(&tags).unwrap();
            prop_assert_eq!(serde_json::from_str::<SessionTags>(&text).unwrap(), tags);
        }
    }
}
