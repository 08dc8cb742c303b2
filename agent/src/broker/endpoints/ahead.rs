//! A session that IMDS has handed out is made anew ahead of time, whether or not anybody asks again.
//!
//! Who asks IMDS has less patience than an STS call may take, and botocore that is given a session with less than 25
//! minutes left believes in an expiry of its own making. So the next session has to be there before that: a refresh
//! that only a request starts would come one request too late.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jumpgate_api::Interface;
use tokio::task::AbortHandle;

use super::{OpenEndpoint, unhurried};
use crate::broker::Broker;
use crate::broker::minting::Told;
use crate::broker::sessions::Minted;
use crate::domain::lifetime::until_refresh;
use crate::domain::name::SessionId;

/// How often it is looked whether the refresh came; the pauses between calls to STS are the cache's.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What waits to refresh a session. Dropping it ends the wait; a call under way is finished.
pub(super) struct Ahead {
    of: SessionId,
    task: AbortHandle,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Broker {
    /// Sees to it, once for each session that an endpoint has handed out, that the next is there in time. It does
    /// not count as a request: an endpoint that nobody asks any more gets one session more, and idleness locks.
    pub(in crate::broker) fn refresh_ahead(
        self: &Arc<Self>,
        endpoint: &Arc<OpenEndpoint>,
        minted: &Arc<Minted>,
    ) {
        if endpoint.ask.interface != Interface::Imds {
            return;
        }
        let of = minted.session.id.clone();
        let ahead = endpoint.ahead.lock();
        let mut ahead = ahead.unwrap_or_else(PoisonError::into_inner);
        if ahead.as_ref().is_some_and(|ahead| ahead.of == of) {
            return;
        }
        let (broker, endpoint) = (Arc::downgrade(self), Arc::downgrade(endpoint));
        let minted = Arc::downgrade(minted);
        let task = tokio::spawn(async move {
            let mut pause = Duration::ZERO;
            loop {
                tokio::time::sleep(pause).await;
                // Whatever of them is gone, by a lock or an end: there is nothing to refresh.
                let parts = (broker.upgrade(), endpoint.upgrade(), minted.upgrade());
                let (Some(broker), Some(endpoint), Some(minted)) = parts else {
                    return;
                };
                match broker.refresh_if_due(&endpoint, &minted).await {
                    Some(next) => pause = next,
                    None => return,
                }
            }
        });
        let task = task.abort_handle();
        *ahead = Some(Ahead { of, task });
    }

    /// Refreshes the session if it is due; returns when to look again, or that this one needs it no more.
    async fn refresh_if_due(
        self: &Arc<Self>,
        endpoint: &OpenEndpoint,
        minted: &Arc<Minted>,
    ) -> Option<Duration> {
        let now = minted.now(self.ports.clock.as_ref());
        let meaning = self.meaning_now(endpoint).ok()?;
        if minted.session.is_spent(now) || !self.sessions.keeps(&meaning.question, minted) {
            return None;
        }
        let due = until_refresh(minted.session.issued_at, minted.session.expires_at, now);
        if !due.is_zero() {
            return Some(due);
        }
        let manner = unhurried(endpoint, &meaning);
        let (question, profile) = (meaning.question.clone(), &meaning.grant.profile.name);
        let new = self.session(&meaning.identity, question, profile, manner, Told::Success);
        let same = Arc::ptr_eq(&new.await.ok()?, minted);
        same.then_some(LOOK_AGAIN)
    }
}
