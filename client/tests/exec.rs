//! `exec` as it is: the program of this crate, an agent that is played, and the environment of a real command.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const CONTAINER: &str = include_str!("../../proto/api/golden/endpoint_reply.json");
const IMDS: &str = r#"{"lease":"01L","profile":"dev","kind":"imds","url":"http://127.0.0.1:41235",
    "role_arn":"arn:aws:iam::222222222222:role/Developer"}"#;
const SESSION: &str = include_str!("../../proto/api/golden/credentials_reply.json");

/// Sources of credentials of every kind, a metadata service that is switched off, and a list of hosts.
const BEFORE: [(&str, &str); 22] = [
    ("AWS_ACCESS_KEY_ID", "x"),
    ("AWS_SECRET_ACCESS_KEY", "x"),
    ("AWS_SESSION_TOKEN", "x"),
    ("AWS_SECURITY_TOKEN", "x"),
    ("AWS_CREDENTIAL_EXPIRATION", "x"),
    ("AWS_CREDENTIAL_FILE", "x"),
    ("AWS_PROFILE", "x"),
    ("AWS_DEFAULT_PROFILE", "x"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "x"),
    ("AWS_ROLE_ARN", "x"),
    ("AWS_ROLE_SESSION_NAME", "x"),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "x"),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "x"),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "x"),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "x"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "x"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_REGION", "of-the-caller"),
    ("NO_PROXY", "a.example,localhost"),
    ("HTTP_PROXY", "http://127.0.0.1:9"),
    ("KEPT", "as it was"),
];

/// An agent in a directory of its own that answers once.
fn played(reply: &'static str) -> TempDir {
    let mode = PermissionsExt::from_mode(0o700);
    let home = tempfile::Builder::new()
        .permissions(mode)
        .tempdir()
        .unwrap();
    let listener = UnixListener::bind(home.path().join("agent.sock")).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // A request of these tests is smaller than one read of a local socket returns.
        let size = stream.read(&mut [0; 4096]).unwrap();
        assert!(size > 0);
        let head = concat!(
            "HTTP/1.1 200 OK\r\njumpgate-agent-version: ",
            env!("CARGO_PKG_VERSION")
        );
        let length = reply.len();
        write!(stream, "{head}\r\ncontent-length: {length}\r\n\r\n{reply}").unwrap();
    });
    home
}

fn exec(home: &TempDir, options: &[&str], command: &[&str]) -> Command {
    let mut exec = Command::new(env!("CARGO_BIN_EXE_jumpgate"));
    exec.args(["exec", "dev"])
        .args(options)
        .arg("--")
        .args(command);
    exec.env_clear()
        .env("JUMPGATE_SOCKET", home.path().join("agent.sock"));
    exec.stdin(Stdio::null());
    exec
}

/// The whole environment of a command, sorted, without the place of our socket.
fn environment(reply: &'static str, options: &[&str], before: &[(&str, &str)]) -> Vec<String> {
    let home = played(reply);
    let mut exec = exec(&home, options, &["/usr/bin/env"]);
    let output = exec.envs(before.iter().copied()).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let warnings = usize::from(reply.contains("\"warnings\""));
    assert_eq!(
        told.matches("jumpgate: warning: the policy").count(),
        warnings
    );
    assert_eq!(told.lines().count(), warnings, "{told}");
    let text = String::from_utf8(output.stdout).unwrap();
    let other = |line: &&str| !line.starts_with("JUMPGATE_SOCKET=");
    let mut lines: Vec<String> = text.lines().filter(other).map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn the_environment_of_a_container_command() {
    let expected = [
        "AWS_CONTAINER_AUTHORIZATION_TOKEN=token",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/run/user/1000/jumpgate/tokens/01KAN0000000000000000000L1",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:41234/v1/01KAN0000000000000000000L1",
        "AWS_DEFAULT_REGION=ap-northeast-1",
        "AWS_EC2_METADATA_DISABLED=true",
        "AWS_REGION=ap-northeast-1",
        "HTTP_PROXY=http://127.0.0.1:9",
        "JUMPGATE_EXEC_DEPTH=1",
        "KEPT=as it was",
        "NO_PROXY=a.example,localhost,127.0.0.1",
        "no_proxy=a.example,localhost,127.0.0.1",
    ];
    assert_eq!(environment(CONTAINER, &[], &BEFORE), expected);
    assert_eq!(
        environment(CONTAINER, &["--via", "container"], &BEFORE),
        expected
    );
}

#[test]
fn the_environment_of_an_imds_command() {
    assert_eq!(
        environment(IMDS, &["--via", "imds"], &BEFORE),
        [
            "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:41235/",
            "AWS_EC2_METADATA_V1_DISABLED=true",
            "AWS_REGION=of-the-caller",
            "HTTP_PROXY=http://127.0.0.1:9",
            "JUMPGATE_EXEC_DEPTH=1",
            "KEPT=as it was",
            "NO_PROXY=a.example,localhost,127.0.0.1",
            "no_proxy=a.example,localhost,127.0.0.1",
        ]
    );
}

#[test]
fn the_environment_of_a_command_with_a_session() {
    assert_eq!(
        environment(SESSION, &["--via", "env"], &BEFORE),
        [
            "AWS_ACCESS_KEY_ID=ASIAEXAMPLE",
            "AWS_CREDENTIAL_EXPIRATION=2026-11-22T01:00:00Z",
            "AWS_DEFAULT_REGION=ap-northeast-1",
            "AWS_EC2_METADATA_DISABLED=true",
            "AWS_REGION=ap-northeast-1",
            "AWS_SECRET_ACCESS_KEY=secret",
            "AWS_SESSION_TOKEN=token",
            "HTTP_PROXY=http://127.0.0.1:9",
            "JUMPGATE_EXEC_DEPTH=1",
            "KEPT=as it was",
            "NO_PROXY=a.example,localhost",
        ]
    );
}

/// The agent watches the process that asked; the command has to be that one.
#[test]
fn the_command_is_the_process_that_asked() {
    let home = played(CONTAINER);
    let mut exec = exec(&home, &[], &["/bin/sh", "-c", "echo $$; exit 7"]);
    let child = exec.stdout(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("{pid}\n")
    );
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn the_files_that_an_sdk_would_read_are_looked_into() {
    let home = played(CONTAINER);
    let aws = home.path().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    std::fs::write(aws.join("config"), "[default]\nsso_session = secret\n").unwrap();
    let other = home.path().join("other");
    std::fs::write(&other, "\n[default]\naws_access_key_id = secret\n").unwrap();
    let mut exec = exec(&home, &[], &["/bin/true"]);
    exec.env("HOME", home.path())
        .env("AWS_SHARED_CREDENTIALS_FILE", "~/other");
    let output = exec.output().unwrap();
    assert!(output.status.success());
    let (other, aws) = (other.display(), aws.display());
    let told = String::from_utf8(output.stderr).unwrap();
    let (of_reply, of_files) = told.split_once('\n').unwrap();
    assert!(
        of_reply.starts_with("jumpgate: warning: the policy asked for"),
        "{told}"
    );
    assert_eq!(
        of_files,
        format!(
            "jumpgate: warning: {other}:3: aws_access_key_id of the default profile wins over the endpoint; give that profile another name\n\
             jumpgate: warning: {aws}/config:2: sso_session of the default profile wins over the endpoint; give that profile another name\n"
        )
    );
}
