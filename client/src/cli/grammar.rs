//! The table of all commands: its shape, and its root.

mod commands;
mod moving;
mod policy;
mod upkeep;

use super::parser::Matches;
use super::verb::Verb;
use crate::failure::Failure;

/// Makes the typed value of what was parsed.
type Make = fn(&mut Matches) -> Result<Verb, Failure>;

/// A command, or a group of commands.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// One line on what it does.
    pub(crate) about: &'static str,
    /// What else there is to know; empty or paragraphs.
    pub(crate) details: &'static str,
    pub(crate) arguments: &'static [Argument],
    pub(crate) options: &'static [Opt],
    /// The commands below it; one of them must follow unless there is `verb`.
    pub(crate) below: &'static [Command],
    /// `None` for a group that does nothing by itself.
    pub(crate) verb: Option<Make>,
}

/// A positional argument.
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) kind: Kind,
    pub(crate) choices: &'static [&'static str],
}

/// How often an argument is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Required,
    Optional,
    /// One or more; the last argument of a command.
    Several,
    /// None or more; the last argument of a command.
    Any,
    /// One or more, behind `--`.
    Rest,
}

/// An option, `--name`.
pub(crate) struct Opt {
    pub(crate) name: &'static str,
    /// What its value is called; `None` for a flag.
    pub(crate) value: Option<&'static str>,
    pub(crate) about: &'static str,
    pub(crate) choices: &'static [&'static str],
    pub(crate) repeats: bool,
}

const fn flag(name: &'static str, about: &'static str) -> Opt {
    Opt {
        name,
        value: None,
        about,
        choices: &[],
        repeats: false,
    }
}

const fn option(name: &'static str, value: &'static str, about: &'static str) -> Opt {
    Opt {
        name,
        value: Some(value),
        about,
        choices: &[],
        repeats: false,
    }
}

const fn argument(name: &'static str, kind: Kind, about: &'static str) -> Argument {
    Argument {
        name,
        about,
        kind,
        choices: &[],
    }
}

const NOTHING: Command = Command {
    name: "",
    about: "",
    details: "",
    arguments: &[],
    options: &[],
    below: &[],
    verb: None,
};

/// All of it.
pub(crate) const ROOT: Command = Command {
    name: "jumpgate",
    about: "Short-lived AWS credentials from one agent that keeps the long-lived ones",
    details: "\
One agent in the background holds the key of your jump account in the keyring. Everything else on
this machine gets sessions of roles: scoped, short-lived and recorded. The agent is started when
it is needed.",
    below: &[
        commands::CREDENTIAL_PROCESS,
        commands::EXEC,
        commands::EXPORT,
        commands::ENDPOINT,
        commands::IDENTITIES,
        commands::UNLOCK,
        commands::LOCK,
        commands::STATUS,
        commands::PROFILES,
        commands::LEASES,
        commands::LEASE,
        commands::JOURNAL,
        policy::POLICIES,
        moving::IMPORT,
        moving::CONFIGURE,
        upkeep::CHECK,
        upkeep::DOCTOR,
        upkeep::RELOAD,
        upkeep::AGENT,
        upkeep::COMPLETIONS,
        upkeep::MAN,
    ],
    ..NOTHING
};

/// What follows the help of [`ROOT`].
pub(crate) const EPILOGUE: &str = "\
Start here:
  jumpgate identity add jump          store the key of the jump account
  jumpgate unlock                     type the MFA code once
  jumpgate exec dev -- aws s3 ls      run a command with a session of profile dev

  jumpgate configure --write          have the AWS CLI and SDKs call jumpgate: ~/.aws/config

Environment:
  JUMPGATE_CONFIG   configuration file, else $XDG_CONFIG_HOME/jumpgate/config.toml
  JUMPGATE_SOCKET   the agent's socket, else $XDG_RUNTIME_DIR/jumpgate/agent.sock

Exit status: 0 done, 1 failed, 64 wrong usage or configuration, 69 agent unavailable,
75 temporary failure, 77 denied or locked; exec returns that of its command.";
