//! The operating system's clock and randomness.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jumpgate_api::{Secret, Timestamp};
use ulid::Ulid;
use zeroize::Zeroizing;

use crate::ports::{Clock, Entropy};

/// The operating system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let millis = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            });
        Timestamp::from_unix_millis(millis)
    }

    fn running(&self) -> Duration {
        let time = rustix::time::clock_gettime(SINCE_BOOT);
        Duration::try_from(time).unwrap_or_default()
    }
}

/// Elsewhere than on Linux the monotonic clock is the one that goes on in sleep.
#[cfg(target_os = "linux")]
const SINCE_BOOT: rustix::time::ClockId = rustix::time::ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const SINCE_BOOT: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn ulid(&self) -> String {
        let mut bytes = [0; 16];
        fill(&mut bytes);
        let millis = SystemClock.now().unix_millis().unsigned_abs();
        Ulid::from_parts(millis, u128::from_be_bytes(bytes)).to_string()
    }

    fn byte(&self) -> u8 {
        let mut byte = [0];
        fill(&mut byte);
        byte[0]
    }

    fn secret(&self) -> Secret<String> {
        let mut bytes = Zeroizing::new([0; 32]);
        fill(bytes.as_mut());
        Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()))
    }
}

/// Without randomness there is no safe way on: ids would repeat, nonces too.
fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the kernel gives random bytes");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn secrets_differ_and_fit_a_header() {
        let secrets: HashSet<String> = (0..1000)
            .map(|_| SystemEntropy.secret().expose().clone())
            .collect();
        assert_eq!(secrets.len(), 1000);
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(
            secrets
                .iter()
                .all(|text| text.len() == 43 && text.chars().all(fits))
        );
    }

    #[test]
    fn the_time_since_boot_goes_on() {
        let before = SystemClock.running();
        assert!(before > Duration::ZERO);
        assert!(SystemClock.running() >= before);
    }

    #[test]
    fn ulids_differ_and_carry_the_time() {
        let ulids: HashSet<String> = (0..1000).map(|_| SystemEntropy.ulid()).collect();
        assert_eq!(ulids.len(), 1000);
        let now = SystemClock.now().unix_millis().unsigned_abs();
        for text in ulids {
            let ulid: Ulid = text.parse().unwrap();
            assert!(now.abs_diff(ulid.timestamp_ms()) < 60_000);
        }
    }
}
