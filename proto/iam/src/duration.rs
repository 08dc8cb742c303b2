//! How long a session may live.
//!
//! Sources: STS API reference, AssumeRole, GetSessionToken and GetScopedCredentials
//! (`DurationSeconds`); IAM user guide,
//! "Role chaining": a chained session lives one hour at most, and asking for more fails.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::excerpt::Excerpt;

/// The longest life in seconds of a session that was assumed from another role session.
pub const CHAINING_MAX: u32 = 3_600;

/// Why a number or a text is no legal duration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DurationError {
    /// Outside what the operation accepts.
    #[error("{operation} takes {min} to {max} seconds, not {found}")]
    OutOfRange {
        /// The STS operation.
        operation: &'static str,
        /// Seconds asked for.
        found: u64,
        /// Fewest seconds.
        min: u32,
        /// Most seconds.
        max: u32,
    },
    /// Not a number with a unit.
    #[error("a duration like 900s, 15m or 1h is expected, not {found}")]
    Form {
        /// The beginning of the text.
        found: Excerpt,
    },
}

/// Reads `900s`, `15m`, `12h`: ASCII digits and one unit. At most nine digits, so that no
/// multiplication overflows.
fn seconds_of(text: &str) -> Result<u64, DurationError> {
    let form = || DurationError::Form {
        found: Excerpt::of(text),
    };
    let (unit_at, unit) = text.char_indices().next_back().ok_or_else(form)?;
    let factor: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        _ => return Err(form()),
    };
    let digits = &text[..unit_at];
    if digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(form());
    }
    let number: u64 = digits.parse().map_err(|_| form())?;
    Ok(number * factor)
}

/// Writes seconds in the largest unit that divides them.
fn write_seconds(seconds: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = match seconds {
        s if s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    };
    f.pad(&text)
}

macro_rules! duration {
    ($type:ident, $operation:literal, $min:literal, $max:literal) => {
        impl $type {
            /// The shortest.
            pub const MIN: Self = Self($min);
            /// The longest.
            pub const MAX: Self = Self($max);

            /// A duration of so many seconds.
            ///
            /// # Errors
            /// When STS would refuse the number.
            pub const fn new(seconds: u32) -> Result<Self, DurationError> {
                if Self::MIN.0 <= seconds && seconds <= Self::MAX.0 {
                    return Ok(Self(seconds));
                }
                Err(Self::out_of_range(seconds as u64))
            }

            /// Reads `900s`, `15m` or `1h`.
            ///
            /// # Errors
            /// When the text is no duration, or one that STS would refuse.
            pub fn parse(text: &str) -> Result<Self, DurationError> {
                let seconds = seconds_of(text)?;
                match u32::try_from(seconds) {
                    Ok(seconds) => Self::new(seconds),
                    Err(_) => Err(Self::out_of_range(seconds)),
                }
            }

            /// Seconds, as in `DurationSeconds`.
            #[must_use]
            pub const fn seconds(self) -> u32 {
                self.0
            }

            const fn out_of_range(found: u64) -> DurationError {
                let (min, max) = (Self::MIN.0, Self::MAX.0);
                DurationError::OutOfRange {
                    operation: $operation,
                    found,
                    min,
                    max,
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_seconds(self.0, f)
            }
        }

        impl FromStr for $type {
            type Err = DurationError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = DurationError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::parse(text)
            }
        }

        impl TryFrom<u32> for $type {
            type Error = DurationError;

            fn try_from(seconds: u32) -> Result<Self, Self::Error> {
                Self::new(seconds)
            }
        }

        impl From<$type> for std::time::Duration {
            fn from(duration: $type) -> Self {
                Self::from_secs(duration.0.into())
            }
        }

        /// As a number of seconds.
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u32(self.0)
            }
        }

        /// From a number of seconds.
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(u32::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

/// The `DurationSeconds` of AssumeRole: 900 to 43,200. The role may allow less than asked for;
/// STS refuses what is over the role's own maximum. `a.min(b)` is the shorter of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleDuration(u32);

duration!(RoleDuration, "AssumeRole", 900, 43_200);

impl RoleDuration {
    /// What STS takes when nothing is said: one hour.
    pub const DEFAULT: Self = Self(3_600);

    /// This duration, but no more than role chaining allows ([`CHAINING_MAX`]).
    #[must_use]
    pub fn capped_for_chaining(self) -> Self {
        self.min(Self(CHAINING_MAX))
    }
}

/// The `DurationSeconds` of GetSessionToken: 900 to 129,600.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MfaSessionDuration(u32);

duration!(MfaSessionDuration, "GetSessionToken", 900, 129_600);

impl MfaSessionDuration {
    /// What STS takes when nothing is said: 12 hours.
    pub const DEFAULT: Self = Self(43_200);
}

/// The `DurationSeconds` of GetScopedCredentials: 1 to 129,600. The calling session's end comes
/// first where that is sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopedDuration(u32);

duration!(ScopedDuration, "GetScopedCredentials", 1, 129_600);

impl From<RoleDuration> for ScopedDuration {
    fn from(duration: RoleDuration) -> Self {
        Self(duration.0)
    }
}

#[cfg(test)]
mod tests;
