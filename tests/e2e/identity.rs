//! Identities in a sealed file: keys that are stored and keys that are refused, and a person at a terminal.

use std::path::Path;

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{DEV, PASSPHRASE, Ran, ended};
use jumpgate_tests::skip::skip;
use jumpgate_tests::sts::{JUMP_ACCOUNT, MFA_SERIAL, User, World};
use jumpgate_tests::terminal::Terminal;
use serde_json::json;

use crate::built::{lab, programs, ready};
use crate::storm::wait_until_connected;

/// Users whose keys must not be stored, beside alice.
fn world() -> World {
    World::demo()
        .user(User::root(JUMP_ACCOUNT).key("AKIAROOTROOTROOTROOT", "drawn anew"))
        .user(User::new("444444444444", "mallory").key("AKIAMALLORYMALLORY22", "drawn anew"))
}

/// A lab where a person types passphrase and code.
fn typed() -> Lab {
    let lab = lab(DEV);
    let configuration: Vec<String> = lab
        .configuration()
        .lines()
        .filter(|line| !line.starts_with("passphrase_command") && !line.starts_with("mfa_command"))
        .map(|line| line.replace("mfa = \"command\"", "mfa = \"prompt\""))
        .collect();
    lab.configure(&configuration.join("\n"));
    lab.start_agent();
    lab
}

/// The same, with alice's key stored.
fn typed_with_key() -> Lab {
    let lab = typed();
    let input = format!("{}{PASSPHRASE}\n", lab.alices_key());
    lab.run_with_input(&["identity", "add", "jump"], &input)
        .good();
    lab
}

fn state(lab: &Lab) -> String {
    lab.status()["identities"][0]["state"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn a_wrong_code(lab: &Lab) -> String {
    let near: Vec<String> = (-2..=2)
        .map(|steps| lab.double.totp_code_at(MFA_SERIAL, steps))
        .collect();
    let mut codes = (0..).map(|number| format!("{number:06}"));
    codes.find(|code| !near.contains(code)).unwrap()
}

#[track_caller]
fn assert_refused(ran: &Ran, code: i32, what: &str) {
    assert_eq!(
        (ran.code(), ran.stdout.as_str()),
        (code, ""),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains(what), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
}

#[test]
fn a_key_of_two_lines_is_checked_sealed_listed_and_removed() {
    let lab = lab(DEV);
    lab.start_agent();
    let added = lab
        .run_with_input(&["identity", "add", "jump"], &lab.alices_key())
        .good();
    assert_eq!(
        added.stdout,
        "jump: stored arn:aws:iam::111111111111:user/alice, in the file\n"
    );
    assert_eq!(lab.double.count("GetCallerIdentity"), 1);
    let record = &lab.records("identity.add")[0];
    assert_eq!(
        (
            &record["status"],
            &record["unmapped"]["jumpgate"]["identity"]
        ),
        (&json!("Success"), &json!("jump"))
    );

    let list = lab.run(&["identity", "list", "--json"]).good().json();
    let expected = json!({"name": "jump", "kind": "iam-user", "account_id": "111111111111", "store": "file",
        "mfa_serial": MFA_SERIAL, "state": "locked"});
    assert_eq!(list["identities"], json!([expected]));
    let check = lab.run(&["identity", "check", "jump"]).good();
    assert_eq!(
        check.stdout,
        "jump: is arn:aws:iam::111111111111:user/alice, in the file\n"
    );

    let sealed = lab.path(".local/state/jumpgate/identities/jump.age");
    assert!(sealed.exists());
    assert_eq!(
        lab.run(&["identity", "remove", "jump"]).good().stdout,
        "jump: removed\n"
    );
    assert!(!sealed.exists());
    assert_refused(
        &lab.run(&["credential-process", "dev"]),
        64,
        "run: jumpgate identity add jump",
    );
    assert_refused(
        &lab.run(&["identity", "remove", "jump"]),
        64,
        "identity jump",
    );
    assert_eq!(lab.records("identity.remove").len(), 2);
}

#[test]
fn a_third_line_is_the_passphrase() {
    let lab = typed();
    let short = lab.run_with_input(&["identity", "add", "jump"], &lab.alices_key());
    assert_refused(
        &short,
        77,
        "give it as a third line, or set passphrase_command",
    );
    let input = format!("{}{PASSPHRASE}\n", lab.alices_key());
    lab.run_with_input(&["identity", "add", "jump"], &input)
        .good();
    let code = lab.double.totp_code(MFA_SERIAL);
    let wrong = lab.run_with_input(&["unlock"], &format!("not the passphrase\n{code}\n"));
    assert_eq!(
        (wrong.code(), wrong.stdout.as_str()),
        (77, ""),
        "{}",
        wrong.stderr
    );
    let right = lab
        .run_with_input(&["unlock"], &format!("{PASSPHRASE}\n{code}\n"))
        .good();
    assert!(
        right.stdout.starts_with("jump: unlocked until "),
        "{}",
        right.stdout
    );
    lab.run(&["credential-process", "dev"]).good();
}

#[test]
fn keys_that_are_no_users_of_the_account_are_refused_with_the_reason() {
    let lab = Lab::in_world(&programs(), world(), "");
    lab.configure_profiles(DEV);
    lab.start_agent();
    let add = |input: &str| lab.run_with_input(&["identity", "add", "jump"], input);
    let root = "root user of account 111111111111; root keys are never kept";
    assert_refused(&add(&lab.key_of("root")), 77, root);
    let other =
        "the key belongs to account 444444444444, and the identity is configured for 111111111111";
    assert_refused(&add(&lab.key_of("mallory")), 77, other);
    let alice = lab.alices_key();
    let (id, secret) = alice.trim_end().split_once('\n').unwrap();
    assert_refused(
        &add(&format!("{id}\nnot-the-secret\n")),
        77,
        "SignatureDoesNotMatch",
    );
    assert_refused(
        &add(&format!("AKIAUNKNOWNUNKNOWN22\n{secret}\n")),
        77,
        "InvalidClientTokenId",
    );
    assert_refused(&add(&format!("{id}\n")), 64, "the access key is missing");
    assert_refused(
        &add(&format!("x\n{secret}\n")),
        64,
        "access key id: expected",
    );
    let unknown = lab.run_with_input(&["identity", "add", "jmup"], &alice);
    assert_refused(&unknown, 64, "no identity is called jmup");
    assert!(
        !lab.path(".local/state/jumpgate/identities/jump.age")
            .exists()
    );
    assert_eq!(lab.records("identity.add").len(), 4);
}

#[test]
fn the_key_of_a_session_is_refused_without_asking_aws() {
    let lab = ready();
    let document = lab.run(&["credential-process", "dev"]).good().json();
    let (id, secret) = (
        document["AccessKeyId"].as_str().unwrap(),
        document["SecretAccessKey"].as_str().unwrap(),
    );
    lab.double.clear_events();
    let ran = lab.run_with_input(&["identity", "add", "jump"], &format!("{id}\n{secret}\n"));
    assert_refused(&ran, 77, "these are temporary credentials");
    assert_eq!(lab.double.count("GetCallerIdentity"), 0);
    // What was stored before still is.
    lab.run(&["identity", "check", "jump"]).good();
}

#[test]
fn a_person_adds_a_key_at_a_terminal() {
    let lab = typed();
    let key = lab.alices_key();
    let (id, secret) = key.trim_end().split_once('\n').unwrap();
    let mut terminal = Terminal::run(&lab.client(&["identity", "add", "jump"]));
    let mut shown = terminal.wait_for("Access key id of jump: ");
    terminal.type_line(id);
    shown += &terminal.wait_for("Secret access key of jump: ");
    terminal.type_line(secret);
    shown += &terminal.wait_for("New passphrase for jump: ");
    terminal.type_line(PASSPHRASE);
    shown += &terminal.wait_for("The same again: ");
    terminal.type_line(PASSPHRASE);
    let (status, rest) = terminal.end();
    shown += &rest;
    assert!(status.success(), "{shown}");
    assert!(
        shown.contains(id) && shown.contains("jump: stored arn:aws:iam::111111111111:user/alice"),
        "{shown}"
    );
    assert!(
        !shown.contains(secret) && !shown.contains(PASSPHRASE),
        "a secret was echoed"
    );
}

#[test]
fn a_person_unlocks_at_a_terminal_with_a_wrong_code_and_then_the_right_one() {
    let lab = typed_with_key();
    let mut terminal = Terminal::run(&lab.client(&["unlock"]));
    let mut shown = terminal.wait_for("Passphrase of jump: ");
    terminal.type_line(PASSPHRASE);
    shown += &terminal.wait_for("MFA code for arn:aws:iam::111111111111:mfa/alice: ");
    terminal.type_line("12345");
    shown += &terminal.wait_for("an MFA code has six digits");
    shown += &terminal.wait_for("mfa/alice: ");
    terminal.type_line(&a_wrong_code(&lab));
    shown += &terminal.wait_for("invalid MFA one time pass code");
    shown += &terminal.wait_for("mfa/alice: ");
    terminal.type_line(&lab.double.totp_code(MFA_SERIAL));
    let (status, rest) = terminal.end();
    assert!(
        status.success() && rest.contains("jump: unlocked until"),
        "{rest}"
    );
    assert!(
        !shown.contains(PASSPHRASE) && !rest.contains(PASSPHRASE),
        "the passphrase was echoed"
    );
    assert_eq!(lab.double.count("GetSessionToken"), 2);
    assert_eq!(state(&lab), "unlocked");
    assert!(
        shown.contains("12345\r\n"),
        "a code may be seen, and the terminal is as it was: {shown}"
    );
    let outcomes: Vec<_> = lab
        .records("identity.unlock")
        .iter()
        .map(|r| r["status"].clone())
        .collect();
    assert_eq!(outcomes.last().unwrap(), "Success", "{outcomes:?}");
}

#[test]
fn whoever_waits_gets_a_session_when_the_code_comes() {
    let lab = typed_with_key();
    let mut terminal = Terminal::run(&lab.client(&["unlock", "jump"]));
    terminal.wait_for("Passphrase of jump: ");
    terminal.type_line(PASSPHRASE);
    terminal.wait_for("mfa/alice: ");
    assert_eq!(state(&lab), "prompting");
    let mut waiting = lab.client(&["credential-process", "dev"]);
    waiting
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let waiting = waiting.spawn().unwrap();
    wait_until_connected(&lab, 1);
    terminal.type_line(&lab.double.totp_code(MFA_SERIAL));
    assert!(terminal.end().0.success());
    let ran = ended(waiting).good();
    assert_eq!(ran.json()["AccountId"], "222222222222");
    assert_eq!(lab.double.count("GetSessionToken"), 1);
}

#[test]
fn without_a_terminal_each_answer_is_a_line() {
    let lab = typed_with_key();
    assert_refused(&lab.run(&["unlock"]), 77, "the passphrase is missing");
    let wrong = lab.run_with_input(
        &["unlock"],
        &format!("{PASSPHRASE}\n{}\n", a_wrong_code(&lab)),
    );
    assert_refused(&wrong, 77, "invalid MFA one time pass code");
    let code = lab.double.totp_code(MFA_SERIAL);
    let right = lab.run_with_input(
        &["unlock", "jump", "--json"],
        &format!("{PASSPHRASE}\n{code}\n"),
    );
    let reply = right.good().json();
    assert_eq!(reply["identity"], "jump");
    assert!(reply["mfa_until"].is_string() && reply["unlocked_until"].is_string());
    // After a lock the same code is known to be used, and not sent to AWS again.
    lab.run(&["lock"]).good();
    let again = lab.run_with_input(&["unlock"], &format!("{PASSPHRASE}\n{code}\n"));
    assert_refused(&again, 77, "this MFA code was used already");
    assert_eq!(lab.double.count("GetSessionToken"), 2);
}

#[test]
fn the_sealed_file_opens_without_us() {
    let age = Path::new("/usr/bin/age");
    if !age.exists() {
        return skip("the sealed file by age -d", "age is not installed");
    }
    let lab = ready();
    let sealed = lab.path(".local/state/jumpgate/identities/jump.age");
    let mut terminal = Terminal::run(&lab.program(age, &["-d", sealed.to_str().unwrap()]));
    terminal.wait_for("passphrase");
    terminal.type_line(PASSPHRASE);
    let (status, shown) = terminal.end();
    assert!(status.success(), "{shown}");
    for line in lab.alices_key().lines() {
        assert!(shown.contains(line));
    }
}
