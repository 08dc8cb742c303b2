//! Why a request has no reply, and what a person can do about it.

use std::io;

use jumpgate_api::{ExitStatus, MAX_BODY_BYTES, Problem};

use super::http::AnswerError;
use super::place::PlaceError;
use super::start::StartError;
use crate::failure::{Exit, Failure};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    /// We were started by the agent itself.
    #[error("jumpgate was called by its own agent")]
    Recursion,
    /// The socket's place is unknown or unsafe.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// No agent runs and none could be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is a socket that does not take our connection.
    #[error("cannot connect to the agent at {socket}: {error}")]
    Connect { socket: String, error: io::Error },
    /// The one who listens is someone else.
    #[error("the agent at {socket} runs as user id {peer}, not as {ours}")]
    ForeignAgent {
        socket: String,
        peer: u32,
        ours: u32,
    },
    /// The request is larger than the agent reads.
    #[error("the request is larger than {MAX_BODY_BYTES} bytes")]
    RequestTooLarge,
    /// The answer is broken, late or missing.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The answer is JSON of another shape.
    #[error("the agent's answer (status {status}) is not what this version expects")]
    Undecodable { status: u16 },
}

/// Why a request has no reply: the agent said no, or there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The agent said no, and why.
    #[error(transparent)]
    Refused(Box<Problem>),
    /// There is no answer.
    #[error(transparent)]
    Broken(#[from] ConnectionError),
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(problem) => (*problem).into(),
            CallError::Broken(error) => error.into(),
        }
    }
}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        let message = error.to_string();
        match error {
            ConnectionError::Recursion => Self::usage(message)
                .hint("mfa_command and passphrase_command must not use a profile of Jumpgate"),
            ConnectionError::Place(error) if error.is_usage() => {
                Self::usage(message).hint(error.hint())
            }
            ConnectionError::Place(error) => {
                Self::new(ExitStatus::Unavailable, message).hint(error.hint())
            }
            ConnectionError::Start(error) => error.into(),
            ConnectionError::Connect { .. } => Self::new(ExitStatus::Unavailable, message)
                .hint("see whether an agent runs there: jumpgate agent run"),
            ConnectionError::ForeignAgent { .. } => Self::new(ExitStatus::Unavailable, message)
                .hint("set JUMPGATE_SOCKET to a path in a directory of your own"),
            ConnectionError::RequestTooLarge => Self::usage(message).hint("shorten the policy"),
            ConnectionError::Answer(AnswerError::TimedOut) => {
                Self::new(ExitStatus::Temporary, message)
                    .hint("try again; if it goes on, restart it: jumpgate agent stop")
            }
            ConnectionError::Answer(_) | ConnectionError::Undecodable { .. } => {
                Self::new(ExitStatus::Unavailable, message)
                    .hint("restart it: jumpgate agent stop, jumpgate agent start")
            }
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let message = error.to_string();
        match error {
            StartError::Refused { exit, lines } => refused(exit, lines, message),
            StartError::NotInstalled => Self::new(ExitStatus::Unavailable, message)
                .hint("install jumpgate-agent beside jumpgate"),
            StartError::TimedOut | StartError::Io { .. } => {
                Self::new(ExitStatus::Unavailable, message).hint("see why: jumpgate agent run")
            }
        }
    }
}

/// The agent's own words: its first line, its further ones, and its hint.
fn refused(exit: Exit, lines: Vec<String>, unsaid: String) -> Failure {
    let hint_of = |line: &String| line.trim_start().strip_prefix("hint: ").map(str::to_owned);
    let hint = lines.iter().find_map(hint_of);
    let mut said = lines.into_iter().filter(|line| hint_of(line).is_none());
    let first = said.next().unwrap_or(unsaid);
    let failure = Failure::new(exit, first).details(said.collect());
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure.hint("see the configuration: jumpgate check"),
    }
}
