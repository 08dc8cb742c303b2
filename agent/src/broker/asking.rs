//! A person is asked on behalf of those who wait: by a dialog, and at a terminal as well if the person comes there. The
//! first answer counts, and the other question is taken back; both are when nobody waits any more.

use std::time::Duration;

use jumpgate_api::Secret;

use super::attendance::{Attendance, Waiter};
use super::codes::missing_code;
use super::failure::{Failure, Needs};
use super::identities::{Answers, Identities};
use crate::domain::identity::{CodeSource, Identity, Store};
use crate::domain::name::IdentityName;
use crate::domain::notice::Notice;
use crate::domain::rotation::StoredKey;
use crate::ports::{Answer, Asking, Errand, IdentityStore, PromptError, StoreError};

/// How often a person at a dialog, or a program, is asked for one answer.
pub(super) const MAX_ROUNDS: usize = 3;

/// How long a keyring may take for who does not say how long they wait: its own prompt may be on the screen.
const KEYRING_WAIT: Duration = Duration::from_secs(50);

/// What was answered, and where.
pub(super) struct Asked {
    pub(super) answer: Secret<String>,
    /// By a person at a dialog.
    pub(super) on_screen: bool,
    /// By a person at a terminal, while the dialog was on the screen.
    pub(super) from_terminal: bool,
}

/// What a person is being asked for. Dropped, it is not any more.
struct BeingAsked<'a> {
    identities: &'a Identities,
    name: &'a IdentityName,
}

impl Drop for BeingAsked<'_> {
    fn drop(&mut self) {
        self.identities.with(self.name, |state| state.asking = None);
    }
}

impl Asked {
    /// What a person at a terminal gave beforehand.
    pub(super) fn typed(answer: &Secret<String>) -> Self {
        Self {
            answer: answer.clone(),
            on_screen: false,
            from_terminal: false,
        }
    }
}

impl Identities {
    /// On whose behalf a person can be asked; nobody's where there is no way to.
    pub(super) fn errand(&self, identity: &Identity) -> Option<Errand> {
        let attendance = self.attendance(&identity.name);
        let errand = attendance.errand(self.ports.processes.as_ref());
        errand.filter(|errand| self.ports.prompter.reaches(errand))
    }

    pub(super) fn attendance(&self, name: &IdentityName) -> Attendance {
        self.with(name, |state| state.attendance.clone())
    }

    /// A code of the identity's device.
    pub(super) async fn ask_for_code(
        &self,
        identity: &Identity,
        errand: Option<&Errand>,
        remark: Option<&'static str>,
    ) -> Result<Asked, Failure> {
        let mfa = identity.mfa.as_ref();
        let mfa = mfa.ok_or(Failure::Internal("no device to ask for a code of"))?;
        let dialog = errand.filter(|_| mfa.source == CodeSource::Prompt);
        let answer = self.ports.prompter.mfa_code(Asking {
            identity,
            errand,
            remark,
        });
        self.tell(identity, "A code of the MFA device", dialog);
        let needs = dialog.map(|_| Needs::code(mfa));
        let asked = self.answered(identity, needs, answer, |typed| typed.mfa_code.take());
        asked
            .await
            .map_err(|error| unanswered(identity, error, || missing_code(identity, mfa)))
    }

    /// The passphrase of a sealed identity.
    pub(super) async fn ask_for_passphrase(
        &self,
        identity: &Identity,
        errand: Option<&Errand>,
        remark: Option<&'static str>,
    ) -> Result<Asked, Failure> {
        let dialog = errand.filter(|_| identity.passphrase_command.is_none());
        let answer = self.ports.prompter.passphrase(Asking {
            identity,
            errand,
            remark,
        });
        self.tell(identity, "The passphrase", dialog);
        let needs = dialog.map(|_| Needs::passphrase());
        let asked = self.answered(identity, needs, answer, |typed| typed.passphrase.take());
        asked.await.map_err(|error| {
            unanswered(identity, error, || Failure::InteractionRequired {
                identity: identity.name.clone(),
                needs: Needs::passphrase(),
            })
        })
    }

    /// The desktop shows that a person is about to be asked; a program needs nobody to be told.
    fn tell(&self, identity: &Identity, what: &str, dialog: Option<&Errand>) {
        if dialog.is_some() {
            let about = format!("identity {}", identity.name);
            self.ports.notifier.show(Notice::asked(what, &about));
        }
    }

    /// Waits for a program; or, with what is needed, for a person at a dialog or a terminal.
    async fn answered(
        &self,
        identity: &Identity,
        needs: Option<Needs>,
        answer: Answer<'_, Result<Secret<String>, PromptError>>,
        take: fn(&mut Answers) -> Option<Secret<String>>,
    ) -> Result<Asked, PromptError> {
        let at = |answer, on_screen| Asked {
            answer,
            on_screen,
            from_terminal: false,
        };
        let Some(needs) = needs else {
            return answer.await.map(|answer| at(answer, false));
        };
        let name = &identity.name;
        let attendance = self.with(name, |state| {
            state.asking = Some(needs);
            state.attendance.clone()
        });
        let _until_answered = BeingAsked {
            identities: self,
            name,
        };
        self.changed.notify_waiters();
        tokio::select! {
            biased;
            answer = self.typed(name, take) => Ok(Asked { from_terminal: true, ..at(answer, false) }),
            answer = answer => answer.map(|answer| at(answer, true)),
            why = attendance.deserted() => Err(why),
        }
    }

    /// What a person at a terminal types while a dialog is on the screen.
    async fn typed(
        &self,
        name: &IdentityName,
        take: fn(&mut Answers) -> Option<Secret<String>>,
    ) -> Secret<String> {
        loop {
            let news = self.changed.notified();
            if let Some(answer) = self.with(name, |state| take(&mut state.typed)) {
                return answer;
            }
            news.await;
        }
    }

    /// A person comes to a terminal: is a dialog on the screen? Then what they bring is its answer, and what it asks for
    /// is what they are asked for who bring nothing yet.
    pub(super) fn answer_dialog(
        &self,
        identity: &Identity,
        answers: &Answers,
    ) -> Result<bool, Failure> {
        let handed = self.with(&identity.name, |state| match state.asking.clone() {
            Some(needs) if answers.is_empty() => Err(needs),
            Some(_) => {
                state.typed = answers.clone();
                Ok(true)
            }
            None => Ok(false),
        });
        self.changed.notify_waiters();
        handed.map_err(|needs| Failure::InteractionRequired {
            identity: identity.name.clone(),
            needs,
        })
    }

    /// Reads the key for as long as somebody waits for it: a keyring may be asking a person for its password. That
    /// question is the keyring's own and stays on the screen.
    pub(super) async fn loaded(
        &self,
        identity: &Identity,
        store: &dyn IdentityStore,
        passphrase: Option<&Secret<String>>,
    ) -> Result<Result<StoredKey, StoreError>, Failure> {
        if identity.store != Store::Keyring {
            // It asks nobody, and takes what its work takes.
            return Ok(store.load(identity, passphrase).await);
        }
        let attendance = self.attendance(&identity.name);
        let nobody = attendance.is_empty();
        let given_up = async {
            if nobody {
                tokio::time::sleep(KEYRING_WAIT).await;
            }
            attendance.deserted().await
        };
        self.with(&identity.name, |state| state.opening = true);
        let loaded = tokio::select! {
            biased;
            key = store.load(identity, passphrase) => Ok(key),
            why = given_up => Err(why),
        };
        self.with(&identity.name, |state| state.opening = false);
        loaded.or_else(|why| match why {
            PromptError::Withdrawn if !nobody => {
                Err(unanswered(identity, why, || Failure::InteractionRequired {
                    identity: identity.name.clone(),
                    needs: Needs::default(),
                }))
            }
            _ => Ok(Err(late())),
        })
    }

    /// For a caller who can wait: resolves when a person is being asked and this caller's time is over.
    pub(super) async fn patience_ends(
        &self,
        name: &IdentityName,
        waiter: impl FnOnce() -> Waiter,
        wait: Duration,
    ) -> Failure {
        let deadline = tokio::time::Instant::now() + wait;
        let _waits = self.attendance(name).join(waiter(), wait);
        tokio::time::sleep_until(deadline).await;
        self.person_is_asked(name).await;
        Failure::Unanswered {
            identity: name.clone(),
            error: PromptError::TimedOut,
        }
    }

    /// For a caller who cannot wait, and comes again: resolves when a person is being asked.
    pub(super) async fn comes_again(
        &self,
        name: &IdentityName,
        waiter: impl FnOnce() -> Waiter,
        wait: Duration,
    ) -> Failure {
        self.attendance(name).linger(waiter(), wait);
        self.person_is_asked(name).await;
        Failure::BeingAsked(format!("identity {name}"))
    }

    async fn person_is_asked(&self, name: &IdentityName) {
        loop {
            let news = self.changed.notified();
            if self.with(name, |state| state.asking.is_some()) {
                return;
            }
            news.await;
        }
    }

    /// What a caller is told whose time is over: a keyring that is still being read is asking a person.
    pub(super) fn too_late(&self, identity: &Identity, waited: Duration) -> Failure {
        if self.with(&identity.name, |state| state.opening) {
            Failure::BeingAsked(format!("identity {}", identity.name))
        } else {
            Failure::Waited(waited)
        }
    }
}

fn late() -> StoreError {
    StoreError::Unavailable {
        what: "it was not opened in time".to_owned(),
        remedy: "the keyring's prompt may still be on the screen: answer it, then try again"
            .to_owned(),
    }
}

fn unanswered(identity: &Identity, error: PromptError, missing: impl Fn() -> Failure) -> Failure {
    match error {
        PromptError::NoPrompter | PromptError::Withdrawn => missing(),
        error => Failure::Unanswered {
            identity: identity.name.clone(),
            error,
        },
    }
}
