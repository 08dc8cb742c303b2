//! AWS's clock, as its answers are dated: what calls are signed by, and what their expiries are compared with.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::time::TimeSource;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use jumpgate_api::Timestamp;

use crate::domain::clock::{correction, skew};

/// Nothing was measured yet.
const UNKNOWN: i64 = i64::MIN;

/// A difference that changed by less than this, seconds, is the same: expiries that belong together are shifted alike.
const ALIKE: u64 = 5;

/// The difference between AWS's clock and ours; clones share it.
#[derive(Debug, Clone)]
pub(super) struct TheirClock {
    measured: Arc<AtomicI64>,
    applied: Arc<AtomicI64>,
}

impl Default for TheirClock {
    fn default() -> Self {
        Self {
            measured: Arc::new(AtomicI64::new(UNKNOWN)),
            applied: Arc::default(),
        }
    }
}

impl TheirClock {
    /// An answer was dated; the text is a `Date` header (RFC 9110, section 5.6.7).
    pub(super) fn heard(&self, sent: SystemTime, date: &str) {
        let dated = DateTime::from_str(date, Format::HttpDate);
        let dated = dated.ok().and_then(|date| date.to_millis().ok());
        let dated = dated.map(Timestamp::from_unix_millis);
        let received = timestamp(SystemTime::now());
        let Some(ahead) = dated.and_then(|dated| skew(timestamp(sent), received, dated)) else {
            return;
        };
        self.measured.store(ahead, Ordering::Relaxed);
        let new = correction(ahead);
        if new.abs_diff(self.applied()) > ALIKE {
            self.applied.store(new, Ordering::Relaxed);
        }
    }

    /// Seconds that it is ahead of ours, as last measured.
    pub(super) fn measured(&self) -> Option<i64> {
        Some(self.measured.load(Ordering::Relaxed)).filter(|seconds| *seconds != UNKNOWN)
    }

    /// Seconds that are added to ours.
    pub(super) fn applied(&self) -> i64 {
        self.applied.load(Ordering::Relaxed)
    }

    /// Ours was set: what was measured says nothing any more.
    pub(super) fn forget(&self) {
        self.measured.store(UNKNOWN, Ordering::Relaxed);
        self.applied.store(0, Ordering::Relaxed);
    }

    /// What our clock will read when theirs reads this.
    pub(super) fn on_ours(&self, theirs: Timestamp) -> Timestamp {
        let shift = self.applied().saturating_mul(1_000);
        Timestamp::from_unix_millis(theirs.unix_millis().saturating_sub(shift))
    }
}

impl TimeSource for TheirClock {
    fn now(&self) -> SystemTime {
        let applied = self.applied();
        let by = Duration::from_secs(applied.unsigned_abs());
        let now = SystemTime::now();
        let theirs = if applied < 0 {
            now.checked_sub(by)
        } else {
            now.checked_add(by)
        };
        theirs.unwrap_or(now)
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dated(ahead: i64) -> String {
        let now = timestamp(SystemTime::now()).unix_seconds();
        let date = DateTime::from_secs(now + ahead).fmt(Format::HttpDate);
        date.expect("a year of four digits")
    }

    #[test]
    fn an_answers_date_is_taken_from_thirty_seconds_on() {
        let clock = TheirClock::default();
        assert_eq!(clock.measured(), None);
        for (ahead, applied) in [
            (0, 0),
            (20, 0),
            (600, 600),
            (603, 600),
            (-600, -600),
            (0, 0),
        ] {
            clock.heard(SystemTime::now(), &dated(ahead));
            let measured = clock.measured().expect("it was measured");
            assert!(measured.abs_diff(ahead) <= 1, "{measured} for {ahead}");
            assert!(clock.applied().abs_diff(applied) <= 1, "{ahead}");
        }
        clock.heard(SystemTime::now(), &dated(600));
        let expiry = Timestamp::from_unix_seconds(10_000);
        let ours = clock.on_ours(expiry).unix_seconds();
        assert!(ours.abs_diff(9_400) <= 1, "{ours}");
        clock.forget();
        assert_eq!((clock.measured(), clock.on_ours(expiry)), (None, expiry));
    }

    #[test]
    fn what_is_no_date_or_came_too_late_says_nothing() {
        let clock = TheirClock::default();
        for text in [
            "",
            "yesterday",
            "Sun, 99 Nov 2026 00:00:00 GMT",
            "\u{1b}[2J",
        ] {
            clock.heard(SystemTime::now(), text);
        }
        clock.heard(SystemTime::now() - Duration::from_secs(60), &dated(600));
        assert_eq!((clock.measured(), clock.applied()), (None, 0));
    }
}
