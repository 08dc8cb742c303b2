//! Tests of names: every limit at its edge.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{ExternalId, NameError, RoleSessionName, SourceIdentity};

const EVERY_NAME_CHARACTER: &str = "ABCXYZabcxyz0129_+=,.@-";

#[test]
fn lengths_end_where_sts_says() {
    for (length, legal) in [(0, false), (1, false), (2, true), (64, true), (65, false)] {
        let text = "a".repeat(length);
        assert_eq!(RoleSessionName::parse(&text).is_ok(), legal, "{length}");
        assert_eq!(RoleSessionName::cleaned(&text).is_ok(), legal, "{length}");
        assert_eq!(SourceIdentity::parse(&text).is_ok(), legal, "{length}");
    }
    for (length, legal) in [(1, false), (2, true), (1224, true), (1225, false)] {
        assert_eq!(
            ExternalId::parse(&"a".repeat(length)).is_ok(),
            legal,
            "{length}"
        );
    }
}

#[test]
fn only_the_characters_of_sts_are_legal() {
    assert!(RoleSessionName::parse(EVERY_NAME_CHARACTER).is_ok());
    assert!(SourceIdentity::parse(EVERY_NAME_CHARACTER).is_ok());
    assert!(ExternalId::parse("ABCabc019_+=,.@:/-").is_ok());
    for bad in [
        ' ', '/', ':', '\\', '*', '?', '"', '\'', '\n', '\0', '(', '[', '~', 'é', '٣', 'ａ',
    ] {
        let text = format!("ab{bad}c");
        assert!(RoleSessionName::parse(&text).is_err(), "{bad:?}");
        assert!(SourceIdentity::parse(&text).is_err(), "{bad:?}");
        let legal_in_external_id = bad == '/' || bad == ':';
        assert_eq!(
            ExternalId::parse(&text).is_ok(),
            legal_in_external_id,
            "{bad:?}"
        );
    }
}

#[test]
fn a_source_identity_does_not_begin_like_awss_own() {
    for text in ["aws:alice", "AWS:alice", "aWs:"] {
        assert!(
            matches!(SourceIdentity::parse(text), Err(NameError::Reserved { .. })),
            "{text}"
        );
    }
    assert!(SourceIdentity::parse("aws-alice").is_ok());
    assert!(SourceIdentity::parse("aw\u{e9}:").is_err());
}

#[test]
fn errors_name_what_is_wrong_and_where() {
    assert_eq!(
        RoleSessionName::parse("alice smith")
            .unwrap_err()
            .to_string(),
        "role session name \"alice smith\" is not legal: character 6 is ' ', allowed are ASCII \
         letters, digits and _ + = , . @ -"
    );
    assert_eq!(
        SourceIdentity::parse("a").unwrap_err().to_string(),
        "source identity \"a\" is not legal: 2 to 64 characters are expected, there are 1"
    );
    assert_eq!(
        ExternalId::parse("a\u{1b}[2J").unwrap_err().to_string(),
        "external id \"a\\u{1b}[2J\" is not legal: character 2 is '\\u{1b}', allowed are ASCII \
         letters, digits and _ + = , . @ : / -"
    );
}

#[test]
fn cleaning_replaces_and_never_cuts() {
    for (text, expected) in [
        ("alice", "alice"),
        ("CORP\\alice smith", "CORP-alice-smith"),
        ("zoë@höst", "zo-@h-st"),
        ("\0\n", "--"),
    ] {
        assert_eq!(RoleSessionName::cleaned(text).unwrap().as_str(), expected);
    }
    // 64 characters count, not bytes.
    assert_eq!(
        RoleSessionName::cleaned(&"é".repeat(64)).unwrap().as_str(),
        "-".repeat(64)
    );
}

#[test]
fn serde_goes_through_parsing() {
    let name: RoleSessionName = serde_json::from_str("\"alice\"").unwrap();
    assert_eq!(serde_json::to_string(&name).unwrap(), "\"alice\"");
    assert!(serde_json::from_str::<RoleSessionName>("\"a b\"").is_err());
    assert!(serde_json::from_str::<RoleSessionName>("7").is_err());
    assert_eq!(
        format!("{name:?} {name:>7}"),
        "RoleSessionName(\"alice\")   alice"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_parses_is_displayed_as_it_was(text in "[a-zA-Z0-9_+=,.@-]{2,64}") {
        prop_assert_eq!(RoleSessionName::parse(&text).unwrap().to_string(), text.clone());
        prop_assert_eq!(SourceIdentity::parse(&text).unwrap().to_string(), text.clone());
        prop_assert_eq!(text.parse::<ExternalId>().unwrap().to_string(), text);
    }

    #[test]
    fn cleaned_text_is_legal_and_as_long(text in any::<String>()) {
        let characters = text.chars().count();
        match RoleSessionName::cleaned(&text) {
            Ok(name) => {
                prop_assert_eq!(name.as_str().len(), characters);
                prop_assert_eq!(RoleSessionName::parse(name.as_str()), Ok(name));
            }
            Err(_) => prop_assert!(!(2..=64).contains(&characters)),
        }
    }
}
