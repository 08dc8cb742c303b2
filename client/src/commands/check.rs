//! `jumpgate check [FILE]`: the agent's own reading of a configuration file; no running agent is needed.

use std::path::PathBuf;
use std::process::Command;

use jumpgate_api::ExitStatus;

use super::{Context, Outcome};
use crate::connection::program;
use crate::failure::{Exit, Failure};

pub(super) fn run(context: &mut Context<'_>, file: Option<PathBuf>) -> Outcome {
    let environment = context.agent.environment;
    let file = file.or_else(|| environment.config_file()).ok_or_else(|| {
        Failure::usage("cannot tell where the configuration is")
            .hint("name it, or set JUMPGATE_CONFIG")
    })?;
    let status = Command::new(program(environment)?)
        .arg("--check")
        .arg(file)
        .status();
    let status = status.map_err(|error| {
        Failure::new(
            ExitStatus::Unavailable,
            format!("cannot run jumpgate-agent: {error}"),
        )
    })?;
    Ok(Exit::of(status))
}
