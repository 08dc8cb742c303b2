//! Codes and passphrases that are wrong, late, used already or not to be had.

use std::path::Path;

use jumpgate_tests::Lab;
use jumpgate_tests::lab::DEV;
use jumpgate_tests::sts::MFA_SERIAL;

use crate::built::{lab, ready, ready_with};
use crate::surroundings::{refused, until_good};

/// Replaces the program that stands in for a person.
fn replace(program: &Path, text: &str) {
    // Written anew beside it and renamed: a program that runs cannot be written to.
    let new = program.with_extension("new");
    std::fs::write(&new, format!("#!/bin/bash\n{text}\n")).unwrap();
    std::fs::set_permissions(&new, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::rename(new, program).unwrap();
}

/// One deny record of this profile, with this code.
#[track_caller]
fn recorded(lab: &Lab, profile: &str, code: &str) {
    let mut records = lab.records("deny");
    records.retain(|record| record["unmapped"]["jumpgate"]["profile"] == profile);
    let [record] = records.as_slice() else {
        panic!("{profile}: {records:?}")
    };
    assert_eq!(record["unmapped"]["jumpgate"]["code"], code, "{record}");
}

/// A code that is not good now.
fn wrong_code(lab: &Lab) -> String {
    let good: Vec<String> = (-2..=2)
        .map(|step| lab.double.totp_code_at(MFA_SERIAL, step))
        .collect();
    let mut codes = (0..).map(|n| format!("{n:06}"));
    codes.find(|code| !good.contains(code)).unwrap()
}

#[test]
fn a_wrong_code_is_refused_once_and_said_so() {
    let lab = ready();
    replace(&lab.mfa.program, &format!("echo {}", wrong_code(&lab)));
    for _ in 0..3 {
        refused(
            &lab.run(&["credential-process", "dev"]),
            77,
            "MultiFactorAuthentication failed",
            "next code",
        );
    }
    assert_eq!(
        lab.double.count("GetSessionToken"),
        1,
        "a wrong code counts against the device"
    );
    assert_eq!(lab.double.count("AssumeRole"), 0);
    recorded(&lab, "dev", "upstream_denied");
}

fn typed() -> Lab {
    let lab = ready();
    let file = lab.path(".config/jumpgate/config.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("mfa = \"command\"", "mfa = \"prompt\"");
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with("mfa_command"))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&file, text).unwrap();
    lab.run(&["reload"]).good();
    lab
}

#[test]
fn the_same_code_is_not_sent_twice() {
    let lab = typed();
    let code = format!("{}\n", lab.double.totp_code(MFA_SERIAL));
    lab.run_with_input(&["unlock", "jump"], &code).good();
    lab.run(&["credential-process", "dev"]).good();
    lab.run(&["lock"]).good();
    let again = lab.run_with_input(&["unlock", "jump"], &code);
    assert_eq!(again.code(), 77, "{}", again.stderr);
    assert!(again.stderr.contains("used already"), "{}", again.stderr);
    assert!(
        again.stderr.contains("hint: wait for the next code"),
        "{}",
        again.stderr
    );
    assert_eq!(lab.double.count("GetSessionToken"), 1, "it was sent again");

    lab.double.advance(std::time::Duration::from_secs(30));
    let next = format!("{}\n", lab.double.totp_code(MFA_SERIAL));
    assert_ne!(next, code);
    lab.run_with_input(&["unlock", "jump"], &next).good();
    lab.run(&["credential-process", "dev"]).good();
}

#[test]
fn where_nobody_can_be_asked_it_says_who_can() {
    let lab = typed();
    refused(
        &lab.run(&["credential-process", "dev"]),
        77,
        "it needs an MFA code",
        "run: jumpgate unlock jump",
    );
    recorded(&lab, "dev", "interaction_required");
    assert_eq!(lab.double.count("GetSessionToken"), 0);
    // It is not remembered: what a person mends works at once.
    let code = format!("{}\n", lab.double.totp_code(MFA_SERIAL));
    lab.run_with_input(&["unlock", "jump"], &code).good();
    lab.run(&["credential-process", "dev"]).good();
}

/// What programs can do instead of printing an answer, and what is said of it. Nothing that they print on
/// standard output is: it may be the secret.
const MISDEEDS: [(&str, &str); 6] = [
    (
        "echo canary-printed; echo 'no token\u{1b}[2J inserted' >&2; exit 3",
        "exited with status 3: no token\\u{1b}[2J inserted",
    ),
    ("kill -9 $$", "was ended by a signal"),
    ("sleep 600", "nobody answered in time"),
    ("head -c 100000 /dev/zero", "printed more than 4096 bytes"),
    ("", "it printed no"),
    ("echo -e '\\xff\\xfe canary-printed'", "it printed is not"),
];

/// A caller sees why, once; each try to unlock sees it anew, since only what callers ask is remembered.
#[track_caller]
fn misdeeds_are_named(
    lab: &Lab,
    program: &Path,
    misdeeds: &[(&str, &'static str)],
    said: impl Fn(&'static str) -> &'static str,
) {
    for (text, what) in misdeeds {
        replace(program, text);
        let ran = lab.run(&["unlock", "jump"]);
        refused(&ran, 77, said(what), "");
        assert!(!ran.stderr.contains("canary-printed"), "{}", ran.stderr);
    }
    let records = lab.records("identity.unlock");
    assert_eq!(records.len(), misdeeds.len());
    for record in records {
        assert_eq!(record["status"], "Failure");
        assert_eq!(
            record["unmapped"]["jumpgate"]["code"], "identity_locked",
            "{record}"
        );
    }
    std::fs::remove_file(program).unwrap();
    refused(
        &lab.run(&["credential-process", "dev"]),
        77,
        "there is no such program",
        "correct mfa_command or passphrase_command",
    );
    recorded(lab, "dev", "identity_locked");
    assert!(!format!("{:?}", lab.journal()).contains("canary-"));
    assert_eq!(lab.double.count("GetSessionToken"), 0);
}

#[test]
fn a_code_program_that_fails_is_named() {
    let lab = ready_with(&format!("[agent]\nprompt_wait = \"2s\"\n{DEV}"));
    // Three will do: the key is unsealed for each.
    let some = [MISDEEDS[0], MISDEEDS[2], MISDEEDS[4]];
    misdeeds_are_named(&lab, &lab.mfa.program, &some, |what| {
        if what.starts_with("it printed") {
            "is not a code of six digits"
        } else {
            what
        }
    });
    let code = lab.double.totp_code(MFA_SERIAL);
    replace(&lab.mfa.program, &format!("echo {code}"));
    until_good(&lab, &["credential-process", "dev"]);
}

#[test]
fn a_passphrase_program_that_fails_is_named() {
    let lab = ready_with(&format!("[agent]\nprompt_wait = \"2s\"\n{DEV}"));
    let good = std::fs::read_to_string(&lab.passphrase.program).unwrap();
    misdeeds_are_named(&lab, &lab.passphrase.program, &MISDEEDS, |what| what);
    assert_eq!(
        lab.mfa.asked(),
        0,
        "no code is asked for before the key is there"
    );
    replace(
        &lab.passphrase.program,
        good.trim_start_matches("#!/bin/bash\n"),
    );
    until_good(&lab, &["credential-process", "dev"]);
}

#[test]
fn a_wrong_passphrase_is_said_and_not_shown() {
    let lab = ready();
    replace(&lab.passphrase.program, "echo canary-wrong-passphrase");
    let ran = lab.run(&["credential-process", "dev"]);
    refused(&ran, 77, "passphrase", "passphrase_command");
    assert!(!ran.stderr.contains("canary-wrong"), "{}", ran.stderr);
    recorded(&lab, "dev", "identity_locked");
    assert!(!format!("{:?}", lab.journal()).contains("canary-wrong"));
    assert_eq!(lab.mfa.asked(), 0);
}

#[test]
fn without_a_key_it_says_how_to_add_one() {
    let lab = lab(DEV);
    lab.start_agent();
    refused(
        &lab.run(&["credential-process", "dev"]),
        64,
        "jump",
        "jumpgate identity add jump",
    );
    recorded(&lab, "dev", "identity_not_found");
    lab.add_identity();
    until_good(&lab, &["credential-process", "dev"]);
}

#[test]
fn a_sealed_file_that_was_damaged_is_said_so() {
    let lab = ready();
    let directory = lab.path(".local/state/jumpgate/identities");
    let mut files = std::fs::read_dir(directory).unwrap().flatten();
    let sealed = files.next().unwrap().path();
    let whole = std::fs::read(&sealed).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for damaged in [&flipped[..], &whole[..whole.len() / 2], b"", b"{}"] {
        std::fs::write(&sealed, damaged).unwrap();
        let ran = lab.run(&["unlock", "jump"]);
        refused(&ran, 75, "damaged", "jumpgate identity add jump");
    }
    let link = sealed.with_extension("moved");
    std::fs::rename(&sealed, &link).unwrap();
    std::os::unix::fs::symlink(&link, &sealed).unwrap();
    refused(&lab.run(&["unlock", "jump"]), 75, "jump", "");
    std::fs::remove_file(&sealed).unwrap();
    std::fs::rename(&link, &sealed).unwrap();
    std::fs::write(&sealed, &whole).unwrap();
    until_good(&lab, &["credential-process", "dev"]);
    assert_eq!(lab.double.count("GetSessionToken"), 1);
}
