//! Finding the agent: where it is, whose it is, and what stands in the way.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use super::*;
use crate::failure::{Exit, Failure};

/// A home with a stand-in for the agent's executable.
fn home() -> (tempfile::TempDir, Environment) {
    let mode = PermissionsExt::from_mode(0o700);
    let home = tempfile::Builder::new()
        .permissions(mode)
        .tempdir()
        .unwrap();
    let programs = home.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/connection/stand-in.sh");
    symlink(stand_in, programs.join("jumpgate-agent")).unwrap();
    let environment = Environment {
        socket: Some(home.path().join("agent.sock")),
        executable: Some(programs.join("jumpgate")),
        ..Environment::default()
    };
    (home, environment)
}

fn starts(home: &Path) -> usize {
    std::fs::read_to_string(home.join("programs/starts"))
        .unwrap_or_default()
        .lines()
        .count()
}

fn connect(environment: &Environment) -> Result<UnixStream, ConnectionError> {
    Agent {
        environment,
        audience: Audience::Program,
    }
    .connect_or_start()
}

#[test]
fn of_many_clients_one_starts_the_agent() {
    let (home, environment) = home();
    let _listener = UnixListener::bind(home.path().join("programs/ready.sock")).unwrap();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| connect(&environment)))
            .collect();
        for client in clients {
            client.join().unwrap().unwrap();
        }
    });
    assert_eq!(starts(home.path()), 1);
    let started = std::fs::read_to_string(home.path().join("programs/starts")).unwrap();
    assert!(
        started.starts_with("0 "),
        "it is started without arguments: {started}"
    );
}

#[test]
fn a_socket_that_nobody_listens_on_is_no_agent() {
    let (home, environment) = home();
    drop(UnixListener::bind(home.path().join("agent.sock")).unwrap());
    let _listener = UnixListener::bind(home.path().join("programs/ready.sock")).unwrap();
    connect(&environment).unwrap();
    assert_eq!(starts(home.path()), 1);
}

#[test]
fn an_agent_that_does_not_start_says_why() {
    let (home, environment) = home();
    let cases = [
        (
            "jumpgate-agent: config.toml:3:1: unknown key\u{1b} idntity\n\njumpgate-agent: config.toml:4:1: more\n",
            "jumpgate: config.toml:3:1: unknown key\\u{1b} idntity\n  config.toml:4:1: more\n  \
             hint: see the configuration: jumpgate check\n",
        ),
        (
            "jumpgate-agent: the journal is read-only\n  hint: make room\n",
            "jumpgate: the journal is read-only\n  hint: make room\n",
        ),
        (
            "",
            "jumpgate: the agent did not start\n  hint: see the configuration: jumpgate check\n",
        ),
    ];
    for (said, expected) in cases {
        std::fs::write(home.path().join("programs/refusal"), said).unwrap();
        let failure = Failure::from(connect(&environment).unwrap_err());
        assert_eq!(
            (failure.exit(), failure.to_string().as_str()),
            (Exit(64), expected)
        );
    }
}

#[test]
fn an_agent_that_says_too_much_is_cut_and_one_that_is_missing_is_named() {
    let (home, environment) = home();
    std::fs::write(home.path().join("programs/refusal"), "x".repeat(1 << 20)).unwrap();
    let failure = Failure::from(connect(&environment).unwrap_err()).to_string();
    assert!(
        (60_000..70_000).contains(&failure.len()),
        "{}",
        failure.len()
    );

    let nowhere = Environment {
        executable: None,
        ..environment
    };
    let failure = Failure::from(connect(&nowhere).unwrap_err());
    assert_eq!(failure.exit(), Exit(69));
    assert!(
        failure
            .to_string()
            .contains("neither beside jumpgate nor on PATH")
    );
}

#[test]
fn nothing_is_asked_or_started_in_a_directory_that_is_open_to_others() {
    let (home, environment) = home();
    let _listener = UnixListener::bind(home.path().join("agent.sock")).unwrap();
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o770)).unwrap();
    let failure = Failure::from(connect(&environment).unwrap_err());
    assert_eq!((failure.exit(), starts(home.path())), (Exit(69), 0));
    assert!(
        failure
            .to_string()
            .contains("  hint: see what is in it, then run: chmod 700 "),
        "{failure}"
    );
}

#[test]
fn an_answer_has_a_deadline_however_slowly_it_drips() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    // The peer is always ready with one more byte; only the deadline can end this.
    let deadline = Some(Instant::now() + Duration::from_millis(50));
    let drips = std::thread::spawn(move || while theirs.write_all(b"x: y\r\n").is_ok() {});
    let mut stream = TimedStream {
        stream: ours,
        deadline,
    };
    let mut byte = [0];
    let end = loop {
        match stream.read(&mut byte) {
            Ok(size) => assert_eq!(size, 1),
            Err(error) => break error,
        }
    };
    assert_eq!(end.kind(), io::ErrorKind::TimedOut);
    drop(stream);
    drips.join().unwrap();
}

#[test]
fn an_agent_that_hangs_is_given_up() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let stream = TimedStream {
        stream: ours,
        deadline: Some(Instant::now() + Duration::from_millis(50)),
    };
    let Err(error) = http::read_head(stream) else {
        panic!("there was no answer");
    };
    let failure = Failure::from(ConnectionError::from(error));
    assert_eq!(failure.exit(), Exit(75));
    assert!(
        failure
            .to_string()
            .starts_with("jumpgate: the agent did not answer in time\n")
    );
}

#[test]
fn a_request_is_not_larger_than_the_agent_reads() {
    let (home, environment) = home();
    let _listener = UnixListener::bind(home.path().join("agent.sock")).unwrap();
    let agent = Agent {
        environment: &environment,
        audience: Audience::Program,
    };
    let request = Request::new("POST", "credentials").body(&"\"".repeat(MAX_BODY_BYTES / 2));
    let Err(CallError::Broken(error)) = agent.reply(&request) else {
        panic!("it was sent");
    };
    assert_eq!(Failure::from(error).exit(), Exit(64));
}

#[test]
fn releases_are_compared_by_major_and_minor_version() {
    assert_eq!(release("0.1.0"), release("0.1.9-rc1"));
    for other in ["0.2.0", "1.1.0", "0.10.0", "1", ""] {
        assert_ne!(release(other), release("0.1.0"), "{other}");
    }
}
