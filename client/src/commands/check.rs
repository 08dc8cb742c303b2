//! `jumpgate check [FILE]`: the agent's own reading of a configuration file; no running agent is needed.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::policy::ran;
use super::{Context, Outcome};
use crate::connection::{StartError, program};
use crate::failure::Failure;

pub(super) fn run(context: &mut Context<'_>, file: Option<PathBuf>) -> Outcome {
    let environment = context.agent.environment;
    let file = file.or_else(|| environment.config_file()).ok_or_else(|| {
        Failure::usage("cannot tell where the configuration is")
            .hint("name it, or set JUMPGATE_CONFIG")
    })?;
    let mut command = Command::new(program(environment)?);
    command.arg("--check").arg(file);
    let output = ran(command, Stdio::null())?;
    if !output.status.success() {
        return Err(StartError::refused(output.status, &output.stderr).into());
    }
    context.finish(&String::from_utf8_lossy(&output.stdout))
}
