//! Facts to findings, by tables.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use jumpgate_api::Timestamp;
use serde_json::json;

use super::*;
use crate::config;
use crate::doctor::facts::{
    AwsFile, AwsProfile, Configured, Found, Here, Kind, Look, Machine, Reached, State,
};
use crate::doctor::finding::State as Stands;
use crate::doctor::told::{Asked, Told, Trouble};
use crate::ports::StoreError;
use crate::providers::journal::Newest;
use crate::providers::keyring::probe::{Broken, Part, Sight};

const US: u32 = 1000;
const NOW: i64 = 1_800_000_000;

const CONFIGURATION: &str = r#"version = 1
[identity.desk]
kind = "iam-user"
account = "111111111111"
mfa_serial = "arn:aws:iam::111111111111:mfa/alice"
[identity.rack]
kind = "iam-user"
account = "111111111111"
store = "file"
rotate_after = "90d"
mfa_serial = "arn:aws:iam::111111111111:mfa/alice"
mfa = "command"
mfa_command = ["/bin/code"]
[profile.dev]
identity = "desk"
role_arn = "arn:aws:iam::222222222222:role/Developer"
"#;

fn at(path: &str, kind: Kind, owner: u32, mode: u32) -> Look {
    Look {
        path: path.into(),
        found: Found::Something { kind, owner, mode },
    }
}

fn directory(path: &str) -> Look {
    at(path, Kind::Directory, US, 0o700)
}

fn file(path: &str) -> Look {
    at(path, Kind::File, US, 0o600)
}

fn files() -> Files {
    Files {
        configuration: vec![file("/h/config.toml"), directory("/h")],
        programs: vec![
            at("/bin/jumpgate", Kind::File, 0, 0o755),
            at("/bin", Kind::Directory, 0, 0o755),
            at("/tmp", Kind::Directory, 0, 0o1777),
        ],
        agent_written: Some(Timestamp::from_unix_seconds(NOW - 1000)),
        runtime_directory: Some(directory("/run/me")),
        socket: Some((
            directory("/run/me/jumpgate"),
            at("/run/me/jumpgate/agent.sock", Kind::Socket, US, 0o600),
        )),
        state: Some(State {
            directory: directory("/s"),
            journal: directory("/s/journal"),
            newest: Ok(None),
            sealed_directory: directory("/s/identities"),
            sealed: vec![file("/s/identities/rack.age")],
            room: Some(1 << 32),
        }),
        named_programs: vec![at("/bin/code", Kind::File, 0, 0o755)],
        prompters: vec!["/usr/bin/pinentry".into()],
        system_bus: Some(at("/run/bus", Kind::Socket, 0, 0o666)),
        aws: Vec::new(),
    }
}

/// A set-up in which nothing is wrong.
fn sound() -> Facts {
    let path = Path::new("/h/config.toml");
    let parsed = config::parse(CONFIGURATION, path, &|_| unreachable!()).unwrap();
    Facts {
        us: US,
        now: Timestamp::from_unix_seconds(NOW),
        told: Told {
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            status: Some(json!({
                "version": env!("CARGO_PKG_VERSION"), "pid": 7, "uptime_seconds": 10,
                "memory_locked": true, "journal": {"healthy": true}, "identities": [],
            })),
            ..Told::default()
        },
        here: Here {
            has_display: true,
            has_runtime_directory: true,
            has_session_bus: true,
        },
        configured: Configured::Valid(Box::new(parsed)),
        files: Some(files()),
        machine: Machine {
            ptrace_scope: Some("1".to_owned()),
            core_pattern: Some("core".to_owned()),
            swaps: true,
            may_lock_memory: false,
        },
        keyring: Some(Ok(Sight {
            locked: false,
            items: vec![1],
        })),
        endpoints: Some(vec![Reached {
            url: "https://sts".to_owned(),
            answer: Ok(Some(0)),
        }]),
    }
}

/// What is not as it should be, as `check state: what`.
fn blamed(facts: &Facts) -> Vec<String> {
    let findings = everything(facts).into_iter();
    let wrong = findings.filter(|found| matches!(found.state, Stands::Failed | Stands::Warning));
    let shown = wrong.map(|found| {
        let hint = found.hint.unwrap_or_default();
        assert!(!hint.is_empty(), "no remedy: {}", found.what);
        let (check, state) = (found.check.as_str(), found.state.as_str());
        format!("{check} {state}: {}", found.what)
    });
    shown.collect()
}

/// Exactly one thing is blamed, with these words.
#[track_caller]
fn blames(change: impl FnOnce(&mut Facts), expected: &str) {
    let mut facts = sound();
    change(&mut facts);
    let blamed = blamed(&facts);
    let all = blamed.join("\n");
    assert!(
        blamed.len() == 1 && all.contains(expected),
        "{expected}: {all}"
    );
}

fn with(facts: &mut Facts) -> &mut Files {
    facts.files.as_mut().unwrap()
}

fn state(facts: &mut Facts) -> &mut State {
    with(facts).state.as_mut().unwrap()
}

fn said<'a>(facts: &'a mut Facts, key: &str) -> &'a mut serde_json::Value {
    &mut facts.told.status.as_mut().unwrap()[key]
}

#[test]
fn nothing_is_wrong_with_a_sound_set_up() {
    assert_eq!(blamed(&sound()), Vec::<String>::new());
}

#[test]
fn every_check_has_a_finding_whatever_is_known() {
    let mut late = sound();
    late.files = None;
    late.keyring = None;
    late.endpoints = None;
    late.configured = Configured::Late("/h/config.toml".into());
    late.told = Told::default();
    for facts in [sound(), late] {
        let findings = everything(&facts);
        for check in Check::ALL {
            assert!(
                findings.iter().any(|found| found.check == check),
                "{check:?}"
            );
        }
    }
}

#[test]
fn whose_files_are_and_what_others_may() {
    type Change = fn(&mut Files);
    let cases: [(Change, &str); 9] = [
        (
            |f| f.configuration[0] = at("/h/c", Kind::File, US, 0o620),
            "configuration-file failed: others can write /h/c: its mode is 0620",
        ),
        (
            |f| f.configuration[1] = at("/h", Kind::Directory, 7, 0o755),
            "configuration-file failed: /h belongs to user id 7",
        ),
        (
            |f| f.programs[1] = at("/bin", Kind::Directory, 0, 0o775),
            "programs failed: others can write /bin",
        ),
        (
            |f| f.programs[0] = at("/tmp/j", Kind::File, 0, 0o1777),
            "programs failed: others can write /tmp/j",
        ),
        (
            |f| f.runtime_directory = Some(at("/r", Kind::Directory, US, 0o711)),
            "runtime-directory failed: /r is open to others: its mode is 0711",
        ),
        (
            |f| f.socket.as_mut().unwrap().0 = at("/r", Kind::Directory, 0, 0o700),
            "control-socket failed: /r belongs to user id 0, not to 1000",
        ),
        (
            |f| f.socket.as_mut().unwrap().0 = file("/r"),
            "control-socket failed: /r is no directory",
        ),
        (
            |f| f.socket.as_mut().unwrap().1 = directory("/r/s"),
            "control-socket failed: /r/s is no socket",
        ),
        (
            |f| f.socket.as_mut().unwrap().1.path = PathBuf::from(format!("/{}", "s".repeat(107))),
            "control-socket failed: /ss",
        ),
    ];
    for (change, expected) in cases {
        blames(|facts| change(with(facts)), expected);
    }
    let mut longest = sound();
    with(&mut longest).socket.as_mut().unwrap().1.path = format!("/{}", "s".repeat(106)).into();
    assert_eq!(blamed(&longest), Vec::<String>::new());
}

#[test]
fn what_lies_below_the_state_directory() {
    type Change = fn(&mut State);
    let cases: [(Change, &str); 9] = [
        (
            |s| s.directory = at("/s", Kind::Directory, US, 0o750),
            "state-directory failed",
        ),
        (
            |s| s.journal = at("/s/j", Kind::Directory, 0, 0o700),
            "journal failed: /s/j belongs",
        ),
        (
            |s| s.newest = Err("gone".to_owned()),
            "journal failed: /s/journal cannot be read: gone",
        ),
        (
            |s| {
                s.newest = Ok(Some(Newest {
                    file: "/f".into(),
                    damage: Some((3, "no".to_owned())),
                }))
            },
            "journal failed: /f:3: no",
        ),
        (
            |s| s.sealed[0] = at("/k", Kind::File, US, 0o640),
            "sealed-files failed: /k",
        ),
        (
            |s| s.sealed_directory = at("/i", Kind::Directory, US, 0o755),
            "sealed-files failed: /i",
        ),
        (
            |s| s.sealed[0].found = Found::Nothing,
            "stored-key failed: identity rack has no key in the file",
        ),
        (
            |s| s.room = Some((16 << 20) - 1),
            "disk-space failed: 15 MiB",
        ),
        (|s| s.room = Some(16 << 20), "disk-space warning: 16 MiB"),
    ];
    for (change, expected) in cases {
        blames(|facts| change(state(facts)), expected);
    }
    let mut enough = sound();
    state(&mut enough).room = Some(128 << 20);
    assert_eq!(blamed(&enough), Vec::<String>::new());
}

#[test]
fn the_running_agent() {
    type Change = fn(&mut Facts);
    let cases: [(Change, &str); 9] = [
        (
            |f| *said(f, "version") = json!("0.0.9"),
            "agent-version failed: the agent that runs is version 0.0.9",
        ),
        (
            |f| f.told.version = Some("0.0.9".to_owned()),
            "agent-version failed: jumpgate is version 0.0.9",
        ),
        (
            |f| *said(f, "uptime_seconds") = json!(1002),
            "agent-version warning: the agent's program was replaced",
        ),
        (
            |f| *said(f, "config_error") = json!("x:1: y"),
            "agent failed: it goes on with the earlier configuration: x:1: y",
        ),
        (
            |f| *said(f, "journal") = json!({"healthy": false}),
            "journal failed: the agent cannot write",
        ),
        (
            |f| *said(f, "memory_locked") = json!(false),
            "memory warning",
        ),
        (
            |f| f.told.status = None,
            "control-socket warning: nobody listens",
        ),
        (
            |f| {
                f.told.trouble = Some(Trouble {
                    what: "no".to_owned(),
                    hint: "do".to_owned(),
                })
            },
            "agent failed: no",
        ),
        (
            |f| {
                f.told.profiles = Some(vec![Asked {
                    profile: "dev".to_owned(),
                    trouble: Some(Trouble {
                        what: "no".to_owned(),
                        hint: "do".to_owned(),
                    }),
                }])
            },
            "profile failed: dev: no",
        ),
    ];
    for (change, expected) in cases {
        match expected.starts_with("control-socket") {
            // Without an agent it is not known that memory is locked.
            true => blames(
                |facts| {
                    change(facts);
                    facts.machine.swaps = false;
                },
                expected,
            ),
            false => blames(change, expected),
        }
    }
}

#[test]
fn the_age_of_keys() {
    let key = |name: &str, days: i64, phase: &str, grace: i64| {
        let time = |seconds| Timestamp::from_unix_seconds(seconds).to_string();
        let mut key = json!({"since": time(NOW - days * 86_400)});
        if !phase.is_empty() {
            key["phase"] = json!(phase);
            key["delete_at"] = json!(time(NOW + grace));
        }
        json!([{"name": name, "key": key}])
    };
    for (identities, expected) in [
        (key("rack", 90, "", 0), ""),
        (
            key("rack", 91, "", 0),
            "key-age warning: identity rack: its key is 91 days old",
        ),
        (key("desk", 365, "", 0), ""),
        (
            key("desk", 366, "", 0),
            "key-age warning: identity desk: its key is 366 days old",
        ),
        (key("desk", 1, "retiring", 60), ""),
        (
            key("desk", 1, "retiring", -60),
            "key-age warning: identity desk: a rotation",
        ),
        (json!([{"name": "desk", "key": {}}]), ""),
        (json!([{"name": "desk"}]), ""),
    ] {
        let mut facts = sound();
        *said(&mut facts, "identities") = identities.clone();
        let blamed = blamed(&facts).join("\n");
        let fits = blamed.starts_with(expected) && expected.is_empty() == blamed.is_empty();
        assert!(fits, "{identities}: {blamed}");
    }
}

#[test]
fn the_keyring_part_by_part() {
    let broken = |part, what: &str| {
        let (what, remedy) = (what.to_owned(), "do".to_owned());
        let error = StoreError::Unavailable { what, remedy };
        Some(Err(Broken { part, error }))
    };
    let sight = |locked, items| {
        Some(Ok(Sight {
            locked,
            items: vec![items],
        }))
    };
    for (keyring, expected) in [
        (broken(Part::Bus, "none"), "session-bus failed: none"),
        (broken(Part::Service, "none"), "secret-service failed: none"),
        (broken(Part::Collection, "none"), "collection failed: none"),
        (None, "secret-service failed: the keyring did not answer"),
        (
            sight(false, 0),
            "stored-key failed: identity desk has no key in the keyring",
        ),
        (
            sight(false, 2),
            "stored-key failed: identity desk: keys in the keyring: 2",
        ),
        (
            sight(true, 2),
            "stored-key failed: identity desk: keys in the keyring: 2",
        ),
    ] {
        blames(|facts| facts.keyring = keyring, expected);
    }
    let mut locked = sound();
    locked.keyring = sight(true, 0);
    assert_eq!(blamed(&locked), Vec::<String>::new());
    locked.here.has_display = false;
    let dark = blamed(&locked);
    assert_eq!(dark.len(), 2, "{dark:?}");
    assert!(
        dark[0].starts_with("collection failed: the keyring is locked, and there is no display")
    );
    assert!(dark[1].starts_with("display warning"));
}

#[test]
fn the_clock_at_its_edges() {
    for (ahead, expected) in [
        (59, ""),
        (-59, ""),
        (60, "clock warning: the clock is 60 s ahead of https://sts"),
        (-299, "clock warning: the clock is 299 s behind"),
        (300, "clock failed: the clock is 300 s ahead"),
        (i64::MIN, "clock failed"),
    ] {
        let mut facts = sound();
        facts.endpoints.as_mut().unwrap()[0].answer = Ok(Some(ahead));
        let blamed = blamed(&facts).join("\n");
        let fits = blamed.starts_with(expected) && expected.is_empty() == blamed.is_empty();
        assert!(fits, "{ahead}: {blamed}");
    }
    let answer = Err("no route".to_owned());
    blames(
        |facts| facts.endpoints.as_mut().unwrap()[0].answer = answer,
        "sts failed: https://sts cannot be reached: no route",
    );
}

#[test]
fn the_configuration() {
    let missing = || Configured::Missing("/h/c".into());
    blames(
        |f| f.configured = missing(),
        "configuration-file failed: there is no configuration at /h/c",
    );
    let lines = vec!["one".to_owned(); 11];
    let mut facts = sound();
    facts.configured = Configured::Invalid("/h/c".into(), lines);
    assert_eq!(blamed(&facts).len(), 10, "at most ten mistakes");
    blames(
        |f| with(f).named_programs[0].found = Found::Nothing,
        "mfa-device failed: the mfa_command of identity rack cannot be run: there is no /bin/code",
    );
    blames(
        |f| with(f).named_programs[0] = at("/bin/code", Kind::File, 0, 0o644),
        "/bin/code is no executable file",
    );
}

#[test]
fn what_wins_over_a_session() {
    let profile = |name: &str, key: Option<&str>, process: Option<&str>| AwsProfile {
        name: name.to_owned(),
        line: 3,
        key: key.map(str::to_owned),
        credential_process: process.map(str::to_owned),
    };
    let of = |mode, profiles| AwsFile {
        look: at("/a", Kind::File, US, mode),
        profiles,
        unreadable: None,
    };
    let ours = Some("\"/opt/jumpgate\" credential-process --tag a=b dev");
    let gone = Some("jumpgate credential-process gone");
    for (file, expected) in [
        (of(0o600, vec![profile("dev", None, ours)]), ""),
        (
            of(
                0o600,
                vec![profile("x", None, Some("other credential-process gone"))],
            ),
            "",
        ),
        (
            of(0o600, vec![profile("x", None, gone)]),
            "aws-files failed: /a:3: [x] asks for profile gone",
        ),
        (
            of(0o600, vec![profile("x", Some("AKIA1"), None)]),
            "aws-files warning: /a:3: [x] has a long-term key",
        ),
        (
            of(0o600, vec![profile("x", Some("ASIA1"), None)]),
            "aws-files warning: /a:3: [x] has a key of its own",
        ),
        (
            of(0o600, vec![profile("default", Some("ASIA1"), None)]),
            "aws-files warning: /a:3: [default] has a key, which wins",
        ),
        (
            of(0o600, vec![profile("x", Some("AKIA1"), gone)]),
            "aws-files failed: /a:3: [x] has a key of its own, which wins",
        ),
        (
            of(0o602, Vec::new()),
            "aws-files failed: others can write /a",
        ),
        (of(0o644, Vec::new()), ""),
    ] {
        let mut facts = sound();
        with(&mut facts).aws = vec![file];
        let blamed = blamed(&facts).join("\n");
        let fits = blamed.starts_with(expected) && expected.is_empty() == blamed.is_empty();
        assert!(fits, "{expected}: {blamed}");
    }
    let mut facts = sound();
    with(&mut facts).aws = vec![of(0o644, vec![profile("x", Some("AKIA1"), None)])];
    assert!(blamed(&facts)[0].starts_with("aws-files failed: others can read the keys in /a"));
    for (variable, expected) in [
        ("AWS_ACCESS_KEY_ID", 1),
        ("AWS_PROFILE", 0),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", 0),
    ] {
        let mut facts = sound();
        facts.told.variables = vec![variable.to_owned()];
        assert_eq!(blamed(&facts).len(), expected, "{variable}");
    }
}

#[test]
fn the_kernel() {
    blames(
        |f| f.machine.ptrace_scope = Some("0".to_owned()),
        "ptrace warning",
    );
    let mut facts = sound();
    facts.machine.core_pattern = Some("|/usr/bin/reporter %p".to_owned());
    let core = everything(&facts);
    let core = core
        .iter()
        .find(|found| found.check == Check::CoreDumps)
        .unwrap();
    assert!(
        core.what.ends_with("go to /usr/bin/reporter"),
        "{}",
        core.what
    );
}

#[test]
fn who_can_be_asked_and_who_tells() {
    blames(
        |f| with(f).prompters.clear(),
        "prompter warning: no program that could ask is on PATH",
    );
    blames(
        |f| with(f).system_bus.as_mut().unwrap().found = Found::Nothing,
        "lock-signs warning: there is no system bus at /run/bus",
    );
    blames(
        |f| f.here.has_session_bus = false,
        "lock-signs warning: there is no session bus",
    );
    let mut server = sound();
    server.here.has_display = false;
    server.here.has_session_bus = false;
    with(&mut server).prompters.clear();
    let blamed = blamed(&server);
    assert!(
        blamed.len() == 1 && blamed[0].starts_with("display warning"),
        "{blamed:?}"
    );
}
