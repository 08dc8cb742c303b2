//! What moves in from `~/.aws`, and what is written there: `--import`, `--configure` and `--leftover`. No agent needs
//! to run.

use jumpgate_api::ExitStatus;

use super::policies::{configured, place_of_configuration};
use super::{Refusal, Started, invalid, say};
use crate::aws_files::Said;
use crate::config::environment::Environment;
use crate::configure;
use crate::import::{self, ImportError};
use crate::leftover;

/// Profiles of `~/.aws/config` as ours.
pub(super) fn import(words: &[&str]) -> Started {
    let wrong = |error: ImportError| match error {
        ImportError::Config(errors) => invalid(&errors),
        error => Refusal::new(error, "see: jumpgate import --help", ExitStatus::Usage),
    };
    let arguments = import::Arguments::parse(words).map_err(wrong)?;
    let ours = place_of_configuration(&Environment::from_process())?;
    tell(import::run(&arguments, &ours).map_err(wrong)?)
}

/// Our stanzas in `~/.aws/config`.
pub(super) fn configure(words: &[&str]) -> Started {
    let wrong = |error: configure::ConfigureError| {
        Refusal::new(error, "see: jumpgate configure --help", ExitStatus::Usage)
    };
    let arguments = configure::Arguments::parse(words).map_err(wrong)?;
    let (config, _) = configured()?;
    tell(configure::run(&arguments, &config.settings).map_err(wrong)?)
}

/// A key that was left in `~/.aws`.
pub(super) fn leftover(words: &[&str]) -> Started {
    let wrong =
        |error: leftover::LeftoverError| Refusal::new(error, leftover::HINT, ExitStatus::Failed);
    let arguments = leftover::Arguments::parse(words).map_err(wrong)?;
    tell(leftover::run(&arguments).map_err(wrong)?)
}

fn tell(said: Said) -> Started {
    say(&said.text)?;
    if said.notes.is_empty() {
        return Ok(());
    }
    Err(Refusal {
        lines: said.notes,
        hint: Some(said.hint.to_owned()),
        status: said.status,
    })
}
