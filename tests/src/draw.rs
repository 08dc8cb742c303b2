//! Choices that a seed decides: the same seed, the same choices, on every machine.

use std::ops::Range;
use std::time::Duration;

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    /// From a seed; neighbours have nothing in common.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// Other choices of the same seed.
    #[must_use]
    pub const fn branch(&self, label: u64) -> Self {
        let mut branch = Self(self.0 ^ label.wrapping_mul(0xd134_2543_de82_ef95));
        branch.bits();
        branch
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.bits() % end).unwrap_or(0)
    }

    /// A number of the range, which is not empty.
    pub const fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.bits() % (range.end - range.start)
    }

    /// Whether, once in so many times.
    pub const fn once_in(&mut self, times: u64) -> bool {
        self.within(0..times) == 0
    }

    /// One of these, each as often as its weight says; not all weights are 0.
    ///
    /// # Panics
    /// Never: what is drawn is less than the sum of the weights.
    pub fn weighted<T: Copy>(&mut self, choices: &[(u64, T)]) -> T {
        let all = choices.iter().map(|(weight, _)| weight).sum();
        let mut left = self.within(0..all);
        for (weight, choice) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        unreachable!("less than the sum of the weights")
    }

    /// One of these, of which there is one at least.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// Whether, so many times out of a hundred.
    pub fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A time up to `longest`, short ones as likely as long ones: each power of two of microseconds has its turn.
    pub fn pause(&mut self, longest: Duration) -> Duration {
        let longest = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        let bound = longest >> self.below(12);
        Duration::from_micros(self.bits() % (bound + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_and_the_first_numbers_are_the_papers() {
        let mut draw = Draw::of(1_234_567);
        assert_eq!(draw.bits(), 6_457_827_717_110_365_317);
        assert_eq!(draw.bits(), 3_203_168_211_198_807_973);
        let longest = Duration::from_millis(300);
        let mut pauses = (0..1000).map(|seed| Draw::of(seed).pause(longest));
        assert!(pauses.all(|pause| pause <= longest));
        assert_ne!(Draw::of(1).bits(), Draw::of(2).bits());
    }
}
