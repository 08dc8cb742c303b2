//! A person at a real screen: the keyring's own prompt, pinentry and zenity, typed into, dismissed, left alone.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Instant;

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{DEV, Ran, ended};
use jumpgate_tests::screen::{KEYRING_PROMPT, PASSWORD, Screen};
use jumpgate_tests::skip::skip;
use jumpgate_tests::sts::MFA_SERIAL;
use jumpgate_tests::terminal::Terminal;

use crate::built::lab;
use crate::clients::{client_of, configure_aws};
use crate::storm::wait_until_connected;
use crate::surroundings::{PATIENCE, refused, until_good};

const CODE_DIALOG: &str = "Jumpgate: MFA code";

/// A lab on this screen whose identity is in the keyring and whose codes a person types (a program prints them where the
/// prompter is "none"), with this in `[agent]`.
pub(crate) fn lab_on(screen: &Screen, agent: &str) -> Lab {
    lab_with(screen, agent, DEV)
}

fn lab_with(screen: &Screen, agent: &str, profiles: &str) -> Lab {
    let mut lab = lab(profiles);
    for name in ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY"] {
        lab.set(name, screen.variable(name));
    }
    let text = lab.configuration();
    let typed = !agent.contains("none");
    let kept = text.lines().filter(|line| {
        let by_program = typed && line.starts_with("mfa_command");
        !by_program && !line.starts_with("passphrase_command")
    });
    let text: String = kept.map(|line| format!("{line}\n")).collect();
    let mut text = text.replace("store = \"file\"", "store = \"keyring\"");
    if typed {
        text = text.replace("mfa = \"command\"", "mfa = \"prompt\"");
    }
    lab.configure(&format!("{text}\n[agent]\n{agent}\n"));
    lab.start_agent();
    lab.add_identity();
    lab
}

fn code(lab: &Lab) -> String {
    lab.double.totp_code(MFA_SERIAL)
}

pub(crate) fn start(lab: &Lab, arguments: &[&str]) -> Child {
    let mut client = lab.client(arguments);
    client.stdout(Stdio::piped()).stderr(Stdio::piped());
    client.spawn().unwrap()
}

pub(crate) fn asks(lab: &Lab) -> Child {
    start(lab, &["credential-process", "dev"])
}

#[track_caller]
pub(crate) fn got_dev(ran: Ran) {
    let document = ran.good().json();
    assert_eq!(document["AccountId"], "222222222222");
}

#[test]
fn the_keyring_is_unlocked_then_a_code_typed_then_aws_says_who_one_is() {
    let what = "a locked keyring and pinentry, with the AWS CLI";
    let Some(screen) = Screen::start(what, &["pinentry-gnome3"]) else {
        return;
    };
    let aws = std::path::Path::new("/usr/bin/aws");
    if !aws.exists() {
        return skip(what, "/usr/bin/aws is not there");
    }
    let lab = lab_on(&screen, "prompter = \"pinentry-gnome3\"");
    configure_aws(&lab, &lab.programs.client, &["dev"]);
    screen.lock_keyring();
    let arguments = [
        "sts",
        "get-caller-identity",
        "--profile",
        "dev",
        "--endpoint-url",
        &lab.double.url(),
    ];
    let mut command = client_of(&lab, &lab.double.url(), aws, &arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let caller = command.spawn().unwrap();
    screen.sees(KEYRING_PROMPT);
    screen.keep_picture("keyring");
    screen.types(PASSWORD);
    screen.sees(CODE_DIALOG);
    screen.keep_picture("pinentry-gnome3");
    screen.types(&code(&lab));
    let arn = ended(caller).good().json()["Arn"].clone();
    let arn = arn.as_str().unwrap();
    assert!(
        arn.starts_with("arn:aws:sts::222222222222:assumed-role/Developer/"),
        "{arn}"
    );
}

#[test]
fn fifty_callers_are_one_prompt_of_each_kind() {
    let Some(screen) = Screen::start("fifty callers before a screen", &["pinentry-qt"]) else {
        return;
    };
    let lab = lab_on(&screen, "prompter = \"pinentry-qt\"");
    screen.lock_keyring();
    let callers: Vec<Child> = (0..50).map(|_| asks(&lab)).collect();
    wait_until_connected(&lab, 50);
    screen.sees(KEYRING_PROMPT);
    assert_eq!(screen.windows(KEYRING_PROMPT).len(), 1);
    screen.types(PASSWORD);
    screen.sees(CODE_DIALOG);
    screen.keep_picture("pinentry-qt");
    assert_eq!(screen.windows(CODE_DIALOG).len(), 1);
    screen.types(&code(&lab));
    for caller in callers {
        got_dev(ended(caller));
    }
    assert_eq!(screen.titles(), [""; 0], "nothing else is asked");
    assert_eq!(lab.double.count("GetSessionToken"), 1);
    assert_eq!(lab.double.count("AssumeRole"), 1);
}

#[test]
fn a_dismissed_prompt_does_not_come_back_for_those_who_ask_again() {
    let Some(screen) = Screen::start("dismissed prompts", &["zenity"]) else {
        return;
    };
    let lab = lab_on(&screen, "prompter = \"zenity\"");
    screen.lock_keyring();
    let caller = asks(&lab);
    screen.sees(KEYRING_PROMPT);
    screen.presses("Escape");
    let declined = "unlocking the keyring was declined";
    refused(&ended(caller), 77, declined, "unlock the keyring");
    for _ in 0..20 {
        let again = lab.run(&["credential-process", "dev"]);
        refused(&again, 77, declined, "unlock the keyring");
        assert_eq!(screen.titles(), [""; 0], "it was asked again");
    }
}

#[test]
fn a_dismissed_dialog_does_not_come_back_either() {
    let Some(screen) = Screen::start("a dismissed zenity", &["zenity"]) else {
        return;
    };
    let lab = lab_on(&screen, "prompter = \"zenity\"");
    let caller = asks(&lab);
    screen.sees(CODE_DIALOG);
    screen.keep_picture("zenity");
    screen.presses("Escape");
    let declined = "the question was declined";
    refused(&ended(caller), 77, declined, "jumpgate unlock jump");
    for _ in 0..20 {
        let again = lab.run(&["credential-process", "dev"]);
        refused(&again, 77, declined, "jumpgate unlock jump");
    }
    assert_eq!(screen.titles(), [""; 0], "it was asked again");
    // A person at a terminal is not held up by it.
    let code = format!("{}\n", code(&lab));
    lab.run_with_input(&["unlock", "jump"], &code).good();
    got_dev(lab.run(&["credential-process", "dev"]));
}

#[test]
fn a_code_typed_into_zenity() {
    let Some(screen) = Screen::start("a code typed into zenity", &["zenity"]) else {
        return;
    };
    let lab = lab_on(&screen, "prompter = \"zenity\"");
    let caller = asks(&lab);
    screen.sees(CODE_DIALOG);
    screen.types(&code(&lab));
    got_dev(ended(caller));
}

#[test]
fn a_prompt_that_nobody_answers_stays_and_is_joined() {
    let Some(screen) = Screen::start("a keyring that nobody unlocks", &[]) else {
        return;
    };
    let lab = lab_on(&screen, "prompter = \"none\"\nprompt_wait = \"1s\"");
    screen.lock_keyring();
    let caller = asks(&lab);
    screen.sees(KEYRING_PROMPT);
    refused(
        &ended(caller),
        75,
        "not opened in time",
        "may still be on the screen",
    );
    let next = asks(&lab);
    let _as_late_or_refused_by_memory = ended(next);
    assert_eq!(screen.windows(KEYRING_PROMPT).len(), 1);
    screen.sees(KEYRING_PROMPT);
    screen.types(PASSWORD);
    screen.sees_no(KEYRING_PROMPT);
    until_good(&lab, &["credential-process", "dev"]);
    assert_eq!(screen.titles(), [""; 0], "one prompt was enough");
}

#[test]
fn the_dialog_goes_with_the_last_who_waits() {
    let Some(screen) = Screen::start("a dialog that nobody waits for", &["pinentry-qt"]) else {
        return;
    };
    let lab = lab_on(&screen, "prompter = \"pinentry-qt\"");
    let (mut first, mut second) = (asks(&lab), asks(&lab));
    screen.sees(CODE_DIALOG);
    wait_until_connected(&lab, 2);
    first.kill().unwrap();
    first.wait().unwrap();
    wait_until_gone(&lab, 1);
    assert_eq!(screen.windows(CODE_DIALOG).len(), 1);
    second.kill().unwrap();
    second.wait().unwrap();
    screen.sees_no(CODE_DIALOG);
    let third = asks(&lab);
    screen.sees(CODE_DIALOG);
    screen.types(&code(&lab));
    got_dev(ended(third));
}

/// Waits until the agent has this many connections left.
fn wait_until_gone(lab: &Lab, left: usize) {
    let socket = lab.socket();
    let socket = socket.to_str().unwrap();
    loop {
        let sockets = std::fs::read_to_string("/proc/net/unix").unwrap();
        let ours = sockets.lines().filter(|line| line.ends_with(socket));
        let open = ours.filter(|line| line.split_whitespace().nth(5) == Some("03"));
        if open.count() <= left {
            return;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_keyring_that_dies_while_it_asks_is_said_so() {
    let Some(screen) = Screen::start("a keyring that dies", &[]) else {
        return;
    };
    let lab = lab_on(&screen, "prompter = \"zenity\"");
    screen.lock_keyring();
    let caller = asks(&lab);
    screen.sees(KEYRING_PROMPT);
    let pid = screen.variable("KEYRING_SESSION_KEYRING_PID");
    let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let ended_too = "the keyring's program ended while it was asked";
    refused(&ended(caller), 75, ended_too, "start it again");
    // The call that hangs there holds up none that comes later.
    let began = Instant::now();
    let later = || lab.run(&["credential-process", "dev"]).stderr;
    while !later().contains("no keyring answers on the D-Bus session bus") {
        assert!(began.elapsed() < PATIENCE, "{}", later());
    }
}

#[test]
fn a_yes_is_asked_for_once_in_a_session_of_processes() {
    let Some(screen) = Screen::start("consent by zenity", &["zenity", "setsid"]) else {
        return;
    };
    let careful = DEV.replace("[profile.dev]", "[profile.dev]\nrequire = [\"confirm\"]");
    let lab = lab_with(&screen, "prompter = \"zenity\"", &careful);
    let typed = format!("{}\n", code(&lab));
    lab.run_with_input(&["unlock", "jump"], &typed).good();
    // The session this runs in may have lost its leader, or have it in another pid namespace: then nothing holds
    // its processes together, and each is asked for itself.
    let client = lab.programs.client.display().to_string();
    let ask = format!("{client} credential-process dev");
    let script = format!("{ask} & {ask} & {ask} & wait; {ask}; read -r go_on; {ask}");
    let setsid = std::path::Path::new("/usr/bin/setsid");
    let apart = |words: &[&str]| {
        let mut command = lab.program(setsid, &[&["--wait"], words].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut session = apart(&["sh", "-c", &script]);
    screen.sees("Jumpgate: consent");
    screen.keep_picture("consent-zenity");
    assert_eq!(screen.windows("Jumpgate: consent").len(), 1);
    assert_eq!(lab.double.count("AssumeRole"), 0, "before the yes");
    screen.presses("Tab");
    screen.presses("Return");
    let documents = BufReader::new(session.stdout.take().unwrap());
    let mut accounts = documents.lines().map(|line| {
        let document: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        document["AccountId"].clone()
    });
    for _ in 0..4 {
        assert_eq!(accounts.next().unwrap(), "222222222222");
    }
    // Another session is asked anew; Escape is a no.
    let another = apart(&[&client, "credential-process", "dev"]);
    screen.sees("Jumpgate: consent");
    screen.presses("Escape");
    refused(
        &ended(another),
        77,
        "profile dev: the question was declined",
        "try again",
    );
    let denied = lab.records("deny");
    assert_eq!(denied[0]["unmapped"]["jumpgate"]["code"], "user_declined");
    // The other's yes still stands.
    drop(session.stdin.take());
    assert_eq!(accounts.next().unwrap(), "222222222222");
    ended(session).good();
}

#[test]
fn pinentry_asks_on_the_callers_terminal() {
    let what = "pinentry-curses on a terminal";
    let Some(screen) = Screen::start(what, &["pinentry-curses", "setsid"]) else {
        return;
    };
    let lab = lab_on(&screen, "prompter = \"pinentry-curses\"");
    let mut terminal = Terminal::run(&lab.client(&["credential-process", "dev"]));
    terminal.wait_for("profile dev");
    terminal.type_keys(&format!("{}\r", code(&lab)));
    terminal.wait_for("\"AccountId\":\"222222222222\"");
    let (status, _) = terminal.end();
    assert!(status.success());
}
