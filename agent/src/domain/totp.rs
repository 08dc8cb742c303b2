//! One-time codes out of a stored seed: RFC 6238 with SHA-1, steps of 30 seconds and six digits, as AWS's virtual MFA
//! devices have it (id_credentials_mfa_enable_virtual).

use hmac::{Hmac, KeyInit, Mac};
use jumpgate_api::Secret;
use sha1::Sha1;
use zeroize::Zeroizing;

/// Seconds that one code is good for.
pub const STEP_SECONDS: i64 = 30;

/// The shortest seed, in bytes. RFC 4226 asks for 16; some issuers give 10.
pub const MIN_SEED: usize = 10;

/// The longest seed, in bytes: a block of SHA-1. AWS's have 40.
pub const MAX_SEED: usize = 64;

/// The longest text that is looked at, in bytes, with its blanks and padding.
pub const MAX_TEXT: usize = 256;

/// The seed of a virtual MFA device: whoever has it can make all of the device's codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotpSeed {
    /// Base32 in upper case, without blanks and padding.
    letters: Secret<String>,
}

/// A text that is no seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected {MIN_SEED} to {MAX_SEED} bytes in base32, letters and the digits 2 to 7, as AWS shows them \
     under \"Show secret key\""
)]
pub struct TotpSeedError;

impl TotpSeed {
    /// Takes base32 (RFC 4648, section 6); blanks, lower case and missing padding do no harm.
    ///
    /// # Errors
    /// Another letter, padding before the end, a text that lacks a letter, a seed that is too short or too long.
    pub fn parse(text: &str) -> Result<Self, TotpSeedError> {
        let text = text.trim_ascii_end();
        let unpadded = text.trim_end_matches('=');
        if text.len() > MAX_TEXT || text.len() - unpadded.len() > 6 {
            return Err(TotpSeedError);
        }
        // Never grows, so that no copy is left behind in freed memory.
        let mut letters = Zeroizing::new(String::with_capacity(MAX_TEXT));
        for letter in unpadded.chars().filter(|letter| *letter != ' ') {
            letters.push(letter.to_ascii_uppercase());
        }
        // What is left of whole bytes is less than a letter, unless a letter is missing.
        let is_whole = letters.len() * 5 % 8 < 5;
        let is_base32 = letters.bytes().all(|letter| value(letter).is_some());
        if is_whole && is_base32 && (MIN_SEED..=MAX_SEED).contains(&(letters.len() * 5 / 8)) {
            let letters = Secret::new(std::mem::take(&mut *letters));
            return Ok(Self { letters });
        }
        Err(TotpSeedError)
    }

    /// The seed as it is kept.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.letters.expose()
    }

    /// The code of the step that this Unix time is in.
    #[must_use]
    pub fn code(&self, unix_seconds: i64) -> Secret<String> {
        let step = unix_seconds.div_euclid(STEP_SECONDS);
        Secret::new(format!("{:06}", truncated(&self.bytes(), step) % 1_000_000))
    }

    fn bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SEED));
        let (mut bits, mut count) = (0_u16, 0_u8);
        for five in self.expose().bytes().filter_map(value) {
            bits = (bits << 5) | u16::from(five);
            count += 5;
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count).to_be_bytes()[1]);
            }
        }
        bytes
    }
}

/// What a letter of base32 stands for.
const fn value(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'2'..=b'7' => Some(letter - b'2' + 26),
        _ => None,
    }
}

/// The HMAC of a step, cut to 31 bits (RFC 4226, section 5.3).
fn truncated(seed: &[u8], step: i64) -> u32 {
    let mut mac = Hmac::<Sha1>::new_from_slice(seed).expect("HMAC takes a key of any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 0x0f);
    let four = [digest[at], digest[at + 1], digest[at + 2], digest[at + 3]];
    u32::from_be_bytes(four) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// "12345678901234567890", the seed of the RFCs' examples.
    const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn the_codes_are_those_of_rfc_6238_appendix_b() {
        let seed = TotpSeed::parse(RFC).unwrap();
        for (unix_seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            // The appendix shows eight digits; ours are the last six of the same number.
            assert_eq!(seed.code(unix_seconds).expose(), &code[2..]);
        }
    }

    #[test]
    fn a_code_is_that_of_its_step_from_its_first_to_its_last_second() {
        let seed = TotpSeed::parse(RFC).unwrap();
        assert_eq!(seed.code(30), seed.code(59));
        assert_ne!(seed.code(29), seed.code(30));
        assert_ne!(seed.code(59), seed.code(60));
    }

    #[test]
    fn blanks_lower_case_and_padding_make_no_difference() {
        let plain = TotpSeed::parse("GEZDGNBVGY3TQOJQGE").unwrap();
        for same in [
            "GEZDGNBVGY3TQOJQGE======",
            "gezd gnbv gy3t qojq ge",
            " GEZDGNBVGY3TQOJQGE====== ",
        ] {
            assert_eq!(TotpSeed::parse(same).unwrap(), plain, "{same}");
        }
        assert_eq!(plain.expose(), "GEZDGNBVGY3TQOJQGE");
        assert_eq!(plain.bytes().as_slice(), b"12345678901");
    }

    #[test]
    fn what_is_no_seed_is_refused_at_each_edge() {
        for (letters, good) in [
            (15, false),
            (16, true),
            (17, false),
            (103, true),
            (104, false),
        ] {
            let text = "A".repeat(letters);
            assert_eq!(TotpSeed::parse(&text).is_ok(), good, "{letters}");
        }
        let blanks = |count| format!("{}{}A", "A".repeat(15), " ".repeat(count));
        assert!(TotpSeed::parse(&blanks(MAX_TEXT - 16)).is_ok());
        assert!(TotpSeed::parse(&blanks(MAX_TEXT - 15)).is_err());
        for bad in [
            "",
            "123456",
            "GEZDGNBVGY3TQOJ1",
            "GEZDGNBVGY3TQOJ8",
            "GEZDGNBV=GY3TQOJQ",
            "GEZDGNBVGY3TQOJQGE=======",
            "GEZDGNBVGY3TQOJÄ",
            "GEZDGNBV-GY3TQOJQ",
        ] {
            assert_eq!(TotpSeed::parse(bad), Err(TotpSeedError), "{bad}");
        }
    }

    #[test]
    fn neither_debug_nor_an_error_shows_it() {
        assert!(!format!("{:?}", TotpSeed::parse(RFC)).contains("GEZD"));
        let error = TotpSeed::parse("CANARY1").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CANARY"));
    }
}
