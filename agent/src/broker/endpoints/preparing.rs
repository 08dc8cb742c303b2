//! An endpoint for a command that is about to start: its session is fetched first, while a person can still be asked.

use std::sync::Arc;

use super::{OpenEndpoint, unhurried};
use crate::broker::attendance::Waiter;
use crate::broker::failure::Failure;
use crate::broker::minting::Told;
use crate::broker::{BEYOND_PROMPT, Broker};

impl Broker {
    /// Gets the session of an endpoint that a command is about to use, as patiently as `credential_process`: a person may
    /// be asked now, and once the command runs an SDK finds it in the cache. Many ask IMDS only once.
    ///
    /// # Errors
    /// Whatever keeps the session away; it is recorded as a refusal.
    pub async fn prepare_endpoint(
        self: &Arc<Self>,
        endpoint: &OpenEndpoint,
    ) -> Result<(), Failure> {
        self.arrive().await;
        let prepared = self.prepared(endpoint).await;
        self.noted(&endpoint.owner, &endpoint.ask, prepared).await
    }

    async fn prepared(self: &Arc<Self>, endpoint: &OpenEndpoint) -> Result<(), Failure> {
        self.identities.era()?;
        let meaning = self.meaning_now(endpoint)?;
        let manner = unhurried(endpoint, &meaning);
        let (question, profile) = (meaning.question.clone(), &meaning.grant.profile);
        let identity = &meaning.identity;
        let session = self.session(identity, question, &profile.name, manner, Told::Success);
        let patience = manner.person + BEYOND_PROMPT;
        let waiter = || Waiter::new(&meaning.grant, &endpoint.owner);
        let wait = manner.person;
        tokio::select! {
            biased;
            session = tokio::time::timeout(patience, session) => {
                session.map_err(|_| Failure::Waited(patience))?.map(drop)
            }
            unanswered = self.identities.patience_ends(&identity.name, waiter, wait) => {
                Err(unanswered)
            }
        }
    }
}
