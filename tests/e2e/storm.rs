//! A hundred clients at once cost one question to a person and one to AWS, whether it ends well or not.

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{DEV, Ran, ended};
use jumpgate_tests::sts::{Fault, When};

use crate::built::{lab, ready, ready_with};

const CLIENTS: usize = 100;
const PATIENCE: Duration = Duration::from_secs(60);

/// A role that nobody made: AWS says that alice may not assume it, and not that it is missing.
const NOBODY: &str = r#"
[profile.nobody]
account = "target"
role = "Nobody"
"#;

fn start(lab: &Lab, arguments: &[&str]) -> Vec<Child> {
    let one = |_| {
        let mut client = lab.client(arguments);
        client.stdout(Stdio::piped()).stderr(Stdio::piped());
        client.spawn().unwrap()
    };
    (0..CLIENTS).map(one).collect()
}

/// Starts the clients while AWS does not answer, and lets it answer when all of them wait in the agent.
fn storm(lab: &Lab, held: &str, arguments: &[&str]) -> Vec<Ran> {
    lab.double.inject(Fault::Hold, When::call(held).times(1));
    let clients = start(lab, arguments);
    assert!(lab.double.wait_for_arrivals(held, 1, PATIENCE));
    wait_until_connected(lab, CLIENTS);
    lab.double.release();
    clients.into_iter().map(ended).collect()
}

/// The kernel's list of sockets tells how many connections the agent has accepted (state 03).
pub(crate) fn wait_until_connected(lab: &Lab, count: usize) {
    let (socket, patience) = (lab.socket(), Instant::now() + PATIENCE);
    let socket = socket.to_str().unwrap();
    loop {
        let sockets = std::fs::read_to_string("/proc/net/unix").unwrap();
        let ours = sockets.lines().filter(|line| line.ends_with(socket));
        let connected = ours.filter(|line| line.split_whitespace().nth(5) == Some("03"));
        if connected.count() >= count {
            return;
        }
        assert!(Instant::now() < patience, "not all clients came through");
        std::thread::yield_now();
    }
}

fn assert_one_session(lab: &Lab, answers: &[Ran]) {
    for answer in answers {
        assert_eq!((answer.code(), answer.stderr.as_str()), (0, ""));
        assert_eq!(answer.stdout, answers[0].stdout);
    }
    assert_eq!(answers[0].json()["Version"], 1);
    assert_eq!(lab.mfa.asked(), 1);
    assert_eq!(lab.double.count("GetSessionToken"), 1);
    assert_eq!(lab.double.count("AssumeRole"), 1);
    assert_eq!(lab.records("lease.issue").len(), 1);
    assert_eq!(lab.records("lease.serve").len(), CLIENTS - 1);
    assert_eq!(lab.status()["leases"], CLIENTS);
}

#[test]
fn a_cold_storm_with_a_running_agent_costs_one_of_each() {
    let lab = ready();
    let answers = storm(&lab, "GetSessionToken", &["credential-process", "dev"]);
    assert_one_session(&lab, &answers);
}

#[test]
fn a_cold_storm_starts_one_agent() {
    let lab = ready();
    lab.run(&["agent", "stop"]).good();
    lab.wait_for_agent();
    let answers = storm(&lab, "AssumeRole", &["credential-process", "dev"]);
    assert_one_session(&lab, &answers);
    // The first was the one that stored the key.
    assert_eq!(lab.records("agent.start").len(), 2);
    assert_eq!(lab.records("agent.stop").len(), 1);
}

#[test]
fn a_refused_storm_is_one_call_and_one_record() {
    let lab = ready_with(NOBODY);
    let answers = storm(&lab, "AssumeRole", &["credential-process", "nobody"]);
    for answer in &answers {
        assert_eq!((answer.code(), answer.stdout.as_str()), (77, ""));
        assert!(
            answer.stderr.contains("AccessDenied: User: "),
            "{}",
            answer.stderr
        );
        assert_eq!(answer.stderr, answers[0].stderr);
    }
    // Those who come a moment later get the same answer without a call.
    let late = lab.run(&["credential-process", "nobody"]);
    assert_eq!(late.stderr, answers[0].stderr);
    assert_eq!(lab.mfa.asked(), 1);
    assert_eq!(lab.double.count("AssumeRole"), 1);
    let denials = lab.records("deny");
    assert_eq!(denials.len(), 1, "{denials:?}");
    assert_eq!(denials[0]["unmapped"]["jumpgate"]["count"], CLIENTS + 1);
    assert_eq!(denials[0]["unmapped"]["jumpgate"]["profile"], "nobody");
    assert_eq!(lab.journal_of(&["lease.issue", "lease.serve"]).len(), 0);
}

#[test]
fn without_an_agent_program_each_says_so() {
    let lab = lab(DEV);
    std::fs::remove_file(lab.path("bin/jumpgate-agent")).unwrap();
    for answer in start(&lab, &["credential-process", "dev"])
        .into_iter()
        .map(ended)
    {
        assert_eq!((answer.code(), answer.stdout.as_str()), (69, ""));
        assert!(
            answer.stderr.contains("jumpgate-agent"),
            "{}",
            answer.stderr
        );
    }
}

#[test]
fn an_agent_that_came_meanwhile_is_as_good_as_ours() {
    let lab = lab(DEV);
    let (program, real) = (&lab.programs.agent, lab.path("bin/agent-of-another"));
    std::fs::rename(program, &real).unwrap();
    let script = format!(
        "#!/bin/sh\n{} && echo 'jumpgate-agent: taken' >&2\nexit 69\n",
        real.display()
    );
    std::fs::write(program, script).unwrap();
    std::fs::set_permissions(program, PermissionsExt::from_mode(0o755)).unwrap();
    assert!(lab.status()["pid"].is_u64());
    lab.run(&["agent", "stop"]).good();
    std::fs::remove_file(real).unwrap();
}
