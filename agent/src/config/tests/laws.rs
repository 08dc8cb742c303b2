//! What holds for any text.

use proptest::prelude::*;

use super::*;

/// Whatever the text, there is an answer, and every place in it is a place of the text.
fn answers(text: &str) -> Result<(), TestCaseError> {
    let reports = match parsed(text) {
        Ok(config) => config.warnings,
        Err(errors) => {
            prop_assert!(!errors.reports().is_empty());
            errors.0
        }
    };
    prop_assert!(reports.len() <= 1 + report::MAX_REPORTS);
    let lines: Vec<&str> = text.split('\n').collect();
    let mut last = None;
    for report in &reports {
        let Some(position) = report.position else {
            continue;
        };
        if report.path == Path::new("/etc/jumpgate/config.toml") {
            prop_assert!(last <= Some(position), "{report} is out of order");
            last = Some(position);
            let line = lines.get(position.line - 1);
            let length = line.map(|line| line.chars().count());
            prop_assert!(
                length.is_some_and(|length| position.column <= length + 1),
                "{report}"
            );
        }
        let escape = '\u{1b}';
        prop_assert!(!report.to_string().contains(escape));
    }
    Ok(())
}

/// The words that configurations are made of, and what breaks them.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "version",
            "agent",
            "accounts",
            "identity",
            "profile",
            "jump",
            "dev",
            "kind",
            "via",
            "policy",
            "tags",
            "narrow",
            "peers",
            "exe",
            "role_arn",
            "mfa",
            "=",
            " = ",
            "\n",
            ".",
            "[",
            "]",
            "{",
            "}",
            ",",
            "\"",
            "'",
            "'''",
            "\"\"\"",
            "#",
            "1",
            "true",
            "1979-05-27",
            "\"iam-user\"",
            "\"111111111111\"",
            "\"dev\"",
            "\"{user}\"",
            "\"{\"",
            "\u{feff}",
            "\r\n",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_answered(text: String) {
        answers(&text)?;
    }

    #[test]
    fn any_words_are_answered(words in prop::collection::vec(word(), 0..64)) {
        answers(&words.concat())?;
        answers(&format!("{WHOLE}{}", words.concat()))?;
    }

    #[test]
    fn a_changed_configuration_is_answered(
        from in any::<prop::sample::Index>(),
        length in 0_usize..40,
        word in word(),
    ) {
        let characters: Vec<char> = WHOLE.chars().collect();
        let from = from.index(characters.len());
        let to = characters.len().min(from + length);
        let before: String = characters[..from].iter().collect();
        let after: String = characters[to..].iter().collect();
        answers(&format!("{before}{word}{after}"))?;
    }

    #[test]
    fn swapped_values_are_answered(
        one in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
    ) {
        let mut lines: Vec<&str> = WHOLE.lines().collect();
        let (one, other) = (one.index(lines.len()), other.index(lines.len()));
        lines.swap(one, other);
        answers(&lines.join("\n"))?;
    }
}

#[test]
fn a_mebibyte_of_anything_is_answered() {
    for unit in [
        "a=1\n", "=", "[", "[[", "{", "a.", "\"", "x\n", "[a]\n", "a={b=", "\u{1b}",
    ] {
        let text = unit.repeat(MAX_CONFIG_BYTES / unit.len());
        let errors = parsed(&text).unwrap_err();
        assert!(errors.reports().len() <= 1 + report::MAX_REPORTS);
    }
}

#[test]
fn many_mistakes_with_near_names_are_answered() {
    let mut text =
        String::from("version = 1\nidentity.j = { kind = \"iam-user\", account = \"1\" }\n");
    for n in 0..MAX_PROFILES {
        let line = format!("profile.p{n} = {{ role_arn = \"arn:aws:iam::1\", via = \"q{n}\" }}\n");
        text.push_str(&line);
    }
    let found = mistakes_in(&text);
    assert_eq!(found.len(), 1 + report::MAX_REPORTS);
}
