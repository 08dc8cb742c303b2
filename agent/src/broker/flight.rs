//! One fetch in progress, shared by its waiters: success **and failure** reach all of them.
//!
//! The fetch runs as a task of its own, so a waiter that goes away cancels nothing. Only a lock does.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::failure::Failure;

/// A fetch in progress. Cloning it adds a waiter.
#[derive(Debug)]
pub(super) struct Flight<T> {
    landed: watch::Receiver<Option<Result<T, Failure>>>,
    called_off: Arc<Notify>,
    began: Instant,
}

impl<T> Clone for Flight<T> {
    fn clone(&self) -> Self {
        Self {
            landed: self.landed.clone(),
            called_off: Arc::clone(&self.called_off),
            began: self.began,
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Flight<T> {
    /// Starts a fetch. `settle` sees the flight and its result before any waiter does.
    pub(super) fn start<F, S>(fetch: F, settle: S) -> Self
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
        S: FnOnce(&Self, Result<T, Failure>) -> Result<T, Failure> + Send + 'static,
    {
        let (sender, landed) = watch::channel(None);
        let called_off = Arc::default();
        let began = Instant::now();
        let flight = Self {
            landed,
            called_off,
            began,
        };
        let this = flight.clone();
        tokio::spawn(async move {
            // What the fetch holds, keys among it, is dropped with it.
            let result = tokio::select! {
                biased;
                () = this.called_off.notified() => Err(Failure::Locked),
                result = fetch => result,
            };
            sender.send_replace(Some(settle(&this, result)));
        });
        flight
    }

    /// Ends it: what it holds is dropped, and its waiters are told that we are locked.
    pub(super) fn call_off(&self) {
        self.called_off.notify_one();
    }

    /// Whether the two are one.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.called_off, &other.called_off)
    }

    /// Whether it is still under way. One whose task panicked is not: the next asker starts anew.
    pub(super) fn is_under_way(&self) -> bool {
        self.landed.borrow().is_none() && self.landed.has_changed().is_ok()
    }

    /// Waits for the result until so long after the fetch began; at once for one that is there. Who comes later waits
    /// less: the patience is the flight's, not each waiter's. `None` when it is still under way then.
    pub(super) async fn landed_within(self, patience: Duration) -> Option<Result<T, Failure>> {
        let until = self.began + patience;
        tokio::time::timeout_at(until, self.landed()).await.ok()
    }

    /// Waits for the result. Dropping the wait is safe.
    ///
    /// # Errors
    /// The fetch's failure, or that its task panicked.
    pub(super) async fn landed(mut self) -> Result<T, Failure> {
        let result = self.landed.wait_for(Option::is_some).await;
        match result.as_deref() {
            Ok(Some(result)) => result.clone(),
            Ok(None) | Err(_) => Err(Failure::Internal("a task ended without a result")),
        }
    }
}
