//! What is said of policies without a running agent: `--lint`, `--jump` and `--explain`.

use std::path::PathBuf;

use jumpgate_api::ExitStatus;

use super::{Refusal, Started, invalid, say};
use crate::config::environment::Environment;
use crate::config::{self, place};
use crate::domain::weight::Sent;
use crate::explain;
use crate::jump;
use crate::lint::{self, LintError};
use crate::providers::journal::last_size;

/// Policy files against the rules; what a jump policy must allow comes from the configuration in use.
pub(super) fn lint(words: &[&str]) -> Started {
    let verdict = verdict(words).map_err(|error| match error {
        LintError::Config(errors) => invalid(&errors),
        error => Refusal::new(error, "see: jumpgate policy lint --help", ExitStatus::Usage),
    })?;
    let hint = "name files of JSON that you may read, or - for standard input";
    say_with(&verdict.text, verdict.unread, verdict.status, hint)
}

fn verdict(words: &[&str]) -> Result<lint::Verdict, LintError> {
    let arguments = lint::Arguments::parse(words)?;
    let Some(identity) = &arguments.identity else {
        return Ok(lint::run(&arguments, None));
    };
    let (config, _) = configured().map_err(|error| match error {
        Unconfigured::Place(what) => LintError::Usage(what),
        Unconfigured::Invalid(errors) => LintError::Config(errors),
    })?;
    let needs = lint::needs(&config.settings, identity)?;
    Ok(lint::run(&arguments, Some(&needs)))
}

/// Why there is no configuration.
pub(super) enum Unconfigured {
    /// Nobody knows where it is.
    Place(String),
    /// It has mistakes.
    Invalid(config::ConfigErrors),
}

impl From<Unconfigured> for Refusal {
    fn from(why: Unconfigured) -> Self {
        match why {
            Unconfigured::Place(what) => {
                Self::new(what, "set JUMPGATE_CONFIG to its path", ExitStatus::Usage)
            }
            Unconfigured::Invalid(errors) => invalid(&errors),
        }
    }
}

/// The configuration in use, and where it is used.
pub(super) fn configured() -> Result<(config::Config, Environment), Unconfigured> {
    let environment = Environment::from_process();
    let path = place_of_configuration(&environment)?;
    let config = config::load(&path).map_err(Unconfigured::Invalid)?;
    Ok((config, environment))
}

/// Where the configuration is, or would be.
pub(super) fn place_of_configuration(environment: &Environment) -> Result<PathBuf, Unconfigured> {
    place::configuration(environment).map_err(|error| Unconfigured::Place(error.to_string()))
}

/// The policy that an IAM user needs.
pub(super) fn jump(words: &[&str]) -> Started {
    let wrong = |error: jump::JumpError| {
        let hint = "see: jumpgate policy jump --help";
        Refusal::new(error, hint, ExitStatus::Usage)
    };
    let arguments = jump::Arguments::parse(words).map_err(wrong)?;
    let (config, environment) = configured()?;
    let said = jump::run(&arguments, &config, &environment.surroundings()).map_err(wrong)?;
    say_with(&said.text, said.unread, said.status, FILES)
}

/// What a profile's sessions may do.
pub(super) fn explain(words: &[&str]) -> Started {
    let wrong = |error: explain::ExplainError| {
        let hint = "see: jumpgate policy explain --help";
        Refusal::new(error, hint, ExitStatus::Usage)
    };
    let arguments = explain::Arguments::parse(words).map_err(wrong)?;
    let (config, environment) = configured()?;
    let journal = place::state_directory(&environment).map(|state| state.join("journal"));
    let last_size = |sent: &Sent<'_>| last_size(journal.as_ref().ok()?, sent);
    let surroundings = environment.surroundings();
    let said = explain::run(&arguments, &config, &surroundings, &last_size).map_err(wrong)?;
    say_with(&said.text, Vec::new(), said.status, FILES)
}

const FILES: &str = "name files of JSON that you may read";

/// Text for standard output, what could not be read, and the status.
fn say_with(text: &str, unread: Vec<String>, status: ExitStatus, hint: &str) -> Started {
    say(text)?;
    if matches!(status, ExitStatus::Success) {
        return Ok(());
    }
    Err(Refusal {
        hint: (!unread.is_empty()).then(|| hint.to_owned()),
        lines: unread,
        status,
    })
}
