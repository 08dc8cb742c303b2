//! What was acknowledged and is not known to be on disk.

use std::time::{Duration, Instant};

use crate::domain::event::Durability;

/// Longest that an acknowledged record waits for the disk.
pub const FLUSH_WITHIN: Duration = Duration::from_secs(1);

/// Most bytes that wait for the disk; beyond it a batch is flushed before it is acknowledged.
pub const MAX_UNFLUSHED: usize = 256 * 1024;

/// The end of the current file, from its last byte that was flushed on.
pub(super) struct Unflushed {
    within: Duration,
    /// Kept, since a failed flush can leave nothing of them to flush again.
    bytes: Vec<u8>,
    /// When the oldest of them was written; behind a failure, when that was.
    since: Option<Instant>,
    /// Whether the last write or flush failed.
    failed: bool,
}

impl Unflushed {
    /// Nothing, and a bound on how long anything may stay.
    pub(super) fn new(within: Duration) -> Self {
        Self {
            within,
            bytes: Vec::new(),
            since: None,
            failed: false,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether a flush was tried over these bytes, and failed.
    pub(super) fn is_suspect(&self) -> bool {
        self.failed && !self.bytes.is_empty()
    }

    /// When it must be flushed; absent when there is nothing.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since?.checked_add(self.within)
    }

    /// What a batch of so many bytes gets that asks for this much: more behind a failure, and when too many wait.
    pub(super) fn durability(&self, asked: Durability, bytes: usize) -> Durability {
        if self.failed || self.bytes.len() + bytes > MAX_UNFLUSHED {
            Durability::Flushed
        } else {
            asked
        }
    }

    /// Bytes were written behind the others.
    pub(super) fn written(&mut self, bytes: &[u8], now: Instant) {
        self.bytes.extend_from_slice(bytes);
        self.since.get_or_insert(now);
    }

    /// Everything is on disk.
    pub(super) fn flushed(&mut self) {
        *self = Self::new(self.within);
    }

    /// A write or a flush failed. What waits is tried again after as long as it may wait.
    pub(super) fn failed(&mut self, now: Instant) {
        self.failed = true;
        self.since = self.since.map(|_| now);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use Durability::{Flushed, Written};

    #[test]
    fn it_is_due_a_second_behind_its_oldest_byte() {
        assert_eq!(FLUSH_WITHIN, Duration::from_secs(1));
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut unflushed = Unflushed::new(FLUSH_WITHIN);
        assert_eq!(unflushed.due(), None, "no timer while there is nothing");
        unflushed.written(b"a", start);
        unflushed.written(b"b", after(900));
        assert_eq!(
            unflushed.due(),
            Some(after(1000)),
            "later ones do not put it off"
        );
        unflushed.failed(after(1000));
        assert!(unflushed.is_suspect());
        assert_eq!(unflushed.due(), Some(after(2000)), "it is tried again");
        assert_eq!(unflushed.bytes(), b"ab");
        unflushed.flushed();
        assert_eq!((unflushed.due(), unflushed.bytes()), (None, &b""[..]));
        unflushed.written(b"c", after(5000));
        assert_eq!(unflushed.due(), Some(after(6000)));
    }

    #[test]
    fn what_is_flushed_before_it_is_acknowledged() {
        let now = Instant::now();
        let mut unflushed = Unflushed::new(FLUSH_WITHIN);
        assert_eq!(unflushed.durability(Written, MAX_UNFLUSHED), Written);
        assert_eq!(unflushed.durability(Written, MAX_UNFLUSHED + 1), Flushed);
        assert_eq!(unflushed.durability(Flushed, 1), Flushed);
        unflushed.written(b"12345", now);
        assert_eq!(unflushed.durability(Written, MAX_UNFLUSHED - 5), Written);
        assert_eq!(unflushed.durability(Written, MAX_UNFLUSHED - 4), Flushed);
        unflushed.flushed();
        unflushed.failed(now);
        assert_eq!(
            unflushed.durability(Written, 1),
            Flushed,
            "behind a failure"
        );
        assert_eq!(unflushed.due(), None, "nothing waits, so nothing is due");
        unflushed.flushed();
        assert_eq!(unflushed.durability(Written, 1), Written);
    }
}
