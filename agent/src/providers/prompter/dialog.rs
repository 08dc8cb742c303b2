//! A dialog by zenity or kdialog: the text in the arguments, the answer on standard output.

use jumpgate_api::Secret;

use super::Kept;
use super::found::{Found, Kind};
use super::leash::Leash;
use super::run;
use super::wording::Text;
use crate::domain::identity::Argv;
use crate::ports::PromptError;

/// How zenity and kdialog say no.
const NO: i32 = 1;
const CANCELED: i32 = 2;
/// How zenity says that its time is over.
const TIMED_OUT: i32 = 5;

/// What a person types, or nothing for a yes.
pub(super) async fn answer(
    leash: Leash,
    found: &Found,
    text: &Text,
    kept: Kept,
) -> Result<Secret<String>, PromptError> {
    let argv = match found.kind {
        Kind::Kdialog => kdialog(found, text, kept),
        Kind::Zenity | Kind::Pinentry { .. } => zenity(found, text, kept),
    };
    let printed = asked(leash, &argv).await?;
    let line = run::first_line(&printed);
    let typed = std::str::from_utf8(&line).ok().map(Secret::from);
    typed.ok_or_else(|| PromptError::Failed(format!("{}: not UTF-8", run::shown(&argv))))
}

async fn asked(leash: Leash, argv: &Argv) -> Result<zeroize::Zeroizing<Vec<u8>>, PromptError> {
    run::answer(leash, argv).await.map_err(|ended| match ended {
        (Some(NO | CANCELED), _) => PromptError::Declined,
        (Some(TIMED_OUT), _) => PromptError::TimedOut,
        (_, error) => error,
    })
}

fn zenity(found: &Found, text: &Text, kept: Kept) -> Argv {
    // Above an entry, an underscore would be an access key.
    let body = match kept {
        Kept::Hidden | Kept::Shown => text.body().replace('_', "__"),
        Kept::Nothing => text.body(),
    };
    let (title, body) = (format!("--title={}", text.title), format!("--text={body}"));
    let kind: &[&str] = match kept {
        Kept::Hidden => &["--entry", "--hide-text"],
        Kept::Shown => &["--entry"],
        Kept::Nothing => &[
            "--question",
            "--no-markup",
            "--ok-label=Allow",
            "--cancel-label=Refuse",
            "--default-cancel",
        ],
    };
    argv(found, [kind, &["--timeout=600", &title, &body]].concat())
}

fn kdialog(found: &Found, text: &Text, kept: Kept) -> Argv {
    let kind = match kept {
        Kept::Hidden => "--password",
        Kept::Shown => "--inputbox",
        Kept::Nothing => "--warningyesno",
    };
    argv(found, vec!["--title", text.title, kind, &text.body()])
}

fn argv(found: &Found, arguments: Vec<&str>) -> Argv {
    Argv {
        program: found.program.display().to_string(),
        arguments: arguments.into_iter().map(str::to_owned).collect(),
    }
}
