//! The keyring that holds the key dies, or hangs, or its bus does: a real gnome-keyring on a D-Bus daemon of its own.

use std::sync::{Arc, Mutex};

use jumpgate_tests::Lab;
use jumpgate_tests::keyring::{Keyring, Part};

use super::examine::{Fault, examine};

/// What befalls the keyring, and how it is over.
type Blow = fn(&mut Keyring);

/// The identity is in this keyring; the agent has a connection to it when the fault comes.
fn of(keyring: Keyring, words: [&'static str; 3], put: Blow, away: Blow) -> Fault {
    let keyring = Arc::new(Mutex::new(keyring));
    let (of_lab, of_away) = (Arc::clone(&keyring), Arc::clone(&keyring));
    Fault {
        of_store: true,
        prepare: Box::new(move |lab: &mut Lab| of_lab.lock().unwrap().is_in(lab)),
        ..Fault::new(
            words,
            move |_| put(&mut keyring.lock().unwrap()),
            move |_| away(&mut of_away.lock().unwrap()),
        )
    }
}

/// Each has a keyring of its own; none where there is no gnome-keyring.
#[test]
fn the_keyring() {
    let faults: [([&str; 3], Blow, Blow); 3] = [
        (
            [
                "The keyring dies",
                "gnome-keyring is ended by SIGKILL while the agent has it open; then it is back, unlocked.",
                "no longer than on any day; the failure is remembered for 3 s",
            ],
            |keyring| keyring.kill(Part::Keyring),
            |keyring| keyring.comes_back(Part::Keyring),
        ),
        (
            [
                "The D-Bus session bus dies",
                "dbus-daemon is ended by SIGKILL, and gnome-keyring ends with it; then both are back, at the same address.",
                "no longer than on any day; the failure is remembered for 3 s",
            ],
            |keyring| keyring.kill(Part::Bus),
            |keyring| keyring.comes_back(Part::Bus),
        ),
        (
            [
                "The keyring hangs",
                "gnome-keyring is stopped by SIGSTOP, and goes on by SIGCONT.",
                "2 s where the key is to be read; an endpoint that gave up with 503 `interaction_required` before that has the \
                 failure at the next request. It is remembered for 3 s",
            ],
            |keyring| keyring.stops(true),
            |keyring| keyring.stops(false),
        ),
    ];
    let there = faults.into_iter().filter_map(|(words, put, away)| {
        let keyring = Keyring::start(words[0])?;
        Some(of(keyring, words, put, away))
    });
    examine(there.collect());
}
