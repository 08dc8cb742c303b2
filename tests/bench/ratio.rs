//! A ratio of two things that took turns, with the spread of its pairs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::figures::Bound;

/// The fewest pairs that a ratio is published of. The spread of few pairs says little of where the next median comes to lie:
/// of five, three ratios of ten would differ from their own repetition; of twenty, one of 2,000.
pub(crate) const PAIRS: usize = 20;

/// The middle of the ratios of pairs, and between which two the middle nine tenths of them lie. What a busy machine took
/// from the one, it mostly took from the other, so that pairs tell more than the two medians.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ratio {
    pub(crate) what: String,
    pub(crate) median: f64,
    /// A twentieth of the pairs lie below, a twentieth above; of twenty or fewer, none.
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) pairs: usize,
    pub(crate) limit: Option<Bound>,
    pub(crate) aim: Option<Bound>,
}

impl Ratio {
    /// Pairs of which one could not be measured are left out.
    ///
    /// # Panics
    /// There is no other pair.
    pub(crate) fn of(what: impl Into<String>, pairs: impl IntoIterator<Item = f64>) -> Self {
        let mut pairs: Vec<f64> = pairs.into_iter().filter(|pair| pair.is_finite()).collect();
        pairs.sort_by(f64::total_cmp);
        let last = pairs.len() - 1;
        Self {
            what: what.into(),
            median: pairs[pairs.len() / 2],
            low: pairs[last / 20],
            high: pairs[last - last / 20],
            pairs: pairs.len(),
            limit: None,
            aim: None,
        }
    }

    /// Beyond this the run fails.
    pub(crate) fn limited(self, limit: Bound) -> Self {
        Self {
            limit: Some(limit),
            ..self
        }
    }

    /// What is to be reached, and is shown beside what was.
    pub(crate) fn aiming(self, aim: Bound) -> Self {
        Self {
            aim: Some(aim),
            ..self
        }
    }

    /// Whether each of two runs' middles lies within the other's spread.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        self.holds(other.median) && other.holds(self.median)
    }

    /// Figures in a file have fewer digits than figures in memory: what lies on the edge is within.
    fn holds(&self, figure: f64) -> bool {
        let grain = 1e-9 * self.median.abs();
        (self.low - grain..=self.high + grain).contains(&figure)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (median, low, high) = (self.median, self.low, self.high);
        write!(f, "{median:.2} ({low:.2}, {high:.2})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[f64]) -> Ratio {
        Ratio::of("", pairs.iter().copied())
    }

    #[test]
    fn the_spread_leaves_a_twentieth_out_on_each_side() {
        let ratio = Ratio::of("", (1..=21).rev().map(f64::from));
        assert_eq!((ratio.low, ratio.median, ratio.high), (2.0, 11.0, 20.0));
        let ratio = Ratio::of("", (1..=20).map(f64::from));
        assert_eq!((ratio.low, ratio.high, ratio.pairs), (1.0, 20.0, 20));
        let alone = of(&[3.0, f64::INFINITY, f64::NAN]);
        assert_eq!((alone.low, alone.high, alone.pairs), (3.0, 3.0, 1));
    }

    #[test]
    fn runs_agree_when_each_middle_is_within_the_others_spread() {
        let wide = of(&[1.0, 2.0, 3.0]);
        assert!(wide.agrees(&of(&[1.5, 2.5, 3.5])));
        assert!(!wide.agrees(&of(&[2.6, 2.7, 2.8])));
        assert!(!wide.agrees(&of(&[3.5, 4.0, 4.5])));
        assert!(of(&[1.0]).agrees(&of(&[1.0])));
    }
}
