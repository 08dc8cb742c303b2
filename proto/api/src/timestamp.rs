//! Instants of the wall clock, as milliseconds since 1970 and as RFC 3339 text.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in UTC with millisecond precision, from 1970 to 9999.
///
/// Its text is RFC 3339 in the one form that every AWS SDK reads: `YYYY-MM-DDTHH:MM:SSZ`, whole seconds
/// (rounded down), never an offset. `with_millis` is the longer form of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// The last millisecond of the year 9999, after which RFC 3339 has no text.
const LAST_MILLIS: i64 = 253_402_300_799_999;

/// A text that is not an RFC 3339 instant in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an instant as YYYY-MM-DDTHH:MM:SSZ")]
pub struct TimestampError;

impl Timestamp {
    /// From milliseconds since 1970-01-01T00:00:00Z; clamped to the years 1970 to 9999.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(if millis < 0 {
            0
        } else if millis > LAST_MILLIS {
            LAST_MILLIS
        } else {
            millis
        })
    }

    /// From seconds since 1970-01-01T00:00:00Z; clamped likewise.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self::from_unix_millis(seconds.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0 / 1000
    }

    /// The time from `earlier` to this instant; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// This instant and a duration more.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_millis(self.0.saturating_add(millis))
    }

    /// This instant and a duration less.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_millis(self.0.saturating_sub(millis))
    }

    /// `YYYY-MM-DDTHH:MM:SS.mmmZ`.
    #[must_use]
    pub fn with_millis(self) -> String {
        let text = self.to_string();
        format!("{}.{:03}Z", text.trim_end_matches('Z'), self.0 % 1000)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.unix_seconds();
        let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
        let of_day = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads `YYYY-MM-DDTHH:MM:SS[.fraction]Z`; the fraction is cut to milliseconds.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let (main, fraction) = match text
            .strip_suffix('Z')
            .ok_or(TimestampError)?
            .split_once('.')
        {
            Some((main, fraction)) => (main, fraction),
            None => (text.strip_suffix('Z').ok_or(TimestampError)?, "0"),
        };
        let bytes = main.as_bytes();
        let shaped = main.is_ascii()
            && bytes.len() == 19
            && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
                .iter()
                .all(|&(at, mark)| bytes[at] == mark);
        if !shaped || !(1..=9).contains(&fraction.len()) {
            return Err(TimestampError);
        }
        let (year, month, day) = (
            digits(&main[..4])?,
            digits(&main[5..7])?,
            digits(&main[8..10])?,
        );
        let (hour, minute, second) = (
            digits(&main[11..13])?,
            digits(&main[14..16])?,
            digits(&main[17..])?,
        );
        let real_day = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        if !real_day || hour > 23 || minute > 59 || second > 59 || year < 1970 {
            return Err(TimestampError);
        }
        digits(fraction)?;
        let millis = digits(&format!("{fraction:0<3}")[..3])?;
        let days = days_from_civil(year, month, day);
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
        Ok(Self(seconds * 1000 + millis))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

fn digits(text: &str) -> Result<i64, TimestampError> {
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits {
        text.parse().map_err(|_| TimestampError)
    } else {
        Err(TimestampError)
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Days are counted in years that start on 1 March, so that the leap day is the last of its year; the
// Gregorian calendar repeats every 400 years = 146,097 days. Both hold for 1970 to 9999 only, all we need.

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month <= 2 { year - 1 } else { year };
    let march_month = (month + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
