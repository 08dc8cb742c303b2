//! How long a cached session is good for: hand it out, refresh it behind the caller, make the caller wait, or
//! refuse.
//!
//! The windows come from what AWS's SDKs do near an expiry: botocore asks again at every call below 15 minutes
//! of remaining life and .NET below 16, so at least 20 minutes are handed out wherever that is possible.

use std::time::Duration;

use jumpgate_api::Timestamp;

/// A session with less than this left is never handed out: several SDKs use what has expired.
pub const LAST_SECONDS: Duration = Duration::from_secs(60);

/// What is left of a session that lives for `life` when it is handed out no more: [`LAST_SECONDS`]; a tenth of lives
/// under ten minutes, which only callers have who asked for them.
#[must_use]
pub fn last_seconds(life: Duration) -> Duration {
    LAST_SECONDS.min(life / 10)
}

/// The life that a caller gets at least, wherever a refresh is possible.
pub const HANDED_OUT: Duration = Duration::from_secs(20 * 60);

/// The same for IMDS: botocore shows itself an expiry up to 25 minutes away when less is left, and would go on signing
/// with what has expired.
pub const HANDED_OUT_BY_IMDS: Duration = Duration::from_secs(26 * 60);

/// A refresh behind the caller starts when this much is left, or a quarter of the life if that is more.
pub const REFRESH_AHEAD: Duration = Duration::from_secs(30 * 60);

/// What to do with a session that has `left` of `life`.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Hand it out.
    Fresh,
    /// Hand it out and refresh it behind the caller.
    Ageing,
    /// Refresh it first, for a bounded time; hand it out if that fails.
    Short,
    /// It is over.
    Spent,
}

/// Judges a session by its life and what is left of it. `least` is what the caller shall get wherever a refresh is
/// possible: [`HANDED_OUT`] or [`HANDED_OUT_BY_IMDS`].
pub fn freshness(
    issued_at: Timestamp,
    expires_at: Timestamp,
    now: Timestamp,
    least: Duration,
) -> Freshness {
    let (life, left) = (expires_at.since(issued_at), expires_at.since(now));
    if left <= last_seconds(life) {
        Freshness::Spent
    } else if left < least.min(refresh_at(life)) {
        Freshness::Short
    } else if left <= refresh_at(life) {
        Freshness::Ageing
    } else {
        Freshness::Fresh
    }
}

/// Sessions of less than 50 minutes would start their refresh at once by the first two bounds; they do at
/// three fifths of their life.
fn refresh_at(life: Duration) -> Duration {
    REFRESH_AHEAD.max(life / 4).min(life * 3 / 5)
}

/// How long until a session's refresh may start: zero from [`Freshness::Ageing`] on.
#[must_use]
pub fn until_refresh(issued_at: Timestamp, expires_at: Timestamp, now: Timestamp) -> Duration {
    let (life, left) = (expires_at.since(issued_at), expires_at.since(now));
    left.saturating_sub(refresh_at(life))
}

/// How long after a failed refresh the next one may start while the old session is served: 30 s, doubling
/// to 5 min, less up to a quarter by `jitter` (0 to 255) so that many agents do not return together.
#[must_use]
pub fn refresh_pause(failures: u32, jitter: u8) -> Duration {
    let seconds = 30_u64
        .saturating_mul(1 << failures.saturating_sub(1).min(10))
        .min(300);
    let millis = seconds * 1000;
    Duration::from_millis(millis - millis / 4 * u64::from(jitter) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(life_minutes: i64, left_seconds: i64) -> Freshness {
        let issued = Timestamp::from_unix_seconds(1_000_000);
        let expires = Timestamp::from_unix_seconds(1_000_000 + life_minutes * 60);
        let now = Timestamp::from_unix_seconds(1_000_000 + life_minutes * 60 - left_seconds);
        freshness(issued, expires, now, HANDED_OUT)
    }

    #[test]
    fn windows_of_the_usual_lives() {
        use Freshness::{Ageing, Fresh, Short, Spent};
        for (life, left, expected) in [
            (60, 3600, Fresh),
            (60, 1801, Fresh),
            (60, 1800, Ageing),
            (60, 1200, Ageing),
            (60, 1199, Short),
            (60, 61, Short),
            (60, 60, Spent),
            (60, 0, Spent),
            (60, -5, Spent),
            (720, 3 * 3600, Ageing),
            (720, 3 * 3600 + 1, Fresh),
            (15, 900, Fresh),
            (15, 541, Fresh),
            (15, 540, Ageing),
            (15, 539, Short),
            (30, 1081, Fresh),
            (30, 1080, Ageing),
            (1, 60, Fresh),
            (1, 37, Fresh),
            (1, 36, Ageing),
            (1, 35, Short),
            (1, 7, Short),
            (1, 6, Spent),
            (10, 61, Short),
            (10, 60, Spent),
        ] {
            assert_eq!(judge(life, left), expected, "{life} min, {left} s left");
        }
    }

    #[test]
    fn a_refresh_is_due_when_the_session_ages() {
        for (life, left, due) in [
            (60, 3600, 1800),
            (60, 1801, 1),
            (60, 1800, 0),
            (60, 0, 0),
            (15, 900, 360),
        ] {
            let issued = Timestamp::from_unix_seconds(1_000_000);
            let expires = issued.plus(Duration::from_secs(life * 60));
            let now = Timestamp::from_unix_seconds(1_000_000 + life as i64 * 60 - left);
            assert_eq!(
                until_refresh(issued, expires, now),
                Duration::from_secs(due)
            );
            let ages = freshness(issued, expires, now, HANDED_OUT) != Freshness::Fresh;
            assert_eq!(ages, due == 0, "{life} min, {left} s left");
        }
    }

    #[test]
    fn pauses_double_to_five_minutes() {
        let pauses: Vec<_> = (1..7).map(|n| refresh_pause(n, 0).as_secs()).collect();
        assert_eq!(pauses, [30, 60, 120, 240, 300, 300]);
        assert_eq!(refresh_pause(1, 255), Duration::from_millis(22_500));
        assert_eq!(refresh_pause(0, 0).as_secs(), 30);
        assert_eq!(refresh_pause(u32::MAX, 0).as_secs(), 300);
    }
}
