//! What the writing thread tells the rest of the agent.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::read::Extent;

/// Between the writing thread and everybody else. The lock is held for a few copies, never across an await.
pub(super) struct Shared {
    state: Mutex<State>,
    extent: watch::Sender<Option<Extent>>,
}

struct State {
    keep: Duration,
    records: u64,
    /// Whether the last write succeeded.
    written: bool,
    /// Whether the last flush behind an acknowledgement succeeded.
    settled: bool,
    /// Whether this agent found damage.
    damaged: bool,
}

impl Shared {
    pub(super) fn new(keep: Duration) -> Self {
        let state = State {
            keep,
            records: 0,
            written: true,
            settled: true,
            damaged: false,
        };
        Self {
            state: Mutex::new(state),
            extent: watch::Sender::new(None),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep(&self) -> Duration {
        self.state().keep
    }

    pub(super) fn set_keep(&self, keep: Duration) {
        self.state().keep = keep;
    }

    /// Records written, and whether all is well.
    pub(super) fn health(&self) -> (u64, bool) {
        let state = self.state();
        (
            state.records,
            state.written && state.settled && !state.damaged,
        )
    }

    /// A write ended: with so many records, or with an error.
    pub(super) fn wrote(&self, records: Option<usize>) {
        let mut state = self.state();
        state.written = records.is_some();
        state.records += records.unwrap_or(0) as u64;
    }

    /// What was acknowledged is on disk now, or that failed. Returns whether this is news.
    pub(super) fn settled(&self, settled: bool) -> bool {
        std::mem::replace(&mut self.state().settled, settled) != settled
    }

    pub(super) fn damaged(&self) {
        self.state().damaged = true;
    }

    pub(super) fn publish(&self, extent: Option<Extent>) {
        self.extent.send_replace(extent);
    }

    /// How far the journal is written; absent before the first record of all.
    pub(super) fn extent(&self) -> Option<Extent> {
        self.extent.borrow().clone()
    }

    /// The same, and each time that it grows.
    pub(super) fn extents(&self) -> watch::Receiver<Option<Extent>> {
        self.extent.subscribe()
    }
}
