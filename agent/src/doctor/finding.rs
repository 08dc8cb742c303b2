//! What a check found.

use super::check::Check;
use crate::config::report::printable;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It works, and should be seen to.
    Warning,
    /// It does not work, or is not safe.
    Failed,
    /// It was not looked at, and why is said.
    Skipped,
}

impl State {
    /// For programs; stable.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What a check found, and what to do about it. Printable as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: Check,
    pub(super) state: State,
    /// One line.
    pub(super) what: String,
    /// Only with something to do.
    pub(super) hint: Option<String>,
}

impl Finding {
    fn new(check: Check, state: State, what: &str, hint: Option<&str>) -> Self {
        Self {
            check,
            state,
            what: one_line(what),
            hint: hint.filter(|hint| !hint.is_empty()).map(one_line),
        }
    }

    pub(super) fn ok(check: Check, what: &str) -> Self {
        Self::new(check, State::Ok, what, None)
    }

    pub(super) fn warning(check: Check, what: &str, hint: &str) -> Self {
        Self::new(check, State::Warning, what, Some(hint))
    }

    pub(super) fn failed(check: Check, what: &str, hint: &str) -> Self {
        Self::new(check, State::Failed, what, Some(hint))
    }

    pub(super) fn skipped(check: Check, why: &str) -> Self {
        Self::new(check, State::Skipped, why, None)
    }

    pub(super) fn is_failure(&self) -> bool {
        self.state == State::Failed
    }
}

/// The first line, with everything escaped that could do more to a terminal than show.
fn one_line(text: &str) -> String {
    printable(text.lines().next().unwrap_or_default())
}
