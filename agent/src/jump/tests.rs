//! The policy for each kind of profile, and what is said of policies that lack something.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;
use crate::config;

const IDENTITY: &str = r#"version = 1
[identity.jump]
kind = "iam-user"
account = "111111111111"
mfa_serial = "arn:aws:iam::111111111111:mfa/alice"
[identity.bare]
kind = "iam-user"
account = "111111111111"
"#;

fn configured(profiles: &str) -> Config {
    let text = format!("{IDENTITY}{profiles}");
    let no_file = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    config::parse(&text, Path::new("/config.toml"), &no_file).unwrap()
}

fn profile(name: &str, rest: &str) -> String {
    let role = format!("arn:aws:iam::222222222222:role/{name}");
    format!("[profile.{name}]\nrole_arn = \"{role}\"\n{rest}\n")
}

fn of_jump(name: &str, rest: &str) -> String {
    profile(name, &format!("identity = \"jump\"\n{rest}"))
}

fn said(profiles: &str, user: &str, words: &[&str]) -> Result<Said, JumpError> {
    let surroundings = Surroundings {
        user: user.to_owned(),
        host: "laptop".to_owned(),
    };
    let arguments = Arguments::parse(words).unwrap();
    run(&arguments, &configured(profiles), &surroundings)
}

fn statements(profiles: &str, user: &str) -> serde_json::Value {
    let said = said(profiles, user, &["--", "jump"]).unwrap();
    let policy: serde_json::Value = serde_json::from_str(&said.text).unwrap();
    policy["Statement"].clone()
}

#[test]
fn the_policy_names_each_role_and_no_other() {
    let profiles = [
        of_jump("A", "tags = { Team = \"sre\" }"),
        of_jump("B", "source_identity = \"{user}\""),
        of_jump("Behind", "via = \"A\""),
        profile("Other", "identity = \"bare\""),
    ]
    .concat();
    let said = said(&profiles, "alice", &["--", "jump"]).unwrap();
    assert_eq!(
        said.text,
        r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "AssumeRoles",
      "Effect": "Allow",
      "Action": "sts:AssumeRole",
      "Resource": [
        "arn:aws:iam::222222222222:role/A",
        "arn:aws:iam::222222222222:role/B"
      ],
      "Condition": {
        "Bool": {
          "aws:MultiFactorAuthPresent": "true"
        }
      }
    },
    {
      "Sid": "PassTags",
      "Effect": "Allow",
      "Action": "sts:TagSession",
      "Resource": [
        "arn:aws:iam::222222222222:role/A"
      ]
    },
    {
      "Sid": "SetSourceIdentity1",
      "Effect": "Allow",
      "Action": "sts:SetSourceIdentity",
      "Resource": [
        "arn:aws:iam::222222222222:role/B"
      ],
      "Condition": {
        "StringEquals": {
          "sts:SourceIdentity": "${aws:username}"
        }
      }
    }
  ]
}
"#
    );
}

#[test]
fn the_source_identity_is_pinned_to_what_will_be_sent() {
    for (template, user, expected) in [
        (
            "{user}",
            "alice",
            r#"{"StringEquals":{"sts:SourceIdentity":"${aws:username}"}}"#,
        ),
        (
            "{user}",
            "al",
            r#"{"StringEquals":{"sts:SourceIdentity":"al"}}"#,
        ),
        (
            "{user}@{host}",
            "alice",
            r#"{"StringEquals":{"sts:SourceIdentity":"alice@laptop"}}"#,
        ),
        (
            "{user}-{ticket}",
            "alice",
            r#"{"StringLike":{"sts:SourceIdentity":"alice-*"}}"#,
        ),
        ("{session}", "alice", "null"),
    ] {
        let ticket = "require = [\"ticket\"]\n";
        let of_template = of_jump("A", &format!("{ticket}source_identity = \"{template}\""));
        let found = &statements(&of_template, user)[1]["Condition"];
        assert_eq!(found.to_string(), expected, "{template} {user}");
    }
}

#[test]
fn mfa_is_demanded_only_where_every_call_has_it() {
    let bare = profile("A", "identity = \"bare\"");
    let said = said(&bare, "alice", &["--", "bare"]).unwrap();
    assert!(!said.text.contains("Condition"), "{}", said.text);
}

#[test]
fn what_cannot_be_written_is_said() {
    let bare = profile("A", "identity = \"bare\"");
    let refused = |identity| {
        said(&bare, "alice", &["--", identity])
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused("jump"),
        "no profile has a role that identity \"jump\" assumes itself"
    );
    assert_eq!(
        refused("x"),
        "there is no identity \"x\" in the configuration"
    );
    for words in [
        &["--"][..],
        &[],
        &["--check"],
        &["--x", "--", "a"],
        &["--", "a", "b"],
    ] {
        assert!(Arguments::parse(words).is_err(), "{words:?}");
    }
}

#[test]
fn a_policy_that_exists_is_held_against_the_needs() {
    let profiles = of_jump("A", "tags = { T = \"x\" }\nsource_identity = \"{user}\"");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("jump.json");
    let check = |text: &str, json: bool| {
        std::fs::write(&file, text).unwrap();
        let name = file.to_str().unwrap();
        let words = ["--check", name, "--json", "--", "jump"];
        let words: Vec<&str> = words
            .into_iter()
            .filter(|word| json || *word != "--json")
            .collect();
        said(&profiles, "alice", &words).unwrap()
    };
    let own = said(&profiles, "alice", &["--", "jump"]).unwrap().text;
    let fine = check(&own, false);
    assert!(matches!(fine.status, ExitStatus::Success), "{}", fine.text);
    assert!(
        fine.text
            .ends_with("0 errors, 0 warnings, 0 notes\n3 of 3 calls of the profiles are allowed\n"),
        "{}",
        fine.text
    );
    let all = own.replace("222222222222:role/A", "*:role/*");
    let wide = check(&all, false);
    assert!(matches!(wide.status, ExitStatus::Failed) && wide.text.contains("JUMP001"));
    // A condition on another value is what no rule sees; the evaluation does.
    let pinned = check(&own.replace("${aws:username}", "bob"), false);
    assert!(
        matches!(pinned.status, ExitStatus::Failed),
        "{}",
        pinned.text
    );
    let line = "sts:SetSourceIdentity on arn:aws:iam::222222222222:role/A: denied: no statement allows it\n";
    assert!(pinned.text.contains(line), "{}", pinned.text);
    let document: serde_json::Value =
        serde_json::from_str(&check(&own.replace("TagSession", "GetCallerIdentity"), true).text)
            .unwrap();
    assert_eq!(
        document["check"]["findings"]["findings"][0]["rule"],
        "JUMP002"
    );
    let decisions: Vec<&str> = document["check"]["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| call["decision"].as_str().unwrap())
        .collect();
    assert_eq!(decisions, ["allowed", "denied", "allowed"]);
}
