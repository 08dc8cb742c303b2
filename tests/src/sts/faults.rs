//! Faults on demand: what a network, a proxy or a bad day at AWS does to a call.

use super::refusal::Refusal;
use std::time::Duration;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The answer comes later.
    Delay(Duration),
    /// The call waits until [`super::StsDouble::release`]; then it is answered.
    Hold,
    /// The call is carried out, and its answer waits until [`super::StsDouble::release`].
    HoldAnswer,
    /// The answer comes byte by byte, each after this time.
    Drip(Duration),
    /// No answer, ever; the connection stays open until the client closes it or the double stops.
    Hang,
    /// The connection is reset without an answer.
    Reset,
    /// 500 `InternalFailure`.
    InternalFailure,
    /// 503 `ServiceUnavailable`.
    ServiceUnavailable,
    /// 400 `Throttling`, "Rate exceeded".
    Throttling,
    /// Any other error.
    Error {
        /// HTTP status.
        status: u16,
        /// Error code.
        code: String,
        /// Message.
        message: String,
    },
    /// The double's clock is this many seconds ahead for the call, in its Date header and in the
    /// expiry of what it issues too.
    WrongClock(i64),
    /// The answer is no XML.
    MalformedXml,
    /// The body ends in its middle, and the connection with it.
    TruncatedBody,
    /// The credentials that are issued have expired a minute ago.
    AlreadyExpired,
    /// The answer to AssumeRole names another role.
    OtherRole,
    /// The answer has this many bytes more.
    Oversized(usize),
}

impl Fault {
    /// The fault's name, as the record has it.
    pub fn name(&self) -> String {
        let whole = format!("{self:?}");
        whole
            .split(['(', ' '])
            .next()
            .unwrap_or_default()
            .to_owned()
    }

    /// The error that is answered instead of the call.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        match self {
            Fault::InternalFailure => Some(Refusal::new(
                500,
                "InternalFailure",
                "The request processing has failed because of an unknown error, exception or failure.",
            )),
            Fault::ServiceUnavailable => Some(Refusal::new(
                503,
                "ServiceUnavailable",
                "The request has failed due to a temporary failure of the server.",
            )),
            Fault::Throttling => Some(Refusal::new(400, "Throttling", "Rate exceeded")),
            Fault::Error {
                status,
                code,
                message,
            } => Some(Refusal::new(*status, code, message)),
            _ => None,
        }
    }
}

/// Which calls a fault meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    action: Option<String>,
    times: Option<usize>,
    skipped: usize,
}

impl When {
    /// Every call, until the faults are cleared.
    pub fn always() -> When {
        When {
            action: None,
            times: None,
            skipped: 0,
        }
    }

    /// Calls of one action (`AssumeRole`, `GetObject`, …), until the faults are cleared.
    pub fn call(action: &str) -> When {
        When {
            action: Some(action.to_owned()),
            times: None,
            skipped: 0,
        }
    }

    /// Not the first so many calls.
    pub fn behind(self, skipped: usize) -> When {
        When { skipped, ..self }
    }

    /// Only this many calls.
    pub fn times(self, times: usize) -> When {
        When {
            times: Some(times),
            ..self
        }
    }
}

/// A fault that waits for its calls.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) fault: Fault,
    pub(super) when: When,
}

/// The fault that meets this call, if any: the first planned one that fits.
pub(super) fn next(planned: &mut Vec<Planned>, action: &str) -> Option<Fault> {
    let fits = |p: &Planned| {
        p.when
            .action
            .as_deref()
            .is_none_or(|wanted| wanted == action)
    };
    let at = planned.iter().position(fits)?;
    if let Some(left) = planned[at].when.skipped.checked_sub(1) {
        planned[at].when.skipped = left;
        return None;
    }
    let fault = planned[at].fault.clone();
    if let Some(left) = &mut planned[at].when.times {
        *left = left.saturating_sub(1);
        if *left == 0 {
            planned.remove(at);
        }
    }
    Some(fault)
}
