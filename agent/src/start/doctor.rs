//! `--doctor`: the client says on standard input what it alone knows; see `crate::doctor`.

use std::io::Read;
use std::process::ExitCode;

use jumpgate_api::ExitStatus;

use super::{Refusal, say};
use crate::config::environment::Environment;
use crate::doctor::{self, MAX_TOLD_BYTES, Manner, Told};

/// Looks, says what it found, and exits with 1 if something failed.
pub(super) fn run(words: &[&str]) -> ExitCode {
    let mut manner = Manner::default();
    for word in words {
        match *word {
            "--json" => manner.json = true,
            "--all" => manner.all = true,
            _ => {
                let hint = "see: jumpgate doctor --help";
                return Refusal::new("unknown arguments", hint, ExitStatus::Usage).report();
            }
        }
    }
    let mut told = Vec::new();
    let _nothing_is_known = std::io::stdin().take(MAX_TOLD_BYTES).read_to_end(&mut told);
    let told = Told::parse(&String::from_utf8_lossy(&told));
    let said = doctor::run(&Environment::from_process(), told, manner);
    let _nobody_reads = say(&said.text);
    match said.healthy {
        true => ExitStatus::Success.into(),
        false => ExitStatus::Failed.into(),
    }
}
