//! The control socket's place and life: one agent at a time, nothing that others may enter, a start that says when
//! it is ready, an end that lets requests under way finish.

use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Instant;

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{DEV, ended, finish};
use jumpgate_tests::sts::{Fault, When};
use rustix::process::{Pid, Signal, kill_process};

use crate::built::{lab, ready};
use crate::surroundings::{PATIENCE, as_root, has, refused};

fn agent(lab: &Lab, arguments: &[&str]) -> Child {
    let mut agent = lab.program(&lab.programs.agent, arguments);
    agent.stdout(Stdio::piped()).stderr(Stdio::piped());
    agent.spawn().unwrap()
}

fn directory(lab: &Lab) -> std::path::PathBuf {
    lab.socket().parent().unwrap().to_owned()
}

fn make(directory: &Path, mode: u32) {
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(directory)
        .unwrap();
    std::fs::set_permissions(directory, PermissionsExt::from_mode(mode)).unwrap();
}

/// Client and agent both refuse this place, and each says what to do about it.
#[track_caller]
fn nobody_serves_here(lab: &Lab, what: &str, hint: &str) {
    refused(&lab.run(&["status"]), 69, what, hint);
    let ran = ended(agent(lab, &["--foreground"]));
    assert_eq!(
        (ran.code(), ran.stdout.as_str()),
        (69, ""),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains(what), "{}", ran.stderr);
    assert!(ran.stderr.contains("\n  hint: "), "{}", ran.stderr);
    assert!(!lab.path(".local").exists(), "a journal was opened");
}

#[test]
fn of_two_agents_one_serves_and_the_other_says_who() {
    let lab = lab("");
    let mut agents = [
        agent(&lab, &["--foreground"]),
        agent(&lab, &["--foreground"]),
    ];
    let began = Instant::now();
    let loser = loop {
        let ended = agents
            .iter_mut()
            .position(|agent| agent.try_wait().unwrap().is_some());
        if let Some(loser) = ended {
            break loser;
        }
        assert!(began.elapsed() < PATIENCE, "both serve");
        std::thread::yield_now();
    };
    let [first, second] = agents;
    let (lost, served) = if loser == 0 {
        (first, second)
    } else {
        (second, first)
    };
    let lost = ended(lost);
    assert_eq!(lost.code(), 69, "{}", lost.stderr);
    let said = format!(
        "another agent (pid {}) serves {}",
        served.id(),
        lab.socket().display()
    );
    assert!(lost.stderr.contains(&said), "{}", lost.stderr);
    assert!(
        lost.stderr
            .contains("  hint: use it, or end it with: jumpgate agent stop"),
        "{}",
        lost.stderr
    );
    assert_eq!(lab.status()["pid"], served.id());
    lab.run(&["agent", "stop"]).good();
    ended(served).good();
}

#[test]
fn a_stale_socket_is_replaced() {
    let lab = ready();
    let first = lab.status()["pid"].clone();
    lab.kill_agent();
    assert!(lab.socket().exists(), "kill -9 leaves it behind");
    lab.run(&["credential-process", "dev"]).good();
    assert_ne!(lab.status()["pid"], first);
}

#[test]
fn a_directory_that_others_may_enter_is_refused() {
    for mode in [0o755, 0o770, 0o1777] {
        let lab = lab("");
        make(&directory(&lab), mode);
        nobody_serves_here(&lab, "mode", "chmod 700");
        // The remedy is the right one.
        std::fs::set_permissions(directory(&lab), PermissionsExt::from_mode(0o700)).unwrap();
        lab.run(&["status"]).good();
    }
}

#[test]
fn a_directory_that_was_opened_later_is_refused_by_the_client() {
    let lab = ready();
    std::fs::set_permissions(directory(&lab), PermissionsExt::from_mode(0o711)).unwrap();
    refused(
        &lab.run(&["credential-process", "dev"]),
        69,
        "0711",
        "chmod 700",
    );
    std::fs::set_permissions(directory(&lab), PermissionsExt::from_mode(0o700)).unwrap();
}

#[test]
fn a_directory_of_another_user_is_refused() {
    if !as_root("a socket directory of another user") {
        return;
    }
    let lab = lab("");
    make(&directory(&lab), 0o700);
    std::os::unix::fs::chown(directory(&lab), Some(65_534), None).unwrap();
    nobody_serves_here(&lab, "65534", "JUMPGATE_SOCKET");
    std::os::unix::fs::chown(directory(&lab), Some(0), None).unwrap();
}

#[test]
fn a_link_in_place_of_the_directory_is_refused() {
    let lab = lab("");
    make(&lab.path("elsewhere"), 0o700);
    symlink(lab.path("elsewhere"), directory(&lab)).unwrap();
    nobody_serves_here(&lab, "is not a directory", "move");
}

#[test]
fn a_file_at_the_sockets_place_is_refused_and_stays() {
    let lab = lab("");
    make(&directory(&lab), 0o700);
    std::fs::write(lab.socket(), "precious").unwrap();
    nobody_serves_here(&lab, "is there and is not a socket", "move");
    assert_eq!(std::fs::read(lab.socket()).unwrap(), b"precious");
}

/// Somebody else's listener where ours is expected: nothing is sent to it.
#[test]
fn an_agent_of_another_user_is_not_trusted() {
    if !as_root("an agent of another user") {
        return;
    }
    let lab = lab("");
    make(&directory(&lab), 0o700);
    // The kernel notes who listens when it begins to listen, which on Linux one thread can do as another user.
    let socket = lab.socket();
    for path in socket.ancestors().skip(2).take(2) {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    std::os::unix::fs::chown(directory(&lab), Some(65_534), None).unwrap();
    let listener = std::thread::scope(|scope| {
        let listening = scope.spawn(|| {
            let nobody = rustix::thread::Uid::from_raw(65_534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
            UnixListener::bind(&socket).unwrap()
        });
        listening.join().unwrap()
    });
    std::os::unix::fs::chown(directory(&lab), Some(0), None).unwrap();
    refused(&lab.run(&["status"]), 69, "65534", "JUMPGATE_SOCKET");
    listener.set_nonblocking(true).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut said = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut said).unwrap();
    assert_eq!(said, b"", "nothing was sent to a stranger");
}

#[test]
fn the_place_follows_the_environment() {
    for (name, value, place) in [
        ("JUMPGATE_SOCKET", Some("own/a.sock"), "own/a.sock"),
        (
            "XDG_RUNTIME_DIR",
            None,
            ".local/state/jumpgate/run/agent.sock",
        ),
        (
            "XDG_RUNTIME_DIR",
            Some("other"),
            "other/jumpgate/agent.sock",
        ),
    ] {
        let lab = lab("");
        let run = |arguments: &[&str]| {
            let mut client = lab.client(arguments);
            match value {
                Some(value) => client.env(name, lab.path(value)),
                None => client.env_remove(name),
            };
            finish(client, "").good()
        };
        let pid = run(&["status", "--json"]).json()["pid"].clone();
        let socket = lab.path(place);
        assert!(
            socket.metadata().unwrap().file_type().is_socket(),
            "{place}"
        );
        let mode = socket
            .parent()
            .unwrap()
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o700, "{place}");
        assert!(!lab.socket().exists());
        assert_eq!(run(&["status", "--json"]).json()["pid"], pid);
        run(&["agent", "stop"]);
    }
}

/// As systemd does it: listens, then becomes the agent with the socket as descriptor 3.
const ACTIVATE: &str = r#"
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(128)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ["LISTEN_FDS"] = "1"
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], [sys.argv[2], "--foreground"])
"#;

#[test]
fn a_socket_that_was_passed_is_served_and_stays() {
    if !has("python3", "socket activation") {
        return;
    }
    let lab = lab(DEV);
    make(&directory(&lab), 0o700);
    let mut python = lab.program(Path::new("/usr/bin/python3"), &["-c", ACTIVATE]);
    python.arg(lab.socket()).arg(&lab.programs.agent);
    let (mut notices, address) = notices(&lab);
    let activated = python
        .env("NOTIFY_SOCKET", address)
        .stderr(Stdio::piped())
        .stdout(Stdio::piped());
    let activated = activated.spawn().unwrap();
    await_ready(&mut notices);
    assert_eq!(lab.status()["pid"], activated.id());
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    lab.run(&["agent", "stop"]).good();
    ended(activated).good();
    assert!(lab.socket().exists(), "the socket is systemd's");
}

fn notices(lab: &Lab) -> (UnixDatagram, std::path::PathBuf) {
    let address = lab.path("notify");
    let socket = UnixDatagram::bind(&address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    (socket, address)
}

fn await_ready(notices: &mut UnixDatagram) {
    let mut text = [0; 256];
    let length = notices.recv(&mut text).unwrap();
    assert!(
        text[..length].starts_with(b"READY=1"),
        "{:?}",
        &text[..length]
    );
}

#[test]
fn ready_means_that_a_client_can_connect() {
    let lab = lab("");
    let (mut notices, address) = notices(&lab);
    let mut foreground = lab.program(&lab.programs.agent, &["--foreground"]);
    let foreground = foreground
        .env("NOTIFY_SOCKET", address)
        .stderr(Stdio::piped())
        .stdout(Stdio::piped());
    let foreground = foreground.spawn().unwrap();
    await_ready(&mut notices);
    drop(UnixStream::connect(lab.socket()).unwrap());
    lab.run(&["agent", "stop"]).good();
    ended(foreground).good();
    assert!(!lab.socket().exists());

    ended(agent(&lab, &[])).good();
    drop(UnixStream::connect(lab.socket()).unwrap());
}

#[test]
fn sigterm_lets_a_request_under_way_finish() {
    let lab = ready();
    lab.double
        .inject(Fault::Hold, When::call("AssumeRole").times(1));
    let mut client = lab.client(&["credential-process", "dev"]);
    let client = client
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert!(lab.double.wait_for_arrivals("AssumeRole", 1, PATIENCE));
    let pid = Pid::from_raw(i32::try_from(lab.agent_pid()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let began = Instant::now();
    while UnixStream::connect(lab.socket()).is_ok() {
        assert!(began.elapsed() < PATIENCE, "it goes on accepting");
    }
    lab.double.release();
    let ran = ended(client).good();
    assert_eq!(ran.stderr, "");
    let key = ran.json()["AccessKeyId"].clone();
    assert!(lab.wait_for_agent().success());
    assert!(!lab.socket().exists());
    let journal = lab.journal();
    assert_eq!(journal.last().unwrap()["activity_name"], "agent.stop");
    let issued = lab.journal_of(&["lease.issue"]);
    assert_eq!(issued[0]["unmapped"]["jumpgate"]["access_key_id"], key);
}

/// A client that comes while the agent ends is not turned away: the next agent serves it.
#[test]
fn a_client_that_comes_during_the_end_is_served_by_the_next_agent() {
    let lab = ready();
    lab.double
        .inject(Fault::Hold, When::call("AssumeRole").times(1));
    let spawn = |arguments: &[&str]| {
        let mut client = lab.client(arguments);
        client
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let first = spawn(&["credential-process", "dev"]);
    assert!(lab.double.wait_for_arrivals("AssumeRole", 1, PATIENCE));
    let old = lab.agent_pid();
    let pid = Pid::from_raw(i32::try_from(old).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let began = Instant::now();
    while UnixStream::connect(lab.socket()).is_ok() {
        assert!(began.elapsed() < PATIENCE, "it goes on accepting");
    }
    let second = spawn(&["status", "--json"]);
    lab.double.release();
    ended(first).good();
    let status = ended(second).good().json();
    assert_ne!(status["pid"], old);
    assert!(lab.wait_for_agent().success());
}
