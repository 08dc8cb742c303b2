//! An identity in a real gnome-keyring behind a D-Bus daemon of its own.

use std::path::Path;

use jumpgate_tests::Lab;
pub(crate) use jumpgate_tests::keyring::Keyring as Session;
use jumpgate_tests::lab::{DEV, finish};
use jumpgate_tests::skip::skip;

use crate::built::lab;

/// A lab whose identity is in this session's keyring.
pub(crate) fn lab_in(session: &Session) -> Lab {
    in_keyring(lab(DEV), session)
}

/// The same lab, with its identity in this session's keyring.
pub(crate) fn in_keyring(lab: Lab, session: &Session) -> Lab {
    session.holds(lab)
}

#[test]
fn a_key_lives_in_the_keyring_across_agents() {
    let Some(session) = Session::start("an identity in gnome-keyring") else {
        return;
    };
    let lab = lab_in(&session);
    let added = lab
        .run_with_input(&["identity", "add", "jump"], &lab.alices_key())
        .good();
    assert!(
        added.stdout.ends_with("in the keyring\n"),
        "{}",
        added.stdout
    );
    assert!(
        !lab.path(".local/state/jumpgate/identities/jump.age")
            .exists()
    );
    lab.run(&["agent", "stop"]).good();
    let document = lab.run(&["credential-process", "dev"]).good().json();
    assert_eq!(document["AccountId"], "222222222222");
    lab.run(&["lock"]).good();
    lab.run(&["unlock"]).good();
    lab.run(&["credential-process", "dev"]).good();
    assert_eq!(lab.double.count("GetSessionToken"), 2);
    assert_eq!(lab.passphrase.asked(), 0);

    lab.run(&["identity", "remove", "jump"]).good();
    let gone = lab.run(&["credential-process", "dev"]);
    assert_eq!((gone.code(), gone.stdout.as_str()), (64, ""));
    assert!(
        gone.stderr.contains("run: jumpgate identity add jump"),
        "{}",
        gone.stderr
    );
}

#[test]
fn others_see_what_is_stored_and_can_take_it_away() {
    let Some(session) = Session::start("the keyring's item by secret-tool") else {
        return;
    };
    let tool = Path::new("/usr/bin/secret-tool");
    if !tool.exists() {
        return skip(
            "the keyring's item by secret-tool",
            "secret-tool is not installed",
        );
    }
    let lab = lab_in(&session);
    lab.run_with_input(&["identity", "add", "jump"], &lab.alices_key())
        .good();
    let of = |verb: &str| finish(lab.program(tool, &[verb, "service", "jumpgate"]), "");
    let found = finish(
        lab.program(
            tool,
            &["search", "--all", "--unlock", "service", "jumpgate"],
        ),
        "",
    );
    let (id, secret) = (lab.alices_key(), lab.alices_key());
    let (id, secret) = (id.lines().next().unwrap(), secret.lines().nth(1).unwrap());
    assert!(
        found.stdout.contains(id) && found.stdout.contains(secret),
        "not found by its service"
    );
    of("clear").good();
    let gone = lab.run(&["credential-process", "dev"]);
    assert_eq!(gone.code(), 64, "{}", gone.stderr);
}
