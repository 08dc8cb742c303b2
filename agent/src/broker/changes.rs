//! Changes that are made whole, whoever waits for them: dropped in the middle, a key would be removed and still
//! be in memory, or kept without a record.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::failure::Failure;

/// Most changes under way at a time; further ones wait in their callers.
const MAX_CHANGES: u32 = 16;

/// The changes under way.
pub(super) struct Changes(Arc<Semaphore>);

impl Default for Changes {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_CHANGES as usize)))
    }
}

impl Changes {
    /// Makes a change as a task of its own. Dropping the wait cancels nothing.
    ///
    /// # Errors
    /// Those of the change, or that its task panicked.
    pub(super) async fn make<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let room = Arc::clone(&self.0).acquire_owned().await;
        let made = tokio::spawn(async move {
            let _room = room;
            change.await
        });
        let broken = Failure::Internal("a task ended without a result");
        made.await.unwrap_or(Err(broken))
    }

    /// Resolves when none is under way.
    pub(super) async fn made(&self) {
        let _all = self.0.acquire_many(MAX_CHANGES).await;
    }
}
