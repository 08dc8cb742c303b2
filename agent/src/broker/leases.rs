//! Who holds what until when.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jumpgate_api::Timestamp;

use super::{Broker, Failure};
use crate::domain::lease::{Lease, MAX_LEASES};
use crate::domain::name::LeaseId;
use crate::domain::peer::Peer;

/// The live leases, the oldest first.
#[derive(Default)]
pub(super) struct Leases(Mutex<VecDeque<Lease>>);

impl Leases {
    fn list(&self) -> MutexGuard<'_, VecDeque<Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a lease; forgets what has expired at the front, and the oldest when there are too many.
    pub(super) fn add(&self, lease: Lease, now: Timestamp) {
        let mut list = self.list();
        while list.front().is_some_and(|oldest| oldest.expires_at <= now) {
            list.pop_front();
        }
        if list.len() >= MAX_LEASES {
            list.pop_front();
        }
        list.push_back(lease);
    }

    /// Remembers a lease that an endpoint serves: in place of what it served before.
    pub(super) fn renew(&self, lease: Lease, now: Timestamp) {
        self.end(&lease.id);
        self.add(lease, now);
    }

    /// Those whose sessions have not expired.
    pub(super) fn live(&self, now: Timestamp) -> Vec<Lease> {
        let mut list = self.list();
        list.retain(|lease| lease.expires_at > now);
        list.iter().cloned().collect()
    }

    /// How many there are.
    fn count(&self, now: Timestamp) -> usize {
        let list = self.list();
        list.iter().filter(|lease| lease.expires_at > now).count()
    }

    /// One whose session has not expired.
    pub(super) fn find(&self, id: &LeaseId, now: Timestamp) -> Option<Lease> {
        let list = self.list();
        let found = list.iter().find(|lease| lease.id == *id);
        found.filter(|lease| lease.expires_at > now).cloned()
    }

    /// Ends one before its time.
    pub(super) fn end(&self, id: &LeaseId) -> Option<Lease> {
        let mut list = self.list();
        let at = list.iter().position(|lease| lease.id == *id)?;
        list.remove(at)
    }
}

impl Broker {
    /// The leases whose sessions have not expired.
    #[must_use]
    pub fn leases(&self) -> Vec<Lease> {
        self.leases.live(self.ports.clock.now())
    }

    /// How many those are.
    #[must_use]
    pub fn lease_count(&self) -> usize {
        self.leases.count(self.ports.clock.now())
    }

    /// One of them.
    #[must_use]
    pub fn lease_of(&self, id: &LeaseId) -> Option<Lease> {
        self.leases.find(id, self.ports.clock.now())
    }

    /// Ends a lease before its time. What was handed out stays valid at AWS.
    ///
    /// # Errors
    /// No such lease; the journal cannot be written.
    pub async fn end_lease(self: &Arc<Self>, peer: &Peer, id: &LeaseId) -> Result<Lease, Failure> {
        let (this, peer, id) = (Arc::clone(self), peer.clone(), id.clone());
        let change = async move { this.lease_ended(&peer, &id).await };
        self.changes.make(change).await
    }

    async fn lease_ended(&self, peer: &Peer, id: &LeaseId) -> Result<Lease, Failure> {
        let none = || Failure::NoSuchLease(id.clone());
        let lease = self.leases.find(id, self.ports.clock.now());
        let lease = lease.ok_or_else(none)?;
        let event = self.lease_end_event(peer, &lease);
        self.ports.journal.record(event).await?;
        self.leases.end(id).ok_or_else(none)
    }
}
