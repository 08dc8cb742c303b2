//! `jumpgate check [FILE]`: the agent's own reading of a configuration file; no running agent is needed.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use jumpgate_api::ExitStatus;

use super::{Context, Outcome};
use crate::connection::{StartError, program};
use crate::failure::Failure;

pub(super) fn run(context: &mut Context<'_>, file: Option<PathBuf>) -> Outcome {
    let environment = context.agent.environment;
    let file = file.or_else(|| environment.config_file()).ok_or_else(|| {
        Failure::usage("cannot tell where the configuration is")
            .hint("name it, or set JUMPGATE_CONFIG")
    })?;
    let output = Command::new(program(environment)?)
        .arg("--check")
        .arg(file)
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| {
        Failure::new(
            ExitStatus::Unavailable,
            format!("cannot run jumpgate-agent: {error}"),
        )
    })?;
    if !output.status.success() {
        return Err(StartError::refused(output.status, &output.stderr).into());
    }
    context.finish(&String::from_utf8_lossy(&output.stdout))
}
