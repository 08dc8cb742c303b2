//! One-time codes: RFC 4226 and RFC 6238 with SHA-1, 30 seconds, six digits, as AWS's virtual MFA
//! devices use them (id_credentials_mfa_enable_virtual), and base32 (RFC 4648) for their seeds.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Seconds of one step.
pub const STEP: i64 = 30;

/// The step that a Unix time is in.
pub fn step_at(unix: i64) -> i64 {
    unix.div_euclid(STEP)
}

/// The six digits of a step.
pub fn code(seed: &[u8], step: i64) -> String {
    format!("{:06}", truncated(seed, step) % 1_000_000)
}

/// RFC 4226 section 5.3: dynamic truncation of the HMAC.
pub(super) fn truncated(seed: &[u8], step: i64) -> u32 {
    let mut mac = Hmac::<Sha1>::new_from_slice(seed).expect("HMAC takes a key of any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 0x0f);
    u32::from_be_bytes([
        digest[at] & 0x7f,
        digest[at + 1],
        digest[at + 2],
        digest[at + 3],
    ])
}

/// The bytes of a base32 seed; blanks and padding are skipped, lower case counts as upper case.
pub fn base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0u32);
    for letter in text.bytes().filter(|b| !matches!(b, b' ' | b'=' | b'-')) {
        let value = match letter.to_ascii_uppercase() {
            upper @ b'A'..=b'Z' => upper - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).expect("masked to one byte"));
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

/// Base32 of bytes, without padding.
pub fn to_base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bit = |at: usize| {
        bytes
            .get(at / 8)
            .is_some_and(|b| b >> (7 - at % 8) & 1 == 1)
    };
    (0..bytes.len() * 8)
        .step_by(5)
        .map(|at| (at..at + 5).fold(0, |value, at| value << 1 | usize::from(bit(at))))
        .map(|value| char::from(LETTERS[value]))
        .collect()
}
