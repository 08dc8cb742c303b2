//! Asking: the programs that an identity names, and a person by a dialog of the desktop or on the caller's terminal.
//!
//! Programs are run directly, never by a shell. They inherit the agent's environment and its limits (so no core dump
//! of a program that holds a passphrase), have a process group of their own and are ended with all that they started
//! when nobody waits for them any more; an agent that is killed takes them along. A person sees one dialog at a time; a dialog that cannot be shown makes way for
//! the next program that could show it.

mod assuan;
mod command;
mod dialog;
mod found;
mod leash;
mod pinentry;
mod run;
mod wording;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jumpgate_api::Secret;

pub use self::found::Screen;
use self::found::{Found, Kind};
pub use self::leash::{LEASHED, Leash, become_program};
use self::wording::Text;
use crate::domain::identity::CodeSource;
use crate::domain::settings::{AgentSettings, PromptBy};
use crate::ports::{Answer, Asking, Errand, PromptError, Prompter, Wish};

/// Set to `1` for the programs that we start: a `jumpgate` started by one of them can tell that it would wait
/// for itself.
pub const CHILD_MARK: &str = "JUMPGATE_AGENT_CHILD";

/// The longest passphrase, in bytes.
const MAX_PASSPHRASE: usize = 1024;

/// The digits of a TOTP code, as AWS takes them.
const CODE_DIGITS: usize = 6;

/// What the person gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// Nobody may read it on the screen.
    Hidden,
    /// It is of no use a minute later.
    Shown,
    /// A yes, and nothing to type.
    Nothing,
}

/// The programs that a person could be asked by, the first first. One for a terminal counts, whoever's that will be.
#[must_use]
pub fn asking_programs(screen: &Screen, by: PromptBy) -> Vec<std::path::PathBuf> {
    let found = found::programs(screen, by, Some("/dev/tty")).into_iter();
    found.map(|found| found.program).collect()
}

/// Asks programs and people.
#[derive(Debug)]
pub struct PersonPrompter {
    screen: Screen,
    leash: Leash,
    chosen: Mutex<Chosen>,
    /// Who has it, has the person's attention.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Chosen {
    by: PromptBy,
    /// How long a program may take that stands in for a person; it may itself be waiting for one to touch a key.
    patience: Duration,
}

impl From<&AgentSettings> for Chosen {
    fn from(settings: &AgentSettings) -> Self {
        Self {
            by: settings.prompter,
            patience: settings.prompt_wait,
        }
    }
}

impl PersonPrompter {
    /// Asks on this screen, by programs that belong to this process.
    #[must_use]
    pub fn new(screen: Screen, leash: Leash, settings: &AgentSettings) -> Self {
        Self {
            screen,
            leash,
            chosen: Mutex::new(settings.into()),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Puts other settings in force, for what is asked from now on.
    pub fn configure(&self, settings: &AgentSettings) {
        *self.chosen.lock().unwrap_or_else(PoisonError::into_inner) = settings.into();
    }

    fn chosen(&self) -> Chosen {
        *self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn found(&self, errand: &Errand) -> Vec<Found> {
        let terminal = errand.kin.terminal.as_deref();
        found::programs(&self.screen, self.chosen().by, terminal)
    }

    async fn ask_code(&self, asking: Asking<'_>) -> Result<Secret<String>, PromptError> {
        let mfa = asking.identity.mfa.as_ref();
        let mfa = mfa.ok_or(PromptError::NoPrompter)?;
        match (&mfa.source, asking.errand) {
            (CodeSource::Command(argv), _) => {
                command::code(self.leash, argv, self.chosen().patience).await
            }
            (CodeSource::Stored, _) | (CodeSource::Prompt, None) => Err(PromptError::NoPrompter),
            (CodeSource::Prompt, Some(errand)) => {
                let text = wording::code(&mfa.serial, errand, asking.remark);
                let shape = "A code has six digits. Type the one that the device shows now.";
                self.until_fit(&text, Kept::Shown, errand, shape, fit_code)
                    .await
            }
        }
    }

    async fn ask_passphrase(&self, asking: Asking<'_>) -> Result<Secret<String>, PromptError> {
        match (&asking.identity.passphrase_command, asking.errand) {
            (Some(argv), _) => command::passphrase(self.leash, argv, self.chosen().patience).await,
            (None, None) => Err(PromptError::NoPrompter),
            (None, Some(errand)) => {
                let text = wording::passphrase(&asking.identity.name, errand, asking.remark);
                let shape = "A passphrase has 1 to 1024 bytes.";
                self.until_fit(&text, Kept::Hidden, errand, shape, fit_passphrase)
                    .await
            }
        }
    }

    /// Asks until the answer has the shape of one: AWS counts wrong codes, so what cannot be right is not sent.
    async fn until_fit(
        &self,
        text: &Text,
        kept: Kept,
        errand: &Errand,
        shape: &'static str,
        fit: fn(Secret<String>) -> Option<Secret<String>>,
    ) -> Result<Secret<String>, PromptError> {
        let mut text = text.clone();
        loop {
            let answer = self.by_any(errand, &text, kept).await?;
            if let Some(fit) = fit(answer) {
                return Ok(fit);
            }
            text.remark = Some(shape);
        }
    }

    /// By the first program that can show it.
    async fn by_any(
        &self,
        errand: &Errand,
        text: &Text,
        kept: Kept,
    ) -> Result<Secret<String>, PromptError> {
        let _ours_alone = self.turn.lock().await;
        let mut last = PromptError::NoPrompter;
        for found in self.found(errand) {
            let answer = match &found.kind {
                Kind::Pinentry { .. } => pinentry::answer(self.leash, &found, text, kept).await,
                Kind::Zenity | Kind::Kdialog => {
                    dialog::answer(self.leash, &found, text, kept).await
                }
            };
            match answer {
                Err(error @ PromptError::Failed(_)) => last = error,
                answered => return answered,
            }
        }
        Err(last)
    }
}

impl Prompter for PersonPrompter {
    fn reaches(&self, errand: &Errand) -> bool {
        !self.found(errand).is_empty()
    }

    fn mfa_code<'a>(
        &'a self,
        asking: Asking<'a>,
    ) -> Answer<'a, Result<Secret<String>, PromptError>> {
        Box::pin(self.ask_code(asking))
    }

    fn passphrase<'a>(
        &'a self,
        asking: Asking<'a>,
    ) -> Answer<'a, Result<Secret<String>, PromptError>> {
        Box::pin(self.ask_passphrase(asking))
    }

    fn consent<'a>(
        &'a self,
        wish: &'a Wish,
        errand: &'a Errand,
    ) -> Answer<'a, Result<(), PromptError>> {
        Box::pin(async move {
            let text = wording::consent(wish, errand);
            self.by_any(errand, &text, Kept::Nothing).await.map(drop)
        })
    }
}

/// Six digits, with spaces wherever devices show them.
fn fit_code(typed: Secret<String>) -> Option<Secret<String>> {
    let digits: Secret<String> =
        Secret::new(typed.expose().chars().filter(|c| *c != ' ').collect());
    let text = digits.expose();
    let legal = text.len() == CODE_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    legal.then_some(digits)
}

fn fit_passphrase(typed: Secret<String>) -> Option<Secret<String>> {
    let length = typed.expose().len();
    (1..=MAX_PASSPHRASE).contains(&length).then_some(typed)
}

#[cfg(test)]
mod tests;
