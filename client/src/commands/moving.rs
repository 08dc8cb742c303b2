//! `jumpgate import` and `jumpgate configure`: the agent's program reads `~/.aws`, shows what would be written, and
//! writes it; no running agent is needed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::policy::said;
use super::{Context, Outcome};
use crate::cli::Environment;
use crate::connection::program;
use crate::failure::Failure;

/// Our own name.
const CLIENT: &str = "jumpgate";

pub(super) fn import(context: &mut Context<'_>, words: &[OsString]) -> Outcome {
    let command = with_files(context, "--import")?;
    run(context, command, words)
}

pub(super) fn configure(context: &mut Context<'_>, words: &[OsString]) -> Outcome {
    let mut command = with_files(context, "--configure")?;
    let own = own_path(context.agent.environment)
        .ok_or_else(|| Failure::usage("cannot tell where this program is"))?;
    command.arg("--program").arg(own);
    run(context, command, words)
}

fn run(context: &mut Context<'_>, mut command: Command, words: &[OsString]) -> Outcome {
    command.args(words);
    said(context, command, Stdio::null())
}

/// The agent's program with the places of both files.
fn with_files(context: &Context<'_>, verb: &str) -> Result<Command, Failure> {
    let mut command = Command::new(program(context.agent.environment)?);
    let config = context.sdk.config_file.as_ref().ok_or_else(|| {
        Failure::usage("cannot tell where ~/.aws/config is").hint("set HOME or AWS_CONFIG_FILE")
    })?;
    command.arg(verb).arg("--config-file").arg(config);
    if let Some(credentials) = &context.sdk.credentials_file {
        command.arg("--credentials-file").arg(credentials);
    }
    Ok(command)
}

/// Our path as it is on PATH, which stays the same when another version comes; else that of the executable.
fn own_path(environment: &Environment) -> Option<PathBuf> {
    let own = environment.executable.as_deref()?;
    let is_own = |path: &Path| path.canonicalize().is_ok_and(|path| path == own);
    // The first of these is beside the executable itself.
    let mut places = environment.program_directories().skip(1);
    let found = places.find_map(|directory| {
        let path = directory.join(CLIENT);
        is_own(&path).then_some(path)
    });
    Some(found.unwrap_or_else(|| own.to_owned()))
}
