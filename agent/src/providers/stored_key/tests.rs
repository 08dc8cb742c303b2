//! The text of each phase, and what is not read.

#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;
use crate::providers::samples::key as stored;

#[test]
fn the_text_is_fixed() {
    assert_eq!(
        encode(&stored("a/b+c")).unwrap().as_slice(),
        br#"{"version":2,"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"a/b+c"}"#
    );
}

proptest! {
    #[test]
    fn what_was_kept_is_read(secret in "\\PC{1,128}|[\\x00-\\x1f\"\\\\]{1,512}") {
        let text = encode(&stored(&secret)).unwrap();
        prop_assert_eq!(text.capacity(), MAX_BYTES, "grew, and left a copy behind");
        prop_assert_eq!(decode(&text).unwrap(), stored(&secret));
    }
}

#[test]
fn secrets_of_no_legal_length_are_not_kept() {
    for secret in ["", &"x".repeat(513)] {
        assert!(matches!(
            encode(&stored(secret)),
            Err(StoreError::Unavailable { .. })
        ));
    }
}

#[test]
fn damaged_texts_are_named_and_not_quoted() {
    let id = r#""access_key_id":"AKIAIOSFODNN7EXAMPLE""#;
    let table = [
        (String::new(), "not JSON with a version"),
        ("CANARY".into(), "not JSON with a version"),
        (r#"{"version":"CANARY"}"#.into(), "not JSON with a version"),
        (
            format!(r#"{{"version":4,{id},"secret_access_key":"CANARY"}}"#),
            "it has version 4, and this program knows 1 to 3",
        ),
        (
            format!(r#"{{"version":1,{id},"secret_access_key":["CANARY"]}}"#),
            "not an access key id and a secret access key",
        ),
        (
            format!(r#"{{"version":1,{id},"secret_access_key":"s","CANARY":1}}"#),
            "not an access key id and a secret access key",
        ),
        (
            format!(r#"{{"version":1,{id}}}"#),
            "not an access key id and a secret access key",
        ),
        (
            r#"{"version":1,"access_key_id":"CANARY","secret_access_key":"CANARY"}"#.into(),
            "the access key id is not one",
        ),
        (
            format!(r#"{{"version":1,{id},"secret_access_key":""}}"#),
            "the secret access key has 0 bytes",
        ),
        (
            format!(r#"{{"version":3,{id},"secret_access_key":"s","totp_seed":"CANARY"}}"#),
            "the TOTP seed is not one",
        ),
        (
            format!(r#"{{"version":1,{id},"secret_access_key":"CANARY"}}"#)
                + &" ".repeat(MAX_BYTES),
            "more than 7168 bytes",
        ),
    ];
    for (text, what) in table {
        let error = decode(text.as_bytes()).unwrap_err();
        assert_eq!(error, malformed(what), "{text}");
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{text}");
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000 + second)
}

/// One of each phase, with the text that stands for it.
fn phases() -> Vec<(Phase, &'static str)> {
    let other = || DatedKey {
        key: LongTermKey {
            access_key_id: AccessKeyId::parse("AKIAOTHEROTHEROTHER2").unwrap(),
            secret_access_key: "other".into(),
        },
        since: Some(at(1)),
    };
    let known = vec![stored("s").current.key.access_key_id];
    let doomed = other().key.access_key_id;
    vec![
        (
            Phase::Creating { known, at: at(2) },
            r#"{"phase":"creating","grace_seconds":60,"at":"2027-01-15T08:00:02Z","known":["AKIAIOSFODNN7EXAMPLE"]}"#,
        ),
        (
            Phase::Created { next: other() },
            r#"{"phase":"created","grace_seconds":60,"access_key_id":"AKIAOTHEROTHEROTHER2","secret_access_key":"other","since":"2027-01-15T08:00:01Z"}"#,
        ),
        (
            Phase::Switched { former: other() },
            r#"{"phase":"switched","grace_seconds":60,"access_key_id":"AKIAOTHEROTHEROTHER2","secret_access_key":"other","since":"2027-01-15T08:00:01Z"}"#,
        ),
        (
            Phase::Retiring {
                former: other(),
                delete_at: at(3),
            },
            r#"{"phase":"retiring","grace_seconds":60,"access_key_id":"AKIAOTHEROTHEROTHER2","secret_access_key":"other","since":"2027-01-15T08:00:01Z","at":"2027-01-15T08:00:03Z"}"#,
        ),
        (
            Phase::Withdrawing { doomed },
            r#"{"phase":"withdrawing","grace_seconds":60,"access_key_id":"AKIAOTHEROTHEROTHER2"}"#,
        ),
    ]
}

#[test]
fn each_phase_of_a_rotation_is_kept() {
    for (phase, text) in phases() {
        let mut stored = stored("s");
        stored.current.since = Some(at(0));
        let grace = Duration::from_secs(60);
        stored.rotation = Some(Rotation { phase, grace });
        let kept = encode(&stored).unwrap();
        let expected = format!(
            r#"{{"version":2,"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"s","since":"2027-01-15T08:00:00Z","rotation":{text}}}"#
        );
        assert_eq!(std::str::from_utf8(&kept).unwrap(), expected);
        assert_eq!(decode(&kept).unwrap(), stored);
    }
}

#[test]
fn a_seed_is_kept_with_a_version_of_its_own_in_each_phase() {
    let seed = TotpSeed::parse("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
    let mut stored = stored("s");
    stored.totp_seed = Some(seed);
    let text = encode(&stored).unwrap();
    assert_eq!(
        std::str::from_utf8(&text).unwrap(),
        r#"{"version":3,"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"s","totp_seed":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}"#
    );
    assert_eq!(decode(&text).unwrap(), stored);
    for (phase, _) in phases() {
        let grace = Duration::from_secs(60);
        stored.rotation = Some(Rotation { phase, grace });
        assert_eq!(decode(&encode(&stored).unwrap()).unwrap(), stored);
    }
}

#[test]
fn what_version_1_kept_is_read() {
    let text = br#"{"version":1,"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"s"}"#;
    assert_eq!(decode(text).unwrap(), stored("s"));
}

#[test]
fn two_of_the_longest_secrets_fit() {
    let longest = "\u{1}".repeat(512);
    let mut both = stored(&longest);
    let next = both.current.clone();
    let (phase, grace) = (Phase::Created { next }, Duration::MAX);
    both.rotation = Some(Rotation { phase, grace });
    both.totp_seed = Some(TotpSeed::parse(&"A".repeat(103)).unwrap());
    let text = encode(&both).unwrap();
    assert!(text.len() <= MAX_BYTES && text.capacity() == MAX_BYTES);
    let read = decode(&text).unwrap();
    assert_eq!(
        (read.current, read.totp_seed),
        (both.current, both.totp_seed)
    );
}

#[test]
fn a_rotation_that_none_of_us_wrote_is_damage() {
    for rotation in [
        r#"{"phase":"creating","grace_seconds":60}"#,
        r#"{"phase":"creating","grace_seconds":60,"at":"2027-01-15T08:00:02Z","known":["AKIAIOSFODNN7EXAMPLE","AKIAIOSFODNN7EXAMPL2","AKIAIOSFODNN7EXAMPL3"]}"#,
        r#"{"phase":"created","grace_seconds":60,"access_key_id":"AKIAOTHEROTHEROTHER2"}"#,
        r#"{"phase":"CANARY","grace_seconds":60}"#,
        r#"{"phase":"withdrawing","grace_seconds":60,"access_key_id":"AKIAOTHEROTHEROTHER2","secret_access_key":"CANARY"}"#,
    ] {
        let text = format!(
            r#"{{"version":2,"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"s","rotation":{rotation}}}"#
        );
        let error = decode(text.as_bytes()).unwrap_err();
        assert_eq!(error, malformed("its rotation is none"), "{rotation}");
    }
}
