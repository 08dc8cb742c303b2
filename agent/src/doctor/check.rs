//! The table of checks. Their keys are stable: programs read them, and docs/doctor.md explains each.

/// One thing that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    /// The configuration file's place, owner and mode.
    ConfigurationFile,
    /// What stands in it.
    Configuration,
    /// Programs and their directories.
    Programs,
    /// `XDG_RUNTIME_DIR`.
    RuntimeDirectory,
    /// The control socket and its directory.
    ControlSocket,
    /// Whether an agent runs, and answers.
    Agent,
    /// Whether client and agent are of one version.
    AgentVersion,
    /// The state directory.
    StateDirectory,
    /// The journal.
    Journal,
    /// Room for the journal.
    DiskSpace,
    /// Directory and files of sealed identities.
    SealedFiles,
    /// The D-Bus session bus.
    SessionBus,
    /// The Secret Service on it.
    SecretService,
    /// Its default collection.
    Collection,
    /// Whether each identity has a key stored.
    StoredKey,
    /// How old keys are.
    KeyAge,
    /// Second factors.
    MfaDevice,
    /// A display for prompts.
    Display,
    /// Programs by which a person is asked.
    Prompter,
    /// What tells the agent that the machine sleeps or its screen is locked.
    LockSigns,
    /// Each STS endpoint.
    Sts,
    /// The clock, against each STS endpoint.
    Clock,
    /// Variables that win over what Jumpgate hands out.
    Environment,
    /// Files of the AWS CLI that do.
    AwsFiles,
    /// Memory that may be swapped.
    Memory,
    /// Who may attach a debugger.
    Ptrace,
    /// Where core dumps go.
    CoreDumps,
    /// A session of each profile.
    Profile,
}

impl Check {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 28] = [
        Self::ConfigurationFile,
        Self::Configuration,
        Self::Programs,
        Self::RuntimeDirectory,
        Self::ControlSocket,
        Self::Agent,
        Self::AgentVersion,
        Self::StateDirectory,
        Self::Journal,
        Self::DiskSpace,
        Self::SealedFiles,
        Self::SessionBus,
        Self::SecretService,
        Self::Collection,
        Self::StoredKey,
        Self::KeyAge,
        Self::MfaDevice,
        Self::Display,
        Self::Prompter,
        Self::LockSigns,
        Self::Sts,
        Self::Clock,
        Self::Environment,
        Self::AwsFiles,
        Self::Memory,
        Self::Ptrace,
        Self::CoreDumps,
        Self::Profile,
    ];

    /// Its key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConfigurationFile => "configuration-file",
            Self::Configuration => "configuration",
            Self::Programs => "programs",
            Self::RuntimeDirectory => "runtime-directory",
            Self::ControlSocket => "control-socket",
            Self::Agent => "agent",
            Self::AgentVersion => "agent-version",
            Self::StateDirectory => "state-directory",
            Self::Journal => "journal",
            Self::DiskSpace => "disk-space",
            Self::SealedFiles => "sealed-files",
            Self::SessionBus => "session-bus",
            Self::SecretService => "secret-service",
            Self::Collection => "collection",
            Self::StoredKey => "stored-key",
            Self::KeyAge => "key-age",
            Self::MfaDevice => "mfa-device",
            Self::Display => "display",
            Self::Prompter => "prompter",
            Self::LockSigns => "lock-signs",
            Self::Sts => "sts",
            Self::Clock => "clock",
            Self::Environment => "environment",
            Self::AwsFiles => "aws-files",
            Self::Memory => "memory",
            Self::Ptrace => "ptrace",
            Self::CoreDumps => "core-dumps",
            Self::Profile => "profile",
        }
    }
}
