//! The real AWS CLI and boto3, which start `jumpgate credential-process` by themselves, against the double.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use jumpgate_tests::lab::{DEV, finish};
use jumpgate_tests::skip::skip;
use jumpgate_tests::{Lab, Ran};

use crate::built::ready_with;

const NOBODY: &str = r#"
[profile.nobody]
account = "target"
role = "Nobody"
"#;

/// The Python clients of `tests/run`, or a line among the skipped.
pub(crate) fn venv(what: &str) -> Option<PathBuf> {
    let venv = std::env::var_os("JUMPGATE_TEST_VENV").map(PathBuf::from);
    if venv.is_none() {
        skip(what, "JUMPGATE_TEST_VENV is not set: tests/run makes it");
    }
    venv
}

/// Writes `~/.aws/config`, in which each profile calls `program`.
pub(crate) fn configure_aws(lab: &Lab, program: &Path, profiles: &[&str]) {
    let stanza = |profile: &&str| {
        format!(
            "[profile {profile}]\nregion = eu-central-1\ncredential_process = {} credential-process {profile}\n",
            program.display()
        )
    };
    std::fs::create_dir_all(lab.path(".aws")).unwrap();
    let text: String = profiles.iter().map(stanza).collect();
    std::fs::write(lab.path(".aws/config"), text).unwrap();
}

/// A program of AWS's, which calls `endpoint` in the place of AWS.
pub(crate) fn client_of(lab: &Lab, endpoint: &str, program: &Path, arguments: &[&str]) -> Command {
    let mut command = lab.program(program, arguments);
    command.env("AWS_ENDPOINT_URL", endpoint);
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn aws_ready() -> Lab {
    let lab = ready_with(&format!("{DEV}{NOBODY}"));
    configure_aws(&lab, &lab.programs.client, &["dev", "nobody"]);
    lab
}

fn aws_cli_works(aws: &Path) {
    let lab = aws_ready();
    let run = |arguments: &[&str]| -> Ran {
        // An option rather than the variable: releases before 2.13 do not know that.
        let url = lab.double.url();
        let arguments = [arguments, &["--output", "json", "--endpoint-url", &url]].concat();
        finish(client_of(&lab, &lab.double.url(), aws, &arguments), "")
    };
    let who = run(&["--profile", "dev", "sts", "get-caller-identity"])
        .good()
        .json();
    assert_eq!(who["Account"], "222222222222");
    let arn = who["Arn"].as_str().unwrap();
    assert!(
        arn.starts_with("arn:aws:sts::222222222222:assumed-role/Developer/tester-"),
        "{arn}"
    );

    let object = ["--bucket", "demo", "--key", "hello.txt"];
    let get = [
        &["--profile", "dev", "s3api", "get-object"],
        &object[..],
        &["got"],
    ]
    .concat();
    run(&get).good();
    assert_eq!(
        std::fs::read_to_string(lab.path("got")).unwrap(),
        "hello from the double\n"
    );
    let put = [
        &["--profile", "dev", "s3api", "put-object"],
        &object[..],
        &["--body", "got"],
    ]
    .concat();
    let denied = run(&put);
    assert!(!denied.status.success());
    assert!(
        denied
            .stderr
            .contains("(AccessDenied) when calling the PutObject operation"),
        "{}",
        denied.stderr
    );

    // Our line and our hint reach whoever typed the command.
    let refused = run(&["--profile", "nobody", "sts", "get-caller-identity"]);
    assert!(!refused.status.success() && refused.stdout.is_empty());
    for part in [
        "jumpgate: AssumeRole arn:aws:iam::222222222222:role/Nobody: AccessDenied",
        "hint: the role's trust policy",
    ] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    // Three commands that were served, each with a process of its own, cost one session.
    assert_eq!(
        lab.records("lease.issue").len() + lab.records("lease.serve").len(),
        3
    );
    assert_eq!(
        lab.double
            .events_of("AssumeRole")
            .iter()
            .filter(|call| call.status == 200)
            .count(),
        1
    );
}

#[test]
fn aws_cli_version_1() {
    if let Some(venv) = venv("AWS CLI v1") {
        aws_cli_works(&venv.join("bin/aws"));
    }
}

#[test]
fn aws_cli_version_2() {
    let installed = Path::new("/usr/bin/aws");
    match installed.exists() {
        true => aws_cli_works(installed),
        false => skip("AWS CLI v2", "/usr/bin/aws is not there"),
    }
}

/// Runs boto3 for this many calls; returns what it told and how often it ran the program.
fn boto3(venv: &Path, duration: &str, calls: &str) -> (Lab, Ran, usize) {
    let lab = ready_with(&DEV.replace(
        "role = \"Developer\"",
        &format!("role = \"Developer\"\nduration = \"{duration}\""),
    ));
    let counting = lab.path("bin/counting");
    let script = "#!/bin/sh\necho >>\"$HOME/runs\"\nexec jumpgate \"$@\"\n";
    std::fs::write(&counting, script).unwrap();
    std::fs::set_permissions(&counting, PermissionsExt::from_mode(0o755)).unwrap();
    configure_aws(&lab, &counting, &["dev"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/boto3_process.py");
    let arguments = [
        script.to_str().unwrap(),
        "dev",
        "--calls",
        calls,
        "--get",
        "demo/hello.txt",
        "--put",
        "demo/hello.txt",
    ];
    let ran = finish(
        client_of(
            &lab,
            &lab.double.url(),
            &venv.join("bin/python"),
            &arguments,
        ),
        "",
    )
    .good();
    let told = ran.json();
    assert_eq!(told["calls"].to_string(), calls);
    assert_eq!(
        (&told["account"], &told["put"]),
        (&"222222222222".into(), &"AccessDenied".into())
    );
    assert_eq!(told["body"], "hello from the double\n");
    let runs = std::fs::read_to_string(lab.path("runs"))
        .unwrap()
        .lines()
        .count();
    (lab, ran, runs)
}

#[test]
fn p13_boto3_makes_a_hundred_calls_with_one_invocation() {
    let Some(venv) = venv("boto3") else { return };
    let (lab, _, runs) = boto3(&venv, "25m", "100");
    assert_eq!(runs, 1);
    assert_eq!(lab.double.count("AssumeRole"), 1);
    assert_eq!(lab.double.count("GetCallerIdentity"), 1 + 50);
}

/// boto3 wants a longer session than AWS makes here, and asks before each call. That must not reach STS each time.
#[test]
fn p14_boto3_that_asks_each_time_is_served_from_memory() {
    let Some(venv) = venv("boto3 with a short session") else {
        return;
    };
    let (lab, _, runs) = boto3(&venv, "15m", "20");
    assert!(runs >= 20, "{runs}");
    assert_eq!(lab.double.count("AssumeRole"), 1);
}
