//! An identity in a real KeePassXC on a screen, and a person before it.

use jumpgate_tests::screen::{KEEPASSXC_ACCESS, KEEPASSXC_PROMPT, PASSWORD, Screen};

use crate::prompts::{asks, got_dev, lab_on, start};
use crate::surroundings::refused;
use jumpgate_tests::lab::ended;

/// KeePassXC asks nobody which program reads.
const TRUSTING: &str = "ConfirmAccessItem=false";

#[test]
fn a_key_lives_in_keepassxc_and_is_read_from_behind_its_prompt() {
    let Some(screen) = Screen::with_keepassxc("an identity in KeePassXC", TRUSTING) else {
        return;
    };
    let lab = lab_on(&screen, "prompter = \"none\"");
    lab.run(&["agent", "stop"]).good();
    got_dev(lab.run(&["credential-process", "dev"]));
    lab.run(&["agent", "stop"]).good();
    screen.lock_keepassxc();
    let report = lab.run(&["doctor", "--all"]).stdout;
    assert!(report.contains("it is locked; the first use"), "{report}");
    assert_eq!(screen.windows(KEEPASSXC_PROMPT).len(), 0, "doctor asked");
    let callers = [asks(&lab), asks(&lab), asks(&lab)];
    screen.sees(KEEPASSXC_PROMPT);
    screen.keep_picture("keepassxc");
    assert_eq!(screen.windows(KEEPASSXC_PROMPT).len(), 1);
    screen.types(PASSWORD);
    for caller in callers {
        got_dev(ended(caller));
    }
    assert_eq!(screen.windows(KEEPASSXC_PROMPT).len(), 0, "asked again");
}

#[test]
fn a_dismissed_keepassxc_does_not_ask_again() {
    let settings = format!("{TRUSTING}\nUnlockBeforeSearch=false");
    let Some(screen) = Screen::with_keepassxc("KeePassXC dismissed", &settings) else {
        return;
    };
    let lab = lab_on(&screen, "prompter = \"none\"");
    screen.lock_keepassxc();
    let caller = asks(&lab);
    screen.sees(KEEPASSXC_PROMPT);
    screen.presses("Escape");
    let declined = "unlocking the keyring was declined";
    refused(&ended(caller), 77, declined, "unlock the keyring");
    for _ in 0..5 {
        let again = lab.run(&["credential-process", "dev"]);
        refused(&again, 77, declined, "unlock the keyring");
        assert_eq!(screen.windows(KEEPASSXC_PROMPT).len(), 0, "asked again");
    }
}

#[test]
fn a_keepassxc_that_is_closed_is_said_so() {
    let Some(screen) = Screen::with_keepassxc("KeePassXC closed", TRUSTING) else {
        return;
    };
    let lab = lab_on(&screen, "prompter = \"none\"");
    lab.run(&["identity", "remove", "jump"]).good();
    let gone = lab.run(&["credential-process", "dev"]);
    refused(&gone, 64, "no key is stored", "jumpgate identity add jump");
    lab.add_identity();
    let pid = screen.variable("KEYRING_SESSION_KEYRING_PID");
    let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    screen.sees_no("KeePassXC");
    let closed = "no keyring answers on the D-Bus session bus";
    refused(
        &lab.run(&["credential-process", "dev"]),
        75,
        closed,
        "KeePassXC",
    );
}

/// As KeePassXC comes, it asks once for each agent whether that may read an item, or remove it.
#[test]
fn keepassxc_asks_whether_the_agent_may_read() {
    let Some(screen) = Screen::with_keepassxc("KeePassXC asks for access", "") else {
        return;
    };
    let lab = lab_on(&screen, "prompter = \"none\"");
    lab.run(&["agent", "stop"]).good();
    let report = lab.run(&["doctor", "--all"]).stdout;
    assert!(!report.contains("no key in the keyring"), "{report}");
    assert_eq!(screen.windows(KEEPASSXC_ACCESS).len(), 0, "doctor asked");
    let caller = asks(&lab);
    screen.sees(KEEPASSXC_ACCESS);
    screen.keep_picture("keepassxc-access");
    screen.presses("Return");
    got_dev(ended(caller));
    lab.run(&["lock"]).good();
    lab.run(&["unlock"]).good();
    lab.run(&["agent", "stop"]).good();
    let caller = asks(&lab);
    screen.sees(KEEPASSXC_ACCESS);
    screen.presses("Escape");
    let declined = "unlocking the keyring was declined";
    refused(&ended(caller), 77, declined, "unlock the keyring");
    let removing = start(&lab, &["identity", "remove", "jump"]);
    screen.sees(KEEPASSXC_ACCESS);
    screen.presses("Return");
    ended(removing).good();
    let gone = lab.run(&["credential-process", "dev"]);
    refused(&gone, 64, "no key is stored", "jumpgate identity add jump");
}
