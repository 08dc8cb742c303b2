//! `credential-process` as the SDKs start it. The names begin with the row of the conformance table (P1 to P14)
//! that they hold.
//!
//! P10 (a session with 10 minutes left and no refresh) and P11 (an expired one) need the clock to move on: AWS
//! makes none shorter than 15 minutes. The agent's own tests of lifetimes hold them with a clock of their own; here
//! stands what shows without one. P12 is a figure of the benchmarks. P13 and P14 are in `clients`, with boto3.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jumpgate_tests::Lab;
use jumpgate_tests::lab::{DEV, Ran, ended, finish};
use jumpgate_tests::sts::{Fault, TOKEN_MAX, When};
use serde_json::Value;

use crate::built::{lab, ready, ready_with};

const KEYS: [&str; 6] = [
    "AccessKeyId",
    "AccountId",
    "Expiration",
    "SecretAccessKey",
    "SessionToken",
    "Version",
];

/// What every SDK takes, and nothing else.
#[track_caller]
fn assert_document(ran: &Ran) -> Value {
    assert_eq!((ran.code(), ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.stdout.matches('\n').count(), 1);
    assert!(ran.stdout.ends_with("}\n") && ran.stdout.starts_with('{'));
    assert!(ran.stdout.is_ascii() && ran.stdout.len() < 8192);
    let document = ran.json();
    let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(keys, KEYS);
    assert!(document["Version"].is_u64() && document["Version"] == 1);
    assert_eq!(document["AccountId"], "222222222222");
    let expiration = document["Expiration"].as_str().unwrap();
    let shape: String = expiration
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00Z");
    document
}

/// Nothing on stdout, one line on what happened, one on what to do, all of it short.
#[track_caller]
fn assert_refused(ran: &Ran, code: i32, what: &str) {
    assert_eq!(
        (ran.code(), ran.stdout.as_str()),
        (code, ""),
        "{}",
        ran.stderr
    );
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ran.stderr);
    assert!(
        lines[0].starts_with("jumpgate: ") && lines[0].contains(what),
        "{}",
        ran.stderr
    );
    assert!(lines[1].starts_with("  hint: "), "{}", ran.stderr);
    assert!(ran.stderr.len() < 1024 && !ran.stderr.contains('\u{1b}'));
}

fn shell(lab: &Lab, script: &str) -> Ran {
    finish(lab.program(Path::new("/bin/sh"), &["-c", script]), "")
}

#[test]
fn p1_one_line_with_the_documented_keys() {
    let lab = ready();
    let first = assert_document(&lab.run(&["credential-process", "dev"]));
    let second = assert_document(&lab.run(&["credential-process", "dev"]));
    assert_eq!(first, second);
    let issued = &lab.double.events_of("AssumeRole")[0].issued;
    assert_eq!(first["AccessKeyId"], issued.as_ref().unwrap().access_key_id);
}

#[test]
fn p2_an_agent_that_cannot_start() {
    let missing = lab(DEV);
    std::fs::remove_file(missing.path("bin/jumpgate-agent")).unwrap();
    let began = Instant::now();
    let ran = missing.run(&["credential-process", "dev"]);
    assert_refused(
        &ran,
        69,
        "jumpgate-agent is neither beside jumpgate nor on PATH",
    );
    // 200 ms are asked for; the machine may have other work.
    assert!(began.elapsed() < Duration::from_secs(2));

    let broken = lab(DEV);
    broken.configure("version = 1\n[profile.dev]\nrole_arm = 'x'\n");
    let ran = broken.run(&["credential-process", "dev"]);
    assert_eq!((ran.code(), ran.stdout.as_str()), (64, ""));
    assert!(ran.stderr.contains("config.toml:3:1"), "{}", ran.stderr);
    assert!(ran.stderr.len() < 1024);

    let unwritable = lab(DEV);
    std::fs::create_dir_all(unwritable.path(".local/state")).unwrap();
    std::fs::write(
        unwritable.path(".local/state/jumpgate"),
        "a file in the way",
    )
    .unwrap();
    let ran = unwritable.run(&["credential-process", "dev"]);
    assert_eq!(
        (ran.code(), ran.stdout.as_str()),
        (75, ""),
        "{}",
        ran.stderr
    );
}

#[test]
fn p3_a_locked_agent_says_so_without_reading_anything() {
    let lab = ready();
    lab.run(&["credential-process", "dev"]).good();
    lab.run(&["lock"]).good();
    assert_refused(&lab.run(&["credential-process", "dev"]), 77, "locked");
    for redirected in ["<&-", "</dev/null"] {
        let ran = shell(
            &lab,
            &format!("jumpgate credential-process dev {redirected}"),
        );
        assert_refused(&ran, 77, "locked");
    }
    // A pipe that nobody writes to and nobody closes: reading it would never end.
    let (reader, _writer) = std::io::pipe().unwrap();
    let mut client = lab.client(&["credential-process", "dev"]);
    client.stdin(reader);
    assert_refused(&finish(client, ""), 77, "locked");
    assert_eq!(lab.double.count("AssumeRole"), 1);
}

#[test]
fn p3_a_code_that_only_a_person_has() {
    let lab = ready();
    let prompt = lab
        .configuration()
        .replace("mfa = \"command\"", "mfa = \"prompt\"");
    lab.configure(&prompt);
    lab.run(&["reload"]).good();
    let ran = lab.run(&["credential-process", "dev"]);
    assert_refused(&ran, 77, "identity jump is locked: it needs an MFA code");
    assert!(ran.stderr.contains("run: jumpgate unlock jump"));
    assert_eq!(lab.double.count("AssumeRole"), 0);
}

#[test]
fn p4_a_denial_names_the_rule() {
    let lab =
        ready_with("[profile.dev]\naccount = 'target'\nrole = 'Developer'\nrequire = ['ticket']\n");
    let ran = lab.run(&["credential-process", "dev"]);
    assert_refused(&ran, 77, "profile dev asks for a ticket");
    assert!(ran.stderr.contains("add --ticket ID"));
    let ran = lab.run(&["credential-process", "hidden"]);
    assert_refused(&ran, 64, "no profile is called hidden");
    assert_eq!(lab.double.events_of("AssumeRole"), []);
}

#[test]
fn p5_the_largest_token_fits() {
    // Fifty tags of the largest size that the double packs into one session.
    let tags: Vec<String> = (0..50)
        .map(|number| format!("tag-of-some-length-{number:02} = '{}'", "v".repeat(15)))
        .collect();
    let lab = ready_with(&format!(
        "[profile.dev]\naccount = 'target'\nrole = 'Developer'\n[profile.dev.tags]\n{}\n",
        tags.join("\n")
    ));
    let document = assert_document(&lab.run(&["credential-process", "dev"]));
    let token = document["SessionToken"].as_str().unwrap();
    assert!((3200..=TOKEN_MAX).contains(&token.len()), "{}", token.len());
}

#[test]
fn p6_every_way_to_start_a_program() {
    let lab = ready();
    let expected = lab.run(&["credential-process", "dev"]).good().stdout;
    let client = lab.programs.client.display().to_string();
    let command = format!("{client} credential-process dev");
    for script in [
        command.clone(),
        format!("{command} 2>/dev/null"),
        format!("{command} 2>&1"),
        format!("{command} <&-"),
        format!("{command} </dev/null 2>&-"),
        format!("exec {command}"),
        format!("\"{client}\" 'credential-process' d\\e'v'"),
    ] {
        assert_eq!(shell(&lab, &script).good().stdout, expected, "{script}");
    }
    let words: Vec<&str> = command.split_whitespace().collect();
    let ran = finish(lab.program(Path::new(words[0]), &words[1..]), "");
    assert_eq!(ran.good().stdout, expected);
    // Without a variable but the one that says where the agent is.
    let mut bare = Command::new(&client);
    bare.args(["credential-process", "dev"])
        .env_clear()
        .current_dir("/");
    bare.env("JUMPGATE_SOCKET", lab.socket())
        .stdin(Stdio::null());
    assert_eq!(finish(bare, "").good().stdout, expected);
}

#[test]
fn p7_names_with_every_legal_character() {
    let name = "team/dev.eu@222-a_b+c";
    let lab = ready_with(&format!(
        "[profile.'{name}']\naccount = 'target'\nrole = 'Developer'\n"
    ));
    let direct = lab.run(&["credential-process", name]);
    assert_document(&direct);
    let ran = shell(&lab, &format!("jumpgate credential-process {name}"));
    assert_eq!(ran.good().stdout, direct.stdout);
    assert_refused(&lab.run(&["credential-process", "a b\u{1b}[2J"]), 64, "");
}

#[test]
fn p8_fifty_at_once_make_one_call() {
    let lab = ready();
    lab.double
        .inject(Fault::Hold, When::call("AssumeRole").times(1));
    let clients: Vec<_> = (0..50)
        .map(|_| {
            let mut client = lab.client(&["credential-process", "dev"]);
            client.stdout(Stdio::piped()).stderr(Stdio::piped());
            client.spawn().unwrap()
        })
        .collect();
    assert!(
        lab.double
            .wait_for_arrivals("AssumeRole", 1, Duration::from_secs(60))
    );
    lab.double.release();
    clients.into_iter().map(ended).for_each(|ran| {
        assert_document(&ran);
    });
    assert_eq!(lab.double.count("AssumeRole"), 1);
}

#[test]
fn p9_what_the_agent_starts_cannot_ask_it() {
    let mut marked = lab(DEV);
    marked.set("JUMPGATE_AGENT_CHILD", "1");
    let ran = marked.run(&["credential-process", "dev"]);
    assert_refused(&ran, 64, "jumpgate was called by its own agent");
    assert!(!marked.socket().exists(), "no agent was started");
}

#[test]
fn p9_an_mfa_command_that_asks_for_credentials_ends_at_once() {
    let lab = lab(DEV);
    let script = "#!/bin/sh\njumpgate credential-process dev 2>\"$HOME/seen\" || exit 3\n";
    std::fs::write(&lab.mfa.program, script).unwrap();
    lab.start_agent();
    lab.add_identity();
    let ran = lab.run(&["credential-process", "dev"]);
    assert_refused(&ran, 77, "identity jump: ");
    let seen = std::fs::read_to_string(lab.path("seen")).unwrap();
    assert!(
        seen.starts_with("jumpgate: jumpgate was called by its own agent\n"),
        "{seen}"
    );
    assert_eq!(lab.double.count("AssumeRole"), 0);
}

#[test]
fn p10_a_short_session_is_handed_out_with_its_true_end() {
    let lab =
        ready_with("[profile.dev]\naccount = 'target'\nrole = 'Developer'\nduration = '15m'\n");
    let document = assert_document(&lab.run(&["credential-process", "dev"]));
    let event = &lab.double.events_of("AssumeRole")[0];
    assert_eq!(event.parameter("DurationSeconds"), Some("900"));
    let expires = event.issued.as_ref().unwrap().expires;
    assert_eq!(
        document["Expiration"],
        jumpgate_tests::sts::rfc3339(expires)
    );
    // 15 minutes are less than what is handed out where a refresh is possible; it is impossible now.
    lab.double
        .inject(Fault::InternalFailure, When::call("AssumeRole"));
    let again = assert_document(&lab.run(&["credential-process", "dev"]));
    assert_eq!(again["Expiration"], document["Expiration"]);
}

#[test]
fn p11_nothing_that_has_expired_is_handed_out() {
    let lab = ready();
    lab.double
        .inject(Fault::AlreadyExpired, When::call("AssumeRole"));
    let ran = lab.run(&["credential-process", "dev"]);
    assert_refused(&ran, 1, "credentials that have expired");
}
