//! One fetch in progress, shared by its waiters: success **and failure** reach all of them.
//!
//! The fetch runs as a task of its own, so a waiter that goes away cancels nothing.

use std::future::Future;

use tokio::sync::watch;

use super::failure::Failure;

/// A fetch in progress. Cloning it adds a waiter.
#[derive(Debug)]
pub(super) struct Flight<T> {
    landed: watch::Receiver<Option<Result<T, Failure>>>,
}

impl<T> Clone for Flight<T> {
    fn clone(&self) -> Self {
        Self {
            landed: self.landed.clone(),
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Flight<T> {
    /// Starts a fetch. `settle` sees the result before any waiter does.
    pub(super) fn start<F, S>(fetch: F, settle: S) -> Self
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
        S: FnOnce(Result<T, Failure>) -> Result<T, Failure> + Send + 'static,
    {
        let (sender, landed) = watch::channel(None);
        tokio::spawn(async move {
            let result = settle(fetch.await);
            sender.send_replace(Some(result));
        });
        Self { landed }
    }

    /// Whether it is still under way. One whose task panicked is not: the next asker starts anew.
    pub(super) fn is_under_way(&self) -> bool {
        self.landed.borrow().is_none() && self.landed.has_changed().is_ok()
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
