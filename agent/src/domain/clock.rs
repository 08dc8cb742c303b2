//! Clocks that disagree: ours with itself, after somebody has set it, and ours with AWS's.

use std::time::Duration;

use jumpgate_api::Timestamp;

/// The wall clock has jumped when it went this much further, or less far, than the clock that nobody can set, and a
/// thousandth of the time between: a clock that is being adjusted runs up to 0.05 % faster or slower (adjtime(3)).
pub const JUMP: Duration = Duration::from_secs(30);

/// A difference to AWS's clock is taken into account from here on: below it the last minute of a session, which is never
/// handed out, is enough, and AWS takes signatures that are 5 minutes off.
pub const CORRECTED_FROM: u64 = 30;

/// A difference above this is not believed: with a clock that far off no certificate would have been accepted.
pub const MAX_SKEW: u64 = 86_400;

/// What took longer to answer than this says nothing about the time.
const SLOWEST_ANSWER: i64 = 20_000;

/// Both clocks, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock.
    pub wall: Timestamp,
    /// The time since some point in the past; goes on in sleep, and nobody can set it.
    pub running: Duration,
}

/// The wall clock went elsewhere than time did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Jump {
    /// What it should read.
    pub expected: Timestamp,
    /// What it reads.
    pub read: Timestamp,
}

impl Reading {
    /// Whether the wall clock jumped since an earlier reading.
    pub fn jump_since(self, earlier: Self) -> Option<Jump> {
        let passed = self.running.saturating_sub(earlier.running);
        let jump = Jump {
            expected: earlier.wall.plus(passed),
            read: self.wall,
        };
        let tolerance = JUMP + passed / 1_000;
        (jump.ahead() > tolerance || jump.back() > tolerance).then_some(jump)
    }
}

impl Jump {
    /// How far ahead it went.
    #[must_use]
    pub fn ahead(self) -> Duration {
        self.read.since(self.expected)
    }

    /// How far back it went.
    #[must_use]
    pub fn back(self) -> Duration {
        self.expected.since(self.read)
    }
}

/// How many seconds AWS's clock is ahead of ours, by the whole second that an answer was `dated` with, somewhere between
/// the sending of its request and its coming in. 0 where the two may well be the same; `None` where it took too long.
#[must_use]
pub fn skew(sent: Timestamp, received: Timestamp, dated: Timestamp) -> Option<i64> {
    let took = received.unix_millis().checked_sub(sent.unix_millis())?;
    if !(0..=SLOWEST_ANSWER).contains(&took) {
        return None;
    }
    let ours = sent.unix_millis() + took / 2;
    let theirs = dated.unix_millis().checked_add(500)?;
    let ahead = theirs.checked_sub(ours)?;
    let unsure = took.unsigned_abs() / 2 + 500;
    if ahead.unsigned_abs() <= unsure {
        return Some(0);
    }
    let seconds = ahead / 1_000;
    (seconds.unsigned_abs() <= MAX_SKEW).then_some(seconds)
}

/// What is added to our clock to get AWS's, seconds, for a measured difference.
#[must_use]
pub const fn correction(skew: i64) -> i64 {
    if skew.unsigned_abs() < CORRECTED_FROM {
        0
    } else {
        skew
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_800_000_000_000 + millis)
    }

    #[test]
    fn a_jump_is_told_from_drift_and_from_sleep() {
        let seconds = |s: u64| Duration::from_secs(s);
        let earlier = Reading {
            wall: at(0),
            running: seconds(1_000),
        };
        // Time that passed, where the wall clock then is, and how far it went ahead and back.
        for (passed, wall, ahead, back) in [
            (0, 0, 0, 0),
            (3_600, 3_600, 0, 0),
            // Slept, or adjusted by a little.
            (86_400, 86_400 + 43, 0, 0),
            (86_400, 86_400 - 43, 0, 0),
            (60, 60 + 30, 0, 0),
            (60, 60 + 31, 31, 0),
            (60, 60 - 31, 0, 31),
            (60, 60 - 3_600, 0, 3_600),
            (0, 7_200, 7_200, 0),
            (86_400, 86_400 + 117, 117, 0),
        ] {
            let later = Reading {
                wall: at(wall * 1_000),
                running: earlier.running + seconds(passed),
            };
            let jump = later.jump_since(earlier);
            let found = jump.map_or((0, 0), |jump| {
                (jump.ahead().as_secs(), jump.back().as_secs())
            });
            assert_eq!(found, (ahead, back), "{passed} s, wall {wall}");
        }
    }

    #[test]
    fn the_difference_to_another_clock() {
        // Sent, received, dated (milliseconds), and the seconds that they are ahead.
        for (sent, received, dated, expected) in [
            (0, 0, 0, Some(0)),
            (0, 100, 0, Some(0)),
            // The date is cut to the second: up to a second behind is nothing.
            (999, 1_099, 0, Some(0)),
            (0, 4_000, 3_000, Some(0)),
            (0, 200, 2_000, Some(2)),
            (0, 200, -3_000, Some(-2)),
            (0, 200, 600_000, Some(600)),
            (0, 200, -600_000, Some(-599)),
            (0, 20_000, 600_000, Some(590)),
            (0, 20_001, 600_000, None),
            (100, 0, 0, None),
            (0, 200, 86_400_000, Some(86_400)),
            (0, 200, 86_402_000, None),
            (0, 200, i64::MAX / 2, None),
        ] {
            let found = skew(at(sent), at(received), at(dated));
            assert_eq!(found, expected, "{sent} {received} {dated}");
        }
        let extreme = Timestamp::from_unix_millis(i64::MIN);
        assert_eq!(skew(extreme, at(0), at(0)), None);
        assert_eq!(skew(at(0), at(0), extreme), None);
    }

    #[test]
    fn small_differences_are_left_alone() {
        for (measured, applied) in [(0, 0), (29, 0), (-29, 0), (30, 30), (-30, -30), (600, 600)] {
            assert_eq!(correction(measured), applied);
        }
    }
}
