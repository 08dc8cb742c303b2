//! Hand-outs of one endpoint, counted by process and note: the first of a session is recorded, the same again is counted.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use super::Broker;
use super::endpoints::OpenEndpoint;
use super::failure::Failure;
use super::sessions::Minted;
use crate::domain::event::{Activity, Event};
use crate::domain::grant::Grant;
use crate::domain::lease::Lease;
use crate::domain::name::SessionId;

/// How long like hand-outs are counted before they are recorded.
const COUNTED_FOR: Duration = Duration::from_secs(60);

/// Most processes whose hand-outs are counted at a time for one endpoint; beyond it, all are recorded and begun anew.
const MAX_HOLDERS: usize = 64;

/// A process by its pid, and the note of its record: what needed no token is not counted with what did.
type Key = (u32, Option<&'static str>);

/// The processes that have a session of this endpoint on record.
#[derive(Default)]
pub(super) struct Holders {
    held: HashMap<Key, Holder>,
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
    pub(super) fn count(&self, lease: &Lease) -> Option<bool> {
        let mut holders = self.holders();
        let holder = holders.held.get_mut(&key(lease))?;
        // A pid is given anew, and keeps its number through an exec.
        if holder.session != lease.session || holder.again.peer.as_ref() != Some(&lease.peer) {
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
        before.extend(holders.held.insert(key(lease), Holder { session, again }));
        before.into_iter().filter_map(Holder::counted).collect()
    }

    /// Takes the counts for the journal.
    pub(super) fn take_counts(&self) -> Vec<Event> {
        let mut holders = self.holders();
        holders.timed = false;
        holders.held.values_mut().filter_map(Holder::take).collect()
    }
}

impl Broker {
    /// Puts a hand-out on record, or counts it if this process has the like on record already.
    pub(super) async fn record_serve(
        self: &Arc<Self>,
        endpoint: &Arc<OpenEndpoint>,
        lease: Lease,
        grant: &Grant,
        minted: &Arc<Minted>,
    ) -> Result<(), Failure> {
        match endpoint.count(&lease) {
            Some(true) => self.record_counts_later(endpoint),
            Some(false) => {}
            None => {
                self.record_lease(&lease, grant, minted).await?;
                let again = Self::lease_event(&lease, grant, minted, false);
                for event in endpoint.remember(&lease, again) {
                    self.record_or_log(event).await;
                }
                let now = lease.issued_at;
                self.renew_lease(lease, now)?;
            }
        }
        Ok(())
    }

    fn record_counts_later(self: &Arc<Self>, endpoint: &Arc<OpenEndpoint>) {
        let (broker, endpoint) = (Arc::clone(self), Arc::clone(endpoint));
        tokio::spawn(async move {
            tokio::time::sleep(COUNTED_FOR).await;
            broker.record_counts(&endpoint).await;
        });
    }

    pub(super) async fn record_counts(&self, endpoint: &OpenEndpoint) {
        for event in endpoint.take_counts() {
            self.record_or_log(event).await;
        }
    }

    /// Records what is counted. Called before the journal is read and at the end.
    pub(super) async fn record_all_counts(&self) {
        for endpoint in self.endpoints.all() {
            self.record_counts(&endpoint).await;
        }
    }
}

const fn key(lease: &Lease) -> Key {
    (lease.peer.pid, lease.note)
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
