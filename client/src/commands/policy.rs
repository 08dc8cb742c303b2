//! `jumpgate policy`: the agent's program judges policies by the configuration; no running agent is needed.

use std::process::{Command, Stdio};

use jumpgate_api::ExitStatus;

use super::{Context, Outcome};
use crate::cli::{Lint, PolicyVerb};
use crate::connection::{StartError, program};
use crate::failure::{Exit, Failure};

pub(super) fn run(context: &mut Context<'_>, verb: &PolicyVerb) -> Outcome {
    match verb {
        PolicyVerb::Lint(arguments) => lint(context, arguments),
        PolicyVerb::Offline(words) => {
            let mut command = Command::new(program(context.agent.environment)?);
            command.args(words);
            said(context, command, Stdio::null())
        }
    }
}

fn lint(context: &mut Context<'_>, arguments: &Lint) -> Outcome {
    let mut command = Command::new(program(context.agent.environment)?);
    command.args(["--lint", "--format", arguments.format]);
    let options = [
        ("--kind", &arguments.kind),
        ("--class", &arguments.class),
        ("--identity", &arguments.identity),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            command.args([name, value]);
        }
    }
    command.arg("--").args(&arguments.files);
    let input = match arguments.files.iter().any(|file| file == "-") {
        true => Stdio::inherit(),
        false => Stdio::null(),
    };
    said(context, command, input)
}

/// Passes on what the agent's program says.
fn said(context: &mut Context<'_>, mut command: Command, input: Stdio) -> Outcome {
    let output = command.stdin(input).output().map_err(|error| {
        let what = format!("cannot run jumpgate-agent: {error}");
        Failure::new(ExitStatus::Unavailable, what)
    })?;
    context.out.write_all(&output.stdout)?;
    if !output.stderr.is_empty() {
        return Err(StartError::refused(output.status, &output.stderr).into());
    }
    Ok(Exit::of(output.status))
}
