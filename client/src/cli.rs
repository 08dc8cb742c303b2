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
use std::path::{Path, PathBuf};

pub(crate) use self::parser::{Parsed, parse};
pub(crate) use self::verb::{
    AgentVerb, Ask, Doctor, Endpoint, Exec, Export, Format, IdentityVerb, Journal, JournalVerb,
    Json, KeySource, Lint, NarrowFlags, PolicyVerb, ProfileVerb, Rotate, Verb, Via,
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

/// Set by `exec` for its command, so that one that calls itself over and over comes to an end.
pub(crate) const EXEC_DEPTH: &str = "JUMPGATE_EXEC_DEPTH";

/// What is no number was not set by us and counts as nothing.
fn depth(text: Option<&str>) -> u8 {
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
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
    /// [`EXEC_DEPTH`]: how many `exec` run around us, each in the command of the one before.
    pub(crate) exec_depth: u8,
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
            exec_depth: depth(std::env::var(EXEC_DEPTH).ok().as_deref()),
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

/// What the environment says to AWS SDKs; read only where it matters. No secret is: a variable that may hold
/// one is only looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SdkEnvironment {
    /// Those of [`Self::SOURCES`] that are set.
    pub(crate) sources: Vec<&'static str>,
    /// `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
    pub(crate) credentials_file: Option<PathBuf>,
    /// `AWS_CONFIG_FILE`, else `~/.aws/config`.
    pub(crate) config_file: Option<PathBuf>,
    /// `NO_PROXY` and `no_proxy`; what is not UTF-8 in them is no host's name and is replaced.
    pub(crate) no_proxy: [Option<String>; 2],
}

impl SdkEnvironment {
    /// Variables that an SDK looks at before it asks an endpoint; the last one comes before IMDS only.
    pub(crate) const SOURCES: [&str; 7] = [
        "AWS_ACCESS_KEY_ID",
        "AWS_CREDENTIAL_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];

    /// Reads it.
    pub(crate) fn read() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let home = set("HOME").map(PathBuf::from);
        // SDKs take a tilde for the home directory, as a shell does.
        let file = |name: &str, default: &str| {
            let below_home = |rest: &Path| Some(home.as_ref()?.join(rest));
            let named = set(name).map(PathBuf::from);
            match named.as_ref().map(|path| path.strip_prefix("~")) {
                None => below_home(Path::new(default)),
                Some(Ok(rest)) => below_home(rest),
                Some(Err(_)) => named,
            }
        };
        let text = |name: &str| Some(set(name)?.to_string_lossy().into_owned());
        Self {
            sources: Self::SOURCES
                .into_iter()
                .filter(|name| set(name).is_some())
                .collect(),
            credentials_file: file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
            config_file: file("AWS_CONFIG_FILE", ".aws/config"),
            no_proxy: [text("NO_PROXY"), text("no_proxy")],
        }
    }
}

#[cfg(test)]
mod tests;
