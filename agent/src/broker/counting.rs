//! Hand-outs of one endpoint, counted by process and note: the first of a session is recorded, the same again is counted.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use jumpgate_api::Timestamp;
use tokio::sync::Semaphore;

use super::Broker;
use super::endpoints::OpenEndpoint;
use super::failure::Failure;
use super::sessions::Minted;
use crate::domain::event::Event;
use crate::domain::grant::Grant;
use crate::domain::identity::AccessKeyId;
use crate::domain::lease::Lease;
use crate::domain::peer::Peer;

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
    /// Those that are being put on record now: their other connections wait for that, and are counted.
    turns: HashMap<Key, Weak<Semaphore>>,
    /// Whether somebody will record the counts.
    timed: bool,
}

struct Holder {
    /// Of the session that it holds. Scoped-down sessions that follow each other share the session's id: it is that of
    /// the one under them.
    session: AccessKeyId,
    again: Event,
}

/// A session that an endpoint hands to a process, with the note that its record shall have.
#[derive(Clone, Copy)]
pub(super) struct HandOut<'a> {
    pub(super) endpoint: &'a Arc<OpenEndpoint>,
    pub(super) peer: &'a Peer,
    pub(super) note: Option<&'static str>,
    pub(super) grant: &'a Grant,
    pub(super) minted: &'a Arc<Minted>,
}

impl HandOut<'_> {
    const fn key(&self) -> Key {
        (self.peer.pid, self.note)
    }

    fn lease(&self, now: Timestamp) -> Lease {
        let (endpoint, session) = (self.endpoint, &self.minted.session);
        Lease {
            id: endpoint.lease.clone(),
            profile: endpoint.ask.profile.clone(),
            role: session.role.clone(),
            session: session.id.clone(),
            interface: endpoint.ask.interface,
            peer: self.peer.clone(),
            rule: self.grant.rule.clone(),
            issued_at: now,
            expires_at: session.expires_at,
            note: self.note,
        }
    }
}

impl OpenEndpoint {
    fn holders(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a hand-out that this process has on record already. `None` if it has not; else whether a timer
    /// has to be started.
    fn count(&self, served: HandOut<'_>) -> Option<bool> {
        let mut holders = self.holders();
        let holder = holders.held.get_mut(&served.key())?;
        // A pid is given anew, and keeps its number through an exec.
        let same = holder.again.peer.as_ref() == Some(served.peer);
        if holder.session != served.minted.session.access_key_id || !same {
            return None;
        }
        let counted = &mut holder.again.facts.count;
        *counted = Some(counted.unwrap_or(0) + 1);
        Some(!std::mem::replace(&mut holders.timed, true))
    }

    /// What has to be acquired before a process is put on record.
    fn turn(&self, key: Key) -> Arc<Semaphore> {
        let turns = &mut self.holders().turns;
        if let Some(turn) = turns.get(&key).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Semaphore::new(1));
        turns.insert(key, Arc::downgrade(&turn));
        turn
    }

    /// Puts a process on record; returns counts that have to be recorded to make room.
    fn remember(&self, key: Key, session: AccessKeyId, again: Event) -> Vec<Event> {
        let mut holders = self.holders();
        let mut before = Vec::new();
        if holders.held.len() >= MAX_HOLDERS {
            before.extend(std::mem::take(&mut holders.held).into_values());
        }
        before.extend(holders.held.insert(key, Holder { session, again }));
        before.into_iter().filter_map(Holder::counted).collect()
    }

    /// Takes the counts for the journal.
    fn take_counts(&self) -> Vec<Event> {
        let mut holders = self.holders();
        holders.timed = false;
        holders.held.values_mut().filter_map(Holder::take).collect()
    }
}

impl Broker {
    /// Puts a hand-out on record, or counts it if this process has the like on record already.
    pub(super) async fn record_serve(self: &Arc<Self>, served: HandOut<'_>) -> Result<(), Failure> {
        if self.count_serve(served) {
            return Ok(());
        }
        Box::pin(self.record_first(served)).await
    }

    async fn record_first(self: &Arc<Self>, served: HandOut<'_>) -> Result<(), Failure> {
        // A tool that opens sixty connections at once leaves one record, not sixty.
        let (endpoint, key) = (served.endpoint, served.key());
        let turn = endpoint.turn(key);
        let _turn = turn.acquire().await;
        if self.count_serve(served) {
            return Ok(());
        }
        let (grant, minted) = (served.grant, served.minted);
        self.refresh_ahead(endpoint, minted);
        let now = self.ports.clock.now();
        let lease = served.lease(now);
        self.record_lease(&lease, grant, minted).await?;
        let again = Self::lease_event(&lease, grant, minted);
        let session = minted.session.access_key_id.clone();
        for event in endpoint.remember(key, session, again) {
            self.record_or_log(event).await;
        }
        self.renew_lease(lease, now)
    }

    /// Whether a hand-out needs no record of its own.
    fn count_serve(self: &Arc<Self>, served: HandOut<'_>) -> bool {
        let counted = served.endpoint.count(served);
        if counted == Some(true) {
            self.record_counts_later(served.endpoint);
        }
        counted.is_some()
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
