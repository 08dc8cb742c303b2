//! A caller's policy on a profile that has its own, with the real AWS CLI: what either denies is denied, whichever way
//! the policy goes to AWS.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jumpgate_tests::lab::finish;
use jumpgate_tests::sts::{Instance, JUMP_ACCOUNT, ROLE_ARN, TARGET_ACCOUNT, World};
use jumpgate_tests::{Lab, Ran};
use serde_json::Value;

use crate::built::programs;
use crate::clients::venv;
use crate::double_client::{Draft, Keys, send};

/// Role: everything but what service control policies take. Profile: reading and listing, cases. Ask: reading and
/// writing, parameters.
const PROFILES: &str = r#"
[profile.first]
account = "target"
role = "Developer"
region = "eu-central-1"

[profile.second]
account = "target"
role = "Developer"
region = "eu-central-1"
policy = "own.json"
scope_down = "sts"

[profile.third]
account = "target"
role = "Developer"
region = "eu-central-1"
policy = "own.json"
"#;

const OWN: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
    "Action":["s3:GetObject","s3:ListBucket","support:*"],"Resource":"*"}}"#;

const ASKED: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
    "Action":["s3:GetObject","s3:PutObject","ssm:GetParameter"],"Resource":"*"}}"#;

/// No denies say "its own directory and nothing else" of a variable that may be missing.
const INEXACT: &str = r#"{"Version":"2012-10-17","Statement":{"Sid":"Home","Effect":"Allow",
    "Action":"s3:*","Resource":"arn:aws:s3:::demo/${aws:PrincipalTag/Home}*"}}"#;

const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

fn lab() -> Lab {
    let instance = Instance::new(TARGET_ACCOUNT, "i-0123456789abcdef0").tag("Name", "Develop");
    let lab = Lab::in_world(&programs(), World::demo().instance(instance), "");
    lab.double.attach_role_policy(ROLE_ARN, ALL);
    let directory = lab.path(".config/jumpgate");
    lab.configure_profiles(PROFILES);
    for (name, text) in [("own", OWN), ("asked", ASKED), ("inexact", INEXACT)] {
        std::fs::write(directory.join(format!("{name}.json")), text).unwrap();
    }
    lab.start_agent();
    lab.add_identity();
    lab
}

fn policy(lab: &Lab, name: &str) -> String {
    let file = lab.path(&format!(".config/jumpgate/{name}.json"));
    file.to_str().unwrap().to_owned()
}

/// A command by `exec`, with the asked policy.
fn narrowed(lab: &Lab, profile: &str, more: &[&str], command: &[&str]) -> Command {
    let asked = policy(lab, "asked");
    let before = ["exec", profile, "--policy", &asked];
    let mut client = lab.client(&[&before[..], more, &["--"], command].concat());
    client.env("AWS_EC2_METADATA_DISABLED", "true");
    client
}

fn aws(lab: &Lab, aws: &Path, profile: &str, arguments: &[&str]) -> Ran {
    let url = lab.double.url();
    let all = [
        &[aws.to_str().unwrap()],
        arguments,
        &["--endpoint-url", &url, "--output", "json"],
    ];
    finish(narrowed(lab, profile, &[], &all.concat()), "")
}

/// What of it the asked policy allows, and what the profile's does.
const CALLS: &[(&[&str], bool, bool)] = &[
    (
        &[
            "s3api",
            "get-object",
            "--bucket",
            "demo",
            "--key",
            "hello.txt",
            "got",
        ],
        true,
        true,
    ),
    (
        &["s3api", "list-objects-v2", "--bucket", "demo"],
        false,
        true,
    ),
    (
        &[
            "s3api",
            "put-object",
            "--bucket",
            "demo",
            "--key",
            "new.txt",
        ],
        true,
        false,
    ),
    (&["ssm", "get-parameter", "--name", "/a/b"], true, false),
    (
        &[
            "support",
            "create-case",
            "--subject",
            "s",
            "--communication-body",
            "b",
        ],
        false,
        true,
    ),
    (
        &[
            "service-quotas",
            "request-service-quota-increase",
            "--service-code",
            "ec2",
            "--quota-code",
            "L-1216C47A",
            "--desired-value",
            "64",
        ],
        false,
        false,
    ),
];

#[test]
fn what_either_denies_is_denied_in_every_way() {
    let Some(venv) = venv("AWS CLI v1, narrowed sessions") else {
        return;
    };
    let (lab, cli) = (lab(), venv.join("bin/aws"));
    for (profile, has_policy, way) in [
        ("first", false, "session-policy"),
        ("second", true, "scope-down"),
        ("third", true, "denies"),
    ] {
        for (call, asked, own) in CALLS {
            let ran = aws(&lab, &cli, profile, call);
            let may = *asked && (*own || !has_policy);
            assert_eq!(
                ran.status.success(),
                may,
                "{profile} {call:?}: {}",
                ran.stderr
            );
            let denied = ran.stderr.contains("AccessDenied");
            assert_eq!(denied, !may, "{profile} {call:?}: {}", ran.stderr);
        }
        let records = lab.records("lease.issue");
        let told = &records.last().unwrap()["unmapped"]["jumpgate"];
        assert_eq!(
            (&told["profile"], &told["narrowed_by"]),
            (&profile.into(), &way.into())
        );
        assert!(told["asked_policy_sha256"].is_string());
        let both = (&told["asked_policy_sha256"], &told["policy_sha256"]);
        assert_eq!(both.0 == both.1, !has_policy, "{told}");
    }
    assert_eq!(lab.double.count("GetScopedCredentials"), 1);
    assert_eq!(lab.double.count("CreateCase"), 3);
}

/// Without a policy of a caller the same calls show that the services are there to be had.
#[test]
fn the_role_itself_may_all_of_it() {
    let Some(venv) = venv("AWS CLI v1, support, quotas and Session Manager") else {
        return;
    };
    let lab = lab();
    let cli = venv.join("bin/aws").to_str().unwrap().to_owned();
    let url = lab.double.url();
    let run = |arguments: &[&str]| {
        let before = ["exec", "first", "--", &cli];
        let behind = ["--endpoint-url", &url, "--output", "json"];
        let mut client = lab.client(&[&before[..], arguments, &behind].concat());
        client.env("AWS_EC2_METADATA_DISABLED", "true");
        finish(client, "").good()
    };
    for (call, _, _) in CALLS {
        run(call);
    }
    // The CLI hands a started session to this program.
    let plugin = lab.path("bin/session-manager-plugin");
    std::fs::write(&plugin, "#!/bin/sh\nexit 0\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&plugin, mode).unwrap();
    run(&["ssm", "start-session", "--target", "i-0123456789abcdef0"]);
    let started = lab.double.events_of("StartSession").remove(0);
    assert_eq!(started.parameter("Target"), Some("i-0123456789abcdef0"));
    let arn = started.caller_arn.unwrap();
    assert!(arn.starts_with("arn:aws:sts::222222222222:assumed-role/Developer/tester-"));
    assert_ne!(TARGET_ACCOUNT, JUMP_ACCOUNT);
}

#[test]
fn a_policy_without_exact_opposite_is_refused_with_its_statement() {
    let lab = lab();
    let inexact = policy(&lab, "inexact");
    let export = |profile: &str| lab.run(&["export", profile, "--policy", &inexact]);
    let refused = export("third");
    assert_eq!(refused.code(), 77, "{}", refused.stderr);
    for part in [
        "profile third",
        "Home",
        "${aws:PrincipalTag/Home}",
        "hint: ",
        "scope_down",
    ] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    assert_eq!(lab.double.count("AssumeRole"), 0);
    assert_eq!(lab.records("deny").len(), 1);
    // Without a policy of the profile's, or intersected by AWS, it needs no opposite.
    export("first").good();
    export("second").good();
}

fn keys(exported: &Value) -> Keys {
    let text = |name: &str| exported[name].as_str().unwrap().to_owned();
    Keys {
        id: text("AccessKeyId"),
        secret: text("SecretAccessKey"),
        token: Some(text("SessionToken")),
    }
}

#[test]
fn a_life_of_a_minute() {
    let lab = lab();
    let export = |profile: &str, life: &str| {
        let asked = ["export", profile, "--duration", life, "--format", "json"];
        lab.run(&asked)
    };
    let refused = export("third", "60s");
    assert_eq!(refused.code(), 77, "{}", refused.stderr);
    assert!(refused.stderr.contains("under 900 s") && refused.stderr.contains("scope_down"));
    let keys = keys(&export("second", "60s").good().json());
    let made = lab.double.events_of("GetScopedCredentials").remove(0);
    assert_eq!(made.parameter("DurationSeconds"), Some("60"));
    assert_eq!(made.parameter("Policy"), None);
    assert_eq!(made.issued.unwrap().expires - made.time, 60);
    let reads = || {
        let draft = Draft::new("GET", "/demo/hello.txt", "s3");
        send(&draft, Some(&keys), lab.double.address())
            .unwrap()
            .outcome()
    };
    assert_eq!(reads(), "200");
    lab.double.advance(Duration::from_secs(61));
    assert_eq!(reads(), "400 ExpiredToken");
    let usage = export("second", "0s");
    assert_eq!(usage.code(), 64, "{}", usage.stderr);
}
