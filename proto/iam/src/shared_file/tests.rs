//! Files as people have them, and that changes leave everything else alone.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

/// Every section as `header@line key=value@line …`.
fn told(text: &str) -> Result<Vec<String>, String> {
    let file = SharedFile::parse(text).map_err(|error| error.to_string())?;
    let entry = |entry: &Entry<'_>| format!(" {}={}@{}", entry.key(), entry.value(), entry.line());
    let section = |section: &Section<'_>| {
        let entries: String = section.entries().iter().map(entry).collect();
        format!("{}@{}{entries}", section.header(), section.line())
    };
    Ok(file.sections().iter().map(section).collect())
}

#[test]
fn a_file_is_read_as_the_aws_cli_reads_it() {
    for (text, sections) in [
        ("", &[][..]),
        ("# nothing\n\n; here\n", &[]),
        (
            "[default]\nregion = eu-west-1\n",
            &["default@1 region=eu-west-1@2"],
        ),
        (
            "[default]\r\nregion=eu-west-1\r\n",
            &["default@1 region=eu-west-1@2"],
        ),
        (
            "[ profile dev ] # mine\nRegion:x",
            &["profile dev@1 Region=x@2"],
        ),
        ("  [a]\n  b = c\n  d = e\n", &["a@1 b=c@2 d=e@3"]),
        (
            "[a]\ns3 =\n  x = y\n  # no\n\n  z = 1\nb = c\n",
            &["a@1 s3=@2 b=c@7"],
        ),
        ("[a]\nb = c # d\ne = f#g ;h\n", &["a@1 b=c@2 e=f#g@3"]),
        ("[a]\nb = # c\nd =;e\n", &["a@1 b=@2 d=;e@3"]),
        ("[a]\nb = c\n\n[a]\nb = d\n", &["a@1 b=c@2", "a@4 b=d@5"]),
        ("[a]\n  b = c\n[d]\ne = f\n", &["a@1 b=c@2", "d@3 e=f@4"]),
        ("[a]\nb = c=d:e\n", &["a@1 b=c=d:e@2"]),
    ] {
        let sections: Vec<String> = sections
            .iter()
            .map(|section| (*section).to_owned())
            .collect();
        assert_eq!(told(text), Ok(sections), "{text:?}");
    }
}

#[test]
fn what_the_aws_cli_refuses_is_refused_with_its_line() {
    for (text, refused) in [
        ("a = b\n", "line 1 has a setting above all sections"),
        (
            "[a]\nb\n",
            "line 2 is neither a section, a setting nor a comment",
        ),
        ("[a]\n= b\n", "line 2 has a value without a name"),
        ("[a\n", "line 1 begins like a section and is none"),
        ("[]\n", "line 1 begins like a section and is none"),
        ("[a] b\n", "line 1 begins like a section and is none"),
        ("[a]\nb = c\rd = e\n", "line 2 has a carriage return within"),
        (
            "\u{feff}[a]\n",
            "line 1 is neither a section, a setting nor a comment",
        ),
    ] {
        assert_eq!(told(text), Err(refused.to_owned()), "{text:?}");
    }
}

#[test]
fn profiles_have_their_names_in_headers() {
    for (header, kind, name) in [
        ("default", Kind::Config, Some("default")),
        ("profile default", Kind::Config, Some("default")),
        ("profile dev", Kind::Config, Some("dev")),
        ("profile\tdev", Kind::Config, Some("dev")),
        ("profile \"mit leer\"", Kind::Config, Some("mit leer")),
        ("profile 'dev'", Kind::Config, Some("dev")),
        ("profile mit leer", Kind::Config, None),
        ("profile \"a", Kind::Config, None),
        ("profile \"\"", Kind::Config, None),
        ("profile", Kind::Config, None),
        ("profiles dev", Kind::Config, None),
        ("dev", Kind::Config, None),
        ("sso-session dev", Kind::Config, None),
        ("dev", Kind::Credentials, Some("dev")),
    ] {
        let text = format!("[{header}]\n");
        let file = SharedFile::parse(&text).unwrap();
        assert_eq!(file.sections()[0].profile(kind), name, "{header}");
    }
}

#[test]
fn a_setting_that_stands_twice_is_found() {
    let file = SharedFile::parse("[a]\nb = 1\nc = 2\nB = 3\n[d]\nb = 1\n").unwrap();
    let repeated: Vec<Option<usize>> = file
        .sections()
        .iter()
        .map(|section| section.repeated().map(Entry::line))
        .collect();
    assert_eq!(repeated, [Some(4), None]);
}

/// The text after `region` and `credential_process` were set in `[a]`, or in a new section.
fn set(text: &str) -> String {
    let file = SharedFile::parse(text).unwrap();
    let mut changes = Changes::new(&file);
    let settings = [("region", "r"), ("credential_process", "p")];
    match file
        .sections()
        .iter()
        .find(|section| section.header() == "a")
    {
        Some(section) => changes.set(section, &settings),
        None => changes.append("a", &settings),
    }
    changes.text()
}

#[test]
fn settings_are_put_where_they_belong_and_nothing_else_changes() {
    for (before, after) in [
        ("", "[a]\nregion = r\ncredential_process = p\n"),
        (
            "[b]\nx = y\n",
            "[b]\nx = y\n\n[a]\nregion = r\ncredential_process = p\n",
        ),
        (
            "[b]\nx = y",
            "[b]\nx = y\n\n[a]\nregion = r\ncredential_process = p\n",
        ),
        (
            "[b]\n\n\n",
            "[b]\n\n\n[a]\nregion = r\ncredential_process = p\n",
        ),
        (
            "[b]\r\nx=y\r\n",
            "[b]\r\nx=y\r\n\r\n[a]\r\nregion = r\r\ncredential_process = p\r\n",
        ),
        (
            "[a]\r\nx=y\r",
            "[a]\r\nx=y\r\nregion = r\r\ncredential_process = p\r\n",
        ),
        ("[a]", "[a]\nregion = r\ncredential_process = p\n"),
        (
            "[a]\n\n[b]\nx=y",
            "[a]\nregion = r\ncredential_process = p\n\n[b]\nx=y",
        ),
        (
            "[a]\n  x = y\n  Region=  q  # old\n# c\n\n[b]\n",
            "[a]\n  x = y\n  Region = r\ncredential_process = p\n# c\n\n[b]\n",
        ),
        // A header further in than the new lines would belong to the last of them.
        (
            "[a]\n  x = y\n# c\n [b]\nx=y",
            "[a]\n  x = y\n region = r\n credential_process = p\n# c\n [b]\nx=y",
        ),
        (
            "[a]\n\n\t[b]\n",
            "[a]\n\tregion = r\n\tcredential_process = p\n\n\t[b]\n",
        ),
        (
            "[a]\ncredential_process = q",
            "[a]\ncredential_process = p\nregion = r\n",
        ),
        (
            "[a]\nregion = r\ncredential_process = q\n  more",
            "[a]\nregion = r\ncredential_process = p",
        ),
        (
            "[a]\nregion =\n# c\n\n q\n",
            "[a]\nregion = r\n# c\n\ncredential_process = p\n",
        ),
        (
            "[a]\ns3 =\n  x = y\n[b]",
            "[a]\ns3 =\n  x = y\nregion = r\ncredential_process = p\n[b]",
        ),
    ] {
        assert_eq!(set(before), after, "{before:?}");
        assert_eq!(set(after), after, "{before:?} twice");
    }
}

#[test]
fn a_diff_is_one_that_patch_understands() {
    let text = "[a]\nb = 1\nc = 2\nd = 3\ne = 4\nx = 0\nf = 5\ng = 6\nh = 7\nregion = q\ni = 8";
    let file = SharedFile::parse(text).unwrap();
    let mut changes = Changes::new(&file);
    assert_eq!(changes.diff("f"), "");
    changes.set(
        &file.sections()[0],
        &[("b", "0"), ("region", "r"), ("z", "9")],
    );
    let expected = "--- f\n+++ f\n@@ -1,5 +1,5 @@\n [a]\n-b = 1\n+b = 0\n c = 2\n d = 3\n e = 4\n\
        @@ -7,5 +7,6 @@\n f = 5\n g = 6\n h = 7\n-region = q\n+region = r\n-i = 8\n\\ No newline at end of file\n\
        +i = 8\n+z = 9\n";
    assert_eq!(changes.diff("f"), expected);
}

#[test]
fn a_new_file_is_a_diff_against_nothing() {
    let file = SharedFile::parse("").unwrap();
    let mut changes = Changes::new(&file);
    changes.append("a", &[("b", "c")]);
    let expected = "--- /dev/null\n+++ f\n@@ -0,0 +1,2 @@\n+[a]\n+b = c\n";
    assert_eq!(changes.diff("f"), expected);
}

#[test]
fn no_diff_shows_a_secret() {
    for line in [
        "aws_secret_access_key = canary",
        "AWS_SECRET_ACCESS_KEY=canary",
        "#aws_secret_access_key = canary",
        "; aws_session_token: canary",
        "aws_secret_access_key =\n    canary",
        "aws_secret_access_key =\n\n    canary",
        "  aws_security_token = canary",
        "my_password = canary",
    ] {
        let text = format!("[a]\n{line}\nb = c\n");
        let file = SharedFile::parse(&text).unwrap();
        let section = &file.sections()[0];
        let mut changes = Changes::new(&file);
        section
            .entries()
            .iter()
            .for_each(|entry| changes.remove(entry));
        let diff = changes.diff("f");
        assert!(
            !diff.contains("canary") && diff.contains("(not shown)"),
            "{line}: {diff}"
        );
    }
}

#[test]
fn a_diff_does_nothing_to_a_terminal() {
    let text = "[a]\n# \u{1b}[2J\tx\r\nb = c\n";
    let file = SharedFile::parse(text).unwrap();
    let mut changes = Changes::new(&file);
    changes.set(&file.sections()[0], &[("b", "d")]);
    assert!(changes.diff("f").contains(" # \\u{1b}[2J\tx\r\n"));
}

/// Lines of which files are made, good ones and bad ones.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "\\[(a|profile [a-c]|default|x y)\\]( #x)?",
        "[ \t]{0,2}(region|credential_process|s3)[ ]?[=:][ ]?[a-z#; ]{0,6}",
        "[#;][a-z =\\[]{0,5}",
        "[ ]{0,3}",
        "[a-z=\\[\\]# é]{0,6}",
    ];
    let end = prop_oneof![Just("\n"), Just("\r\n")];
    proptest::collection::vec((line, end), 0..12).prop_map(|lines| {
        let text: String = lines
            .iter()
            .map(|(line, end)| format!("{line}{end}"))
            .collect();
        text
    })
}

proptest! {
    #[test]
    fn without_a_change_a_file_is_what_it_was(text in lines(), cut in 0usize..3) {
        let mut end = text.len().saturating_sub(cut);
        while !text.is_char_boundary(end) { end -= 1; }
        if let Ok(file) = SharedFile::parse(&text[..end]) {
            let changes = Changes::new(&file);
            prop_assert_eq!(changes.text(), &text[..end]);
            prop_assert!(changes.is_empty() && changes.diff("f").is_empty());
        }
    }

    #[test]
    fn twice_is_once_and_what_was_there_stays(text in lines()) {
        if SharedFile::parse(&text).is_ok() {
            let once = set(&text);
            prop_assert_eq!(set(&once), once.clone());
            // Every line but those of the two settings is still there, in its order.
            let kept = |line: &&str| !line.contains("region") && !line.contains("credential_process");
            let mut after = once.split_inclusive('\n');
            for line in text.split_inclusive('\n').filter(kept) {
                let continues = line.starts_with([' ', '\t']);
                let header = line.trim_start().starts_with('[');
                prop_assert!(continues || after.any(|other| other == line) || header, "{:?} in {:?}", line, once);
            }
        }
    }

    #[test]
    fn no_text_is_too_odd(text: String) {
        let _judged = SharedFile::parse(&text);
    }
}
