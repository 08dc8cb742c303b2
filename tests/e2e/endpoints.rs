//! Endpoints of the real agent before the strict double, spoken to byte by byte: who may, until when, how soon.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use jumpgate_tests::Lab;
use jumpgate_tests::lab::DEV;
use jumpgate_tests::sts::{Fault, When};
use serde_json::{Value, json};

use crate::built::{ready, ready_with};
use crate::surroundings::PATIENCE;

pub(crate) const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds";
pub(crate) const TOKEN: &str = "X-aws-ec2-metadata-token";

/// A second role for the same person.
const TWO: &str = r#"
[profile.other]
account = "target"
role = "Developer"
duration = "30m"
"#;

/// A request on a connection of its own: status and body. 0 when the connection ended without an answer.
pub(crate) fn ask(url: &str, line: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let address = url.strip_prefix("http://").unwrap();
    let (address, path) = address.split_once('/').unwrap_or((address, ""));
    let Ok(mut stream) = TcpStream::connect(address) else {
        return (0, String::new());
    };
    let (method, below) = line.split_once(' ').unwrap_or((line, ""));
    let mut text = format!("{method} /{path}{below} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text.push_str(&format!("Host: {address}\r\n"));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let _refused_early = stream.write_all((text + "\r\n").as_bytes());
    let mut answer = String::new();
    let _reset = stream.read_to_string(&mut answer);
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    let body = answer.split_once("\r\n\r\n").unwrap_or_default().1;
    (status.unwrap_or(0), body.to_owned())
}

pub(crate) fn with_token(endpoint: &Value, token: &str) -> (u16, String) {
    let url = endpoint["url"].as_str().unwrap();
    ask(url, "GET", &[("Authorization", token)])
}

pub(crate) fn authorized(endpoint: &Value) -> (u16, String) {
    with_token(endpoint, endpoint["token"].as_str().unwrap())
}

/// `POST /v1/endpoints` by this process.
pub(crate) fn open(lab: &Lab, profile: &str, kind: &str) -> Value {
    let body = json!({"profile": profile, "kind": kind}).to_string();
    control(lab, "POST /v1/endpoints", &body)
}

pub(crate) fn control(lab: &Lab, line: &str, body: &str) -> Value {
    let mut stream = UnixStream::connect(lab.socket()).unwrap();
    let length = body.len();
    let text = format!("{line} HTTP/1.1\r\nHost: agent\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str(body).unwrap()
}

/// Has sessions made, for which a first caller at an endpoint may not wait long enough.
pub(crate) fn warm(lab: &Lab, profiles: &[&str]) {
    for profile in profiles {
        lab.run(&["credential-process", profile]).good();
    }
}

pub(crate) fn imds_token(endpoint: &Value) -> String {
    let url = endpoint["url"].as_str().unwrap();
    let (status, token) = ask(url, "PUT latest/api/token", &[(TTL, "60")]);
    assert_eq!(status, 200);
    token
}

pub(crate) fn imds_document(lab_endpoint: &Value, token: &str) -> (u16, String) {
    let path = "GET latest/meta-data/iam/security-credentials/Developer";
    ask(
        lab_endpoint["url"].as_str().unwrap(),
        path,
        &[(TOKEN, token)],
    )
}

#[test]
fn many_leases_on_one_listener_end_one_by_one() {
    let lab = ready_with(&format!("{DEV}{TWO}"));
    warm(&lab, &["dev", "other"]);
    let (dev, other) = (
        open(&lab, "dev", "container"),
        open(&lab, "other", "container"),
    );
    let again = open(&lab, "dev", "container");
    assert_eq!(again, dev, "the standing one is shown");
    let port = |endpoint: &Value| {
        endpoint["url"]
            .as_str()
            .unwrap()
            .split("/v1/")
            .next()
            .map(str::to_owned)
    };
    assert_eq!(port(&dev), port(&other));
    let (status, body) = authorized(&dev);
    assert_eq!(status, 200, "{body}");
    let document: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(document["RoleArn"], dev["role_arn"]);
    assert_eq!(authorized(&other).0, 200);
    assert_eq!(with_token(&dev, other["token"].as_str().unwrap()).0, 403);
    assert_eq!(lab.status()["endpoints"].as_array().unwrap().len(), 2);
    let file = Path::new(dev["token_file"].as_str().unwrap());
    assert_eq!(
        std::fs::read_to_string(file).unwrap(),
        dev["token"].as_str().unwrap()
    );
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    lab.run(&["lease", "end", dev["lease"].as_str().unwrap()])
        .good();
    assert!(!file.exists());
    assert_eq!(authorized(&dev).0, 403);
    assert_eq!(authorized(&other).0, 200);
    let directory = file.parent().unwrap().to_owned();
    lab.run(&["agent", "stop"]).good();
    lab.wait_for_agent();
    assert!(!directory.exists());
    assert_eq!(authorized(&other).0, 0, "nobody listens");
}

/// Asks the control socket with `until_exit`, prints the reply, and waits to be killed.
const ASKER: &str = r#"
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
body = b'{"profile":"dev","kind":"KIND","until_exit":true}'.replace(b"KIND", sys.argv[2].encode())
s.sendall(b"POST /v1/endpoints HTTP/1.1\r\nHost: agent\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
answer = b""
while chunk := s.recv(65536): answer += chunk
print(answer.split(b"\r\n\r\n", 1)[1].decode(), flush=True)
time.sleep(600)
"#;

#[test]
fn an_endpoint_ends_with_its_process_killed_or_not() {
    let lab = ready();
    warm(&lab, &["dev"]);
    for kind in ["container", "imds"] {
        let socket = lab.socket();
        let mut child = Command::new("python3")
            .args(["-c", ASKER, socket.to_str().unwrap(), kind])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let endpoint: Value = serde_json::from_str(&line).unwrap();
        let answer = || match kind {
            "imds" => ask(endpoint["url"].as_str().unwrap(), "GET", &[]).0,
            _ => authorized(&endpoint).0,
        };
        assert_eq!(answer(), if kind == "imds" { 401 } else { 200 });
        child.kill().unwrap();
        let killed = Instant::now();
        child.wait().unwrap();
        while !matches!(answer(), 0 | 403) {
            assert!(killed.elapsed() < PATIENCE, "{kind} still serves");
        }
        assert_eq!(lab.status()["endpoints"], json!([]));
    }
    assert_eq!(lab.records("lease.end").len(), 2);
}

#[test]
fn c8_i16_sts_that_hangs_and_a_locked_agent_are_told_in_time() {
    let lab = ready();
    lab.run(&["credential-process", "dev"]).good();
    let narrow =
        json!({"profile": "dev", "kind": "container", "narrow": {"duration_seconds": 900}});
    let (cached, cold) = (
        open(&lab, "dev", "imds"),
        control(&lab, "POST /v1/endpoints", &narrow.to_string()),
    );
    lab.double.inject(Fault::Hang, When::call("AssumeRole"));
    // The double says nothing for a minute: that these answers come is the claim.
    for _ in 0..3 {
        let (status, body) = authorized(&cold);
        assert_eq!(status, 503, "{body}");
        let token = imds_token(&cached);
        let (status, body) = imds_document(&cached, &token);
        assert_eq!(status, 200, "{body}");
    }
    lab.run(&["lock"]).good();
    let (status, body) = authorized(&cold);
    assert!(
        status == 503 && body.contains("jumpgate unlock"),
        "{status} {body}"
    );
    let token = imds_token(&cached);
    assert_eq!(imds_document(&cached, &token).0, 503);
}

#[test]
fn browsers_rebound_names_and_idle_connections() {
    let lab = ready();
    let endpoint = open(&lab, "dev", "container");
    let (url, token) = (
        endpoint["url"].as_str().unwrap(),
        endpoint["token"].as_str().unwrap(),
    );
    for header in [
        ("Host", "evil.example"),
        ("Origin", "http://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        assert_eq!(
            ask(url, "GET", &[header, ("Authorization", token)]).0,
            403,
            "{header:?}"
        );
    }
    assert_eq!(lab.double.count("AssumeRole"), 0);
    let address = url
        .strip_prefix("http://")
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let count = if limit.is_none_or(|limit| limit >= 2_500) {
        2_000
    } else {
        800
    };
    let idle: Vec<_> = (0..count).map(|_| TcpStream::connect(address)).collect();
    assert!(idle.iter().all(Result::is_ok));
    // 503 while the first answer is still being fetched; whoever waits must get in before those who say nothing.
    let served = (0..100).any(|_| authorized(&endpoint).0 == 200);
    assert!(served, "shut out by idle connections");
}
