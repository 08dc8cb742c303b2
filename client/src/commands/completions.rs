//! `jumpgate completions SHELL`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Context, Outcome};
use crate::cli::CommandLine;

pub(super) fn run(context: &mut Context<'_>, shell: Shell) -> Outcome {
    // The generator panics when its target fails, as a closed pipe does; memory does not fail.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "jumpgate", &mut script);
    context.finish(&String::from_utf8_lossy(&script))
}
