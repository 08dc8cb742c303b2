//! How a cost grows with the number of things. Every number has an agent of its own; all of them are there at once and
//! take turns, so that what disturbs one disturbs all.

use std::time::Duration;

use crate::figures::{Bound, Limit};
use crate::process::against;
use crate::ratio::Ratio;

/// Ten times the things may cost so much more: 10 is linear, 100 quadratic.
const LINEAR: f64 = 15.0;

/// With the most things, what does not depend on them may cost so much more than with one.
const FLAT: f64 = 1.5;

/// Times of the smallest number first; those of one turn stand at the same place.
pub(crate) type Times = Vec<Vec<Duration>>;

/// What grows with the things: the last decade, which is to be linear.
///
/// # Panics
/// There are fewer than two numbers.
pub(crate) fn linear(what: &str, counts: &[usize], times: &Times) -> Ratio {
    let (last, before) = (times.len() - 1, times.len() - 2);
    let what = format!("{what}: {} in {}'s", counts[last], counts[before]);
    Ratio::of(what, against(&times[last], &times[before])).limited(Bound::AtMost(LINEAR))
}

/// What should not grow with them at all.
pub(crate) fn flat(what: &str, counts: &[usize], times: &Times) -> Ratio {
    let last = times.len() - 1;
    let what = format!("{what}: {} in {}'s", counts[last], counts[0]);
    Ratio::of(what, against(&times[last], &times[0])).limited(Bound::AtMost(FLAT))
}

/// What one of them takes of the agent's memory, from the smallest number to the largest.
pub(crate) fn memory(what: &str, aim: f64, counts: &[usize], kilobytes: &[u64]) -> Limit {
    let last = counts.len() - 1;
    let items = counts[last].saturating_sub(counts[0]).max(1);
    let grown = kilobytes[last].saturating_sub(kilobytes[0]);
    #[allow(clippy::cast_precision_loss)]
    let each = grown as f64 / items as f64;
    Limit::new(format!("memory of {what}, KiB"), each, Bound::AtMost(aim))
}
