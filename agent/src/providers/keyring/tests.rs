//! A real gnome-keyring on a real D-Bus.
//!
//! The library reads the bus's address once per process, so each of these tests runs itself again in a process
//! of its own that has the address in its environment: below `tests/clients/keyring-session`, or without.

#![allow(clippy::unwrap_used)]
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::process::{DumpableBehavior, Pid, PidfdFlags, Signal};

use super::*;
use crate::providers::samples::{identity, key};
use crate::providers::skipped::{missing_program, skip};

/// Set in the process that does the work.
const INSIDE: &str = "JUMPGATE_TEST_KEYRING";
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";
const SESSION: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/clients/keyring-session"
);

/// Whether this is the process that does the work, set up like the agent.
fn is_inside() -> bool {
    if std::env::var_os(INSIDE).is_none() {
        return false;
    }
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).unwrap();
    true
}

/// Runs one test of this file again, inside.
fn run_inside(test: &str, mut command: Command) {
    let output = command
        .arg("--exact")
        .arg(format!("providers::keyring::tests::{test}"))
        .arg("--nocapture")
        .env(INSIDE, "1")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let ran = output.status.success() && text.contains("1 passed");
    assert!(ran, "{test} failed inside:\n{text}");
}

fn run_in_session(test: &str) {
    let programs = [
        "dbus-daemon",
        "gnome-keyring-daemon",
        "gdbus",
        "secret-tool",
    ];
    if let Some(program) = missing_program(&programs) {
        return skip(&format!("keyring: {test}"), &format!("no {program}"));
    }
    let mut command = Command::new(SESSION);
    command.arg(std::env::current_exe().unwrap());
    run_inside(test, command);
}

fn run_with_bus(test: &str, address: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(BUS, address);
    run_inside(test, command);
}

/// The store, and a runtime like the agent's.
struct Bench {
    store: KeyringStore,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new(wait: Duration) -> Self {
        let desktop = Desktop {
            bus_address: std::env::var(BUS).ok(),
            has_display: false,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Self {
            store: KeyringStore::new(desktop, wait),
            runtime: runtime.unwrap(),
        }
    }

    fn load(&self, name: &str) -> Result<StoredKey, StoreError> {
        let identity = identity(name);
        self.runtime.block_on(self.store.load(&identity, None))
    }

    fn save(&self, name: &str, secret: &str) -> Result<(), StoreError> {
        let (identity, key) = (identity(name), key(secret));
        self.runtime
            .block_on(self.store.save(&identity, &key, None))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        let identity = identity(name);
        self.runtime.block_on(self.store.remove(&identity))
    }

    /// All three calls fail, each in less than two seconds, and say this.
    fn assert_unavailable(&self, expected: &str, expected_remedy: &str) {
        for call in ["load", "save", "remove"] {
            let began = Instant::now();
            let result = match call {
                "load" => self.load("jump").map(drop),
                "save" => self.save("jump", "s"),
                _ => self.remove("jump"),
            };
            let took = began.elapsed();
            let Err(StoreError::Unavailable { what, remedy }) = result else {
                panic!("{call}: {result:?}");
            };
            assert!(what.starts_with(expected), "{call}: {what}");
            assert!(remedy.contains(expected_remedy), "{call}: {remedy}");
            assert!(took < Duration::from_secs(2), "{call} took {took:?}");
        }
    }
}

const PATIENT: Duration = Duration::from_secs(60);

fn tool(program: &str, arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn store_with_tool(attributes: &[&str], secret: &str) {
    let arguments = [&["store", "--label=by another program"], attributes].concat();
    let (stored, text) = tool("secret-tool", &arguments, secret);
    assert!(stored, "{text}");
}

/// What is in the keyring is what other programs can see and remove there.
#[test]
fn a_key_is_kept_replaced_and_removed() {
    if !is_inside() {
        return run_in_session("a_key_is_kept_replaced_and_removed");
    }
    let bench = Bench::new(PATIENT);
    assert!(!bench.store.wants_passphrase());
    assert_eq!(bench.load("jump"), Err(StoreError::NothingStored));
    assert_eq!(bench.remove("jump"), Err(StoreError::NothingStored));
    for secret in ["first", "second"] {
        bench.save("jump", secret).unwrap();
        assert_eq!(bench.load("jump"), Ok(key(secret)));
    }
    bench.save("team/other@x+y", "third").unwrap();
    assert_eq!(bench.load("team/other@x+y"), Ok(key("third")));
    assert_eq!(bench.load("jump"), Ok(key("second")));
    let (_, seen) = tool(
        "secret-tool",
        &["search", "--all", "service", "jumpgate"],
        "",
    );
    assert_eq!(seen.matches("secret = ").count(), 2, "{seen}");
    assert!(seen.contains("label = Jumpgate identity jump\n"), "{seen}");
    assert!(seen.contains("attribute.username = jump\n"), "{seen}");
    assert!(seen.contains(r#"secret = {"version":2,"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"second"}"#));
    bench.remove("jump").unwrap();
    assert_eq!(bench.load("jump"), Err(StoreError::NothingStored));
    // Another program takes the other one away.
    tool("secret-tool", &["clear", "service", "jumpgate"], "");
    assert_eq!(bench.load("team/other@x+y"), Err(StoreError::NothingStored));
}

#[test]
fn what_another_program_put_there() {
    if !is_inside() {
        return run_in_session("what_another_program_put_there");
    }
    let bench = Bench::new(PATIENT);
    let malformed = |what: &str| Err(StoreError::Malformed { what: what.into() });
    let ours = ["service", "jumpgate", "username", "jump"];
    store_with_tool(&ours, "CANARY");
    assert_eq!(bench.load("jump"), malformed("not JSON with a version"));
    store_with_tool(&ours, &"x".repeat(8000));
    assert_eq!(bench.load("jump"), malformed("more than 7168 bytes"));
    // Adding the identity again mends it.
    bench.save("jump", "s").unwrap();
    assert_eq!(bench.load("jump"), Ok(key("s")));
    // Two under one name: none is taken, and removing removes both.
    store_with_tool(&[&ours[..], &["another", "one"]].concat(), "CANARY");
    let Err(StoreError::Unavailable { what, remedy }) = bench.load("jump") else {
        panic!("one of two was taken");
    };
    assert_eq!(what, "the keyring has 2 items under this name");
    assert!(remedy.contains("jumpgate identity remove"), "{remedy}");
    bench.remove("jump").unwrap();
    assert_eq!(bench.load("jump"), Err(StoreError::NothingStored));
}

#[test]
fn a_locked_keyring_without_a_display() {
    if !is_inside() {
        return run_in_session("a_locked_keyring_without_a_display");
    }
    let bench = Bench::new(PATIENT);
    bench.save("jump", "s").unwrap();
    let arguments = "call --session --dest org.freedesktop.secrets \
        --object-path /org/freedesktop/secrets --method org.freedesktop.Secret.Service.Lock";
    let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
    arguments.push("[objectpath '/org/freedesktop/secrets/collection/login']");
    let (locked, text) = tool("gdbus", &arguments, "");
    assert!(locked, "{text}");
    bench.assert_unavailable("the keyring is locked, and there is no display", "DISPLAY");
}

/// Ends a process and returns once it is gone.
fn end(pid_variable: &str) {
    let pid = std::env::var(pid_variable).unwrap().parse().unwrap();
    let pid = Pid::from_raw(pid).unwrap();
    let gone = rustix::process::pidfd_open(pid, PidfdFlags::empty()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
    let mut events = [rustix::event::PollFd::new(
        &gone,
        rustix::event::PollFlags::IN,
    )];
    rustix::event::poll(&mut events, None).unwrap();
}

#[test]
fn a_bus_without_a_keyring() {
    if !is_inside() {
        return run_in_session("a_bus_without_a_keyring");
    }
    // On a connection that was never good, and on one that was.
    let (fresh, used) = (Bench::new(PATIENT), Bench::new(PATIENT));
    used.save("jump", "s").unwrap();
    end("KEYRING_SESSION_KEYRING_PID");
    for bench in [&fresh, &used] {
        bench.assert_unavailable(
            "no keyring answers on the D-Bus session bus",
            "gnome-keyring",
        );
    }
    // Another one comes, empty: the broken connection is not in its way.
    let home = tempfile::tempdir().unwrap();
    let mut keyring = Command::new("gnome-keyring-daemon")
        .args(["--foreground", "--unlock", "--components=secrets"])
        .env("HOME", home.path())
        .env("XDG_DATA_HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    keyring
        .stdin
        .take()
        .unwrap()
        .write_all(b"password")
        .unwrap();
    let arguments = [
        "wait",
        "--session",
        "--timeout",
        "20",
        "org.freedesktop.secrets",
    ];
    assert!(tool("gdbus", &arguments, "").0);
    assert_eq!(used.load("jump"), Err(StoreError::NothingStored));
    used.save("jump", "again").unwrap();
    assert_eq!(fresh.load("jump"), Ok(key("again")));
    keyring.kill().unwrap();
    keyring.wait().unwrap();
}

/// The C library's own way with a lost bus is to end the process.
#[test]
fn a_bus_that_goes_away() {
    if !is_inside() {
        return run_in_session("a_bus_that_goes_away");
    }
    let bench = Bench::new(PATIENT);
    bench.save("jump", "s").unwrap();
    end("KEYRING_SESSION_DBUS_PID");
    bench.assert_unavailable("there is no D-Bus session bus: ", "store = \"file\"");
}

#[test]
fn no_bus_at_that_address() {
    if !is_inside() {
        return run_with_bus("no_bus_at_that_address", "unix:path=/nonexistent/bus");
    }
    let bench = Bench::new(PATIENT);
    let what = "there is no D-Bus session bus: Failed to connect to socket /nonexistent/bus";
    bench.assert_unavailable(what, "store = \"file\"");
}

#[test]
fn an_address_that_is_none() {
    if !is_inside() {
        return run_with_bus("an_address_that_is_none", "over there");
    }
    let bench = Bench::new(PATIENT);
    bench.assert_unavailable("there is no D-Bus session bus: ", "store = \"file\"");
}

#[test]
fn no_address() {
    for bus_address in [None, Some(String::new())] {
        let mut bench = Bench::new(PATIENT);
        let desktop = Desktop {
            bus_address,
            has_display: true,
        };
        bench.store = KeyringStore::new(desktop, PATIENT);
        let what = "there is no D-Bus session bus: DBUS_SESSION_BUS_ADDRESS is not set";
        bench.assert_unavailable(what, "store = \"file\"");
    }
}

/// Takes connections and never says a word: what holds up the thread does not hold up its callers.
#[test]
fn a_bus_that_hangs() {
    if !is_inside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bus");
        let _listening = std::os::unix::net::UnixListener::bind(&path).unwrap();
        return run_with_bus("a_bus_that_hangs", &format!("unix:path={}", path.display()));
    }
    let bench = Bench::new(Duration::from_millis(300));
    bench.assert_unavailable(
        "the keyring did not answer within 0.3 s",
        "its prompt may still be",
    );
}
