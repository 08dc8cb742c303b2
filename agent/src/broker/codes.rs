//! MFA codes: typed by a person, printed by a program or made of a stored seed, each sent to AWS at most once.

use std::sync::Arc;
use std::time::Duration;

use jumpgate_api::Secret;

use super::asking::{Asked, MAX_ROUNDS};
use super::failure::{Failure, Needs};
use super::identities::Identities;
use crate::domain::clock::correction;
use crate::domain::identity::{CodeSource, Identity, Mfa, MfaSession};
use crate::domain::totp::{STEP_SECONDS, TotpSeed};
use crate::ports::{Errand, StoreError, TokenErrorKind};

/// What the person reads after a code that was used already.
const USED_CODE: &str = "That code was used already. Wait until the device shows the next one.";

/// How long a typed code waits for the AssumeRole that takes it (`mfa_session = "off"`). AWS accepts a code
/// for its own 30 s and one step before and after.
const CODE_KEEPS: Duration = Duration::from_secs(60);

/// What a code that nobody typed beforehand can come from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    /// What is stored beside the key.
    pub(super) seed: Option<&'a TotpSeed>,
    /// On whose behalf a person is asked.
    pub(super) errand: Option<&'a Errand>,
}

impl Identities {
    /// Keeps a typed code for the next AssumeRole, if the identity takes one for each.
    pub(super) fn keep_code(
        &self,
        identity: &Identity,
        code: &Secret<String>,
    ) -> Result<(), Failure> {
        if !takes_code_each_time(identity) {
            return Ok(());
        }
        let until = self.ports.clock.now().plus(CODE_KEEPS);
        self.with(&identity.name, |state| {
            if state.last_code.as_ref() == Some(code) {
                return Err(Failure::CodeUsedBefore(identity.name.clone()));
            }
            state.waiting_code = Some((code.clone(), until));
            Ok(())
        })
    }

    /// Whether the next AssumeRole finds the code that it needs.
    pub(super) fn code_is_there(&self, identity: &Identity) -> Result<(), Failure> {
        let now = self.ports.clock.now();
        let waits = self.with(&identity.name, |state| {
            let waiting = state.waiting_code.as_ref();
            waiting.is_some_and(|(_, until)| *until > now)
        });
        match &identity.mfa {
            Some(mfa) if types_code_each_time(identity) && !waits => {
                Err(missing_code(identity, mfa))
            }
            _ => Ok(()),
        }
    }

    /// A code that was not used yet. One that was is not sent again: the program that prints them is asked once more
    /// when the next step of RFC 6238 begins, and a seed makes the next one then; a person is asked at once, and told
    /// to wait for the next one.
    pub(super) async fn new_code(
        &self,
        identity: &Identity,
        origin: Origin<'_>,
        remark: Option<&'static str>,
    ) -> Result<Asked, Failure> {
        let mut remark = remark;
        let mut tries = 0;
        loop {
            let asked = if identity.makes_codes() {
                Asked::typed(&self.made_code(identity, origin.seed)?)
            } else {
                self.ask_for_code(identity, origin.errand, remark).await?
            };
            tries += 1;
            match self.use_up(identity, &asked.answer) {
                Ok(()) => return Ok(asked),
                Err(used) if tries == MAX_ROUNDS || asked.from_terminal => return Err(used),
                Err(_) if asked.on_screen => remark = Some(USED_CODE),
                Err(_) => tokio::time::sleep(self.rest_of_step()).await,
            }
        }
    }

    /// The code that a stored seed makes now.
    fn made_code(
        &self,
        identity: &Identity,
        seed: Option<&TotpSeed>,
    ) -> Result<Secret<String>, Failure> {
        let name = &identity.name;
        let seed = seed.ok_or_else(|| Failure::Store {
            identity: name.clone(),
            error: StoreError::Unavailable {
                what: "no TOTP seed is stored beside its key".to_owned(),
                remedy: format!("run: jumpgate identity add {name}"),
            },
        })?;
        Ok(seed.code(self.time_at_aws()))
    }

    /// Unix seconds by AWS's clock, as far as it was measured.
    fn time_at_aws(&self) -> i64 {
        let skew = self.ports.tokens.skew().unwrap_or(0);
        self.ports.clock.now().unix_seconds() + correction(skew)
    }

    fn rest_of_step(&self) -> Duration {
        let rest = STEP_SECONDS - self.time_at_aws().rem_euclid(STEP_SECONDS);
        Duration::from_secs(rest.unsigned_abs())
    }

    /// Takes note that a code goes to AWS now.
    ///
    /// # Errors
    /// It went there before; AWS would refuse it.
    pub(super) fn use_up(&self, identity: &Identity, code: &Secret<String>) -> Result<(), Failure> {
        self.with(&identity.name, |state| {
            if state.last_code.as_ref() == Some(code) {
                return Err(Failure::CodeUsedBefore(identity.name.clone()));
            }
            state.last_code = Some(code.clone());
            Ok(())
        })
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
            if let Some(code) = self.typed_code(identity) {
                self.use_up(identity, &code)?;
                return Ok(Some(code));
            }
            let errand = self.errand(identity);
            let held = self.with(&identity.name, |state| state.unlocked.clone());
            let origin = Origin {
                seed: held.as_ref().and_then(|held| held.seed.as_ref()),
                errand: errand.as_ref(),
            };
            match self.new_code(identity, origin, None).await {
                Ok(asked) => return Ok(Some(asked.answer)),
                Err(missing) if self.is_mended(identity, &missing) => {
                    let answered = tokio::time::timeout_at(deadline, news).await;
                    answered.map_err(|_| missing)?;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn typed_code(&self, identity: &Identity) -> Option<Secret<String>> {
        let now = self.ports.clock.now();
        let typed = self.with(&identity.name, |state| state.waiting_code.take());
        typed
            .filter(|(_, until)| *until > now)
            .map(|(code, _)| code)
    }
}

pub(super) fn takes_code_each_time(identity: &Identity) -> bool {
    let mfa = identity.mfa.as_ref();
    mfa.is_some_and(|mfa| mfa.session == MfaSession::Off)
}

/// Whether a person types a code for each AssumeRole.
pub(super) fn types_code_each_time(identity: &Identity) -> bool {
    let mfa = identity.mfa.as_ref();
    mfa.is_some_and(|mfa| mfa.session == MfaSession::Off && mfa.source == CodeSource::Prompt)
}

pub(super) fn missing_code(identity: &Identity, mfa: &Mfa) -> Failure {
    Failure::InteractionRequired {
        identity: identity.name.clone(),
        needs: Needs::code(mfa),
    }
}

/// Whether the identity's codes come from a person.
pub(super) fn types_codes(identity: &Identity) -> bool {
    let mfa = identity.mfa.as_ref();
    mfa.is_some_and(|mfa| mfa.source == CodeSource::Prompt)
}

/// Whether the person at the terminal is asked (again), so that callers may wait for the answer.
pub(super) fn a_person_can_mend(identity: &Identity, failure: &Failure) -> bool {
    match failure {
        Failure::InteractionRequired { .. } => true,
        Failure::CodeUsedBefore(_) => types_codes(identity),
        Failure::Upstream { error, .. } => {
            error.kind == TokenErrorKind::MfaRejected && types_codes(identity)
        }
        Failure::Store { error, .. } => {
            *error == StoreError::WrongPassphrase && identity.passphrase_command.is_none()
        }
        _ => false,
    }
}
