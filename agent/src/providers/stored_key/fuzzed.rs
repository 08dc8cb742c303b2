//! Stored keys: what a keyring answers with. Law: any bytes are answered, without a word of them in the error; what is read is
//! written and read again as the same, and never grows beyond what is read.
#![allow(clippy::unwrap_used)]

use super::{MAX_BYTES, decode, encode};
use crate::domain::rotation::KeyHistory;
use crate::fuzzed::assert_plain;

/// The text of an item.
pub(crate) fn target(data: &[u8]) {
    let stored = match decode(data) {
        Ok(stored) => stored,
        Err(error) => {
            let error = error.to_string();
            assert_plain(&error);
            assert!(!error.contains("canary"), "{error}");
            return;
        }
    };
    let written = encode(&stored).unwrap();
    assert!(written.len() <= MAX_BYTES, "{} bytes", written.len());
    let again = decode(&written).unwrap();
    assert_eq!(encode(&again).unwrap(), written);
    // Seconds are kept, and not their parts.
    let told = |stored| {
        let KeyHistory {
            current,
            phase,
            other,
            ..
        } = KeyHistory::of(stored);
        (current, phase, other)
    };
    assert_eq!(told(&again), told(&stored));
    let secret = |stored: &crate::domain::rotation::StoredKey| {
        stored.current.key.secret_access_key.expose().clone()
    };
    assert_eq!(secret(&again), secret(&stored));
    let (shown, secret) = (format!("{stored:?}"), secret(&stored));
    // Elsewhere in the text it is shown by right.
    let text = String::from_utf8_lossy(data);
    let stands_out = secret.starts_with("canary") && text.matches(&*secret).count() == 1;
    assert!(!stands_out || !shown.contains(&*secret), "{shown}");
}
