//! The commands about the set-up and the programs themselves.

use super::commands::JSON;
use super::{Argument, Command, Kind, NOTHING, argument, flag};
use crate::cli::verb::{self, Verb};

pub(super) const CHECK: Command = Command {
    name: "check",
    about: "Check a configuration file; all its errors are shown at once",
    arguments: &[argument(
        "FILE",
        Kind::Optional,
        "The file; the one in use when left out",
    )],
    verb: Some(verb::check),
    ..NOTHING
};

pub(super) const DOCTOR: Command = Command {
    name: "doctor",
    about: "Say what is wrong with this set-up, and how to mend it",
    details: "\
Looks at configuration, files, keyring, STS, clock, and at what else would come before a session.
No agent needs to run, nothing is unlocked and nobody is asked. docs/doctor.md explains the checks.
Exit status: 0 if nothing failed, else 1.",
    options: &[
        flag(
            "deep",
            "Ask for a session of each profile; starts the agent and may ask you",
        ),
        flag("all", "Show what is in order too"),
        JSON,
    ],
    verb: Some(verb::doctor),
    ..NOTHING
};

pub(super) const RELOAD: Command = Command {
    name: "reload",
    about: "Read the configuration again; a broken file leaves the old one in force",
    verb: Some(|_| Ok(Verb::Reload)),
    ..NOTHING
};

pub(super) const AGENT: Command = Command {
    name: "agent",
    about: "Start, stop or run the agent; it is started by itself when needed",
    below: &[
        Command {
            name: "start",
            about: "Start the agent in the background, unless it runs",
            verb: Some(verb::agent_start),
            ..NOTHING
        },
        Command {
            name: "stop",
            about: "Stop the agent and wait until it has ended",
            verb: Some(verb::agent_stop),
            ..NOTHING
        },
        Command {
            name: "run",
            about: "Run the agent in the foreground",
            verb: Some(verb::agent_run),
            ..NOTHING
        },
    ],
    ..NOTHING
};

pub(super) const COMPLETIONS: Command = Command {
    name: "completions",
    about: "Print completions for a shell: source <(jumpgate completions bash)",
    arguments: &[Argument {
        choices: &["bash", "zsh", "fish"],
        ..argument("SHELL", Kind::Required, "Which shell")
    }],
    verb: Some(verb::completions),
    ..NOTHING
};

pub(super) const MAN: Command = Command {
    name: "man",
    about: "Print the manual of all commands, as roff: jumpgate man | man -l -",
    verb: Some(|_| Ok(Verb::Man)),
    ..NOTHING
};
