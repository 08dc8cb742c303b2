//! Presets against the double, with the real AWS CLI: what a support engineer may and may not do; what is refused
//! before any call; what is said of a policy that STS finds too large.

use std::path::Path;

use jumpgate_tests::lab::finish;
use jumpgate_tests::sts::{Bucket, ROLE_ARN, Role, TARGET_ACCOUNT, World};
use jumpgate_tests::{Lab, Ran};

use crate::built::{lab, programs, ready_with};
use crate::clients::{client_of, configure_aws, venv};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
    "Principal":{"AWS":"arn:aws:iam::111111111111:user/alice"},"Action":["sts:AssumeRole","sts:TagSession"]}}"#;

const ANYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// Nobody but sessions with the tag, whatever their own policies say.
const TAGGED_ONLY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*",
    "Resource":["arn:aws:s3:::tagged","arn:aws:s3:::tagged/*"],
    "Condition":{"StringNotEquals":{"aws:PrincipalTag/DoiTEnvironment":"222222222222"}}}}"#;

const PROFILES: &str = r#"
[profile.support]
account = "target"
role = "Gateway"
region = "eu-central-1"
policy = { preset = "support" }
tags = { DoiTEnvironment = "{account_id}" }
transitive_tags = ["DoiTEnvironment"]

[profile.untagged]
account = "target"
role = "Gateway"
region = "eu-central-1"
policy = { preset = "support" }
"#;

fn support_lab() -> Lab {
    let world = World::demo()
        .role(Role::new(TARGET_ACCOUNT, "Gateway", TRUST).policy(ANYTHING))
        .bucket(
            Bucket::new(TARGET_ACCOUNT, "tagged")
                .object("a.txt", "content")
                .policy(TAGGED_ONLY),
        );
    let lab = Lab::in_world(&programs(), world, "");
    lab.configure_profiles(PROFILES);
    lab.start_agent();
    lab.add_identity();
    configure_aws(&lab, &lab.programs.client, &["support", "untagged"]);
    lab
}

fn aws(lab: &Lab, program: &Path, profile: &str, line: &str) -> Ran {
    let url = lab.double.url();
    let options = [
        "--profile",
        profile,
        "--output",
        "json",
        "--endpoint-url",
        &url,
    ];
    let words: Vec<&str> = line.split(' ').chain(options).collect();
    finish(client_of(lab, &url, program, &words), "")
}

#[test]
fn a_support_engineer_sees_and_asks_and_neither_reads_nor_writes() {
    let Some(venv) = venv("presets with the AWS CLI") else {
        return;
    };
    let program = venv.join("bin/aws");
    let lab = support_lab();
    let may = |line: &str| aws(&lab, &program, "support", line).good();
    let may_not = |profile: &str, line: &str| {
        let ran = aws(&lab, &program, profile, line);
        assert!(!ran.status.success(), "{profile}: {line}");
        assert!(
            ran.stderr.contains("AccessDenied"),
            "{line}: {}",
            ran.stderr
        );
    };
    let listed = may("s3api list-objects-v2 --bucket demo").json();
    assert_eq!(listed["Contents"][0]["Key"], "hello.txt");
    assert_eq!(listed["Contents"][0]["Size"], 22);
    let case = may("support create-case --subject help --communication-body please").json();
    assert!(case["caseId"].as_str().unwrap().starts_with("case-"));
    let quota = "--service-code ec2 --quota-code L-1216C47A --desired-value 64";
    may(&format!(
        "service-quotas request-service-quota-increase {quota}"
    ));
    for line in [
        "s3api get-object --bucket demo --key hello.txt got",
        "s3api put-object --bucket demo --key hello.txt --body .aws/config",
        "s3api delete-object --bucket demo --key hello.txt",
        "ssm get-parameter --name secret",
        "ssm start-session --target i-1",
    ] {
        may_not("support", line);
    }
    let chained = format!("sts assume-role --role-arn {ROLE_ARN} --role-session-name onward");
    may_not("support", &chained);

    may("s3api list-objects-v2 --bucket tagged");
    may_not("untagged", "s3api list-objects-v2 --bucket tagged");
    for call in lab.double.events_of("AssumeRole") {
        let sent = |name: &str| call.parameters.iter().any(|(key, _)| key.starts_with(name));
        let ours = call
            .parameters
            .iter()
            .any(|(_, value)| value.ends_with("role/Gateway"));
        assert!(!ours || (sent("Policy") && sent("PolicyArns")), "{call:?}");
    }
}

#[test]
fn an_ask_names_a_preset() {
    let lab = ready_with(
        r#"
[profile.open]
account = "target"
role = "Developer"
"#,
    );
    let ask = |preset: &str| lab.run(&["export", "open", "--format", "json", "--policy", preset]);
    ask("preset:support").good();
    let call = lab.double.events_of("AssumeRole").pop().unwrap();
    let arns = call.parameters.iter();
    let arns = arns.filter(|(name, _)| name.starts_with("PolicyArns"));
    assert_eq!(arns.count(), 3, "{call:?}");
    let calls = lab.double.events().len();
    for (preset, told) in [
        ("preset:suport", "did you mean support?"),
        ("preset:ssm", "preset ssm needs tag_key"),
        ("preset:", "jumpgate policy preset list"),
    ] {
        let refused = ask(preset);
        assert!(!refused.status.success());
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
    }
    assert_eq!(lab.double.events().len(), calls, "nothing was asked of AWS");
}

#[test]
fn presets_are_listed_and_shown_without_an_agent() {
    let lab = lab("");
    let list = lab.run(&["policy", "preset", "list"]).good().stdout;
    assert_eq!(list.lines().count(), 9, "{list}");
    assert!(list.contains("support+runbooks"), "{list}");
    let shown = lab.run(&["policy", "preset", "show", "ssm"]).good().stdout;
    assert!(shown.contains("ssm:resourceTag/<tag_key>"), "{shown}");
    let shown = lab.run(&["policy", "preset", "show", "support", "--json"]);
    assert_eq!(shown.good().json()["policy_characters"], 975);
    for (words, told) in [
        (&["show", "suport"][..], "no preset is called suport"),
        (&["show"], "NAME is missing"),
        (&["list", "ssm"], "list takes no NAME"),
    ] {
        let refused = lab.run(&[&["policy", "preset"], words].concat());
        assert_eq!(refused.status.code(), Some(64));
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
    }
    assert!(!lab.socket().exists(), "no agent was started");
}

#[test]
fn a_profile_shows_its_preset_and_how_it_is_narrowed() {
    let lab = ready_with(
        r#"
[profile.shell]
account = "target"
role = "Developer"
policy = { preset = "ssm", tag_key = "Name", tag_values = ["develop", "test"] }
scope_down = "sts"

[profile.open]
account = "target"
role = "Developer"
"#,
    );
    let show = |name: &str| lab.run(&["profile", "show", name, "--json"]).good().json();
    let shell = show("shell");
    let expected = serde_json::json!({"name": "ssm", "parameters": {
        "document": ["SSM-SessionManagerRunShell"], "tag_key": ["Name"], "tag_values": ["develop", "test"]}});
    assert_eq!(shell["preset"], expected);
    assert_eq!(shell["scope_down"], "sts");
    let text = lab.run(&["profile", "show", "shell"]).good().stdout;
    for line in ["tag_values = develop, test)\n", "scope down"] {
        assert!(text.contains(line), "{text}");
    }
    let open = show("open");
    assert!(
        open["preset"].is_null() && open["scope_down"].is_null(),
        "{open}"
    );
}

/// A policy of so many characters, minified.
fn policy_of(characters: usize) -> String {
    let policy = |name: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::{name}/*"}}]}}"#
        )
    };
    policy(&"x".repeat(characters - policy("").len()))
}

/// What `policy explain` says of the size of what a profile sends.
fn explained_size(lab: &Lab, words: &[&str]) -> serde_json::Value {
    let explain = ["policy", "explain", "--json"];
    let words = [&explain[..], words, &["s3:GetObject", "*"]].concat();
    lab.run(&words).good().json()["size"].clone()
}

#[test]
fn a_policy_that_is_too_large_is_explained_part_by_part() {
    let profile = |name: &str, characters: usize| {
        format!(
            "[profile.{name}]\naccount = \"target\"\nrole = \"Developer\"\npolicy = '{}'\n\
             policy_arns = [\"arn:aws:iam::aws:policy/SecurityAudit\"]\ntags = {{ Team = \"sre\" }}\n",
            policy_of(characters)
        )
    };
    let lab = ready_with(&format!(
        "{}{}",
        profile("long", 2100),
        profile("large", 3000)
    ));
    let checked = lab.run(&["check"]).good().stdout;
    for told in ["2100", "3000"] {
        assert!(checked.contains(told), "{checked}");
    }
    lab.run(&["export", "long", "--format", "json"]).good();
    let status = lab.status();
    assert!(
        status["sessions"][0]["packed_policy_percent"]
            .as_u64()
            .unwrap()
            > 70
    );
    let told = explained_size(&lab, &["long"]);
    let session = &status["sessions"][0];
    for key in ["packed_policy_percent", "token_bytes", "token_percent"] {
        assert_eq!(told["last_session"][key], session[key], "{key}");
    }
    assert_eq!(told["characters"], 2100);
    let text = lab
        .run(&["policy", "explain", "long", "s3:GetObject", "*"])
        .good()
        .stdout;
    let percent = &session["packed_policy_percent"];
    assert!(
        text.contains(&format!(": {percent} % of what AWS takes")),
        "{text}"
    );
    let refused = lab.run(&["export", "large", "--format", "json"]);
    assert_eq!(refused.status.code(), Some(77), "{}", refused.stderr);
    for told in [
        "PackedPolicyTooLarge",
        "% of allotted space",
        "an inline policy of 3000 characters",
        "arn:aws:iam::aws:policy/SecurityAudit of 37 characters",
        "1 tag of 7 characters",
        "name managed policies instead",
    ] {
        let stderr = &refused.stderr;
        assert!(stderr.contains(told), "{told} is not in {stderr}");
    }
    assert_eq!(lab.double.count("AssumeRole"), 2, "it was sent, once");
    assert!(explained_size(&lab, &["large"])["last_session"].is_null());
    // What was measured was another policy than this.
    lab.configure_profiles(&profile("long", 2099));
    assert!(explained_size(&lab, &["long"])["last_session"].is_null());
}

#[test]
fn an_ask_that_is_too_long_is_told_so_in_every_way() {
    let own = policy_of(200);
    let lab = ready_with(&format!(
        r#"
[profile.first]
account = "target"
role = "Developer"

[profile.second]
account = "target"
role = "Developer"
policy = '{own}'
scope_down = "sts"

[profile.third]
account = "target"
role = "Developer"
policy = '{own}'
"#
    ));
    let ask = |words: &[&str], characters: usize| {
        let file = lab.path("asked.json");
        std::fs::write(&file, policy_of(characters)).unwrap();
        let command: &[&str] = if words[0] == "exec" {
            &["--", "true"]
        } else {
            &[]
        };
        lab.run(&[words, &["--policy", file.to_str().unwrap()], command].concat())
    };
    for (profile, what) in [
        ("first", "the policy asked for has 2100 characters"),
        ("second", "the policy asked for has 2100 characters"),
        (
            "third",
            "the profile's policy with the one asked for as denies has ",
        ),
    ] {
        assert_eq!(ask(&["export", profile], 900).good().stderr, "");
        for verb in ["export", "exec", "endpoint"] {
            let told = ask(&[verb, profile], 2100).good().stderr;
            assert_eq!(told.lines().count(), 1, "{told}");
            assert!(
                told.starts_with(&format!("jumpgate: warning: {what}")),
                "{told}"
            );
            assert!(told.ends_with("AWS may refuse more than 2048\n"), "{told}");
        }
        let file = lab.path("asked.json");
        let told = explained_size(&lab, &["--policy", file.to_str().unwrap(), profile]);
        let is_known = told["last_session"]["token_bytes"].is_u64();
        assert_eq!(is_known, profile != "second", "{told}");
        // Nothing but credentials may come out of it.
        assert_eq!(
            ask(&["credential-process", profile], 2100).good().stderr,
            ""
        );
    }
    for (profile, what) in [
        (
            "first",
            "AssumeRole arn:aws:iam::222222222222:role/Developer",
        ),
        (
            "second",
            "GetScopedCredentials arn:aws:iam::222222222222:role/Developer",
        ),
        (
            "third",
            "AssumeRole arn:aws:iam::222222222222:role/Developer",
        ),
    ] {
        let refused = ask(&["export", profile], 3500);
        assert_eq!(refused.code(), 77, "{}", refused.stderr);
        for part in [
            what,
            "PackedPolicyTooLarge",
            "an inline policy of 3",
            "hint: ",
        ] {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
        }
    }
    let refused = ask(&["export", "second"], 3500).stderr;
    assert!(
        refused.contains("the session that it narrows has an inline policy of 200 characters"),
        "{refused}"
    );
}

#[test]
fn what_is_wrong_with_a_scope_is_refused_before_any_call() {
    let list = |count: usize, one: &dyn Fn(usize) -> String| {
        (0..count).map(one).collect::<Vec<_>>().join(", ")
    };
    let tags = list(51, &|n| format!("K{n} = \"v\""));
    let arns = list(11, &|n| format!("\"arn:aws:iam::aws:policy/P{n}\""));
    let long = "k".repeat(129);
    for (scope, place, told) in [
        (
            format!("tags = {{ {tags} }}"),
            "profile.dev.tags",
            "at most 50",
        ),
        (
            "tags = { a = \"1\", A = \"2\" }".to_owned(),
            "profile.dev.tags.A",
            "differ in more than case",
        ),
        (
            format!("tags = {{ {long} = \"v\" }}"),
            "profile.dev.tags",
            "128",
        ),
        (
            format!("policy_arns = [{arns}]"),
            "profile.dev.policy_arns[10]",
            "at most 10",
        ),
        (
            "policy = { preset = \"suport\" }".to_owned(),
            "profile.dev.policy.preset",
            "did you mean \"support\"?",
        ),
        (
            "policy = { preset = \"ssm\", tag_key = \"Name\" }".to_owned(),
            "profile.dev.policy",
            "preset ssm needs tag_values (expected 1 to 16 tag values",
        ),
    ] {
        let lab = lab(&format!(
            "[profile.dev]\naccount = \"target\"\nrole = \"Developer\"\n{scope}\n"
        ));
        let line = lab.configuration().lines().count();
        for words in [&["check"][..], &["export", "dev"]] {
            let refused = lab.run(words);
            assert_eq!(
                refused.status.code(),
                Some(64),
                "{scope}: {}",
                refused.stderr
            );
            for part in [&format!(":{line}:"), place, told] {
                assert!(
                    refused.stderr.contains(part),
                    "{part} is not in {}",
                    refused.stderr
                );
            }
        }
        assert!(lab.double.events().is_empty(), "{scope}");
    }
}

#[test]
fn what_is_wrong_with_an_ask_is_refused_before_any_call() {
    let list = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect();
    let own: Vec<String> = list(30, &|n| format!("K{n} = \"v\""));
    let taken: Vec<String> = list(49, &|n| format!("\"T{n}\""));
    let lab = ready_with(&format!(
        "[profile.open]\naccount = \"target\"\nrole = \"Developer\"\n\
         tags = {{ {} }}\nnarrow = {{ tags = [{}, \"a\"] }}\n",
        own.join(", "),
        taken.join(", ")
    ));
    let tags = |count| list(count, &|n| format!("--tag=T{n}=v"));
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let long = format!("--tag={}=v", "k".repeat(129));
    let broken = lab.path("broken.json");
    std::fs::write(
        &broken,
        r#"{"Version":"2012-10-17","Statement":[],"Statement":[]}"#,
    )
    .unwrap();
    let broken = format!("--policy={}", broken.display());
    let cases: [(Vec<String>, &str, &str); 10] = [
        (
            tags(51),
            "tag: at most 50 tags are expected, there are 51",
            "--tag KEY=VALUE",
        ),
        (
            tags(21),
            "profile open: tags: at most 50 tags are expected, there are 51",
            "",
        ),
        (
            words(&["--tag=a=1", "--tag=A=2"]),
            "tag key a (tag 2) repeats A (tag 1)",
            "--tag KEY=VALUE",
        ),
        (
            words(&["--tag=A=2"]),
            "takes no tag A",
            "add its key to tags",
        ),
        (
            words(&["--tag=K0=2"]),
            "sets tag K0 itself",
            "leave the tag out",
        ),
        (
            words(&[&long]),
            "128 characters are expected, there are 129",
            "--tag KEY=VALUE",
        ),
        (
            words(&[&broken]),
            "line 1, column 40: key \"Statement\" is there already",
            "policy lint FILE",
        ),
        (
            words(&["--policy=preset:suport"]),
            "did you mean support?",
            "policy preset list",
        ),
        (
            words(&["--policy=preset:ssm"]),
            "preset ssm needs tag_key",
            "preset = \"ssm\"",
        ),
        (
            words(&["--policy=/nowhere.json"]),
            "/nowhere.json",
            "preset:NAME",
        ),
    ];
    let calls = lab.double.events().len();
    for (narrow, told, hint) in &cases {
        let narrow: Vec<&str> = narrow.iter().map(String::as_str).collect();
        for line in [
            [&["export", "open"][..], &narrow].concat(),
            [&["endpoint", "open"][..], &narrow].concat(),
            [&["exec", "open"][..], &narrow, &["--", "true"]].concat(),
        ] {
            let refused = lab.run(&line);
            assert!(matches!(refused.code(), 64 | 77), "{told}: {refused:?}");
            let (what, help) = refused.stderr.split_once("\n  hint: ").unwrap();
            assert!(what.contains(told), "{told} is not in {what}");
            assert!(help.contains(hint), "{hint} is not in {help}");
        }
    }
    assert_eq!(lab.double.events().len(), calls, "nothing was asked of AWS");
}
