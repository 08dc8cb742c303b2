//! What STS says when it fails a caller, told with the right code, a hint and one record. What every interface answers in
//! every state is the fault laboratory's ([`crate::faults`]).

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{DEV, finish};
use jumpgate_tests::sts::{Fault, When};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::built::{ready, ready_with};
use crate::surroundings::{has, refused, until_good};

/// What a caller sees: exit status, words of the message, words of the hint; and the code in the journal.
struct Seen {
    exit: i32,
    what: &'static str,
    hint: &'static str,
    code: &'static str,
}

const fn seen(exit: i32, code: &'static str, what: &'static str, hint: &'static str) -> Seen {
    Seen {
        exit,
        what,
        hint,
        code,
    }
}

/// The profile fails as it should, and the journal has exactly one record of it.
#[track_caller]
fn fails(lab: &Lab, profile: &str, seen: &Seen) {
    let ran = lab.run(&["credential-process", profile]);
    refused(&ran, seen.exit, seen.what, seen.hint);
    assert!(!ran.stderr.contains('\u{202e}'), "{}", ran.stderr);
    for secret in lab.secrets() {
        assert!(!ran.stderr.contains(&secret), "a secret in {}", ran.stderr);
    }
    let mut records = lab.records("deny");
    records.retain(|record| facts(record)["profile"] == profile);
    let [record] = records.as_slice() else {
        panic!("{profile}: {records:?}")
    };
    assert_eq!(facts(record)["code"], seen.code, "{record}");
    assert_eq!(record["status"], "Failure");
    assert!(
        record["status_detail"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert_eq!(
        record["actor"]["process"]["file"]["path"],
        lab.programs.client.to_str().unwrap()
    );
}

fn facts(record: &Value) -> &Value {
    &record["unmapped"]["jumpgate"]
}

/// Profiles that ask different questions, so that a failure of one is not remembered for another.
fn profiles(count: usize) -> String {
    let one = |n| {
        format!(
            "\n[profile.p{n}]\naccount = \"target\"\nrole = \"Developer\"\ntags = {{ N = \"{n}\" }}\n"
        )
    };
    (0..count).map(one).collect()
}

fn error(status: u16, code: &str, message: &str) -> Fault {
    Fault::Error {
        status,
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

#[test]
fn each_fault_of_assume_role_has_its_code_its_hint_and_one_record() {
    let faults = [
        (
            error(400, "PackedPolicyTooLarge", "PackedPolicySize: 107%"),
            seen(
                77,
                "upstream_denied",
                "PackedPolicyTooLarge",
                "name managed policies",
            ),
        ),
        (
            error(400, "MalformedPolicyDocument", "Syntax errors in policy."),
            seen(
                77,
                "upstream_denied",
                "MalformedPolicyDocument",
                "correct it",
            ),
        ),
        (
            error(
                403,
                "RegionDisabledException",
                "STS is not activated in this region",
            ),
            seen(
                77,
                "upstream_denied",
                "RegionDisabled",
                "activate the region",
            ),
        ),
        (
            error(
                400,
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
            seen(77, "upstream_denied", "ExpiredToken", "identity check"),
        ),
        (
            error(
                400,
                "SomethingNew",
                "an error \u{202e}that nobody has heard of",
            ),
            seen(77, "upstream_denied", "SomethingNew", ""),
        ),
        (
            Fault::InternalFailure,
            seen(
                75,
                "upstream_unavailable",
                "InternalFailure",
                "check the network",
            ),
        ),
    ];
    let lab = ready_with(&format!("{DEV}{}", profiles(faults.len())));
    lab.run(&["credential-process", "dev"]).good();
    for (number, (fault, seen)) in faults.into_iter().enumerate() {
        lab.double.inject(fault, When::call("AssumeRole"));
        fails(&lab, &format!("p{number}"), &seen);
        lab.double.clear_faults();
    }
    let handed_out = lab.records("lease.issue");
    assert_eq!(handed_out.len(), 1, "{handed_out:?}");
}

/// A temporary failure is remembered for three seconds, then asked anew: no restart, no unlock.
#[test]
fn what_was_temporary_is_over_by_itself() {
    let lab = ready();
    lab.double
        .inject(Fault::ServiceUnavailable, When::call("AssumeRole"));
    fails(
        &lab,
        "dev",
        &seen(
            75,
            "upstream_unavailable",
            "ServiceUnavailable",
            "check the network",
        ),
    );
    let calls = lab.double.count("AssumeRole");
    lab.double.clear_faults();
    let pid = lab.status()["pid"].clone();
    until_good(&lab, &["credential-process", "dev"]);
    assert_eq!(
        lab.double.count("AssumeRole"),
        calls + 1,
        "one call ended it"
    );
    assert_eq!(
        lab.double.count("GetSessionToken"),
        1,
        "the MFA session stayed"
    );
    assert_eq!(lab.status()["pid"], pid);
}

#[test]
fn a_refusal_costs_one_call_until_it_is_asked_anew() {
    let lab = ready();
    let denied = error(403, "AccessDenied", "not authorized");
    lab.double.inject(denied, When::call("AssumeRole"));
    let denied = seen(77, "upstream_denied", "not authorized", "trust policy");
    fails(&lab, "dev", &denied);
    for _ in 0..5 {
        refused(
            &lab.run(&["credential-process", "dev"]),
            77,
            denied.what,
            denied.hint,
        );
    }
    assert_eq!(lab.double.count("AssumeRole"), 1);
    lab.double.clear_faults();
    until_good(&lab, &["credential-process", "dev"]);
}

/// What an SDK compares with its own clock, which is as wrong as ours.
#[test]
fn a_clock_that_is_ten_minutes_off_is_measured_and_corrected() {
    for offset in [600, -600] {
        let lab = ready();
        lab.double.set_clock_offset(offset);
        let began = OffsetDateTime::now_utc();
        let document = lab.run(&["credential-process", "dev"]).good().json();
        let end = document["Expiration"].as_str().unwrap();
        let end = OffsetDateTime::parse(end, &Rfc3339).unwrap();
        let off = (end - began).whole_seconds() - 3600;
        assert!(
            (-5..60).contains(&off),
            "{offset}: {off} s more than an hour"
        );
        let refused = lab.double.events().into_iter();
        let refused = refused.filter(|event| event.error_code.is_some());
        assert_eq!(refused.count(), 1, "the first call, which told the time");
        let skew = lab.status()["sts"]["skew_seconds"].as_i64().unwrap();
        assert!(skew.abs_diff(offset) <= 2, "{offset}: {skew}");
        let shown = lab.run(&["status"]).good().stdout;
        assert!(shown.contains("this machine's clock is off by"), "{shown}");
    }
}

/// The time that it says is no time at which it takes a signature.
#[test]
fn a_clock_that_cannot_be_corrected_is_said_so() {
    let lab = ready();
    let skewed = seen(
        77,
        "upstream_denied",
        "GetSessionToken",
        "set this machine's clock",
    );
    let late = error(403, "RequestExpired", "Request has expired");
    lab.double.inject(late, When::call("GetSessionToken"));
    fails(&lab, "dev", &skewed);
}

#[test]
fn a_key_that_is_inactive_or_gone_is_said_so() {
    let lab = ready();
    lab.double
        .change_user("arn:aws:iam::111111111111:user/alice", |user| {
            user.keys.clear()
        });
    fails(
        &lab,
        "dev",
        &seen(
            77,
            "upstream_denied",
            "InvalidClientTokenId",
            "identity check",
        ),
    );
}

/// Points the identity elsewhere, as its user would.
fn point_at(lab: &Lab, endpoint: &str) {
    let file = lab.path(".config/jumpgate/config.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let line = format!("sts_endpoint = \"{}\"", lab.double.url());
    assert!(text.contains(&line));
    std::fs::write(&file, text.replace(&line, endpoint)).unwrap();
    lab.run(&["reload"]).good();
}

fn point_back(lab: &Lab) {
    // The code was used up, though nobody saw it: another one is due, for which nobody has to wait here.
    lab.double.advance(Duration::from_secs(30));
    lab.configure_profiles(DEV);
    lab.run(&["reload"]).good();
    until_good(lab, &["credential-process", "dev"]);
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[test]
fn an_endpoint_that_is_not_there() {
    let lab = ready();
    point_at(
        &lab,
        &format!("sts_endpoint = \"http://127.0.0.1:{}\"", free_port()),
    );
    fails(
        &lab,
        "dev",
        &seen(
            75,
            "upstream_unavailable",
            "GetSessionToken",
            "check the network",
        ),
    );
    point_back(&lab);
}

#[test]
fn an_endpoint_that_speaks_no_tls() {
    let lab = ready();
    let endpoint = lab.double.url().replace("http://", "https://");
    point_at(&lab, &format!("sts_endpoint = \"{endpoint}\""));
    fails(
        &lab,
        "dev",
        &seen(
            75,
            "upstream_unavailable",
            "cannot connect to 127.0.0.1",
            "check the network",
        ),
    );
    point_back(&lab);
}

struct Tls(Child);

impl Tls {
    /// A TLS server with a certificate that nobody has signed but itself.
    fn start(lab: &Lab, port: u16) -> Self {
        let make = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ];
        finish(lab.program(Path::new("openssl"), &make), "").good();
        let port = port.to_string();
        let serve = [
            "s_server", "-accept", &port, "-key", "key.pem", "-cert", "cert.pem", "-www",
        ];
        let mut server = lab.program(Path::new("openssl"), &serve);
        let server = server
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut server = server.spawn().unwrap();
        let mut output = std::io::BufReader::new(server.stdout.take().unwrap());
        while !crate::surroundings::next_line(&mut output).contains("ACCEPT") {}
        Self(server)
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for() {
    if !has("openssl", "a certificate that nobody vouches for") {
        return;
    }
    let lab = ready();
    let port = free_port();
    let _server = Tls::start(&lab, port);
    let endpoint = format!("sts_endpoint = \"https://127.0.0.1:{port}\"");
    point_at(&lab, &endpoint);
    fails(
        &lab,
        "dev",
        &seen(75, "upstream_unavailable", "certificate", "ca_bundle"),
    );
    point_back(&lab);
}

#[test]
fn a_bundle_of_certificates_that_is_not_there() {
    let lab = ready();
    let bundle = lab.path("no/such.pem");
    let port = free_port();
    let lines = format!(
        "sts_endpoint = \"https://127.0.0.1:{port}\"\nca_bundle = \"{}\"",
        bundle.display()
    );
    point_at(&lab, &lines);
    fails(
        &lab,
        "dev",
        &seen(75, "upstream_unavailable", "such.pem", "ca_bundle"),
    );
    point_back(&lab);
}
