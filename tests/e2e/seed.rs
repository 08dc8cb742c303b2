//! `mfa = "stored"`: the agent makes the codes, and nobody is asked. That the seed stands in no log and no journal is
//! checked at the end of every lab: it is one of its canaries.

use std::process::Stdio;
use std::time::Duration;

use jumpgate_tests::Lab;
use jumpgate_tests::lab::ended;
use jumpgate_tests::sts::{Fault, MFA_SERIAL, When};
use jumpgate_tests::terminal::Terminal;

use crate::rotation::{lab_of, own_keys, world};
use crate::storm::wait_until_connected;
use crate::surroundings::refused;

const ADD: [&str; 3] = ["identity", "add", "jump"];
const CALLERS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(60);

/// A lab whose agent makes the codes, once it has a key and a seed.
fn empty() -> Lab {
    // Her own keys are hers to change with MFA, which is what the codes are for.
    let mfa = r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    let lab = lab_of(world(Some(own_keys(mfa))));
    let configuration = lab.configuration();
    let lines = configuration.lines();
    let lines = lines.filter(|line| !line.starts_with("mfa_command"));
    let stored: Vec<String> = lines
        .map(|line| line.replace("mfa = \"command\"", "mfa = \"stored\""))
        .collect();
    lab.configure(&stored.join("\n"));
    lab.start_agent();
    lab
}

/// The same with alice's key and seed, the seed as AWS's console breaks it for people.
fn seeded() -> Lab {
    let lab = empty();
    let seed = lab.double.totp_seed(MFA_SERIAL);
    let (first, second) = seed.split_at(32);
    let seed = format!("{} {second}", first.to_lowercase());
    let input = format!("{}{seed}\n", lab.alices_key());
    lab.run_with_input(&ADD, &input).good();
    lab
}

#[test]
fn twenty_callers_get_a_session_with_mfa_and_nobody_is_asked() {
    let lab = seeded();
    let held = "GetSessionToken";
    lab.double.inject(Fault::Hold, When::call(held).times(1));
    let clients: Vec<_> = (0..CALLERS)
        .map(|_| {
            let mut client = lab.client(&["credential-process", "dev"]);
            client.stdout(Stdio::piped()).stderr(Stdio::piped());
            client.spawn().unwrap()
        })
        .collect();
    assert!(lab.double.wait_for_arrivals(held, 1, PATIENCE));
    wait_until_connected(&lab, CALLERS);
    lab.double.release();
    for client in clients {
        let answer = ended(client);
        assert_eq!((answer.code(), answer.stderr.as_str()), (0, ""));
        assert_eq!(answer.json()["Version"], 1);
    }
    assert_eq!(lab.double.count(held), 1);
    assert_eq!(lab.double.count("AssumeRole"), 1);
    assert_eq!(lab.mfa.asked(), 0);
}

#[test]
fn codes_are_those_of_awss_clock_and_a_rotation_keeps_the_seed() {
    let lab = empty();
    lab.double.set_clock_offset(120);
    let input = format!("{}{}\n", lab.alices_key(), lab.double.totp_seed(MFA_SERIAL));
    // What AWS answers to this tells its time.
    lab.run_with_input(&ADD, &input).good();
    lab.run(&["identity", "rotate", "jump"]).good();
    lab.double.advance(Duration::from_secs(60));
    lab.run(&["identity", "check", "jump"]).good();
    lab.run(&["lock"]).good();
    lab.run(&["unlock", "jump"]).good();
    lab.run(&["credential-process", "dev"]).good();
    assert_eq!(lab.double.count("GetSessionToken"), 2);
    assert_eq!(lab.mfa.asked(), 0);
}

#[test]
fn what_is_no_seed_is_refused_before_anything_is_stored() {
    let lab = empty();
    let key = lab.alices_key();
    let missing = lab.run_with_input(&ADD, &key);
    refused(
        &missing,
        77,
        "the TOTP seed of the MFA device is missing",
        "give it as a third line",
    );
    let wrong = lab.run_with_input(&ADD, &format!("{key}canary-no-seed\n"));
    refused(
        &wrong,
        64,
        "TOTP seed: expected 10 to 64 bytes in base32",
        "correct it and try again",
    );
    assert!(!wrong.stderr.contains("canary-no-seed"), "{}", wrong.stderr);
    assert!(
        !lab.path(".local/state/jumpgate/identities/jump.age")
            .exists()
    );
    assert_eq!(lab.double.count("GetCallerIdentity"), 0);
}

#[test]
fn a_person_types_the_seed_unseen() {
    let lab = empty();
    let (key, seed) = (lab.alices_key(), lab.double.totp_seed(MFA_SERIAL));
    let (id, secret) = key.trim_end().split_once('\n').unwrap();
    let mut terminal = Terminal::run(&lab.client(&ADD));
    let mut shown = terminal.wait_for("Access key id of jump: ");
    terminal.type_line(id);
    shown += &terminal.wait_for("Secret access key of jump: ");
    terminal.type_line(secret);
    shown += &terminal.wait_for("TOTP seed (base32, as AWS shows it under \"Show secret key\"): ");
    terminal.type_line(&seed);
    let (status, rest) = terminal.end();
    shown += &rest;
    assert!(
        status.success() && shown.contains("jump: stored "),
        "{shown}"
    );
    assert!(!shown.contains(&seed), "the seed was echoed");
}
