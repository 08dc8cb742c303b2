//! In the flight that unlocks an identity: the key out of its store, the second factor, GetSessionToken.

use std::sync::Arc;
use std::time::Duration;

use jumpgate_api::{Secret, Timestamp};

use super::failure::{Failure, Needs};
use super::identities::{Answers, Identities, Unlocked};
use crate::domain::identity::{
    BaseCredentials, CodeSource, Identity, LongTermKey, Mfa, MfaSession,
};
use crate::ports::{IdentityStore, MfaProof, PromptError, StoreError};

/// The step of RFC 6238 codes.
const TOTP_STEP_SECONDS: i64 = 30;

impl Identities {
    /// In the flight: the key out of its store, then one GetSessionToken if the identity has MFA sessions.
    pub(super) async fn fetch(
        &self,
        identity: &Arc<Identity>,
        known: Option<(LongTermKey, Timestamp)>,
        answers: Answers,
    ) -> Result<Unlocked, Failure> {
        let missing = self.missing(identity, known.is_some(), &answers);
        if !missing.is_empty() {
            let identity = identity.name.clone();
            return Err(Failure::InteractionRequired {
                identity,
                needs: missing,
            });
        }
        let (key, since) = match known {
            Some(known) => known,
            None => {
                let key = self.key(identity, &answers).await?;
                (key, self.ports.clock.now())
            }
        };
        let long_term = BaseCredentials::from(&key);
        let Some(Mfa {
            session: MfaSession::For(duration),
            serial,
            ..
        }) = &identity.mfa
        else {
            return Ok(Unlocked {
                key,
                base: long_term,
                since,
            });
        };
        let code = match answers.mfa_code {
            Some(code) => code,
            None => self.prompted_code(identity).await?,
        };
        self.use_up(identity, &code)?;
        let proof = MfaProof {
            serial,
            code: &code,
        };
        let token =
            self.ports
                .tokens
                .session_token(&identity.endpoint, &long_term, proof, *duration);
        let base = token.await.map_err(|error| Failure::Upstream {
            call: "GetSessionToken".to_owned(),
            error,
        })?;
        Ok(Unlocked { key, base, since })
    }

    /// What only a person can supply and has not: known before the store is opened, so that a person is asked
    /// for all of it at once, and so that a sealed key is opened once.
    fn missing(&self, identity: &Identity, key_is_known: bool, answers: &Answers) -> Needs {
        let sealed = self.ports.store(identity.store).wants_passphrase();
        let typed = identity.mfa.as_ref().filter(|mfa| {
            mfa.source == CodeSource::Prompt && matches!(mfa.session, MfaSession::For(_))
        });
        Needs {
            passphrase: sealed
                && !key_is_known
                && answers.passphrase.is_none()
                && identity.passphrase_command.is_none(),
            mfa_serial: typed
                .filter(|_| answers.mfa_code.is_none())
                .map(|mfa| mfa.serial.to_string()),
        }
    }

    async fn key(
        &self,
        identity: &Arc<Identity>,
        answers: &Answers,
    ) -> Result<LongTermKey, Failure> {
        let store = self.ports.store(identity.store);
        let passphrase = self.passphrase(identity, store, answers).await?;
        let key = store.load(identity, passphrase.as_ref()).await;
        key.map_err(|error| match error {
            StoreError::PassphraseMissing => missing_passphrase(identity),
            error => Failure::Store {
                identity: identity.name.clone(),
                error,
            },
        })
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

    /// A code from the program that prints them. One that was used already is not sent again: the program is
    /// asked once more when the next step of RFC 6238 begins.
    async fn prompted_code(&self, identity: &Arc<Identity>) -> Result<Secret<String>, Failure> {
        let code = self.ask_for_code(identity).await?;
        if !self.was_used(identity, &code) {
            return Ok(code);
        }
        let into_step = self
            .ports
            .clock
            .now()
            .unix_seconds()
            .rem_euclid(TOTP_STEP_SECONDS);
        let rest = u64::try_from(TOTP_STEP_SECONDS - into_step).unwrap_or(30);
        tokio::time::sleep(Duration::from_secs(rest)).await;
        self.ask_for_code(identity).await
    }

    async fn ask_for_code(&self, identity: &Arc<Identity>) -> Result<Secret<String>, Failure> {
        self.ports
            .prompter
            .mfa_code(identity)
            .await
            .map_err(|error| match (&error, &identity.mfa) {
                (PromptError::NoPrompter, Some(mfa)) => missing_code(identity, mfa),
                _ => Failure::Unanswered {
                    identity: identity.name.clone(),
                    error,
                },
            })
    }

    fn was_used(&self, identity: &Identity, code: &Secret<String>) -> bool {
        self.with(&identity.name, |state| {
            state.last_code.as_ref() == Some(code)
        })
    }

    fn use_up(&self, identity: &Identity, code: &Secret<String>) -> Result<(), Failure> {
        if self.was_used(identity, code) {
            return Err(Failure::CodeUsedBefore(identity.name.clone()));
        }
        self.with(&identity.name, |state| state.last_code = Some(code.clone()));
        Ok(())
    }

    /// The code that one AssumeRole takes along, for identities without MFA sessions.
    pub(super) async fn code_for_role(
        &self,
        identity: &Arc<Identity>,
        patience: Duration,
    ) -> Result<Option<Secret<String>>, Failure> {
        if !takes_code_each_time(identity) {
            return Ok(None);
        }
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let news = self.changed.notified();
            let now = self.ports.clock.now();
            let typed = self.with(&identity.name, |state| state.waiting_code.take());
            let code = match typed.filter(|(_, until)| *until > now) {
                Some((code, _)) => Ok(code),
                None => self.prompted_code(identity).await,
            };
            match code {
                Err(missing @ Failure::InteractionRequired { .. })
                    if self.is_being_asked(&identity.name) =>
                {
                    tokio::time::timeout_at(deadline, news)
                        .await
                        .map_err(|_| missing)?;
                }
                code => {
                    let code = code?;
                    self.use_up(identity, &code)?;
                    return Ok(Some(code));
                }
            }
        }
    }
}

pub(super) fn takes_code_each_time(identity: &Identity) -> bool {
    identity
        .mfa
        .as_ref()
        .is_some_and(|mfa| mfa.session == MfaSession::Off)
}

pub(super) fn missing_code(identity: &Identity, mfa: &Mfa) -> Failure {
    let needs = Needs {
        passphrase: false,
        mfa_serial: Some(mfa.serial.to_string()),
    };
    Failure::InteractionRequired {
        identity: identity.name.clone(),
        needs,
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
