//! In the flight that unlocks an identity: the key out of its store, the second factor, GetSessionToken.

use std::sync::Arc;

use jumpgate_api::Secret;

use super::failure::{Failure, Needs};
use super::identities::{Answers, Identities, Unlocked};
use crate::domain::event::{Activity, Event};
use crate::domain::identity::{
    BaseCredentials, CodeSource, Identity, LongTermKey, Mfa, MfaSession,
};
use crate::domain::name::IdentityName;
use crate::domain::rotation::{KeyHistory, StoredKey};
use crate::ports::{IdentityStore, MfaProof, PromptError, StoreError};

impl Identities {
    /// In the flight: the key out of its store, then one GetSessionToken if the identity has MFA sessions.
    pub(super) async fn fetch(
        &self,
        identity: &Arc<Identity>,
        known: Option<LongTermKey>,
        answers: Answers,
    ) -> Result<Unlocked, Failure> {
        let needs = self.missing(identity, known.is_some(), &answers);
        if !needs.is_empty() {
            let identity = identity.name.clone();
            return Err(Failure::InteractionRequired { identity, needs });
        }
        let key = match known {
            Some(key) => key,
            None => self.key(identity, &answers).await?,
        };
        let long_term = BaseCredentials::from(&key);
        let Some(Mfa {
            session: MfaSession::For(duration),
            serial,
            ..
        }) = &identity.mfa
        else {
            let base = long_term;
            return Ok(Unlocked { key, base });
        };
        let code = match answers.mfa_code {
            Some(code) => self.use_up(identity, &code).map(|()| code)?,
            None => self.printed_code(identity).await?,
        };
        let code = &code;
        let proof = MfaProof { serial, code };
        let tokens = &self.ports.tokens;
        let token = tokens.session_token(&identity.endpoint, &long_term, proof, *duration);
        let base = token.await.map_err(|error| Failure::Upstream {
            call: "GetSessionToken".to_owned(),
            error,
        })?;
        Ok(Unlocked { key, base })
    }

    /// Records an unlock that no person asked for; a person's is recorded with the person's process. A failure
    /// is told by the refusals of those who wait.
    pub(super) async fn record_unlock(&self, identity: &Identity) {
        let mut event = Event::new(Activity::IdentityUnlock, self.ports.clock.now());
        event.account = Some(identity.account);
        event.detail = Some("for an ask".to_owned());
        event.facts.identity = Some(identity.name.to_string());
        // Nothing leaves by this. What will is recorded for itself, or stays.
        if let Err(error) = self.ports.journal.record(event).await {
            tracing::error!(%error, "an unlock could not be recorded");
        }
    }

    /// What only a person can supply and has not: known before the store is opened, so that a person is asked
    /// for all of it at once, and so that a sealed key is opened once.
    fn missing(&self, identity: &Identity, key_is_known: bool, answers: &Answers) -> Needs {
        let passphrase = self.ports.store(identity.store).wants_passphrase()
            && !key_is_known
            && answers.passphrase.is_none()
            && identity.passphrase_command.is_none();
        let typed = identity.mfa.as_ref().filter(|mfa| {
            let wanted = match mfa.session {
                MfaSession::For(_) => answers.mfa_code.is_none(),
                // No code is needed before the AssumeRole; it is named beside a passphrase.
                MfaSession::Off => passphrase && self.code_is_there(identity).is_err(),
            };
            wanted && mfa.source == CodeSource::Prompt
        });
        Needs {
            passphrase,
            mfa_serial: typed.map(|mfa| mfa.serial.to_string()),
        }
    }

    async fn key(
        &self,
        identity: &Arc<Identity>,
        answers: &Answers,
    ) -> Result<LongTermKey, Failure> {
        let store = self.ports.store(identity.store);
        let passphrase = self.passphrase(identity, store, answers).await?;
        let stored = self.stored(identity, passphrase.as_ref()).await?;
        Ok(stored.current.key)
    }

    /// What the store keeps of an identity; what may be told of it is remembered for `status`.
    pub(super) async fn stored(
        &self,
        identity: &Identity,
        passphrase: Option<&Secret<String>>,
    ) -> Result<StoredKey, Failure> {
        let stored = self
            .ports
            .store(identity.store)
            .load(identity, passphrase)
            .await;
        let stored = stored.map_err(|error| match error {
            StoreError::PassphraseMissing => missing_passphrase(identity),
            error => Failure::Store {
                identity: identity.name.clone(),
                error,
            },
        })?;
        self.with(&identity.name, |state| {
            state.history = Some(KeyHistory::of(&stored))
        });
        Ok(stored)
    }

    /// Whether the identity has other base credentials by now: its key was rotated meanwhile.
    pub(super) fn has_another(&self, name: &IdentityName, base: &BaseCredentials) -> bool {
        self.with(name, |state| {
            let held = state.unlocked.as_ref();
            held.is_some_and(|held| held.base != *base)
        })
    }

    /// Another key is stored as current: it signs from now on, where the identity is in memory. A session that the
    /// former key's holder made with MFA stays good, whatever becomes of that key.
    pub(super) fn replace_key(&self, name: &IdentityName, stored: &StoredKey) {
        let key = &stored.current.key;
        self.with(name, |state| {
            state.history = Some(KeyHistory::of(stored));
            let held = state.unlocked.take();
            state.unlocked = held.map(|held| {
                let base = match &held.base.session_token {
                    Some(_) => held.base.clone(),
                    None => BaseCredentials::from(key),
                };
                let key = key.clone();
                Arc::new(Unlocked { key, base })
            });
        });
    }

    /// The passphrase for a store that wants one: what a person gave, else what the program prints.
    pub(super) async fn passphrase(
        &self,
        identity: &Identity,
        store: &dyn IdentityStore,
        answers: &Answers,
    ) -> Result<Option<Secret<String>>, Failure> {
        if !store.wants_passphrase() || answers.passphrase.is_some() {
            return Ok(answers.passphrase.clone());
        }
        match self.ports.prompter.passphrase(identity).await {
            Ok(passphrase) => Ok(Some(passphrase)),
            Err(PromptError::NoPrompter) => Err(missing_passphrase(identity)),
            Err(error) => Err(Failure::Unanswered {
                identity: identity.name.clone(),
                error,
            }),
        }
    }
}

fn missing_passphrase(identity: &Identity) -> Failure {
    let needs = Needs {
        passphrase: true,
        mfa_serial: None,
    };
    Failure::InteractionRequired {
        identity: identity.name.clone(),
        needs,
    }
}
