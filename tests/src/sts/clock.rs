//! The double's clock: the system's, moved by an offset.

use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::macros::format_description;

/// Unix seconds of the system's clock.
pub(super) fn system() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

fn at(unix: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// `2026-11-22T01:02:03Z`.
pub fn rfc3339(unix: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    at(unix).format(&format).unwrap_or_default()
}

/// `20261122T010203Z`, as signatures have it.
pub fn basic(unix: i64) -> String {
    rfc3339(unix).replace(['-', ':'], "")
}

/// Unix seconds of a basic date.
pub(super) fn from_basic(text: &str) -> Option<i64> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    time::PrimitiveDateTime::parse(text, &format)
        .ok()
        .map(|t| t.assume_utc().unix_timestamp())
}

/// `Sun, 22 Nov 2026 01:02:03 GMT`, as HTTP's Date header has it.
pub(super) fn http_date(unix: i64) -> String {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    at(unix).format(&format).unwrap_or_default()
}
