//! Files of other programs are opened, files of ours are opened by them, and nothing else is.

#![allow(clippy::unwrap_used)]
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::providers::skipped::{missing_program, skip};

const PASSPHRASE: &str = "correct horse battery staple";
const TEXT: &[u8] = br#"{"version":1,"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}"#;

fn fixed_draw() -> Draw {
    Draw {
        file_key: Zeroizing::new(*b"sixteen key byte"),
        salt: *b"sixteen saltbyte",
        nonce: *b"sixteen nonceby_",
    }
}

fn sealed() -> Vec<u8> {
    seal(TEXT, &PASSPHRASE.into(), WorkFactor::TRIVIAL, &fixed_draw())
}

/// A file with one piece of its text replaced.
fn with(from: &str, to: &[u8]) -> Vec<u8> {
    let file = sealed();
    let at = file.windows(from.len()).position(|w| w == from.as_bytes());
    let at = at.expect("is in the file");
    [&file[..at], to, &file[at + from.len()..]].concat()
}

fn error_of(file: &[u8]) -> OpenError {
    open(file, &PASSPHRASE.into()).unwrap_err()
}

#[test]
fn files_of_other_programs_open() {
    for (file, passphrase) in [
        // age 1.1.1: age -p
        (
            include_bytes!("../../../../golden/sealed/age-1.1.1.age").as_slice(),
            PASSPHRASE,
        ),
        // pyrage 1.4.0, another implementation: pyrage.passphrase.encrypt
        (
            include_bytes!("../../../../golden/sealed/pyrage-1.4.0.age").as_slice(),
            "пароль с пробелом",
        ),
    ] {
        assert_eq!(*open(file, &passphrase.into()).unwrap(), TEXT);
    }
}

/// To the byte, so that a change of what is written is seen; `age` opened this very file.
#[test]
fn our_own_file_is_fixed() {
    let expected = include_bytes!("../../../../golden/sealed/jumpgate.age");
    let file = seal(TEXT, &PASSPHRASE.into(), WorkFactor::WRITTEN, &fixed_draw());
    assert_eq!(file, expected);
}

#[test]
fn the_wrong_passphrase_is_told_apart() {
    for wrong in ["", "Correct horse battery staple", " "] {
        assert_eq!(
            open(&sealed(), &wrong.into()).unwrap_err(),
            OpenError::WrongPassphrase
        );
    }
    // A damaged salt cannot be: it makes another key, as another passphrase does.
    let salt = with("c2l4dGVlbiBzYWx0Ynl0ZQ", b"c2l4dGVlbiBzYWx0Ynl0ZA");
    assert_eq!(error_of(&salt), OpenError::WrongPassphrase);
}

#[test]
fn what_is_no_such_file_is_named() {
    let line = "-> scrypt c2l4dGVlbiBzYWx0Ynl0ZQ 2\n";
    let stanza = |words: &str| with(line, format!("-> {words}\n").as_bytes());
    let salt = "c2l4dGVlbiBzYWx0Ynl0ZQ";
    let short_lines = "its header ends early or is none of ours";
    let table: Vec<(Vec<u8>, &str)> = vec![
        (vec![], short_lines),
        (b"age-encryption.org/v1".to_vec(), short_lines),
        (vec![b'a'; 100], short_lines),
        (vec![b'\n'; MAX_FILE + 1], "it is larger than 64 KiB"),
        (with("/v1", b"/v2"), "it is no age file of version 1"),
        (with("/v1\n", b"/v1\r\n"), "it is no age file of version 1"),
        (with("/v1", b"/\xff1"), "its header is not text"),
        (
            b"-----BEGIN AGE ENCRYPTED FILE-----\n".to_vec(),
            "it is armoured, not binary",
        ),
        (stanza("X25519 abc"), "it is not sealed by a passphrase"),
        (
            stanza(&format!("Scrypt {salt} 2")),
            "it is not sealed by a passphrase",
        ),
        (
            with("-> scrypt", b"->  scrypt"),
            "it is not sealed by a passphrase",
        ),
        (stanza("scrypt"), "its recipient line is damaged"),
        (
            stanza(&format!("scrypt {salt}")),
            "its recipient line is damaged",
        ),
        (
            stanza(&format!("scrypt {salt} 2 x")),
            "its recipient line is damaged",
        ),
        (stanza(&format!("scrypt {salt}== 2")), "its salt is damaged"),
        (
            stanza("scrypt c2l4dGVlbiBzYWx0Ynl0ZR 2"),
            "its salt is damaged",
        ),
        (
            stanza("scrypt c2l4dGVlbiBzYWx0Ynl0 2"),
            "its salt is damaged",
        ),
        (
            stanza(&format!("scrypt {salt} ")),
            "its work factor is no number",
        ),
        (
            stanza(&format!("scrypt {salt} 02")),
            "its work factor is no number",
        ),
        (
            stanza(&format!("scrypt {salt} 0")),
            "its work factor is no number",
        ),
        (
            stanza(&format!("scrypt {salt} +2")),
            "its work factor is no number",
        ),
        (
            stanza(&format!("scrypt {salt} -2")),
            "its work factor is no number",
        ),
        (
            stanza(&format!("scrypt {salt} 0x2")),
            "its work factor is no number",
        ),
        (
            stanza(&format!("scrypt {salt} 2\r")),
            "its work factor is no number",
        ),
        (
            stanza(&format!("scrypt {salt} 1000")),
            "its work factor is no number",
        ),
        (
            stanza(&format!("scrypt {salt} 21")),
            "its work factor is over 20",
        ),
        (with(line, b""), "it is not sealed by a passphrase"),
        (
            with(line, [line, line].concat().as_bytes()),
            "its sealed key is damaged",
        ),
        (with("\n--- ", b"AAAA\n--- "), "its sealed key is damaged"),
        (with("\n--- ", b"=\n--- "), "its sealed key is damaged"),
        (
            with("\n--- ", format!("\n{line}").as_bytes()),
            "it has more than one recipient",
        ),
        (with("\n--- ", b"\n---"), "it has more than one recipient"),
        (
            with("--- ", b"--- A"),
            "its header's check value is damaged",
        ),
        (
            with("sixteen nonceby_", b"sixteen nonceby#"),
            "its contents were changed or cut",
        ),
    ];
    for (file, what) in table {
        assert_eq!(
            error_of(&file),
            OpenError::Malformed(what),
            "{}",
            file.escape_ascii()
        );
    }
}

#[test]
fn the_headers_check_value_is_checked() {
    let file = sealed();
    let start = file.windows(4).position(|w| w == b"--- ").unwrap() + 4;
    let mut changed = file.clone();
    changed[start] = if file[start] == b'A' { b'B' } else { b'A' };
    assert_eq!(
        error_of(&changed),
        OpenError::Malformed("its header was changed")
    );
}

#[test]
fn a_cut_file_does_not_open() {
    let file = sealed();
    let payload = file.windows(7).position(|w| w == b"sixteen").unwrap();
    for length in 0..file.len() {
        let error = error_of(&file[..length]);
        assert!(matches!(error, OpenError::Malformed(_)), "{length}");
        if length >= payload {
            let early = length < payload + PAYLOAD_NONCE;
            let what = if early {
                "it ends early"
            } else {
                "its contents were changed or cut"
            };
            assert_eq!(error, OpenError::Malformed(what), "{length}");
        }
    }
}

proptest! {
    #[test]
    fn what_was_sealed_is_opened(text in proptest::collection::vec(any::<u8>(), 0..5000), passphrase in "\\PC{0,40}") {
        let passphrase = Secret::new(passphrase);
        let file = seal(&text, &passphrase, WorkFactor::TRIVIAL, &fixed_draw());
        prop_assert_eq!(&*open(&file, &passphrase).unwrap(), &text);
    }

    #[test]
    fn no_flipped_bit_goes_unseen(at in 0..sealed().len(), bit in 0..8_u8) {
        let mut file = sealed();
        file[at] ^= 1 << bit;
        // A work factor is a number of its own, and `2` with one bit turned may cost up to 1 GiB to refuse.
        let is_work_factor = sealed()[at] == b'2' && sealed().get(at + 1) == Some(&b'\n');
        prop_assume!(!is_work_factor);
        prop_assert!(open(&file, &PASSPHRASE.into()).is_err());
    }

    #[test]
    fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), keep in 0..200_usize) {
        let file = [&sealed()[..keep], &bytes].concat();
        // Work factors are cheap here: the line either is kept whole or is none.
        let _ = Sealed::parse(&file);
    }
}

/// The way out: the program that everybody has opens our file, asking for the passphrase on a terminal.
#[test]
fn age_opens_our_file() {
    if let Some(program) = missing_program(&["age", "script"]) {
        return skip("age opens a sealed file", &format!("no {program}"));
    }
    let directory = tempfile::tempdir().unwrap();
    let file = seal(TEXT, &PASSPHRASE.into(), WorkFactor::WRITTEN, &fixed_draw());
    std::fs::write(directory.path().join("jump.age"), file).unwrap();
    let transcript = decrypt_on_a_terminal(directory.path());
    let plain = std::fs::read(directory.path().join("plain"));
    assert_eq!(plain.ok().as_deref(), Some(TEXT), "{transcript}");
}

/// `script` gives `age` the terminal that it insists on, and types what it reads itself.
fn decrypt_on_a_terminal(directory: &Path) -> String {
    use std::io::Write as _;
    let mut child = Command::new("script")
        .args(["-qec", "age -d -o plain jump.age", "/dev/null"])
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    writeln!(keyboard, "{PASSPHRASE}").unwrap();
    let output = child.wait_with_output().unwrap();
    drop(keyboard);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
