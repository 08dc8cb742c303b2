//! What a command that did not succeed says on stderr, and the status that it exits with.

use std::fmt;
use std::io;
use std::process::ExitCode;

use jumpgate_api::{ExitStatus, Problem};

use crate::output::escape;

/// All that `credential-process` may write to stderr, in bytes: SDKs show it in the middle of an exception.
const BRIEF_BYTES: usize = 1023;

/// The longest message or hint in a brief failure, in bytes.
const BRIEF_LINE_BYTES: usize = 440;

/// The exit status of this process: one of [`ExitStatus`], or that of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    /// The status of a process that was ended by a signal or that the system cannot tell: failed.
    pub(crate) fn of(status: std::process::ExitStatus) -> Self {
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        code.map_or(ExitStatus::Failed.into(), Self)
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        Self(status as u8)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// A command that did not succeed: one line on what happened, further lines, one line on what to do.
///
/// `Display` is the whole text for stderr, with every control character escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    exit: Exit,
    message: Option<String>,
    details: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: impl Into<Exit>, message: impl Into<String>) -> Self {
        let message = Some(message.into());
        Self {
            exit: exit.into(),
            message,
            details: Vec::new(),
            hint: None,
        }
    }

    /// Wrong usage or configuration.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Usage, message)
    }

    /// The agent's program is there, and the system does not run it.
    pub(crate) fn cannot_run_agent(error: &io::Error) -> Self {
        let what = format!("cannot run jumpgate-agent: {error}");
        Self::new(ExitStatus::Unavailable, what)
    }

    /// Nobody reads our output any more: there is nobody to tell, as with `yes | head`.
    pub(crate) fn silent(exit: impl Into<Exit>) -> Self {
        Self {
            exit: exit.into(),
            message: None,
            details: Vec::new(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With a hint, unless there is a better one.
    pub(crate) fn or_hint(mut self, hint: impl FnOnce() -> String) -> Self {
        self.hint = self.hint.or_else(|| Some(hint()));
        self
    }

    pub(crate) fn details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    /// What happened, and what to do.
    pub(crate) fn said(&self) -> [&str; 2] {
        [&self.message, &self.hint].map(|text| text.as_deref().unwrap_or_default())
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The same within [`BRIEF_BYTES`]: long lines cut, details left out from the end.
    pub(crate) fn brief(mut self) -> Self {
        self.message = self
            .message
            .map(|text| cut(&escape(&text), BRIEF_LINE_BYTES));
        self.hint = self.hint.map(|text| cut(&escape(&text), BRIEF_LINE_BYTES));
        while !self.details.is_empty() && self.to_string().len() > BRIEF_BYTES {
            self.details.pop();
        }
        self
    }
}

/// At most `limit` bytes of `text`, with `…` where something was left out.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit - '…'.len_utf8());
    format!("{}…", &text[..end])
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = &self.message {
            writeln!(f, "jumpgate: {}", escape(message))?;
        }
        for detail in &self.details {
            writeln!(f, "  {}", escape(detail))?;
        }
        if let Some(hint) = &self.hint {
            writeln!(f, "  hint: {}", escape(hint))?;
        }
        Ok(())
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            exit: problem.code.exit_status().into(),
            message: Some(problem.message),
            details: problem.details,
            hint: problem.hint,
        }
    }
}

/// Writing to stdout failed.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::silent(ExitStatus::Failed),
            _ => Self::new(
                ExitStatus::Failed,
                format!("cannot write the output: {error}"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jumpgate_api::Code;

    use super::*;

    #[test]
    fn a_problem_is_a_line_its_details_and_a_hint() {
        let mut problem = Problem::new(Code::InvalidConfiguration, "two errors in \u{1b}[2Jconfig")
            .with_hint("correct them\nand reload");
        problem.details = vec![
            "config.toml:1:2: one".to_owned(),
            "config.toml:3:4: two".to_owned(),
        ];
        let failure = Failure::from(problem);
        assert_eq!(failure.exit(), Exit(64));
        assert_eq!(
            failure.to_string(),
            "jumpgate: two errors in \\u{1b}[2Jconfig\n  config.toml:1:2: one\n  config.toml:3:4: two\n  \
             hint: correct them\\nand reload\n"
        );
    }

    #[test]
    fn a_brief_failure_fits_into_one_kibibyte_whatever_the_agent_says() {
        let mut problem =
            Problem::new(Code::Internal, "\u{1}é".repeat(4000)).with_hint("ü".repeat(4000));
        problem.details = vec!["detail".to_owned(); 500];
        let text = Failure::from(problem).brief().to_string();
        assert!(text.len() < 1024, "{} bytes", text.len());
        assert!(text.starts_with("jumpgate: \\u{1}é"));
        assert!(text.contains("…\n  detail\n"), "{text}");
        assert!(text.ends_with("ü…\n"), "{text}");
    }

    #[test]
    fn a_closed_pipe_is_a_silent_failure() {
        let failure = Failure::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert_eq!(
            (failure.exit(), failure.to_string().as_str()),
            (Exit(1), "")
        );
        let full = Failure::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert!(
            full.to_string()
                .starts_with("jumpgate: cannot write the output: ")
        );
    }
}
