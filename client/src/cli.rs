//! The arguments and the environment: what a person types, as values. There is no logic.
//!
//! The commands are a table ([`grammar`]) of which the parser, the help, the manual and the completions are
//! made. A general parser of command lines costs more than all the rest of this program, which every
//! command of the AWS CLI starts.

pub(crate) mod completions;
mod grammar;
mod help;
pub(crate) mod manual;
mod parser;
mod verb;

use std::ffi::OsString;
use std::path::PathBuf;

pub(crate) use self::parser::{Parsed, parse};
pub(crate) use self::verb::{
    AgentVerb, Ask, Exec, Export, Format, IdentityVerb, Journal, JournalVerb, Json, NarrowFlags,
    ProfileVerb, Verb, Via,
};

/// The arguments, with the program's name first.
pub(crate) fn arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// The profile of a plain `jumpgate credential-process PROFILE`; anything with a flag goes to the parser.
pub(crate) fn plain_credential_process(arguments: &[OsString]) -> Option<&str> {
    match arguments {
        [_, verb, profile] if verb == "credential-process" => profile
            .to_str()
            .filter(|profile| !profile.is_empty() && !profile.starts_with('-')),
        _ => None,
    }
}

/// What the environment says; read once, here and nowhere else. Empty and, where the XDG base directory
/// specification says so, relative values count as unset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    /// `JUMPGATE_SOCKET`: the control socket.
    pub(crate) socket: Option<PathBuf>,
    /// `JUMPGATE_CONFIG`: the configuration file.
    pub(crate) config: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub(crate) runtime_directory: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub(crate) state_home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub(crate) config_home: Option<PathBuf>,
    /// `HOME`.
    pub(crate) home: Option<PathBuf>,
    /// `PATH`.
    pub(crate) path: OsString,
    /// `JUMPGATE_AGENT_CHILD`: set by the agent for each command that it runs.
    pub(crate) agent_child: bool,
    /// Our own executable.
    pub(crate) executable: Option<PathBuf>,
}

impl Environment {
    /// Reads it.
    pub(crate) fn read() -> Self {
        let path = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let absolute = |name: &str| path(name).filter(|path| path.is_absolute());
        Self {
            socket: path("JUMPGATE_SOCKET"),
            config: path("JUMPGATE_CONFIG"),
            runtime_directory: absolute("XDG_RUNTIME_DIR"),
            state_home: absolute("XDG_STATE_HOME"),
            config_home: absolute("XDG_CONFIG_HOME"),
            home: absolute("HOME"),
            path: std::env::var_os("PATH").unwrap_or_default(),
            agent_child: path("JUMPGATE_AGENT_CHILD").is_some(),
            executable: std::env::current_exe().ok(),
        }
    }

    /// `$XDG_STATE_HOME`, else `~/.local/state`.
    pub(crate) fn state_home(&self) -> Option<PathBuf> {
        self.state_home
            .clone()
            .or_else(|| Some(self.home.as_ref()?.join(".local/state")))
    }

    /// The configuration file: `$JUMPGATE_CONFIG`, else below `$XDG_CONFIG_HOME`, else below `~/.config`.
    pub(crate) fn config_file(&self) -> Option<PathBuf> {
        let home = || Some(self.home.as_ref()?.join(".config"));
        let in_home = || {
            Some(
                self.config_home
                    .clone()
                    .or_else(home)?
                    .join("jumpgate/config.toml"),
            )
        };
        self.config.clone().or_else(in_home)
    }

    /// Where our other programs are looked for: beside this one, then on PATH. Relative entries of PATH are
    /// left out; they would run whatever lies in the current directory.
    pub(crate) fn program_directories(&self) -> impl Iterator<Item = PathBuf> {
        let own = self
            .executable
            .as_ref()
            .and_then(|path| Some(path.parent()?.to_owned()));
        own.into_iter()
            .chain(std::env::split_paths(&self.path).filter(|path| path.is_absolute()))
    }
}

#[cfg(test)]
mod tests;
