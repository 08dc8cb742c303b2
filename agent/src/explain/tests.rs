//! What is answered, and what is said about it: the layers, what is not known, what is shadowed, the way of an ask.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;
use crate::config;

const HEAD: &str = r#"version = 1
[identity.jump]
kind = "iam-user"
account = "111111111111"
"#;

const READ: &str = r#"{"Version":"2012-10-17","Statement":{"Sid":"Read","Effect":"Allow","Action":"s3:Get*","Resource":"*"}}"#;

fn configured(profile: &str) -> Config {
    let text = format!(
        "{HEAD}[profile.dev]\nrole_arn = \"arn:aws:iam::222222222222:role/Dev\"\n{profile}\n"
    );
    let no_file = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    config::parse(&text, Path::new("/config.toml"), &no_file).unwrap()
}

fn of(profile: &str, words: &[&str]) -> Result<Said, ExplainError> {
    let surroundings = Surroundings {
        user: "alice".to_owned(),
        host: "laptop".to_owned(),
    };
    run(
        &Arguments::parse(words)?,
        &configured(profile),
        &surroundings,
        &|_| None,
    )
}

fn json(profile: &str, words: &[&str]) -> serde_json::Value {
    let words: Vec<&str> = ["--json"].iter().chain(words).copied().collect();
    serde_json::from_str(&of(profile, &words).unwrap().text).unwrap()
}

/// Policies in files of a directory, by name.
struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, statements) in files {
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        Self(directory)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

fn allow(action: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":{action},"Resource":"*"}}"#)
}

#[test]
fn one_question_word_for_word() {
    let profile = format!("policy = '{READ}'");
    let said = of(&profile, &["--", "dev", "s3:GetObject", "arn:aws:s3:::b/k"]).unwrap();
    assert_eq!(
        said.text,
        r#"profile dev, arn:aws:iam::222222222222:role/Dev
s3:GetObject on arn:aws:s3:::b/k: allowed, if the role's own policies allow it
  by policy of profile dev:1:37: statement 1 "Read" (session policies)
layers, which must all allow:
  identity policies: the role's own policies (not known)
  session policies: policy of profile dev
size: 102 of 2048 characters of inline policy, 0 of 10 managed policies, 0 of 50 tags
note: the role's own policies are not known (--role-policy FILE for each), so this is the most that the session may do
note: a resource policy can allow more: one that names the session's own ARN is limited by neither session policies nor a boundary; across accounts one is needed as well
"#
    );
    let denied = of(&profile, &["--", "dev", "s3:PutObject", "*"])
        .unwrap()
        .text;
    let line = "s3:PutObject on *: denied\n  no statement of the session policies allows it\n";
    assert!(denied.contains(line), "{denied}");
}

/// An organisation allows S3 and EC2, the role S3 and SQS.
#[test]
fn only_what_both_allow_is_allowed() {
    let files = Files::new(&[
        ("scp", &allow(r#"["s3:*","ec2:*"]"#)),
        ("role", &allow(r#"["s3:*","sqs:*"]"#)),
    ]);
    let (scp, role) = (files.path("scp"), files.path("role"));
    let matrix = "s3:ListAllMyBuckets,ec2:RunInstances,sqs:SendMessage";
    let words = [
        "--scp",
        &scp,
        "--role-policy",
        &role,
        "--matrix",
        matrix,
        "--",
        "dev",
    ];
    let said = json("", &words);
    let decisions: Vec<&str> = said["answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["decision"].as_str().unwrap())
        .collect();
    assert_eq!(decisions, ["allowed", "denied", "denied"]);
    assert_eq!(said["at_most"], false);
    assert_eq!(said["answers"][1]["missing"][0], "identity policies");
    let missing = said["answers"][2]["missing"][0].as_str().unwrap();
    assert!(
        missing.starts_with("service control policies of "),
        "{missing}"
    );
    let table = of("", &words).unwrap().text;
    assert!(
        table.contains("ACTION               RESOURCE  ANSWER   WHY\n"),
        "{table}"
    );
    assert!(
        table.contains("\nsqs:SendMessage      *         denied   no statement of"),
        "{table}"
    );
}

#[test]
fn a_level_that_only_denies_is_said_to_allow_nothing() {
    let deny = r#"{"Effect":"Deny","Action":"iam:*","Resource":"*"}"#;
    let files = Files::new(&[("scp", deny)]);
    let scp = files.path("scp");
    let of_level = |level: &str| json("", &["--scp", level, "--", "dev", "s3:GetObject", "*"]);
    let alone = of_level(&scp);
    assert_eq!(alone["answers"][0]["decision"], "denied");
    assert!(
        alone["notes"][1]
            .as_str()
            .unwrap()
            .contains("--scp FullAWSAccess,")
    );
    let full = of_level(&format!("FullAWSAccess,{scp}"));
    assert_eq!(full["answers"][0]["decision"], "allowed");
}

#[test]
fn a_managed_policy_without_its_document_is_a_doubt() {
    let arn = "arn:aws:iam::aws:policy/SecurityAudit";
    let profile = format!("policy_arns = [\"{arn}\"]");
    let said = json(&profile, &["--", "dev", "s3:GetObject", "*"]);
    assert_eq!(said["answers"][0]["decision"], "cannot_tell");
    let doubts = said["answers"][0]["doubts"].as_array().unwrap();
    assert_eq!(doubts.len(), 1);
    let why = format!("the document of {arn} is not known: give it with --managed {arn}=FILE");
    assert_eq!(doubts[0]["why"], why);
    let files = Files::new(&[("audit", &allow(r#""s3:List*""#))]);
    let managed = format!("{arn}={}", files.path("audit"));
    let known = json(
        &profile,
        &["--managed", &managed, "--", "dev", "s3:GetObject", "*"],
    );
    assert_eq!(known["answers"][0]["decision"], "denied");
}

#[test]
fn conditions_are_answered_by_what_is_known() {
    let condition = |key: &str, value: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{{"StringEquals":{{"{key}":"{value}"}}}}}}"#
        )
    };
    let profile = "tags = { Team = \"sre\", Ticket = \"{session}\" }\nsource_identity = \"{user}\"";
    for (key, value, given, expected) in [
        ("aws:PrincipalTag/Team", "sre", None, "allowed"),
        ("aws:PrincipalTag/Team", "dev", None, "denied"),
        ("aws:PrincipalTag/Ticket", "x", None, "cannot_tell"),
        ("aws:PrincipalTag/Of-the-role", "x", None, "cannot_tell"),
        ("aws:SourceIdentity", "alice", None, "allowed"),
        ("aws:username", "alice", None, "denied"),
        ("aws:RequestedRegion", "eu-central-1", None, "cannot_tell"),
        (
            "aws:RequestedRegion",
            "eu-central-1",
            Some("AWS:requestedregion=eu-central-1"),
            "allowed",
        ),
        (
            "aws:PrincipalTag/Team",
            "dev",
            Some("aws:PrincipalTag/Team=dev"),
            "allowed",
        ),
    ] {
        let files = Files::new(&[("role", &condition(key, value))]);
        let role = files.path("role");
        let mut words = vec!["--role-policy", &role];
        words.extend(given.iter().flat_map(|given| ["--context", given]));
        words.extend(["--", "dev", "s3:GetObject", "*"]);
        assert_eq!(
            json(profile, &words)["answers"][0]["decision"],
            expected,
            "{key} {given:?}"
        );
    }
}

#[test]
fn the_way_of_an_ask_is_the_first_that_is_open() {
    let overlapping = [
        r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::a/*"}"#,
        r#"{"Effect":"Allow","Action":"s3:*Object","Resource":"arn:aws:s3:::b/*"}"#,
    ];
    let files = Files::new(&[
        ("exact", &allow(r#""s3:GetObject""#)),
        ("inexact", &overlapping.join(",")),
    ]);
    let (exact, inexact) = (files.path("exact"), files.path("inexact"));
    let scoped = format!("policy = '{READ}'");
    let by_sts = format!("{scoped}\nscope_down = \"sts\"");
    let closed = format!("{scoped}\nnarrow = {{ policy = false }}");
    let arns = "policy_arns = [\"arn:aws:iam::aws:policy/SecurityAudit\"]";
    for (profile, ask, way, what) in [
        (
            "",
            exact.as_str(),
            "session-policy",
            "the profile has no session policies",
        ),
        (
            &scoped,
            &exact,
            "denies",
            "denied within the profile's session policy",
        ),
        (
            arns,
            &exact,
            "denies",
            "denied within the profile's session policy",
        ),
        (&scoped, &inexact, "refused", "statement"),
        (&by_sts, &inexact, "scope-down", "AWS intersects"),
        (&closed, &exact, "refused", "takes no policy from a caller"),
        (&scoped, "preset:support", "refused", "managed policies"),
        (
            "",
            "preset:view-only",
            "session-policy",
            "the ask's become them",
        ),
    ] {
        let said = json(
            profile,
            &[
                "--policy",
                ask,
                "--",
                "dev",
                "s3:GetObject",
                "arn:aws:s3:::a/k",
            ],
        );
        let narrowing = &said["narrowing"];
        assert_eq!(narrowing["way"], way, "{profile} {ask}");
        assert!(
            narrowing["what"].as_str().unwrap().contains(what),
            "{narrowing}"
        );
    }
    // What either denies is denied, whichever way it goes.
    let said = json(
        &scoped,
        &["--policy", &exact, "--", "dev", "s3:GetObjectAcl", "*"],
    );
    assert_eq!(said["answers"][0]["decision"], "denied");
    assert!(said["size"]["characters"].as_u64().unwrap() > 102);
}

#[test]
fn the_status_says_the_answer_if_it_is_asked_to() {
    let profile = format!("policy = '{READ}'");
    let status = |words: &[&str]| of(&profile, words).unwrap().status as u8;
    assert_eq!(status(&["--", "dev", "s3:PutObject", "*"]), 0);
    assert_eq!(
        status(&["--exit-code", "--", "dev", "s3:PutObject", "*"]),
        77
    );
    assert_eq!(
        status(&["--exit-code", "--", "dev", "s3:GetObject", "*"]),
        0
    );
    let arns = "policy_arns = [\"arn:aws:iam::aws:policy/SecurityAudit\"]";
    let unknown = of(arns, &["--exit-code", "--", "dev", "s3:GetObject", "*"]).unwrap();
    assert_eq!(unknown.status as u8, 1);
}

#[test]
fn what_cannot_be_used_is_named() {
    let broken = Files::new(&[("broken", "{")]);
    let broken = broken.path("broken");
    let refused = |words: &[&str]| of("", words).unwrap_err().to_string();
    for (words, expected) in [
        (
            &["--", "dve", "s3:A", "*"][..],
            "there is no profile \"dve\" in the configuration",
        ),
        (&["--", "dev", "s3:Get*", "*"], "without wildcards"),
        (&["--", "dev", "s3:A", "bucket"], "an ARN"),
        (
            &["--", "dev", "s3:A"],
            "PROFILE ACTION RESOURCE is expected",
        ),
        (
            &["--matrix", "s3:A", "--", "dev", "a", "b"],
            "PROFILE [RESOURCE] is expected",
        ),
        (
            &["--scp", "/gone", "--", "dev", "s3:A", "*"],
            "/gone: cannot be read",
        ),
        (
            &["--boundary", &broken, "--", "dev", "s3:A", "*"],
            "line 1, column",
        ),
        (
            &["--policy", "preset:x", "--", "dev", "s3:A", "*"],
            "no preset is called",
        ),
        (
            &["--context", "k", "--", "dev", "s3:A", "*"],
            "--context KEY=VALUE is expected",
        ),
        (
            &["--context", "k=v", "--", "dev", "s3:A", "*"],
            "a condition key such as",
        ),
        (
            &[
                "--context",
                "Jumpgate:unknown=true",
                "--",
                "dev",
                "s3:A",
                "*",
            ],
            "a condition key such as",
        ),
        (
            &["--managed", "x", "--", "dev", "s3:A", "*"],
            "--managed ARN=FILE is expected",
        ),
        (&["--scp"], "--scp needs a value"),
        (&["--what", "x", "--", "dev", "s3:A", "*"], "not understood"),
    ] {
        let said = refused(words);
        assert!(said.contains(expected), "{words:?}: {said}");
    }
    let mut words = vec!["--json"; arguments::MAX_OPTIONS];
    words.extend(["--", "dev", "s3:A", "*"]);
    assert!(of("", &words).is_ok());
    words.insert(0, "--json");
    assert!(refused(&words).contains("at most 1000 options"));
}

#[test]
fn callers_of_a_rule_have_what_it_leaves() {
    let profile =
        r#"peers = [{ exe = "/opt/tool", policy = { preset = "view-only" } }, { any = true }]"#;
    let asked = ["--", "dev", "s3:GetObject", "arn:aws:s3:::b/k"];
    let of_peer = |number: &str| json(profile, &[&["--peer", number][..], &asked].concat());
    let note = |said: &serde_json::Value| said["notes"][0].as_str().unwrap().to_owned();
    let whole = json(profile, &asked);
    assert_eq!(whole["answers"][0]["decision"], "allowed");
    assert_eq!(
        note(&whole),
        "profile.dev.peers[0] (exe \"/opt/tool\") leaves less: --peer 0"
    );
    let tool = of_peer("0");
    assert_eq!(tool["answers"][0]["decision"], "denied");
    assert_eq!(
        note(&tool),
        "for callers for whom profile.dev.peers[0] (exe \"/opt/tool\") decides"
    );
    let documents = &tool["layers"][1]["documents"];
    assert_eq!(documents[0]["name"], "what peers[0] leaves of profile dev");
    assert_eq!(of_peer("1")["answers"][0]["decision"], "allowed");
    for wrong in ["2", "one", "-1"] {
        let words = [&["--peer", wrong][..], &asked].concat();
        assert!(
            matches!(of(profile, &words), Err(ExplainError::Usage(_))),
            "{wrong}"
        );
    }
}
