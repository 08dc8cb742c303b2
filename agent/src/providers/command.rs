//! Asking a program: the identity's `mfa_command` and `passphrase_command`.
//!
//! The program is run directly, never by a shell, with nothing to read. It inherits the agent's environment and
//! its limits (so no core dump of a program that holds a passphrase), has a process group of its own and is ended
//! with all that it started when it takes too long, says too much or nobody waits for it any more.

mod run;

use std::time::Duration;

use jumpgate_api::Secret;
use zeroize::Zeroizing;

use crate::domain::identity::{Argv, CodeSource, Identity};
use crate::ports::{Answer, PromptError, Prompter};

/// The longest passphrase, in bytes.
const MAX_PASSPHRASE: usize = 1024;

/// The digits of a TOTP code, as AWS takes them.
const CODE_DIGITS: usize = 6;

/// Set to `1` for the programs that we start: a `jumpgate` started by one of them can tell that it would wait
/// for itself.
pub const CHILD_MARK: &str = "JUMPGATE_AGENT_CHILD";

/// Asks programs. Where the identity names none, there is nobody to ask.
#[derive(Debug, Clone, Copy)]
pub struct CommandPrompter {
    /// How long a program may take; it may itself be waiting for a person to touch a key.
    pub prompt_wait: Duration,
}

impl CommandPrompter {
    /// Lets a program take this long.
    #[must_use]
    pub const fn new(prompt_wait: Duration) -> Self {
        Self { prompt_wait }
    }

    async fn first_line(self, argv: &Argv) -> Result<Zeroizing<Vec<u8>>, PromptError> {
        let printed = run::output(argv, self.prompt_wait).await?;
        let line = printed.split(|&byte| byte == b'\n').next();
        let line = line.unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(Zeroizing::new(line.to_vec()))
    }

    async fn ask_code(self, identity: &Identity) -> Result<Secret<String>, PromptError> {
        let source = identity.mfa.as_ref().map(|mfa| &mfa.source);
        let Some(CodeSource::Command(argv)) = source else {
            return Err(PromptError::NoPrompter);
        };
        let line = self.first_line(argv).await?;
        let code = line.trim_ascii();
        let legal = code.len() == CODE_DIGITS && code.iter().all(u8::is_ascii_digit);
        text_of(code).filter(|_| legal).ok_or_else(|| {
            refused(
                argv,
                "the first line it printed is not a code of six digits",
            )
        })
    }

    async fn ask_passphrase(self, identity: &Identity) -> Result<Secret<String>, PromptError> {
        let argv = identity.passphrase_command.as_ref();
        let argv = argv.ok_or(PromptError::NoPrompter)?;
        let line = self.first_line(argv).await?;
        match line.len() {
            0 => Err(refused(argv, "it printed no passphrase")),
            1..=MAX_PASSPHRASE => text_of(&line)
                .ok_or_else(|| refused(argv, "the passphrase it printed is not UTF-8")),
            _ => Err(refused(
                argv,
                "the passphrase it printed is longer than 1024 bytes",
            )),
        }
    }
}

impl Prompter for CommandPrompter {
    fn mfa_code<'a>(
        &'a self,
        identity: &'a Identity,
    ) -> Answer<'a, Result<Secret<String>, PromptError>> {
        Box::pin(self.ask_code(identity))
    }

    fn passphrase<'a>(
        &'a self,
        identity: &'a Identity,
    ) -> Answer<'a, Result<Secret<String>, PromptError>> {
        Box::pin(self.ask_passphrase(identity))
    }
}

fn text_of(bytes: &[u8]) -> Option<Secret<String>> {
    std::str::from_utf8(bytes).ok().map(Secret::from)
}

/// What it did wrong, without what it printed.
fn refused(argv: &Argv, what: &str) -> PromptError {
    PromptError::Failed(format!("{}: {what}", run::shown(argv)))
}

#[cfg(test)]
mod tests;
