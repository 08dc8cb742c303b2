//! In the flight that unlocks an identity: the key out of its store, the second factor, GetSessionToken.

use std::sync::Arc;

use jumpgate_api::Secret;

use super::asking::{Asked, MAX_ROUNDS};
use super::codes::Origin;
use super::failure::{Failure, Needs};
use super::identities::{Answers, Identities, Unlocked};
use crate::domain::event::{Activity, Event};
use crate::domain::identity::{
    BaseCredentials, CodeSource, Identity, LongTermKey, Mfa, MfaSession,
};
use crate::domain::name::IdentityName;
use crate::domain::rotation::{KeyHistory, StoredKey};
use crate::domain::session::InvalidAnswer;
use crate::ports::{Errand, IdentityStore, MfaProof, StoreError, TokenError, TokenErrorKind};

/// What the person reads after a code that AWS refused.
const REFUSED_CODE: &str = "AWS refused that code. Type the next one that the device shows.";

/// What the person reads after a passphrase that opens nothing.
const WRONG_PASSPHRASE: &str = "That passphrase does not open it.";

impl Identities {
    /// In the flight: the key out of its store, then one GetSessionToken if the identity has MFA sessions. Without
    /// answers it is for an ask, and a person is asked if one can be.
    pub(super) async fn fetch(
        &self,
        identity: &Arc<Identity>,
        known: Option<Arc<Unlocked>>,
        answers: Option<Answers>,
    ) -> Result<Unlocked, Failure> {
        let errand = match &answers {
            None => self.errand(identity),
            Some(_) => None,
        };
        let answers = answers.unwrap_or_default();
        let needs = self.missing(identity, known.is_some(), &answers);
        if !needs.is_empty() && errand.is_none() {
            let identity = identity.name.clone();
            return Err(Failure::InteractionRequired { identity, needs });
        }
        let errand = errand.as_ref();
        let (key, seed) = match known {
            Some(held) => (held.key.clone(), held.seed.clone()),
            None => {
                let stored = self.key(identity, &answers, errand).await?;
                (stored.current.key, stored.totp_seed)
            }
        };
        let origin = Origin {
            seed: seed.as_ref(),
            errand,
        };
        let token = self.with_code(identity, &key, &answers, origin).await?;
        let base = token.unwrap_or_else(|| BaseCredentials::from(&key));
        Ok(Unlocked { key, base, seed })
    }

    /// What GetSessionToken makes of the key and a code; nothing for identities without MFA sessions. A person at a
    /// dialog may try again, and so may a seed.
    async fn with_code(
        &self,
        identity: &Identity,
        key: &LongTermKey,
        answers: &Answers,
        origin: Origin<'_>,
    ) -> Result<Option<BaseCredentials>, Failure> {
        let Some(Mfa {
            session: MfaSession::For(duration),
            serial,
            ..
        }) = &identity.mfa
        else {
            return Ok(None);
        };
        let long_term = BaseCredentials::from(key);
        let mut remark = None;
        let mut round = 0;
        loop {
            round += 1;
            let asked = match &answers.mfa_code {
                Some(code) => self.use_up(identity, code).map(|()| Asked::typed(code))?,
                None => self.new_code(identity, origin, remark).await?,
            };
            let proof = MfaProof {
                serial,
                code: &asked.answer,
            };
            let tokens = &self.ports.tokens;
            let token = tokens.session_token(&identity.endpoint, &long_term, proof, *duration);
            match token.await {
                Ok(base) if base.is_over(self.ports.clock.now()) => {
                    let (call, error) = ("GetSessionToken".to_owned(), InvalidAnswer::Expired);
                    return Err(Failure::Invalid { call, error });
                }
                Ok(base) => return Ok(Some(base)),
                Err(error) if is_wrong_code(&error) && round < rounds(identity, &asked) => {
                    remark = Some(REFUSED_CODE);
                }
                Err(error) => {
                    let call = "GetSessionToken".to_owned();
                    return Err(Failure::Upstream { call, error });
                }
            }
        }
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
            totp_seed: false,
        }
    }

    /// The key out of its store. A person who types its passphrase into a dialog may try again.
    async fn key(
        &self,
        identity: &Arc<Identity>,
        answers: &Answers,
        errand: Option<&Errand>,
    ) -> Result<StoredKey, Failure> {
        let store = self.ports.store(identity.store);
        let mut remark = None;
        let mut round = 0;
        loop {
            round += 1;
            let asked = self
                .passphrase_for(identity, store, answers, errand, remark)
                .await?;
            let passphrase = asked.as_ref().map(|asked| &asked.answer);
            let on_screen = asked.as_ref().is_some_and(|asked| asked.on_screen);
            match self.loaded(identity, store, passphrase).await? {
                Err(StoreError::WrongPassphrase) if on_screen && round < MAX_ROUNDS => {
                    remark = Some(WRONG_PASSPHRASE);
                }
                Err(error) => return Err(not_loaded(identity, error)),
                Ok(stored) => {
                    self.remember(identity, &stored);
                    return Ok(stored);
                }
            }
        }
    }

    /// What the store keeps of an identity.
    pub(super) async fn stored(
        &self,
        identity: &Identity,
        passphrase: Option<&Secret<String>>,
    ) -> Result<StoredKey, Failure> {
        let store = self.ports.store(identity.store);
        let stored = self.loaded(identity, store, passphrase).await?;
        let stored = stored.map_err(|error| not_loaded(identity, error))?;
        self.remember(identity, &stored);
        Ok(stored)
    }

    /// What may be told of a key is remembered for `status`.
    fn remember(&self, identity: &Identity, stored: &StoredKey) {
        let history = Some(KeyHistory::of(stored));
        self.with(&identity.name, |state| state.history = history);
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
                let (key, seed) = (key.clone(), stored.totp_seed.clone());
                Arc::new(Unlocked { key, base, seed })
            });
        });
    }

    /// The passphrase for a store that wants one: what a person at a terminal gave, else what the program prints.
    pub(super) async fn passphrase(
        &self,
        identity: &Identity,
        store: &dyn IdentityStore,
        answers: &Answers,
    ) -> Result<Option<Secret<String>>, Failure> {
        let asked = self.passphrase_for(identity, store, answers, None, None);
        Ok(asked.await?.map(|asked| asked.answer))
    }

    async fn passphrase_for(
        &self,
        identity: &Identity,
        store: &dyn IdentityStore,
        answers: &Answers,
        errand: Option<&Errand>,
        remark: Option<&'static str>,
    ) -> Result<Option<Asked>, Failure> {
        if !store.wants_passphrase() || answers.passphrase.is_some() {
            return Ok(answers.passphrase.as_ref().map(Asked::typed));
        }
        let asked = self.ask_for_passphrase(identity, errand, remark).await?;
        Ok(Some(asked))
    }
}

/// How often a code may be refused: a person mistypes; one that the agent made may have been used by an agent before
/// this one, and the refusal has AWS's time, so the next is tried once.
fn rounds(identity: &Identity, asked: &Asked) -> usize {
    match (identity.makes_codes(), asked.on_screen) {
        (true, _) => 2,
        (false, true) => MAX_ROUNDS,
        (false, false) => 1,
    }
}

fn is_wrong_code(error: &TokenError) -> bool {
    error.kind == TokenErrorKind::MfaRejected
}

fn not_loaded(identity: &Identity, error: StoreError) -> Failure {
    let identity = identity.name.clone();
    match error {
        StoreError::PassphraseMissing => Failure::InteractionRequired {
            identity,
            needs: Needs::passphrase(),
        },
        error => Failure::Store { identity, error },
    }
}
