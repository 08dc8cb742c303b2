//! IMDSv2 tokens: an expiry and an HMAC over it and the endpoint. So there may be any number of them and none is stored; a
//! token of another endpoint opens nothing. A standing endpoint has a key of its own that outlives the agent: the SDK for
//! Rust asks for no other token before the time of its own is over, whatever it is told. `now` is the time since the machine started: who sets
//! the clock changes no token's life.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jumpgate_api::Secret;
use sha2::Sha256;

/// Longest life of a token, in seconds: six hours.
pub(super) const MAX_TTL: u32 = 21_600;

/// An expiry in milliseconds and an HMAC, in hexadecimal digits.
const LENGTH: usize = 16 + 64;

/// A key: of this process, or of a standing endpoint.
pub(in crate::server) struct TokenKey(Hmac<Sha256>);

/// What a token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Validity {
    Valid,
    /// It was valid here once.
    Expired,
    Invalid,
}

impl TokenKey {
    /// A key from a fresh secret of 256 random bits.
    pub(in crate::server) fn new(secret: &Secret<String>) -> Self {
        let key = Hmac::new_from_slice(secret.expose().as_bytes());
        Self(key.expect("HMAC takes a key of any length"))
    }

    /// A token that opens an endpoint for `ttl` seconds.
    pub(in crate::server) fn issue(&self, endpoint: &str, now: Duration, ttl: u32) -> String {
        let until = millis(now) + 1_000 * u64::from(ttl);
        let tag = self.tag(endpoint, until).finalize().into_bytes();
        let mut token = format!("{until:016x}");
        tag.iter()
            .for_each(|byte| token.push_str(&format!("{byte:02x}")));
        token
    }

    /// The comparison takes the same time wherever the token differs.
    pub(super) fn validity(&self, endpoint: &str, now: Duration, token: &[u8]) -> Validity {
        let Some((until, tag)) = parse(token) else {
            return Validity::Invalid;
        };
        if self.tag(endpoint, until).verify_slice(&tag).is_err() {
            return Validity::Invalid;
        }
        match until.saturating_sub(millis(now)) {
            0 => Validity::Expired,
            left if left <= 1_000 * u64::from(MAX_TTL) => Validity::Valid,
            // It was issued before the machine was started anew.
            _ => Validity::Invalid,
        }
    }

    fn tag(&self, endpoint: &str, until: u64) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&until.to_be_bytes());
        mac.update(endpoint.as_bytes());
        mac
    }
}

/// It does not come near the end of its range within the life of a machine.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or_default()
}

/// One spelling only: lower case.
fn parse(token: &[u8]) -> Option<(u64, [u8; 32])> {
    let token: &[u8; LENGTH] = token.try_into().ok()?;
    let mut bytes = [0; LENGTH / 2];
    for (byte, [high, low]) in bytes.iter_mut().zip(token.as_chunks().0) {
        let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
        if high | low == NONE {
            return None;
        }
        *byte = high << 4 | low;
    }
    let (until, tag) = bytes.split_first_chunk()?;
    Some((u64::from_be_bytes(*until), tag.try_into().ok()?))
}

/// What a byte is as a digit; a table, since a request has eighty of them.
static DIGITS: [u8; 256] = {
    let (mut digits, mut value) = ([NONE; 256], 0);
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// No digit; whatever it is joined with stays that.
const NONE: u8 = 0xff;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_opens_its_own_endpoint_for_its_time() {
        let (key, other) = (TokenKey::new(&"key".into()), TokenKey::new(&"other".into()));
        let now = Duration::from_secs(1_800_000);
        for ttl in [1, 10, 300, 600, MAX_TTL] {
            let token = key.issue("A", now, ttl);
            let validity = |key: &TokenKey, name: &str, seconds: u64| {
                let then = now + Duration::from_secs(seconds);
                key.validity(name, then, token.as_bytes())
            };
            assert_eq!(validity(&key, "A", 0), Validity::Valid);
            assert_eq!(validity(&key, "A", u64::from(ttl) - 1), Validity::Valid);
            assert_eq!(validity(&key, "A", u64::from(ttl)), Validity::Expired);
            assert_eq!(validity(&key, "B", 0), Validity::Invalid);
            assert_eq!(validity(&other, "A", 0), Validity::Invalid);
        }
        // The machine was started anew since, and the key was kept: the time began again.
        let token = key.issue("A", now, 60);
        let anew = key.validity("A", Duration::ZERO, token.as_bytes());
        assert_eq!(anew, Validity::Invalid);
    }

    #[test]
    fn no_byte_of_a_token_can_be_changed() {
        let key = TokenKey::new(&"key".into());
        let now = Duration::from_secs(1_800_000);
        let token = key.issue("A", now, 60).into_bytes();
        for at in 0..token.len() {
            for byte in [b'0', b'7', b'f', b'F', b'+', b' ', 0xff] {
                let mut changed = token.clone();
                changed[at] = byte;
                let same = changed == token;
                let valid = key.validity("A", now, &changed) == Validity::Valid;
                assert_eq!(valid, same, "{at} {byte}");
            }
            let cut = key.validity("A", now, &token[..at]);
            assert_eq!(cut, Validity::Invalid);
        }
    }
}
