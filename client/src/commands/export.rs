//! `jumpgate export PROFILE`: credentials as code for a shell.

use jumpgate_api::{CredentialsReply, ExitStatus, Interface};
use zeroize::Zeroizing;

use super::credential_process::credentials;
use super::{Context, Outcome, narrow};
use crate::cli::{Export, Format};
use crate::failure::Failure;
use crate::output::document::document;
use crate::output::shell::{Syntax, variables};

pub(super) fn run(context: &mut Context<'_>, arguments: Export) -> Outcome {
    let narrow = narrow::read(arguments.ask.narrow)?;
    let reply = credentials(
        context.agent,
        &arguments.ask.profile,
        Interface::Export,
        narrow,
    )?;
    context.warn(&reply.warnings);
    let syntax = match arguments.format {
        Format::Env => Syntax::Posix,
        Format::Fish => Syntax::Fish,
        Format::PowerShell => Syntax::PowerShell,
        Format::Json => {
            let document = document(&reply);
            let document = document
                .map_err(|error| Failure::new(ExitStatus::Unavailable, error.to_string()))?;
            context.out.write_all(&document)?;
            return Ok(ExitStatus::Success.into());
        }
    };
    context.out.write_all(code(syntax, &reply).as_bytes())?;
    Ok(ExitStatus::Success.into())
}

/// All assignments, in one text that never grows.
fn code(syntax: Syntax, reply: &CredentialsReply) -> Zeroizing<String> {
    let lines: Vec<_> = variables(reply)
        .iter()
        .map(|(name, value)| syntax.assign(name, value))
        .collect();
    let size = lines.iter().map(|line| line.len()).sum();
    let mut code = Zeroizing::new(String::with_capacity(size));
    lines.iter().for_each(|line| code.push_str(line));
    code
}
