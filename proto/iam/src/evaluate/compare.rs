//! Values of conditions compared: booleans, numbers, dates, addresses. `None` is "not comparable".

use std::cmp::Ordering;
use std::net::IpAddr;

use crate::statement::Comparison;

/// `true` or `false` in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn holds(order: Ordering, comparison: Comparison) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

/// Compares two numbers; the request's stands left.
pub(super) fn numbers(left: &str, right: &str, comparison: Comparison) -> Option<bool> {
    let order = number(left)?.partial_cmp(&number(right)?)?;
    Some(holds(order, comparison))
}

/// Digits with a sign and a fraction, few enough to be exact.
pub(crate) fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let few = digits.len() <= 15 && all_digits(whole) && all_digits(fraction);
    few.then(|| text.parse().ok()).flatten()
}

/// Compares two dates; the request's stands left.
pub(super) fn dates(left: &str, right: &str, comparison: Comparison) -> Option<bool> {
    Some(holds(date(left)?.cmp(&date(right)?), comparison))
}

/// Seconds since 1970: epoch seconds, or `YYYY-MM-DDThh:mm:ss` with `Z` or an offset. Shorter forms
/// are legal, but not what instant they mean.
pub(crate) fn date(text: &str) -> Option<i64> {
    if !text.is_empty() && text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit()) {
        // Four digits could be a year.
        return (text.len() > 4).then(|| text.parse().ok()).flatten();
    }
    if !text.is_ascii() || text.len() < 20 {
        return None;
    }
    let (stamp, zone) = text.split_at(19);
    let bytes = stamp.as_bytes();
    let shape = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if shape.iter().any(|(at, wanted)| bytes[*at] != *wanted) {
        return None;
    }
    let part = |from: usize, to: usize| digits(&stamp[from..to]);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    let legal = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let seconds = hour * 3_600 + minute * 60 + second;
    legal.then_some(days(year, month, day) * 86_400 + seconds - offset(zone)?)
}

fn digits(text: &str) -> Option<i64> {
    let all = text.bytes().all(|b| b.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

/// Seconds east of UTC. A fraction of a second would need a finer clock.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = match zone.as_bytes() {
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes) = (digits(&zone[1..3])?, digits(&zone[4..6])?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let years = before * 365 + before / 4 - before / 100 + before / 400;
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    years + months + day - 719_163
}

/// Whether an address lies in a network such as `203.0.113.0/24`, or is one such as `::1`.
pub(super) fn in_network(address: &str, text: &str) -> Option<bool> {
    let (address, width) = bits(address.parse().ok()?);
    let (base, base_width, length) = network(text)?;
    let shift = width - length.min(width);
    let within = shift == 128 || address >> shift == base >> shift;
    Some(width == base_width && within)
}

/// The bits of a network's address, their number, and how many of them count.
pub(crate) fn network(text: &str) -> Option<(u128, u32, u32)> {
    let (base, length) = match text.split_once('/') {
        Some((base, length)) => (base, Some(u32::try_from(digits(length)?).ok()?)),
        None => (text, None),
    };
    let (base, width) = bits(base.parse().ok()?);
    let length = length.unwrap_or(width);
    (length <= width).then_some((base, width, length))
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}
