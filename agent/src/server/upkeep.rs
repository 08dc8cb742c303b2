//! Token files that somebody cleaned away are put back: many SDKs read the file and nothing else, so they could not even
//! ask any more.

use std::sync::Arc;
use std::time::Duration;

use super::endpoints::Endpoints;
use super::stand::Stand;

/// How often it is looked whether the files are there.
pub(super) const LOOK: Duration = Duration::from_secs(30);

impl Endpoints {
    /// Looks after the files from now on, until the agent ends.
    pub(super) fn look_after_files(self: &Arc<Self>) {
        let this = Arc::downgrade(self);
        let mut closing = self.closing.subscribe();
        tokio::spawn(async move {
            loop {
                let ends = closing.wait_for(|closing| *closing);
                if tokio::time::timeout(LOOK, ends).await.is_ok() {
                    return;
                }
                let Some(this) = this.upgrade() else {
                    return;
                };
                this.put_files_back().await;
            }
        });
    }

    /// Puts the files back that are missing. Nothing is opened meanwhile: a path that was taken over by another endpoint is left to that.
    pub async fn put_files_back(&self) {
        let Ok(_nothing_opens) = self.opening.acquire().await else {
            return;
        };
        for stand in self.stands.list() {
            self.put_file_back(&stand);
        }
    }

    pub(super) fn put_file_back(&self, stand: &Stand) {
        let Some(token) = &stand.token else {
            return;
        };
        if let Err(problem) = self.token_file(stand, token) {
            tracing::warn!(lease = %stand.open.lease, message = %problem.message, "a token file is missing");
        }
        // It may have been closed while its file was written.
        if self.stands.find(&stand.open.lease).is_none() {
            self.remove_token_file(stand);
        }
    }
}
