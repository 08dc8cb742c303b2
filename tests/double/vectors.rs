//! AWS's published signatures, and the codes of RFC 6238: the test client's signer and the double's
//! one-time codes are right on their own, not only in agreement with each other.

use crate::client::{Draft, Keys, hex, hmac, sha256_hex};
use jumpgate_tests::sts::totp;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const S3_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// 2015-08-30T12:36:00Z, 2013-05-24T00:00:00Z.
const SUITE_TIME: i64 = 1_440_938_160;
const S3_TIME: i64 = 1_369_353_600;

fn suite_keys() -> Keys {
    Keys {
        id: "AKIDEXAMPLE".into(),
        secret: SECRET.into(),
        token: None,
    }
}

fn draft(service: &str, time: i64, host: &str, target: &str) -> Draft {
    let draft = Draft::new("GET", target, service).header("host", host);
    Draft {
        region: "us-east-1".into(),
        time,
        ..draft
    }
}

/// "Examples of how to derive a signing key" and the IAM ListUsers example of the same page.
#[test]
fn the_signing_key_and_the_request_of_the_general_reference() {
    let draft = draft(
        "iam",
        SUITE_TIME,
        "iam.amazonaws.com",
        "/?Action=ListUsers&Version=2010-05-08",
    )
    .header(
        "content-type",
        "application/x-www-form-urlencoded; charset=utf-8",
    );
    assert_eq!(
        hex(&draft.signing_key(SECRET)),
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    );
    assert_eq!(
        draft.signature(&suite_keys()).signature,
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

/// Signature Version 4 test suite, get-vanilla.
#[test]
fn get_vanilla_of_the_test_suite() {
    let draft = draft("service", SUITE_TIME, "example.amazonaws.com", "/");
    assert_eq!(
        draft.signature(&suite_keys()).signature,
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    );
}

/// sig-v4-header-based-auth, "GET Object".
#[test]
fn get_object_of_the_s3_reference() {
    let keys = Keys {
        id: "AKIAIOSFODNN7EXAMPLE".into(),
        secret: S3_SECRET.into(),
        token: None,
    };
    let draft = draft("s3", S3_TIME, "examplebucket.s3.amazonaws.com", "/test.txt")
        .header("range", "bytes=0-9");
    assert_eq!(
        draft.signature(&keys).signature,
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
}

/// RFC 6238 appendix B, SHA-1, the last six digits of the eight.
#[test]
fn codes_of_rfc_6238() {
    let seed = b"12345678901234567890";
    let table = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];
    for (time, code) in table {
        assert_eq!(totp::code(seed, totp::step_at(time)), code, "at {time}");
    }
}

/// RFC 4648 section 10.
#[test]
fn base32_of_rfc_4648() {
    let table = [
        ("", ""),
        ("f", "MY"),
        ("fo", "MZXQ"),
        ("foob", "MZXW6YQ"),
        ("foobar", "MZXW6YTBOI"),
    ];
    for (text, letters) in table {
        assert_eq!(totp::to_base32(text.as_bytes()), letters);
        assert_eq!(
            totp::base32(&letters.to_lowercase()),
            Some(text.as_bytes().to_vec())
        );
    }
    assert_eq!(totp::base32("0189"), None);
}

/// FIPS 180-2 and RFC 4231 (case 2): the client's own building blocks.
#[test]
fn hashes_of_the_standards() {
    assert_eq!(
        sha256_hex(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(
        hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}
