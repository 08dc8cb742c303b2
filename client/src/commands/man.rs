//! `jumpgate man`: the help texts of all commands as one manual.

use std::io;

use clap::{Command, CommandFactory};

use super::{Context, Outcome};
use crate::cli::CommandLine;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let mut command = CommandLine::command();
    command.build();
    let mut manual = Vec::new();
    pages(&command, "jumpgate", &mut manual)?;
    context.finish(&String::from_utf8_lossy(&manual))
}

/// The page of this command, then those of the commands below it.
fn pages(command: &Command, name: &str, manual: &mut Vec<u8>) -> io::Result<()> {
    clap_mangen::Man::new(command.clone())
        .title(name.to_uppercase())
        .render(manual)?;
    for below in command.get_subcommands() {
        pages(below, &format!("{name}-{}", below.get_name()), manual)?;
    }
    Ok(())
}
