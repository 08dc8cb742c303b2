//! A dialog by pinentry: spoken to on its standard input and output, one command and its answer after the other.

use std::process::Stdio;

use jumpgate_api::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout};
use zeroize::Zeroizing;

use super::Kept;
use super::assuan::{MAX_LINE, Said, command, said};
use super::found::{Found, Kind};
use super::leash::Leash;
use super::run::Group;
use super::wording::Text;
use crate::ports::PromptError;

/// When a dialog closes by itself, in seconds. `prompt_wait` is not longer.
const CLOSES_AFTER: &str = "600";

/// Most lines before the one that ends an answer.
const MAX_LINES: usize = 32;

/// The errors of libgpg-error that mean a person's no, or nobody.
const TIMEOUT: u16 = 62;
const CANCELED: u16 = 99;
const NOT_CONFIRMED: u16 = 114;
const FULLY_CANCELED: u16 = 198;

/// What a person types, or nothing for a yes.
pub(super) async fn answer(
    leash: Leash,
    found: &Found,
    text: &Text,
    kept: Kept,
) -> Result<Secret<String>, PromptError> {
    let mut talk = Talk::begin(leash, found).await?;
    talk.show(text).await?;
    let question = match kept {
        Kept::Nothing => "CONFIRM\n",
        Kept::Hidden | Kept::Shown => "GETPIN\n",
    };
    let typed = talk.ask(question).await?;
    talk.end().await;
    let typed = std::str::from_utf8(&typed).ok().map(Secret::from);
    typed.ok_or_else(|| talk.failed("what was typed is not UTF-8"))
}

/// A running pinentry. Dropped, it and its window are gone.
struct Talk {
    name: String,
    input: ChildStdin,
    output: ChildStdout,
    /// What came and is not used yet.
    rest: Zeroizing<Vec<u8>>,
    /// Killed before the child is reaped, so that its number is still its own.
    _group: Group,
    _child: Child,
}

impl Talk {
    async fn begin(leash: Leash, found: &Found) -> Result<Self, PromptError> {
        let name = format!("`{}`", found.program.display().to_string().escape_debug());
        let failed = |error: std::io::Error| {
            PromptError::Failed(format!("{name} cannot be started: {error}"))
        };
        let mut child = start(leash, found).map_err(failed)?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or_else(|| failed(std::io::ErrorKind::BrokenPipe.into()))?;
        let mut talk = Self {
            input,
            output,
            rest: Zeroizing::new(Vec::with_capacity(2 * MAX_LINE)),
            _group: Group::of(&child),
            _child: child,
            name: name.clone(),
        };
        talk.heard().await?;
        if let Kind::Pinentry {
            terminal: Some(terminal),
        } = &found.kind
        {
            for option in ["ttytype=xterm", "lc-ctype=C.UTF-8"] {
                talk.tell("OPTION", option).await?;
            }
            talk.tell("OPTION", &format!("ttyname={terminal}")).await?;
        }
        Ok(talk)
    }

    async fn show(&mut self, text: &Text) -> Result<(), PromptError> {
        self.tell("SETTIMEOUT", CLOSES_AFTER).await?;
        self.tell("SETTITLE", text.title).await?;
        self.tell("SETDESC", &text.body()).await?;
        match text.prompt {
            Some(prompt) => self.tell("SETPROMPT", prompt).await,
            None => {
                self.tell("SETOK", "Allow").await?;
                self.tell("SETCANCEL", "Refuse").await
            }
        }
    }

    /// A command that is as good when it is not known.
    async fn tell(&mut self, verb: &str, text: &str) -> Result<(), PromptError> {
        self.send(&command(verb, text)).await?;
        match self.heard().await {
            Err(Refusal::Error(..)) | Ok(_) => Ok(()),
            Err(refusal) => Err(refusal.into()),
        }
    }

    async fn ask(&mut self, line: &str) -> Result<Zeroizing<Vec<u8>>, PromptError> {
        self.send(line).await?;
        Ok(self.heard().await?)
    }

    async fn send(&mut self, line: &str) -> Result<(), PromptError> {
        let sent = self.input.write_all(line.as_bytes()).await;
        sent.map_err(|error| self.failed(&error.to_string()))
    }

    async fn end(&mut self) {
        let _it_is_ended_anyway = self.input.write_all(b"BYE\n").await;
    }

    /// The data of an answer that ends well.
    async fn heard(&mut self) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let mut data = Zeroizing::new(Vec::with_capacity(2 * MAX_LINE));
        for _ in 0..MAX_LINES {
            let line = self.line().await?;
            match said(&line) {
                Said::Ok => return Ok(data),
                Said::Error(code, text) => return Err(self.refusal(code, &text)),
                Said::Data(more) if data.len() + more.len() <= 2 * MAX_LINE => {
                    data.extend_from_slice(&more);
                }
                Said::Aside => {}
                Said::Data(_) | Said::Other => {
                    return Err(Refusal::Broken(self.failed("said what it should not")));
                }
            }
        }
        Err(Refusal::Broken(self.failed("said too much")))
    }

    async fn line(&mut self) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = Zeroizing::new(self.rest[..end].to_vec());
                self.rest.drain(..=end);
                return Ok(line);
            }
            if self.rest.len() > MAX_LINE {
                return Err(Refusal::Broken(self.failed("said too long a line")));
            }
            let mut piece = Zeroizing::new([0; 512]);
            let read = self.output.read(&mut *piece).await;
            match read {
                Ok(0) => return Err(Refusal::Broken(self.failed("ended without an answer"))),
                Ok(length) => self.rest.extend_from_slice(&piece[..length]),
                Err(error) => return Err(Refusal::Broken(self.failed(&error.to_string()))),
            }
        }
    }

    fn refusal(&self, code: u16, text: &str) -> Refusal {
        Refusal::Error(
            code,
            self.failed(&format!("could not ask: {text} (error {code})")),
        )
    }

    fn failed(&self, what: &str) -> PromptError {
        PromptError::Failed(format!("{} {what}", self.name))
    }
}

/// Why a command came to nothing: an answer of its own, or none.
enum Refusal {
    Error(u16, PromptError),
    Broken(PromptError),
}

impl From<Refusal> for PromptError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Error(CANCELED | FULLY_CANCELED | NOT_CONFIRMED, _) => Self::Declined,
            Refusal::Error(TIMEOUT, _) => Self::TimedOut,
            Refusal::Error(_, error) | Refusal::Broken(error) => error,
        }
    }
}

fn start(leash: Leash, found: &Found) -> std::io::Result<Child> {
    leash
        .command(&found.program.to_string_lossy())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}
