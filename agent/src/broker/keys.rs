//! Long-term keys: checked against AWS before they are kept, and removed.

use std::sync::Arc;

use jumpgate_iam::CallerArn;

use super::failure::Needs;
use super::{Answers, Broker, Failure};
use crate::domain::event::{Activity, Event};
use crate::domain::identity::{BaseCredentials, Identity, LongTermKey, UnfitKey, fit_to_keep};
use crate::domain::name::IdentityName;
use crate::domain::peer::Peer;
use crate::domain::rotation::StoredKey;
use crate::domain::settings::Settings;
use crate::ports::StoreError;

impl Broker {
    /// Keeps a key, once AWS has said that it is an IAM user's of the configured account.
    ///
    /// # Errors
    /// A root key, temporary credentials, another account; STS's or the store's refusal.
    pub async fn add_identity(
        self: &Arc<Self>,
        peer: &Peer,
        name: &IdentityName,
        key: &LongTermKey,
        answers: &Answers,
    ) -> Result<(Arc<Identity>, CallerArn), Failure> {
        self.arrive().await;
        let identity = identity_of(&self.settings(), name)?;
        let (this, peer) = (Arc::clone(self), peer.clone());
        let (key, answers) = (key.clone(), answers.clone());
        let turn = self.key_turns.take(name)?;
        let change = async move {
            let _until_made = turn;
            this.added(&peer, identity, &key, &answers).await
        };
        self.changes.make(change).await
    }

    async fn added(
        &self,
        peer: &Peer,
        identity: Arc<Identity>,
        key: &LongTermKey,
        answers: &Answers,
    ) -> Result<(Arc<Identity>, CallerArn), Failure> {
        let name = &identity.name;
        let kept = self.checked_and_kept(&identity, key, answers).await;
        if kept.is_ok() {
            self.identities.forget(name);
            self.sessions.forget(name);
        }
        match &kept {
            Err(Failure::InteractionRequired { .. }) => {}
            outcome => {
                let failure = outcome.as_ref().err();
                self.record_key(peer, Activity::IdentityAdd, &identity, failure)
                    .await?;
            }
        }
        Ok((identity, kept?))
    }

    async fn checked_and_kept(
        &self,
        identity: &Identity,
        key: &LongTermKey,
        answers: &Answers,
    ) -> Result<CallerArn, Failure> {
        // Without their session token AWS would only say that it does not know them.
        if key.access_key_id.is_temporary() {
            return Err(UnfitKey::Temporary(key.access_key_id.as_str().to_owned()).into());
        }
        let keeps_seed = identity.makes_codes();
        if keeps_seed && answers.totp_seed.is_none() {
            return Err(Failure::InteractionRequired {
                identity: identity.name.clone(),
                needs: Needs::seed(),
            });
        }
        let store = self.ports.store(identity.store);
        let passphrase = self.identities.passphrase(identity, store, answers).await?;
        let caller = self.whose(identity, &BaseCredentials::from(key)).await?;
        fit_to_keep(identity, key, &caller)?;
        let mut stored = StoredKey::new(key.clone(), Some(self.ports.clock.now()));
        stored.totp_seed = answers.totp_seed.clone().filter(|_| keeps_seed);
        let saved = store.save(identity, &stored, passphrase.as_ref()).await;
        saved.map_err(|error| Failure::Store {
            identity: identity.name.clone(),
            error,
        })?;
        Ok(caller)
    }

    pub(super) async fn whose(
        &self,
        identity: &Identity,
        credentials: &BaseCredentials,
    ) -> Result<CallerArn, Failure> {
        let caller = self
            .ports
            .tokens
            .caller_identity(&identity.endpoint, credentials)
            .await;
        caller.map_err(|error| Failure::Upstream {
            call: "GetCallerIdentity".to_owned(),
            error,
        })
    }

    /// Asks AWS whose the stored key is.
    ///
    /// # Errors
    /// Locked, nothing stored, STS's refusal, a key that is not what the configuration says.
    pub async fn check_identity(
        &self,
        name: &IdentityName,
    ) -> Result<(Arc<Identity>, CallerArn), Failure> {
        self.arrive().await;
        self.identities.era()?;
        let identity = identity_of(&self.settings(), name)?;
        let base = self.identities.long_term(&identity).await?;
        let caller = self.whose(&identity, &base).await?;
        Ok((identity, caller))
    }

    /// Removes a key from its store and from memory.
    ///
    /// # Errors
    /// Nothing stored; the store's refusal.
    pub async fn remove_identity(
        self: &Arc<Self>,
        peer: &Peer,
        name: &IdentityName,
    ) -> Result<(), Failure> {
        self.arrive().await;
        let identity = identity_of(&self.settings(), name)?;
        let (this, peer) = (Arc::clone(self), peer.clone());
        let turn = self.key_turns.take(name)?;
        let change = async move {
            let _until_made = turn;
            this.removed(&peer, &identity).await
        };
        self.changes.make(change).await
    }

    async fn removed(&self, peer: &Peer, identity: &Identity) -> Result<(), Failure> {
        let name = &identity.name;
        let removed = self.ports.store(identity.store).remove(identity).await;
        let removed = removed.map_err(|error: StoreError| Failure::Store {
            identity: name.clone(),
            error,
        });
        self.identities.forget(name);
        self.sessions.forget(name);
        let failure = removed.as_ref().err();
        self.record_key(peer, Activity::IdentityRemove, identity, failure)
            .await?;
        removed
    }

    async fn record_key(
        &self,
        peer: &Peer,
        activity: Activity,
        identity: &Identity,
        failure: Option<&Failure>,
    ) -> Result<(), Failure> {
        let mut event = Event::new(activity, self.ports.clock.now());
        event.peer = Some(peer.clone());
        event.account = Some(identity.account);
        event.facts.identity = Some(identity.name.to_string());
        event.failure = failure.map(ToString::to_string);
        event.facts.code = failure.map(|failure| failure.code().to_string());
        Ok(self.ports.journal.record(event).await?)
    }
}

/// The identity of this name.
///
/// # Errors
/// None is configured.
pub(super) fn identity_of(
    settings: &Settings,
    name: &IdentityName,
) -> Result<Arc<Identity>, Failure> {
    let found = settings.identities.get(name).cloned();
    found.ok_or_else(|| Failure::NoSuchIdentity(name.to_string()))
}
