//! The runtime directory is taken away: by a cleaner, or by systemd when the user has left.

use std::io::{Error, ErrorKind};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::time::Instant;

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{DEV, ended};

use super::examine::{Fault, examine};
use crate::built::{lab, ready};
use crate::endpoints::{authorized, open, warm};
use crate::surroundings::PATIENCE;

#[test]
fn the_runtime_directory_is_removed() {
    examine(vec![Fault::new(
        [
            "The runtime directory is removed",
            "`$XDG_RUNTIME_DIR/jumpgate` is removed with all that is in it, and the agent has taken its place anew.",
            "no longer than on any day",
        ],
        taken_away,
        |_| (),
    )]);
}

/// An agent that is quick may have made something in it before it was empty.
fn removed(lab: &Lab) {
    let removed = std::fs::remove_dir_all(lab.path("run/jumpgate"));
    let quick = |error: &Error| error.kind() == ErrorKind::DirectoryNotEmpty;
    assert!(removed.as_ref().err().is_none_or(quick), "{removed:?}");
}

/// Returns when the socket is there again.
fn taken_away(lab: &Lab) {
    removed(lab);
    let began = Instant::now();
    while UnixStream::connect(lab.socket()).is_err() {
        assert!(began.elapsed() < PATIENCE, "nobody listens");
        std::thread::yield_now();
    }
}

/// What is in memory outlives it: nobody is asked for a code again.
#[test]
fn a_place_that_was_taken_away_is_taken_anew() {
    let lab = ready();
    warm(&lab, &["dev"]);
    let endpoint = open(&lab, "dev", "container");
    let pid = lab.agent_pid();
    for _ in 0..3 {
        taken_away(&lab);
        assert_eq!(lab.status()["pid"], pid);
        assert_eq!(authorized(&endpoint).0, 200);
        lab.run(&["credential-process", "dev"]).good();
    }
    let file = std::path::Path::new(endpoint["token_file"].as_str().unwrap());
    assert!(file.exists(), "an SDK that reads it can go on");
    assert_eq!(lab.mfa.asked(), 1);
    lab.run(&["journal", "verify"]).good();
    assert!(lab.records("agent.stop").is_empty());
}

/// A client may be there before the agent, and start another one: either keeps the place, and nobody is turned away.
#[test]
fn callers_that_come_as_it_goes_are_served() {
    let lab = lab(DEV);
    lab.seal_identity();
    for _ in 0..8 {
        lab.run(&["credential-process", "dev"]).good();
        let call = |_| {
            let mut client = lab.client(&["credential-process", "dev"]);
            let client = client.stdout(Stdio::piped()).stderr(Stdio::piped());
            client.spawn().unwrap()
        };
        removed(&lab);
        let callers: Vec<Child> = (0..4).map(call).collect();
        for caller in callers {
            ended(caller).good();
        }
        // The device shows another code, should it be asked for one.
        lab.double.advance(std::time::Duration::from_secs(30));
    }
    lab.run(&["journal", "verify"]).good();
    let starts = lab.journal_of(&["agent.start"]).len();
    let stops = lab.journal_of(&["agent.stop"]).len();
    assert_eq!(
        starts,
        stops + 1,
        "one agent, and the others ended in order"
    );
}

/// Nobody could reach it, and it would keep the next one from the journal.
#[test]
fn an_agent_without_a_place_ends_in_good_order() {
    let lab = ready();
    warm(&lab, &["dev"]);
    let place = lab.path("run/jumpgate");
    // A file in its place, before anything can be put there: the directory is moved away and never missed.
    std::fs::write(lab.path("run/file"), "").unwrap();
    let (file, away) = (lab.path("run/file"), lab.path("run/away"));
    exchange(&file, &place);
    assert!(lab.wait_for_agent().success());
    assert_eq!(lab.journal_of(&["agent.stop"]).len(), 1);
    std::fs::remove_file(&place).unwrap();
    std::fs::rename(&file, &away).unwrap();
    lab.double.advance(std::time::Duration::from_secs(30));
    lab.run(&["credential-process", "dev"]).good();
}

/// Both at once, so that neither is missing for a moment.
fn exchange(one: &std::path::Path, other: &std::path::Path) {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
}
