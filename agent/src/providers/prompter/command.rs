//! The programs that stand in for a person: `mfa_command` and `passphrase_command`.

use std::time::Duration;

use jumpgate_api::Secret;
use zeroize::Zeroizing;

use super::leash::Leash;
use super::{CODE_DIGITS, MAX_PASSPHRASE, run};
use crate::domain::identity::Argv;
use crate::ports::PromptError;

/// The code that a program prints on its first line.
pub(super) async fn code(
    leash: Leash,
    argv: &Argv,
    patience: Duration,
) -> Result<Secret<String>, PromptError> {
    let line = first_line(leash, argv, patience).await?;
    let code = line.trim_ascii();
    let legal = code.len() == CODE_DIGITS && code.iter().all(u8::is_ascii_digit);
    text_of(code).filter(|_| legal).ok_or_else(|| {
        refused(
            argv,
            "the first line it printed is not a code of six digits",
        )
    })
}

/// The passphrase that a program prints on its first line.
pub(super) async fn passphrase(
    leash: Leash,
    argv: &Argv,
    patience: Duration,
) -> Result<Secret<String>, PromptError> {
    let line = first_line(leash, argv, patience).await?;
    match line.len() {
        0 => Err(refused(argv, "it printed no passphrase")),
        1..=MAX_PASSPHRASE => {
            text_of(&line).ok_or_else(|| refused(argv, "the passphrase it printed is not UTF-8"))
        }
        _ => Err(refused(
            argv,
            "the passphrase it printed is longer than 1024 bytes",
        )),
    }
}

async fn first_line(
    leash: Leash,
    argv: &Argv,
    patience: Duration,
) -> Result<Zeroizing<Vec<u8>>, PromptError> {
    let printed = run::output(leash, argv, patience).await?;
    Ok(run::first_line(&printed))
}

fn text_of(bytes: &[u8]) -> Option<Secret<String>> {
    std::str::from_utf8(bytes).ok().map(Secret::from)
}

/// What it did wrong, without what it printed.
fn refused(argv: &Argv, what: &str) -> PromptError {
    PromptError::Failed(format!("{}: {what}", run::shown(argv)))
}
