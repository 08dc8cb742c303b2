//! The conformance matrix: which client, by which interface, does what. The tests note each cell; `bin/matrix` makes a
//! page of the notes.

mod page;

use std::io::Write;

pub use page::{Page, Told};

/// A real client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// AWS CLI v1.
    Cli1,
    /// AWS CLI v2, as Debian has it.
    Cli2Debian,
    /// AWS CLI v2, as AWS builds it.
    Cli2,
    /// The SDK for Python.
    Boto3,
    /// The SDK for JavaScript v3.
    Js,
    /// The SDK for Rust.
    Rust,
}

/// How it gets its credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// `credential_process`.
    Process,
    /// Container credentials.
    Container,
    /// IMDSv2.
    Imds,
}

/// What matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// It gets the session of the profile that was asked for.
    Session,
    /// It asks again before a session is over, and not at each call before that.
    Refresh,
    /// It goes on when the agent was stopped and started again.
    Restart,
    /// Who runs it sees what to do when the agent refuses.
    Refused,
    /// It sends what was recorded of it, and no more.
    Sequence,
}

/// What a client does not do, as far as it is documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// It tells nobody why a source of credentials failed.
    TellsNothing,
    /// It tells the status of an answer, not its text.
    TellsStatus,
    /// IMDS has no place for a message.
    NoChannel,
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Holds,
    /// It does what its authors say it does, which is less.
    Within(Limit),
    /// It does not, or it is not known yet.
    Fails,
}

impl Client {
    /// Its name on the page.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Cli1 => "AWS CLI v1",
            Self::Cli2Debian => "AWS CLI v2 of Debian",
            Self::Cli2 => "AWS CLI v2",
            Self::Boto3 => "boto3",
            Self::Js => "SDK for JavaScript v3",
            Self::Rust => "SDK for Rust",
        }
    }

    /// All, as they stand in the matrix.
    pub const ALL: [Self; 6] = [
        Self::Cli1,
        Self::Cli2Debian,
        Self::Cli2,
        Self::Boto3,
        Self::Js,
        Self::Rust,
    ];

    /// Its name in `tests/clients/whoami`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cli1 => "cli1",
            Self::Cli2Debian => "cli2-debian",
            Self::Cli2 => "cli2",
            Self::Boto3 => "boto3",
            Self::Js => "js",
            Self::Rust => "rust",
        }
    }

    /// Whether each call is a process of its own.
    #[must_use]
    pub const fn is_a_command(self) -> bool {
        matches!(self, Self::Cli1 | Self::Cli2Debian | Self::Cli2)
    }
}

impl Interface {
    /// Its name on the page.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Process => "`credential_process`",
            Self::Container => "container",
            Self::Imds => "IMDSv2",
        }
    }

    /// All, as they stand in the matrix.
    pub const ALL: [Self; 3] = [Self::Process, Self::Container, Self::Imds];

    /// Its name in `tests/clients/whoami`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Container => "container",
            Self::Imds => "imds",
        }
    }
}

impl Column {
    /// Its name on the page.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Session => "right session",
            Self::Refresh => "refreshes in time",
            Self::Restart => "agent restarted",
            Self::Refused => "refusal is told",
            Self::Sequence => "requests as recorded",
        }
    }

    /// All, as they stand in the matrix.
    pub const ALL: [Self; 5] = [
        Self::Session,
        Self::Refresh,
        Self::Restart,
        Self::Refused,
        Self::Sequence,
    ];

    /// Its name in the notes.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Refresh => "refresh",
            Self::Restart => "restart",
            Self::Refused => "refused",
            Self::Sequence => "sequence",
        }
    }
}

impl Limit {
    /// All, in the order of their notes.
    pub const ALL: [Self; 3] = [Self::TellsNothing, Self::TellsStatus, Self::NoChannel];

    /// What it is, and what one does about it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::TellsNothing => {
                "Its default chain says that no source gave credentials, and not why. A provider chosen by hand tells: \
                 `fromProcess` our whole line, `fromHttp` the status. `jumpgate credential-process PROFILE` in the same \
                 terminal tells it always; `jumpgate exec` tells it before it starts the program."
            }
            Self::TellsStatus => {
                "It tells the HTTP status and drops the body: 503 asks for a person (`jumpgate status` says for what), \
                 403 is a refusal (`jumpgate journal` says why). `jumpgate exec` tells it before it starts the program."
            }
            Self::NoChannel => {
                "IMDS has no place for a message, and clients go on to their next source: they say that there are no \
                 credentials. The reason is in the journal and in the agent's log; `jumpgate exec` tells it before it \
                 starts the program."
            }
        }
    }
}

impl Verdict {
    /// Its name in the notes.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::Holds => "holds".to_owned(),
            Self::Within(limit) => format!("{limit:?}"),
            Self::Fails => "fails".to_owned(),
        }
    }
}

/// Notes a cell in the file that `JUMPGATE_MATRIX` names. A later note of the same cell counts.
pub fn note(client: Client, interface: Interface, column: Column, verdict: Verdict) {
    let (client, interface, column) = (client.word(), interface.word(), column.word());
    append(&format!("{client} {interface} {column} {}", verdict.word()));
}

/// Notes which release of a client ran.
pub fn note_version(client: Client, version: &str) {
    append(&format!("{} version {version}", client.word()));
}

fn append(line: &str) {
    let Some(path) = std::env::var_os("JUMPGATE_MATRIX") else {
        return;
    };
    let file = std::fs::File::options()
        .append(true)
        .create(true)
        .open(path);
    let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.expect("the matrix can be noted");
}
