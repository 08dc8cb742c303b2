//! Who holds what until when.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jumpgate_api::Timestamp;

use crate::domain::lease::{Lease, MAX_LEASES};
use crate::domain::name::LeaseId;

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
