//! `jumpgate doctor`: what is wrong with this set-up, and how to mend it. Needs neither a running agent nor a
//! configuration, unlocks nothing and brings up no prompt.
//!
//! | module | does |
//! |---|---|
//! | `check`, `finding` | the table of checks; what one of them found |
//! | `told` | what the client alone knows, as it says it on standard input |
//! | `facts`, `gather` | what was found on this machine, within limits of time |
//! | `judge` | facts to findings: pure |
//! | `report` | findings for people and for programs |

mod check;
mod facts;
mod finding;
mod gather;
mod judge;
mod report;
mod told;

use crate::config::environment::Environment;

pub use check::Check;
pub(crate) use told::{MAX_TOLD_BYTES, Told};

/// What is to be shown, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// For programs.
    pub(crate) json: bool,
    /// What is in order too; JSON has it always.
    pub(crate) all: bool,
}

/// What there is to say.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// Nothing failed.
    pub(crate) healthy: bool,
}

/// Looks at everything and judges it. Takes half a minute at most, whatever hangs.
pub(crate) fn run(environment: &Environment, told: Told, manner: Manner) -> Said {
    let facts = gather::everything(environment, told);
    let findings = judge::everything(&facts);
    Said {
        text: report::text(&findings, manner),
        healthy: findings.iter().all(|finding| !finding.is_failure()),
    }
}
