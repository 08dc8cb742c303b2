//! `jumpgate exec PROFILE -- COMMAND`: the command takes our place, so status and signals are its own.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use jumpgate_api::{EndpointKind, EndpointReply, Interface};

use super::credential_process::credentials;
use super::{Context, Outcome, endpoint, narrow, shadow};
use crate::cli::{Ask, EXEC_DEPTH, Exec, Via};
use crate::failure::{Exit, Failure};
use crate::output::endpoint::Changes;
use crate::output::escape;
use crate::output::shell::variables;

/// The status of shells for a command that is not there, and for one that cannot be run.
const NOT_FOUND: Exit = Exit(127);
const NOT_EXECUTABLE: Exit = Exit(126);

/// So many `exec` may run in each other's commands. More is a `credential_process` that calls `exec` with a program that
/// reads the same profile: each would start the next until the machine is full.
const MAX_EXEC_DEPTH: u8 = 8;

/// Does not return when the command starts.
pub(super) fn run(context: &mut Context<'_>, arguments: Exec) -> Outcome {
    let Some((program, rest)) = arguments.command.split_first() else {
        return Err(Failure::usage("the command is missing"));
    };
    let depth = next_depth(context.agent.environment.exec_depth)?;
    let changes = match arguments.via {
        Via::Env => of_session(context, arguments.ask)?,
        Via::Endpoint(kind) => of_endpoint(context, arguments.ask, kind)?,
    };
    let mut command = Command::new(program);
    command.args(rest);
    set_environment(&mut command, &changes)?;
    command.env(EXEC_DEPTH, depth.to_string());
    Err(not_started(&program.to_string_lossy(), &command.exec()))
}

/// How deep the command will be.
fn next_depth(depth: u8) -> Result<u8, Failure> {
    if depth >= MAX_EXEC_DEPTH {
        let message = format!("exec was called by its own command, {depth} times over");
        let hint = "in a credential_process use jumpgate credential-process, not exec";
        return Err(Failure::usage(message).hint(hint));
    }
    Ok(depth + 1)
}

/// The session itself: what it is when the command starts, it stays.
fn of_session(context: &mut Context<'_>, ask: Ask) -> Result<Changes, Failure> {
    let narrow = narrow::read(ask.narrow)?;
    let reply = credentials(context.agent, &ask.profile, Interface::Export, narrow)?;
    context.warn(&reply.warnings);
    Ok(Changes::to(variables(&reply)))
}

/// An endpoint for this process, which becomes the command: the agent watches it, so both end together.
fn of_endpoint(
    context: &mut Context<'_>,
    ask: Ask,
    kind: EndpointKind,
) -> Result<Changes, Failure> {
    let reply: EndpointReply = endpoint::open(context.agent, ask, kind, true)?.decode()?;
    context.warn(&reply.warnings);
    shadow::warn_of_files(context, kind);
    Ok(Changes::towards(&reply, &context.sdk.no_proxy))
}

fn set_environment(command: &mut Command, changes: &Changes) -> Result<(), Failure> {
    for name in &changes.unset {
        command.env_remove(name);
    }
    for (name, value) in &changes.set {
        if value.contains('\0') {
            return Err(Failure::new(
                Exit(69),
                "the agent's answer holds a NUL character",
            ));
        }
        command.env(name, value.as_str());
    }
    Ok(())
}

fn not_started(program: &str, error: &io::Error) -> Failure {
    let program = escape(program);
    match error.kind() {
        io::ErrorKind::NotFound => Failure::new(NOT_FOUND, format!("{program}: command not found")),
        _ => Failure::new(NOT_EXECUTABLE, format!("cannot run {program}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use jumpgate_api::CredentialsReply;

    use super::*;

    #[test]
    fn the_command_sees_our_session_and_no_other() {
        let golden = include_str!("../../../proto/api/golden/credentials_reply.json");
        let reply: CredentialsReply = serde_json::from_str(golden).unwrap();
        let mut command = Command::new("true");
        set_environment(&mut command, &Changes::to(variables(&reply))).unwrap();
        let changes: BTreeMap<_, _> = command
            .get_envs()
            .map(|(name, value)| {
                (
                    name.to_str().unwrap(),
                    value.map(|value| value.to_str().unwrap()),
                )
            })
            .collect();
        assert_eq!(changes["AWS_ACCESS_KEY_ID"], Some("ASIAEXAMPLE"));
        assert_eq!(changes["AWS_SESSION_TOKEN"], Some("token"));
        assert_eq!(
            changes["AWS_CREDENTIAL_EXPIRATION"],
            Some("2026-11-22T01:00:00Z")
        );
        assert_eq!(changes["AWS_REGION"], Some("ap-northeast-1"));
        for name in [
            "AWS_PROFILE",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "AWS_SECURITY_TOKEN",
        ] {
            assert_eq!(changes[name], None, "{name}");
        }
    }

    #[test]
    fn exec_in_exec_ends_at_its_maximum() {
        assert_eq!(next_depth(0).ok(), Some(1));
        assert_eq!(next_depth(MAX_EXEC_DEPTH - 1).ok(), Some(MAX_EXEC_DEPTH));
        for depth in [MAX_EXEC_DEPTH, u8::MAX] {
            assert_eq!(next_depth(depth).unwrap_err().exit(), Exit(64));
        }
    }

    #[test]
    fn an_answer_that_no_variable_can_hold_is_refused() {
        let golden = include_str!("../../../proto/api/golden/credentials_reply.json");
        let reply: CredentialsReply = serde_json::from_str(golden).unwrap();
        let reply = CredentialsReply {
            session_token: "a\0b".into(),
            ..reply
        };
        let changes = Changes::to(variables(&reply));
        assert!(set_environment(&mut Command::new("true"), &changes).is_err());
    }

    #[test]
    fn a_command_that_does_not_start_has_the_status_of_a_shell() {
        let not_found = not_started("nope\u{1b}", &io::ErrorKind::NotFound.into());
        assert_eq!(
            (not_found.exit(), not_found.to_string().as_str()),
            (Exit(127), "jumpgate: nope\\u{1b}: command not found\n")
        );
        assert_eq!(
            not_started("x", &io::ErrorKind::PermissionDenied.into()).exit(),
            Exit(126)
        );
    }
}
