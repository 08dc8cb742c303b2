//! A key's rotation against IAM and STS as they are: slow to know a new key, strict about a third, and cut off at any
//! call.

use std::process::Stdio;

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{DEV, Ran, ended};
use jumpgate_tests::sts::{Fault, User, When, World};
use serde_json::json;

use crate::built::programs;
use crate::keyring::{Session, in_keyring};
use crate::surroundings::{PATIENCE, refused};

const ALICE: &str = "arn:aws:iam::111111111111:user/alice";
const OLD: &str = "AKIAJUMPGATEDEMO2345";

/// What alice may do with her own keys; the condition stands for a policy that asks for MFA.
pub(crate) fn own_keys(condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":["iam:ListAccessKeys","iam:CreateAccessKey",
        "iam:UpdateAccessKey","iam:DeleteAccessKey","iam:GetAccessKeyLastUsed"],"Resource":"{ALICE}"{condition}}}}}"#
    )
}

pub(crate) fn world(policy: Option<String>) -> World {
    let mut world = World::demo();
    world.users[0].policies.extend(policy);
    world
}

pub(crate) fn lab_of(world: World) -> Lab {
    let lab = Lab::in_world(&programs(), world, "");
    lab.configure_profiles(DEV);
    lab
}

/// Nobody has to type a code, so that an agent can be killed as often as one likes.
fn without_mfa(lab: &Lab) {
    let lines = lab.configuration();
    let lines = lines.lines().filter(|line| !line.starts_with("mfa"));
    lab.configure(&lines.collect::<Vec<_>>().join("\n"));
}

fn with_key(lab: Lab) -> Lab {
    lab.start_agent();
    lab.add_identity();
    lab.double.clear_events();
    lab
}

fn rotate(lab: &Lab, more: &[&str]) -> Ran {
    lab.run(&[&["identity", "rotate", "jump"], more].concat())
}

fn keys(lab: &Lab) -> Vec<(String, bool)> {
    lab.double.access_keys(ALICE)
}

/// The key that is stored works, no third one was ever asked for, and no two were lost.
#[track_caller]
fn a_key_works(lab: &Lab) {
    let check = lab.run(&["identity", "check", "jump"]).good();
    assert!(check.stdout.contains(ALICE), "{}", check.stdout);
    let made = lab.double.events_of("CreateAccessKey");
    let third = made.iter().filter(|event| event.error_code.is_some());
    assert_eq!(third.count(), 0, "a third key was asked for");
    assert!(keys(lab).len() <= 2);
}

/// What is left in the end is one key, which works.
#[track_caller]
fn one_key_is_left(lab: &Lab) -> String {
    a_key_works(lab);
    let [(id, true)] = &keys(lab)[..] else {
        panic!("{:?}", keys(lab));
    };
    let shown = lab.status()["identities"][0]["key"].clone();
    assert_eq!(shown["access_key_id"], *id);
    assert_eq!(shown["phase"], json!(null));
    id.clone()
}

/// The phases of the rotation's records.
fn phases(lab: &Lab) -> Vec<String> {
    let records = lab.records("identity.rotate");
    let phase = |record: &serde_json::Value| {
        let detail = record["unmapped"]["jumpgate"]["detail"].as_str();
        let detail = detail.or(record["status_detail"].as_str());
        detail
            .unwrap_or_default()
            .split(':')
            .next()
            .unwrap()
            .to_owned()
    };
    records.iter().map(phase).collect()
}

#[test]
fn a_key_is_replaced_while_sessions_are_handed_out() {
    let mfa = r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    let lab = with_key(lab_of(world(Some(own_keys(mfa)))));
    lab.run(&["credential-process", "dev"]).good();
    lab.double.delay_new_keys(3);
    let rotated = rotate(&lab, &["--grace", "1h"]).good();
    let [(former, false), (current, true)] = &keys(&lab)[..] else {
        panic!("{:?}", keys(&lab));
    };
    assert_eq!(former, OLD);
    assert!(
        rotated.stdout.starts_with(&format!(
            "jump: {current} is current\njump: {OLD} is inactive; "
        )),
        "{}",
        rotated.stdout
    );
    // Who has a session keeps it, and the next one is made by the same session with MFA.
    lab.run(&["credential-process", "dev"]).good();
    lab.run(&["export", "dev", "--duration", "20m"]).good();
    assert_eq!(lab.double.count("GetSessionToken"), 1);
    let proofs = lab.double.events_of("GetCallerIdentity");
    let refused_at_first = proofs.iter().filter(|event| event.error_code.is_some());
    assert_eq!(refused_at_first.count(), 3);
    let told = lab.status()["identities"][0]["key"].clone();
    assert_eq!(
        (&told["phase"], &told["other_access_key_id"]),
        (&json!("retiring"), &json!(OLD))
    );
    let listed = lab.run(&["identity", "list"]).good().stdout;
    assert!(listed.contains("(retiring)"), "{listed}");

    refused(
        &rotate(&lab, &[]),
        1,
        "a rotation is under way already: retiring",
        "--resume",
    );
    rotate(&lab, &["--resume"]).good();
    assert_eq!(keys(&lab).len(), 2, "the grace is not over");
    let done = rotate(&lab, &["--resume", "--grace", "0s"]).good();
    assert_eq!(
        done.stdout,
        format!("jump: {current} is current, and no other key is left\n")
    );
    assert_eq!(one_key_is_left(&lab), *current);
    assert_eq!(
        phases(&lab),
        ["creating", "created", "switched", "retiring", "settled"],
        "a refusal to begin and a wait change nothing"
    );
    refused(
        &rotate(&lab, &["--resume"]),
        1,
        "no rotation is under way",
        "rotate jump",
    );
}

#[test]
fn a_second_key_that_is_there_already_is_named_with_its_last_use() {
    let mut world = world(Some(own_keys("")));
    let alice = std::mem::replace(&mut world.users[0], User::new("111111111111", "nobody"));
    world.users[0] = alice.key("AKIASOMEBODYELSES234", "drawn anew");
    let lab = lab_of(world);
    without_mfa(&lab);
    let lab = with_key(lab);
    let ran = rotate(&lab, &[]);
    refused(
        &ran,
        1,
        "AKIASOMEBODYELSES234 (active, never used)",
        "aws iam delete-access-key",
    );
    assert!(
        ran.stderr.contains(&format!("{OLD} (active, last used ")),
        "{}",
        ran.stderr
    );
    assert_eq!(lab.double.count("CreateAccessKey"), 0);
    assert_eq!(keys(&lab).len(), 2);
}

#[test]
fn without_the_permission_nothing_is_changed_and_the_remedy_named() {
    let lab = lab_of(world(None));
    without_mfa(&lab);
    let lab = with_key(lab);
    refused(
        &rotate(&lab, &[]),
        77,
        "iam:ListAccessKeys",
        "iam:ListAccessKeys, CreateAccessKey",
    );
    assert_eq!(one_key_is_left(&lab), OLD);
}

/// A key whose answer never came is deleted only if nobody can have it.
#[test]
fn a_key_that_somebody_uses_is_never_taken_for_a_lost_one() {
    let place = ("CreateAccessKey", 0, Cut::Before);
    let Bench { lab, _session } = cut_off(bench(), place);
    lab.double.change_user(ALICE, |alice| {
        let mut other = alice.keys[0].clone();
        other.id = "AKIASOMEBODYELSES234".to_owned();
        other.created = 4_000_000_000;
        alice.keys.push(other);
    });
    lab.double.use_key("AKIASOMEBODYELSES234");
    let ran = rotate(&lab, &["--resume"]);
    refused(
        &ran,
        1,
        "AKIASOMEBODYELSES234 (active, last used ",
        "if nobody uses it",
    );
    assert_eq!(keys(&lab).len(), 2);
    lab.double
        .change_user(ALICE, |alice| alice.keys.truncate(1));
    rotate(&lab, &["--abort"]).good();
    assert_eq!(one_key_is_left(&lab), OLD);
}

/// Where the agent is killed: while AWS has not carried out the call, or has, and its answer never comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Before,
    After,
}

/// Calls of the rotation, the n-th of its kind.
type Place = (&'static str, usize, Cut);

/// Kills the agent in a call that a fault holds up, and starts another.
fn killed_in(lab: &Lab, call: &str, nth: usize, cut: Cut, more: &[&str]) {
    let mut client = lab.client(&[&["identity", "rotate", "jump"], more].concat());
    client.stdout(Stdio::piped()).stderr(Stdio::piped());
    let client = client.spawn().unwrap();
    let there = match cut {
        Cut::Before => lab.double.wait_for_arrivals(call, nth + 1, PATIENCE),
        Cut::After => lab.double.wait_for_events(call, nth + 1, PATIENCE),
    };
    assert!(there, "{call} {nth} never came");
    lab.kill_agent();
    assert_eq!(ended(client).code(), 69);
    lab.double.clear_faults();
    lab.start_agent();
}

/// A lab in a keyring's session, whose keyring ends after it.
struct Bench {
    lab: Lab,
    _session: Option<Session>,
}

/// In a keyring where there is one: a sealed file takes its passphrase's work at each of the many changes.
fn bench() -> Bench {
    let lab = lab_of(world(Some(own_keys(""))));
    let session = Session::start("rotations in gnome-keyring; a sealed file stands in");
    let lab = match &session {
        Some(session) => in_keyring(lab, session),
        None => lab,
    };
    Bench {
        lab,
        _session: session,
    }
}

fn in_a_file() -> Bench {
    Bench {
        lab: lab_of(world(Some(own_keys("")))),
        _session: None,
    }
}

/// A rotation without a grace that is cut off there.
fn cut_off(bench: Bench, (call, nth, cut): Place) -> Bench {
    let lab = bench.lab;
    without_mfa(&lab);
    let lab = with_key(lab);
    let fault = match cut {
        Cut::Before => Fault::Hang,
        Cut::After => Fault::HoldAnswer,
    };
    lab.double
        .inject(fault, When::call(call).behind(nth).times(1));
    killed_in(&lab, call, nth, cut, &["--grace", "0s"]);
    Bench { lab, ..bench }
}

/// Cut off there, the stored key works at once, and what `--resume` or a new beginning leaves is one new key.
#[track_caller]
fn survives_in(bench: Bench, place: Place) {
    let Bench { lab, _session } = cut_off(bench, place);
    a_key_works(&lab);
    let begun = lab.status()["identities"][0]["key"]["phase"].is_string();
    rotate(&lab, &[if begun { "--resume" } else { "--grace=0s" }]).good();
    assert_ne!(one_key_is_left(&lab), OLD);
    lab.run(&["journal", "verify"]).good();
}

#[track_caller]
fn survives(place: Place) {
    survives_in(bench(), place);
}

#[track_caller]
fn survives_in_a_file(place: Place) {
    survives_in(in_a_file(), place);
}

/// Cut off there, `--abort` leaves the old key alone, as long as that exists.
#[track_caller]
fn is_taken_back(place: Place) {
    let Bench { lab, _session } = cut_off(bench(), place);
    a_key_works(&lab);
    rotate(&lab, &["--abort"]).good();
    assert_eq!(one_key_is_left(&lab), OLD);
}

macro_rules! places {
    ($($test:ident: $check:ident($call:literal, $nth:literal, $cut:ident);)+) => {
        $(#[test]
        fn $test() {
            $check(($call, $nth, Cut::$cut));
        })+
    };
}

// Every call of a rotation, before and after it took effect; what lies between two calls is the store's one write.
places! {
    killed_before_anything_is_stored: survives("ListAccessKeys", 0, Before);
    killed_when_the_intent_is_stored: survives("ListAccessKeys", 1, Before);
    killed_before_the_key_is_made: survives("CreateAccessKey", 0, Before);
    killed_when_the_key_is_made_and_not_stored: survives("CreateAccessKey", 0, After);
    killed_when_the_key_is_stored_and_not_proved: survives("GetCallerIdentity", 1, Before);
    killed_when_the_key_is_nearly_proved: survives("GetCallerIdentity", 3, After);
    killed_when_the_new_key_is_current: survives("UpdateAccessKey", 0, Before);
    killed_when_the_old_key_is_inactive: survives("UpdateAccessKey", 0, After);
    killed_before_the_old_key_is_deleted: survives("DeleteAccessKey", 0, Before);
    killed_when_the_old_key_is_deleted: survives("DeleteAccessKey", 0, After);
    killed_with_a_sealed_file_when_the_key_is_made_and_not_stored: survives_in_a_file("CreateAccessKey", 0, After);
    killed_with_a_sealed_file_when_the_new_key_is_current: survives_in_a_file("UpdateAccessKey", 0, Before);
    taken_back_when_the_intent_is_stored: is_taken_back("ListAccessKeys", 1, Before);
    taken_back_when_the_key_is_made_and_not_stored: is_taken_back("CreateAccessKey", 0, After);
    taken_back_when_the_key_is_stored: is_taken_back("GetCallerIdentity", 1, Before);
    taken_back_when_the_new_key_is_current: is_taken_back("UpdateAccessKey", 0, Before);
    taken_back_when_the_old_key_is_inactive: is_taken_back("DeleteAccessKey", 0, Before);
}
