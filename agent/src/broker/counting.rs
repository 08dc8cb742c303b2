//! Hand-outs of one endpoint, counted by process: the first of a session is recorded, the same again is counted.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use super::endpoints::OpenEndpoint;
use crate::domain::event::{Activity, Event};
use crate::domain::lease::Lease;
use crate::domain::name::SessionId;
use crate::domain::peer::Peer;

/// Most processes whose hand-outs are counted at a time for one endpoint; beyond it, all are recorded and begun anew.
const MAX_HOLDERS: usize = 64;

/// The processes that have a session of this endpoint on record, by pid.
#[derive(Default)]
pub(super) struct Holders {
    held: HashMap<u32, Holder>,
    /// Whether somebody will record the counts.
    timed: bool,
}

struct Holder {
    session: SessionId,
    again: Event,
}

impl OpenEndpoint {
    fn holders(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a hand-out that this process has on record already. `None` if it has not; else whether a timer
    /// has to be started.
    pub(super) fn count(&self, peer: &Peer, session: &SessionId) -> Option<bool> {
        let mut holders = self.holders();
        let holder = holders.held.get_mut(&peer.pid)?;
        // A pid is given anew, and keeps its number through an exec.
        if holder.session != *session || holder.again.peer.as_ref() != Some(peer) {
            return None;
        }
        let counted = &mut holder.again.facts.count;
        *counted = Some(counted.unwrap_or(0) + 1);
        Some(!std::mem::replace(&mut holders.timed, true))
    }

    /// Puts a process on record; returns counts that have to be recorded to make room.
    pub(super) fn remember(&self, lease: &Lease, mut again: Event) -> Vec<Event> {
        again.activity = Activity::LeaseServe;
        let mut holders = self.holders();
        let mut before = Vec::new();
        if holders.held.len() >= MAX_HOLDERS {
            before.extend(std::mem::take(&mut holders.held).into_values());
        }
        let session = lease.session.clone();
        before.extend(
            holders
                .held
                .insert(lease.peer.pid, Holder { session, again }),
        );
        before.into_iter().filter_map(Holder::counted).collect()
    }

    /// Takes the counts for the journal.
    pub(super) fn take_counts(&self) -> Vec<Event> {
        let mut holders = self.holders();
        holders.timed = false;
        holders.held.values_mut().filter_map(Holder::take).collect()
    }
}

impl Holder {
    fn counted(self) -> Option<Event> {
        self.again.facts.count.is_some().then_some(self.again)
    }

    fn take(&mut self) -> Option<Event> {
        let count = self.again.facts.count.take()?;
        let mut event = self.again.clone();
        event.facts.count = Some(count);
        Some(event)
    }
}
