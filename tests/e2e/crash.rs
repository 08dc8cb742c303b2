//! Killed at any moment: what was handed out is recorded, and the next call works.

use std::collections::HashSet;
use std::process::{Child, Stdio};
use std::time::Duration;

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{DEV, Ran, ended, finish};
use jumpgate_tests::sts::{Fault, When};
use rustix::process::{Pid, Signal, kill_process};

use crate::built::{lab, ready};
use crate::surroundings::{PATIENCE, connected, next_line, piped, refused, rest};

const CLIENTS: usize = 200;

fn pid(number: &serde_json::Value) -> Pid {
    let number = i32::try_from(number.as_i64().unwrap()).unwrap();
    Pid::from_raw(number).unwrap()
}

fn spawned(lab: &Lab, arguments: &[&str]) -> Child {
    let mut client = lab.client(arguments);
    client.stdout(Stdio::piped()).stderr(Stdio::piped());
    client.spawn().unwrap()
}

/// Starts the clients and kills the agent when so many of them have ended: with none, while all of them wait
/// for AWS.
fn kill_amidst(lab: &Lab, after: usize) -> Vec<Ran> {
    // Those that come later start the next agent: whichever serves first is the one to kill.
    let victim = pid(&lab.status()["pid"]);
    let mut clients: Vec<Child> = (0..CLIENTS)
        .map(|_| spawned(lab, &["credential-process", "dev"]))
        .collect();
    let rest = clients.split_off(after);
    let mut answers: Vec<Ran> = clients.into_iter().map(ended).collect();
    kill_process(victim, Signal::KILL).unwrap();
    answers.extend(rest.into_iter().map(ended));
    answers
}

/// Every key that a client printed has its record, and whoever got none was told so.
#[track_caller]
fn everything_is_recorded(lab: &Lab, answers: &[Ran]) {
    lab.run(&["journal", "verify"]).good();
    let recorded: HashSet<String> = lab
        .journal_of(&["lease.issue", "lease.serve"])
        .iter()
        .filter_map(|record| {
            record["unmapped"]["jumpgate"]["access_key_id"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    let mut printed = 0;
    for answer in answers {
        if answer.status.success() {
            let key = answer.json()["AccessKeyId"].as_str().unwrap().to_owned();
            assert!(recorded.contains(&key), "{key} was handed out unrecorded");
            printed += 1;
        } else {
            assert!(
                [69, 75].contains(&answer.code()),
                "{}: {}",
                answer.status,
                answer.stderr
            );
            assert_eq!(answer.stdout, "");
            assert!(answer.stderr.starts_with("jumpgate: "), "{}", answer.stderr);
        }
    }
    let records = lab.journal_of(&["lease.issue", "lease.serve"]).len();
    assert!(printed <= records, "{printed} answers, {records} records");
}

#[test]
fn killed_during_two_hundred_calls_the_next_call_works() {
    let lab = ready();
    let mut answers = Vec::new();
    for after in [1, 20, 150] {
        lab.run(&["credential-process", "dev"]).good();
        // Codes go by steps of 30 s, and each agent needs one.
        lab.double.advance(Duration::from_secs(30));
        answers.extend(kill_amidst(&lab, after));
        answers.push(lab.run(&["credential-process", "dev"]).good());
        everything_is_recorded(&lab, &answers);
    }
    let served = answers
        .iter()
        .filter(|answer| answer.status.success())
        .count();
    assert!(
        served > CLIENTS,
        "{served} of {} were served",
        answers.len()
    );
}

/// AWS has answered nobody yet: no key can have been printed by the agent that was killed, and all of them are
/// served by the next one.
#[test]
fn whoever_waits_when_the_agent_is_killed_is_served_by_the_next_one() {
    let lab = ready();
    lab.double
        .inject(Fault::Hold, When::call("AssumeRole").times(1));
    let clients: Vec<Child> = (0..20)
        .map(|_| spawned(&lab, &["credential-process", "dev"]))
        .collect();
    assert!(lab.double.wait_for_arrivals("AssumeRole", 1, PATIENCE));
    lab.kill_agent();
    lab.double.advance(Duration::from_secs(30));
    lab.double.release();
    let answers: Vec<Ran> = clients
        .into_iter()
        .map(|client| ended(client).good())
        .collect();
    assert!(
        answers
            .iter()
            .all(|answer| answer.stdout == answers[0].stdout)
    );
    assert_eq!(
        lab.journal_of(&["agent.start"]).len(),
        2,
        "one agent for all of them"
    );
    everything_is_recorded(&lab, &answers);
}

#[test]
fn clients_killed_in_the_middle_of_a_request_harm_nobody() {
    let lab = ready();
    lab.double
        .inject(Fault::Hold, When::call("AssumeRole").times(1));
    let mut clients: Vec<Child> = (0..20)
        .map(|_| spawned(&lab, &["credential-process", "dev"]))
        .collect();
    assert!(lab.double.wait_for_arrivals("AssumeRole", 1, PATIENCE));
    for client in &mut clients {
        client.kill().unwrap();
        client.wait().unwrap();
    }
    lab.double.release();
    // The flight lands without them, and its session is there for the next one.
    lab.run(&["credential-process", "dev"]).good();
    assert_eq!(
        lab.double.count("AssumeRole"),
        1,
        "the flight was given up with its waiters"
    );
    assert_eq!(lab.status()["pid"], lab.agent_pid());
    lab.run(&["journal", "verify"]).good();
}

/// The shell, the terminal or the editor from which the first client came.
#[test]
fn the_agent_outlives_whoever_started_it() {
    let lab = lab(DEV);
    let mut shell = lab.program(
        std::path::Path::new("/bin/bash"),
        &[
            "-c",
            "jumpgate agent start >/dev/null && echo started && read line",
        ],
    );
    shell.stdin(Stdio::piped());
    let (mut shell, mut output) = piped(shell);
    assert_eq!(next_line(&mut output), "started");
    let agent = lab.status()["pid"].clone();
    let group = Pid::from_raw(i32::try_from(shell.id()).unwrap()).unwrap();
    kill_process(group, Signal::KILL).unwrap();
    shell.wait().unwrap();
    // The pipe has no other end: nothing of the shell's is held open by the agent.
    assert_eq!(next_line(&mut output), "");
    assert_eq!(lab.status()["pid"], agent);
    let session = std::fs::read_to_string(format!("/proc/{agent}/stat")).unwrap();
    let fields: Vec<&str> = session
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(
        fields[3],
        agent.to_string(),
        "a session of its own: no terminal's hang-up reaches it"
    );
}

/// A connection that is open when the agent is killed ends, and no client waits for ever.
#[test]
fn whoever_waits_for_a_killed_agent_is_told_at_once() {
    let lab = ready();
    lab.double
        .inject(Fault::Hold, When::call("GetSessionToken").times(1));
    let client = spawned(&lab, &["unlock", "jump"]);
    assert!(lab.double.wait_for_arrivals("GetSessionToken", 1, PATIENCE));
    let mut idle = connected(&lab);
    lab.kill_agent();
    assert_eq!(rest(&mut idle), "");
    // An unlock is not repeated by itself: its code may have been sent.
    refused(&ended(client), 69, "without an answer", "agent start");
    lab.double.release();
    let unlocked = lab.client(&["status", "--json"]);
    let status = finish(unlocked, "").good().json();
    assert_eq!(
        status["identities"][0]["state"], "locked",
        "nothing of a killed agent is left"
    );
}
