//! Lines as they are typed, right and wrong.

#![allow(clippy::unwrap_used)]

use super::super::verb::{
    Ask, Doctor, Export, Format, IdentityVerb, Journal, JournalVerb, Json, KeySource, Lint,
    NarrowFlags, PolicyVerb,
};
use super::*;

fn parsed(line: &[&str]) -> Result<Parsed, Failure> {
    parse(
        std::iter::once(&"jumpgate")
            .chain(line)
            .map(OsString::from)
            .collect(),
    )
}

fn verb(line: &[&str]) -> Verb {
    match parsed(line).unwrap() {
        Parsed::Verb(verb) => verb,
        Parsed::Text(text) => panic!("{text}"),
    }
}

fn refused(line: &[&str]) -> String {
    parsed(line).unwrap_err().to_string()
}

#[test]
fn options_stand_anywhere_and_in_both_spellings() {
    let expected = || {
        Verb::Export(Export {
            ask: Ask {
                profile: "dev".to_owned(),
                narrow: NarrowFlags {
                    policy: Some(OsString::from("p.json")),
                    tags: vec![
                        ("A".to_owned(), "1".to_owned()),
                        ("B".to_owned(), "=2".to_owned()),
                    ],
                    duration: Some(900),
                    reason: Some(String::new()),
                    ticket: Some("--json".to_owned()),
                },
            },
            format: Format::Fish,
        })
    };
    let separate = [
        "export",
        "--policy",
        "p.json",
        "--tag",
        "A=1",
        "dev",
        "--tag",
        "B==2",
        "--duration",
        "15m",
        "--reason",
        "",
        "--ticket",
        "--json",
        "--format",
        "fish",
    ];
    let joined = [
        "export",
        "--tag=A=1",
        "--tag=B==2",
        "--ticket=--json",
        "--reason=",
        "--duration=15m",
        "--policy=p.json",
        "--format=fish",
        "dev",
    ];
    assert_eq!(verb(&separate), expected());
    assert_eq!(verb(&joined), expected());
}

#[test]
fn behind_two_dashes_nothing_is_an_option() {
    let Verb::Exec(exec) = verb(&["exec", "dev", "--reason=x", "--", "--help", "--", "-x"]) else {
        panic!("exec is exec");
    };
    assert_eq!(exec.command, ["--help", "--", "-x"]);
    assert_eq!(exec.ask.profile, "dev");
    let remove = Verb::Identity(IdentityVerb::Remove {
        name: "--json".to_owned(),
    });
    assert_eq!(verb(&["identity", "remove", "--", "--json"]), remove);
    assert_eq!(
        verb(&["unlock", "-"]),
        Verb::Unlock {
            identity: Some("-".to_owned()),
            json: Json(false)
        }
    );
}

#[test]
fn the_journal_is_shown_unless_something_else_is_said() {
    let journal = |verb, json| {
        Verb::Journal(Journal {
            verb,
            json: Json(json),
        })
    };
    assert_eq!(
        verb(&["journal"]),
        journal(JournalVerb::Show { last: None }, false)
    );
    assert_eq!(
        verb(&["journal", "--json"]),
        journal(JournalVerb::Show { last: None }, true)
    );
    assert_eq!(
        verb(&["journal", "--json", "tail"]),
        journal(JournalVerb::Tail, true)
    );
    assert_eq!(
        verb(&["journal", "tail", "--json"]),
        journal(JournalVerb::Tail, true)
    );
    assert_eq!(
        verb(&["journal", "show", "--last=5"]),
        journal(JournalVerb::Show { last: Some(5) }, false)
    );
}

#[test]
fn what_is_wrong_is_said_with_a_remedy() {
    let cases = [
        (
            &["exce"][..],
            "jumpgate: unknown command exce\n  hint: did you mean exec?\n",
        ),
        (
            &["frobnicate"],
            "jumpgate: unknown command frobnicate\n  hint: see: jumpgate --help\n",
        ),
        (
            &["identity", "add", "a", "b"],
            "jumpgate: jumpgate identity add: unknown argument b\n  hint: see: jumpgate identity add --help\n",
        ),
        (
            &["status", "--jsn"],
            "jumpgate: jumpgate status: unknown option --jsn\n  hint: did you mean json?\n",
        ),
        (
            &["status", "-x"],
            "jumpgate: jumpgate status: unknown option -x\n  hint: see: jumpgate status --help\n",
        ),
        (
            &["status", "--json=1"],
            "jumpgate: --json takes no value\n  hint: see: jumpgate status --help\n",
        ),
        (
            &["exec", "dev"],
            "jumpgate: COMMAND is missing\n  hint: see: jumpgate exec --help\n",
        ),
        (
            &["exec", "dev", "--"],
            "jumpgate: COMMAND is missing\n  hint: see: jumpgate exec --help\n",
        ),
        (
            &["exec", "dev", "aws"],
            "jumpgate: the command to run must stand behind --\n  hint: see: jumpgate exec --help\n",
        ),
        (
            &["exec", "--", "aws"],
            "jumpgate: PROFILE is missing\n  hint: see: jumpgate exec --help\n",
        ),
        (
            &["exec", "dev", "--reason"],
            "jumpgate: --reason needs a value: TEXT\n  hint: see: jumpgate exec --help\n",
        ),
        (
            &["exec", "dev", "--ticket=1", "--ticket=2", "--", "x"],
            "jumpgate: --ticket is given twice\n  hint: see: jumpgate exec --help\n",
        ),
        (
            &["export", "dev", "--format=csh"],
            "jumpgate: --format cannot be csh\n  hint: use one of: env, fish, powershell, json\n",
        ),
        (
            &["completions", "tcsh"],
            "jumpgate: SHELL cannot be tcsh\n  hint: use one of: bash, zsh, fish\n",
        ),
        (
            &["lease"],
            "jumpgate: jumpgate lease needs a command: end\n  hint: see: jumpgate lease --help\n",
        ),
        (
            &["journal", "show", "--last=-1"],
            "jumpgate: --last needs a number of records\n  hint: see: jumpgate journal show --help\n",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(refused(line), expected, "{line:?}");
    }
}

#[test]
fn an_argument_that_is_not_text_is_refused_where_text_is_meant() {
    let bytes = OsString::from_vec(vec![0xff]);
    let line = |verb: &str| {
        vec![
            OsString::from("jumpgate"),
            OsString::from(verb),
            bytes.clone(),
        ]
    };
    assert!(
        parse(line("export"))
            .unwrap_err()
            .to_string()
            .contains("PROFILE is not UTF-8 text")
    );
    assert!(matches!(
        parse(line("check")),
        Ok(Parsed::Verb(Verb::Check { file: Some(_) }))
    ));
}

#[test]
fn every_command_has_help_and_does_something() {
    fn walk(path: &[&'static Command]) {
        let command = path.last().unwrap();
        let names: Vec<&str> = path[1..].iter().map(|command| command.name).collect();
        let line: Vec<&str> = names.iter().copied().chain(["--help"]).collect();
        let Parsed::Text(text) = parsed(&line).unwrap() else {
            panic!("{names:?} has no help");
        };
        assert!(
            text.starts_with(command.about) && text.contains("\nUsage: jumpgate"),
            "{text}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 110),
            "{text}"
        );
        assert!(
            command.verb.is_some() || !command.below.is_empty(),
            "{names:?}"
        );
        for below in command.below {
            let path: Vec<&Command> = path.iter().copied().chain([below]).collect();
            walk(&path);
        }
    }
    walk(&[&ROOT]);
}

#[test]
fn words_are_near_when_few_letters_differ() {
    for (one, other, expected) in [
        ("", "", 0),
        ("exec", "exec", 0),
        ("exce", "exec", 2),
        ("lok", "lock", 1),
        ("", "ab", 2),
    ] {
        assert_eq!(distance(one, other), expected);
        assert_eq!(distance(other, one), expected);
    }
}

#[test]
fn a_last_argument_can_be_several() {
    let lint = |files: &[&str], format| {
        Verb::Policy(PolicyVerb::Lint(Lint {
            files: files.iter().map(OsString::from).collect(),
            kind: Some("trust".to_owned()),
            class: None,
            identity: None,
            format,
        }))
    };
    let line = [
        "policy", "lint", "a.json", "--kind", "trust", "-", "--json", "--", "--b",
    ];
    assert_eq!(verb(&line), lint(&["a.json", "-", "--b"], "json"));
    let line = ["policy", "lint", "--sarif", "--kind=trust", "a"];
    assert_eq!(verb(&line), lint(&["a"], "sarif"));
    assert!(refused(&["policy", "lint"]).contains("FILE is missing"));
    assert!(refused(&["policy", "lint", "--kind", "x", "a"]).contains("use one of: session"));
    assert!(refused(&["policy", "lint", "--json", "--sarif", "a"]).contains("exclude each other"));
    match parsed(&["policy", "lint", "--help"]).unwrap() {
        Parsed::Text(help) => assert!(help.contains("lint [OPTIONS] FILE...\n"), "{help}"),
        Parsed::Verb(verb) => panic!("{verb:?}"),
    }
}

#[test]
fn doctor_shows_what_it_is_asked_for() {
    let doctor = |line: &[&str], deep, words: &[&'static str]| {
        let words = words.to_vec();
        assert_eq!(verb(line), Verb::Doctor(Doctor { deep, words }));
    };
    doctor(&["doctor"], false, &[]);
    doctor(
        &["doctor", "--deep", "--json", "--all"],
        true,
        &["--all", "--json"],
    );
    assert!(refused(&["doctor", "dev"]).contains("dev"));
}

#[test]
fn what_the_agents_program_answers_is_passed_on_in_its_words() {
    let passed = |line: &[&str], expected: &str| {
        let words = expected.split_whitespace().map(OsString::from).collect();
        assert_eq!(verb(line), Verb::Policy(PolicyVerb::Offline(words)));
    };
    passed(
        &["policy", "jump", "jump", "--check", "-x"],
        "--jump --check -x -- jump",
    );
    passed(&["policy", "jump", "--json", "j"], "--jump --json -- j");
    passed(
        &[
            "policy",
            "explain",
            "dev",
            "--scp",
            "a",
            "s3:GetObject",
            "--context=k=v",
            "*",
            "--scp",
            "b",
            "--json",
        ],
        "--explain --json --scp a --scp b --context k=v -- dev s3:GetObject *",
    );
    passed(
        &[
            "policy",
            "explain",
            "--exit-code",
            "--matrix",
            "s3:A,s3:B",
            "dev",
        ],
        "--explain --exit-code --matrix s3:A,s3:B -- dev",
    );
    assert!(refused(&["policy", "explain"]).contains("PROFILE is missing"));
    assert!(refused(&["policy", "jump"]).contains("IDENTITY is missing"));
}

#[test]
fn moving_in_names_none_or_many_profiles() {
    let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
    assert_eq!(verb(&["configure"]), Verb::Configure(words("--")));
    let line = ["configure", "dev", "--write", "--", "-x"];
    assert_eq!(verb(&line), Verb::Configure(words("--write -- dev -x")));
    let line = ["import", "--aws-vault", "--account=1", "--write"];
    let expected = words("--write --aws-vault --account 1");
    assert_eq!(verb(&line), Verb::Import(expected));
    assert!(refused(&["import", "x"]).contains("unknown argument x"));
    let line = ["identity", "add", "--from-aws-profile", "a b", "jump"];
    let source = Some(KeySource {
        profile: "a b".to_owned(),
        remove: false,
    });
    let expected = IdentityVerb::Add {
        name: "jump".to_owned(),
        source,
    };
    assert_eq!(verb(&line), Verb::Identity(expected));
    let without = refused(&["identity", "add", "jump", "--remove-source"]);
    assert!(without.contains("--remove-source needs --from-aws-profile"));
}
