//! What was found, before anybody judges it.

use std::path::PathBuf;

use jumpgate_api::Timestamp;
use serde_json::Value;

use super::told::Told;
use crate::config::Config;
use crate::providers::journal::Newest;
use crate::providers::keyring::probe::{Broken, Sight};

/// Everything that is known.
pub(super) struct Facts {
    /// Our user.
    pub(super) us: u32,
    pub(super) now: Timestamp,
    pub(super) told: Told,
    pub(super) here: Here,
    pub(super) configured: Configured,
    /// Absent: it did not answer in time. So below.
    pub(super) files: Option<Files>,
    pub(super) machine: Machine,
    /// How the keyring stands for the identities in it, in the order of the configuration.
    pub(super) keyring: Option<Result<Sight, Broken>>,
    /// Each once, in the order of the configuration.
    pub(super) endpoints: Option<Vec<Reached>>,
}

/// What the environment says.
pub(super) struct Here {
    pub(super) has_display: bool,
    pub(super) has_runtime_directory: bool,
    pub(super) has_session_bus: bool,
}

/// The configuration.
pub(super) enum Configured {
    /// Nobody knows where it is.
    Nowhere(String),
    /// There is none at this place.
    Missing(PathBuf),
    /// It has these mistakes, one a line.
    Invalid(PathBuf, Vec<String>),
    /// It is valid.
    Valid(Box<Config>),
    /// The file could not be read in time.
    Late(PathBuf),
}

impl Configured {
    pub(super) fn valid(&self) -> Option<&Config> {
        match self {
            Self::Valid(config) => Some(config),
            _ => None,
        }
    }
}

/// A place in the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) path: PathBuf,
    pub(super) found: Found,
}

impl Look {
    pub(super) fn is_there(&self) -> bool {
        self.found != Found::Nothing
    }

    /// The path, as it is said.
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// The system does not say.
    Unknown(String),
    Something {
        kind: Kind,
        owner: u32,
        /// The permission bits.
        mode: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Socket,
    Other,
}

/// What stands where.
pub(super) struct Files {
    /// The configuration, the policies that it names, and their directories.
    pub(super) configuration: Vec<Look>,
    /// Client and agent, with the directories above each, the innermost first.
    pub(super) programs: Vec<Look>,
    /// When the agent's program was last written.
    pub(super) agent_written: Option<Timestamp>,
    pub(super) runtime_directory: Option<Look>,
    /// Directory and socket.
    pub(super) socket: Option<(Look, Look)>,
    pub(super) state: Option<State>,
    /// The programs that identities name, each under the name that stands there.
    pub(super) named_programs: Vec<Look>,
    /// By what a person could be asked, the first first.
    pub(super) prompters: Vec<PathBuf>,
    /// The socket of the machine's bus, if its address is that of one.
    pub(super) system_bus: Option<Look>,
    /// Sections of the AWS CLI's files.
    pub(super) aws: Vec<AwsFile>,
}

/// Below the state directory.
pub(super) struct State {
    pub(super) directory: Look,
    pub(super) journal: Look,
    /// What the newest file of the journal looks like.
    pub(super) newest: Result<Option<Newest>, String>,
    pub(super) sealed_directory: Look,
    /// One for each identity that is kept in a file, in the order of the configuration.
    pub(super) sealed: Vec<Look>,
    /// Bytes that are left to us.
    pub(super) room: Option<u64>,
}

/// A file of the AWS CLI.
pub(super) struct AwsFile {
    pub(super) look: Look,
    pub(super) profiles: Vec<AwsProfile>,
    /// Why nobody can read it.
    pub(super) unreadable: Option<String>,
}

/// What a section says that matters here. No secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AwsProfile {
    pub(super) name: String,
    /// The line of its header, from 1.
    pub(super) line: usize,
    /// Whether it has an access key; long-term ones begin with `AKIA`.
    pub(super) key: Option<String>,
    pub(super) credential_process: Option<String>,
}

/// The kernel's settings.
pub(super) struct Machine {
    /// `kernel.yama.ptrace_scope`.
    pub(super) ptrace_scope: Option<String>,
    /// `kernel.core_pattern`.
    pub(super) core_pattern: Option<String>,
    /// Whether there is swap.
    pub(super) swaps: bool,
    /// Whether a process of ours may lock all its memory.
    pub(super) may_lock_memory: bool,
}

/// An STS endpoint.
pub(super) struct Reached {
    pub(super) url: String,
    /// How far our clock is ahead of its, in seconds; absent if it does not tell the time.
    pub(super) answer: Result<Option<i64>, String>,
}

impl Facts {
    /// A value of the running agent's status, by its JSON pointer.
    pub(super) fn said(&self, pointer: &str) -> Option<&Value> {
        self.told.status.as_ref()?.pointer(pointer)
    }

    /// Whether the client found that no agent runs.
    pub(super) fn nobody_listens(&self) -> bool {
        let told = &self.told;
        told.version.is_some() && told.trouble.is_none() && told.status.is_none()
    }
}
