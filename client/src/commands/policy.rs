//! `jumpgate policy`: the agent's program judges policies by the configuration and prints presets; no running agent
//! is needed.

use std::process::{Command, Output, Stdio};

use jumpgate_api::{ExitStatus, PresetList};

use super::{Context, Outcome};
use crate::cli::{Json, Lint, PolicyVerb};
use crate::connection::{StartError, program};
use crate::failure::{Exit, Failure};
use crate::output::listings;

pub(super) fn run(context: &mut Context<'_>, verb: &PolicyVerb) -> Outcome {
    match verb {
        PolicyVerb::Lint(arguments) => lint(context, arguments),
        PolicyVerb::Offline(words) => {
            let mut command = Command::new(program(context.agent.environment)?);
            command.args(words);
            said(context, command, Stdio::null())
        }
        PolicyVerb::Presets { name, json } => presets(context, name.as_deref(), *json),
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

/// Runs the agent's program to its end.
pub(super) fn ran(mut command: Command, input: Stdio) -> Result<Output, Failure> {
    let output = command.stdin(input).output();
    output.map_err(|error| Failure::cannot_run_agent(&error))
}

/// Passes on what the agent's program says.
pub(super) fn said(context: &mut Context<'_>, command: Command, input: Stdio) -> Outcome {
    let output = ran(command, input)?;
    context.out.write_all(&output.stdout)?;
    if !output.stderr.is_empty() {
        return Err(StartError::refused(output.status, &output.stderr).into());
    }
    Ok(Exit::of(output.status))
}

fn presets(context: &mut Context<'_>, name: Option<&str>, Json(json): Json) -> Outcome {
    let list = presets_of_the_agent(context)?;
    let Some(name) = name else {
        let text = match json {
            true => as_json(&list)?,
            false => listings::presets(&list),
        };
        return context.finish(&text);
    };
    let found = list.presets.iter().find(|preset| preset.name == name);
    let preset = found.ok_or_else(|| {
        Failure::usage(format!("no preset is called {}", name.escape_debug()))
            .hint("jumpgate policy preset list names all of them")
    })?;
    let text = match json {
        true => as_json(preset)?,
        false => listings::preset(preset),
    };
    context.finish(&text)
}

fn as_json(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| unreadable(&error))?;
    Ok(text + "\n")
}

fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::new(
        ExitStatus::Unavailable,
        format!("the presets of jumpgate-agent cannot be read: {error}"),
    )
    .hint("client and agent are expected to be of one version")
}

fn presets_of_the_agent(context: &Context<'_>) -> Result<PresetList, Failure> {
    let mut command = Command::new(program(context.agent.environment)?);
    command.arg("--presets");
    let output = ran(command, Stdio::null())?;
    if !output.status.success() {
        return Err(StartError::refused(output.status, &output.stderr).into());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| unreadable(&error))
}
