//! `jumpgate doctor` on broken set-ups: each names its fault, says what to do, and blames nothing else.

mod set_ups;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use jumpgate_tests::desktop::Bus;
use jumpgate_tests::lab::{DEV, finish};
use jumpgate_tests::skip::skip;
use jumpgate_tests::{Lab, Ran};
use serde_json::Value;

use crate::built::{lab, ready};
use crate::keyring::{Session, lab_in};
use set_ups::{BROKEN, configuration, reworded, stop};

/// What the machine that the tests run on is like is not the set-up's fault.
const MACHINE: [&str; 5] = ["ptrace", "memory", "core-dumps", "disk-space", "lock-signs"];

/// Everything that is not in order, but for what the machine is like.
fn blamed(ran: &Ran) -> Vec<Value> {
    let report = ran.json();
    let findings = report["findings"].as_array().unwrap().iter();
    let blamed = findings.filter(|finding| {
        let check = finding["check"].as_str().unwrap();
        !MACHINE.contains(&check) && finding["state"] != "ok" && finding["state"] != "skipped"
    });
    blamed.cloned().collect()
}

/// The one finding of this check, its words and its remedy; nothing but `also` is blamed beside it.
#[track_caller]
fn names(
    name: &str,
    ran: &Ran,
    (check, state, what, hint): (&str, &str, &str, &str),
    also: &[&str],
) {
    let blamed = blamed(ran);
    let of = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let found = blamed.iter().find(|finding| {
        of(finding, "check") == check
            && of(finding, "state") == state
            && of(finding, "what").contains(what)
    });
    let found = found.unwrap_or_else(|| panic!("{name}: {blamed:#?} {}", ran.stderr));
    assert!(of(found, "hint").contains(hint), "{name}: {found:#?}");
    let others = blamed.iter().filter(|finding| {
        let other = of(finding, "check");
        other != check && !also.contains(&other.as_str())
    });
    let others: Vec<&Value> = others.collect();
    assert!(others.is_empty(), "{name}: {others:#?}");
    let failed = blamed.iter().any(|finding| finding["state"] == "failed");
    assert_eq!(ran.code(), i32::from(failed), "{name}");
}

#[test]
fn every_broken_set_up_is_named_with_its_remedy() {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(broken) = BROKEN.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut lab = set_ups::sound();
            let _held = (broken.break_it)(&mut lab);
            let ran = lab.run(&["doctor", "--json"]);
            names(broken.name, &ran, broken.expected, broken.also);
            assert_eq!(lab.double.count("AssumeRole"), 0, "{}", broken.name);
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
}

#[test]
fn a_healthy_set_up_has_no_fault_with_and_without_an_agent() {
    let lab = ready();
    let (asked, prompted) = (lab.double.events().len(), lab.passphrase.asked());
    for _ in 0..2 {
        let ran = lab.run(&["doctor", "--json"]).good();
        assert_eq!(blamed(&ran), Vec::<Value>::new());
        assert_eq!(
            (ran.json()["healthy"].clone(), ran.stderr),
            (true.into(), String::new())
        );
        let text = lab.run(&["doctor"]).good().stdout;
        assert!(text.contains("0 failed, "), "{text}");
        let all = lab.run(&["doctor", "--all"]).good().stdout;
        assert!(
            all.contains("ok      sts                http://127.0.0.1:"),
            "{all}"
        );
        stop_if_running(&lab);
    }
    // Nobody was asked, nothing was signed.
    assert_eq!(lab.passphrase.asked(), prompted);
    let calls = lab.double.events();
    let calls = calls[asked..].iter().map(|event| event.action.as_str());
    for action in calls {
        assert!(
            !["GetSessionToken", "AssumeRole", "GetCallerIdentity"].contains(&action),
            "{action}"
        );
    }
}

fn stop_if_running(lab: &Lab) {
    if lab.socket().exists() {
        stop(lab);
    }
}

#[test]
fn a_machine_without_anything_is_told_how_to_begin() {
    let lab = lab(DEV);
    fs::remove_file(configuration(&lab)).unwrap();
    let ran = lab.run(&["doctor"]);
    assert_eq!((ran.code(), ran.stderr.as_str()), (1, ""));
    assert!(
        ran.stdout.contains("there is no configuration"),
        "{}",
        ran.stdout
    );
    let mut bare = lab.client(&["doctor"]);
    bare.env_clear();
    let ran = finish(bare, "");
    assert!(
        ran.code() == 1 && !ran.stdout.is_empty(),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    assert!(!lab.path(".local").exists(), "doctor left something behind");
}

#[test]
fn deep_asks_for_every_profile_and_says_why_one_has_no_session() {
    let refused =
        format!("{DEV}[profile.gone]\nrole_arn = \"arn:aws:iam::222222222222:role/Gone\"\n");
    let lab = crate::built::ready_with(&refused);
    let ran = lab.run(&["doctor", "--deep", "--json"]);
    assert_eq!(ran.code(), 1);
    assert!(
        ran.stderr.contains("asking for a session of each profile"),
        "{}",
        ran.stderr
    );
    let report = ran.json();
    let findings = report["findings"].as_array().unwrap();
    let of = |name: &str| {
        let mut found = findings
            .iter()
            .filter(|finding| finding["check"] == "profile");
        found
            .find(|finding| finding["what"].as_str().unwrap().starts_with(name))
            .unwrap()
    };
    assert_eq!(of("dev: ")["state"], "ok");
    assert_eq!(of("gone: ")["state"], "failed");
    assert!(!of("gone: ")["hint"].as_str().unwrap().is_empty());
    assert_eq!(lab.status()["leases"], 0, "a lease is left");
    let text = ran.stdout;
    for secret in lab.secrets() {
        assert!(!text.contains(&secret));
    }
}

#[test]
fn a_client_without_an_agent_says_so() {
    let lab = lab(DEV);
    fs::remove_file(&lab.programs.agent).unwrap();
    let ran = lab.run(&["doctor"]);
    assert_eq!(ran.code(), 69);
    assert!(
        ran.stderr.contains("jumpgate-agent is neither beside"),
        "{}",
        ran.stderr
    );
    // The harness stops an agent that never ran.
    fs::write(&lab.programs.agent, "").unwrap();
}

#[test]
fn a_real_keyring_is_looked_at_part_by_part() {
    let Some(session) = Session::start("doctor with gnome-keyring") else {
        return;
    };
    let mut lab = lab_in(&session);
    lab.set("DISPLAY", ":of-nobody");
    let none = (
        "stored-key",
        "failed",
        "jump has no key in the keyring",
        "identity add jump",
    );
    names("empty keyring", &lab.run(&["doctor", "--json"]), none, &[]);
    lab.run_with_input(&["identity", "add", "jump"], &lab.alices_key())
        .good();
    assert_eq!(
        blamed(&lab.run(&["doctor", "--json"]).good()),
        Vec::<Value>::new()
    );

    let call = |method: &str, arguments: &[&str]| {
        let mut words = vec![
            "call",
            "--session",
            "--dest",
            "org.freedesktop.secrets",
            "--object-path",
            "/org/freedesktop/secrets",
            "--method",
        ];
        let method = format!("org.freedesktop.Secret.Service.{method}");
        words.push(&method);
        words.extend(arguments);
        finish(lab.program(Path::new("/usr/bin/gdbus"), &words), "").good()
    };
    call("Lock", &["['/org/freedesktop/secrets/collection/login']"]);
    let ran = lab.run(&["doctor", "--json"]).good();
    let text = lab.run(&["doctor", "--all"]).good().stdout;
    assert!(text.contains("it is locked; the first use"), "{text}");
    assert_eq!(blamed(&ran), Vec::<Value>::new());

    lab.set("DISPLAY", "");
    let dark = (
        "collection",
        "failed",
        "there is no display",
        "store = \"file\"",
    );
    names(
        "locked in the dark",
        &lab.run(&["doctor", "--json"]),
        dark,
        &["display"],
    );
}

#[test]
fn a_bus_without_a_keyring_is_told_apart() {
    let Some(bus) = Bus::start() else {
        return skip(
            "doctor on a bus without a keyring",
            "dbus-daemon is not installed",
        );
    };
    let mut lab = ready();
    lab.set("DBUS_SESSION_BUS_ADDRESS", &bus.address());
    lab.set("DISPLAY", ":of-nobody");
    reworded(&lab, "store = \"file\"", "store = \"keyring\"");
    let ran = lab.run(&["doctor", "--json"]);
    let silent = (
        "secret-service",
        "failed",
        "no keyring answers",
        "install and start gnome-keyring",
    );
    names("a bus without a keyring", &ran, silent, &["configuration"]);
}

/// The page explains every check, and no other.
#[test]
fn the_page_has_every_check() {
    let page = include_str!("../../docs/doctor.md");
    let (_, page) = page.split_once("## The checks").unwrap();
    let (page, _) = page.split_once("## For programs").unwrap();
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let rows: Vec<&str> = rows.collect();
    let checks: Vec<&str> = jumpgate_agent::doctor::Check::ALL
        .iter()
        .map(|check| check.as_str())
        .collect();
    assert_eq!(rows, checks);
}
