//! The arguments and the environment. The help texts here are the manual; there is no logic.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The arguments, with the program's name first.
pub(crate) fn arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// The profile of a plain `jumpgate credential-process PROFILE`; anything with a flag is clap's.
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

const ABOUT: &str = "Short-lived AWS credentials from one agent that keeps the long-lived ones";

const LONG_ABOUT: &str = "\
Short-lived AWS credentials from one agent that keeps the long-lived ones.

One agent in the background holds the key of your jump account in the keyring. Everything else on this \
machine gets sessions of roles: scoped, short-lived and recorded. The agent is started when it is needed.";

const AFTER_HELP: &str = "\
Start here:
  jumpgate identity add jump                store the key of the jump account
  jumpgate unlock                           type the MFA code once
  jumpgate exec dev -- aws s3 ls            run a command with a session of profile dev
  credential_process = /usr/bin/jumpgate credential-process dev      in ~/.aws/config

Environment:
  JUMPGATE_CONFIG   configuration file   [default: $XDG_CONFIG_HOME/jumpgate/config.toml]
  JUMPGATE_SOCKET   the agent's socket   [default: $XDG_RUNTIME_DIR/jumpgate/agent.sock]

Exit status: 0 done, 1 failed, 64 wrong usage or configuration, 69 agent unavailable,
75 temporary failure, 77 denied or locked. exec returns that of its command.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "jumpgate", version, about = ABOUT, long_about = LONG_ABOUT, after_help = AFTER_HELP,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Print a session as AWS SDKs and the AWS CLI want it from credential_process
    ///
    /// One line of JSON on success, nothing on stdout otherwise. Standard input is never read.
    /// Name it in ~/.aws/config with its absolute path:
    /// credential_process = /usr/bin/jumpgate credential-process dev
    #[command(verbatim_doc_comment)]
    CredentialProcess(Ask),
    /// Run a command with a session of its own
    ///
    /// The exit status and the signals are the command's. Other AWS credentials and AWS_PROFILE are taken
    /// out of its environment. The session is fetched once and not refreshed for --via env.
    #[command(verbatim_doc_comment)]
    Exec(Exec),
    /// Print a session as code for a shell: eval "$(jumpgate export dev)"
    Export(Export),
    /// Store, list, check and remove the long-lived keys
    #[command(subcommand)]
    Identity(IdentityVerb),
    /// Make an identity usable, asking for its passphrase and MFA code
    ///
    /// Without a terminal each answer is one line of standard input, in the order of the questions:
    /// passphrase, then MFA code.
    #[command(verbatim_doc_comment)]
    Unlock {
        /// Which identity; the only one when left out
        identity: Option<String>,
        #[command(flatten)]
        json: Json,
    },
    /// Drop all base credentials and sessions from the agent's memory
    Lock,
    /// Show the agent, its identities and sessions
    Status(Json),
    /// List and show the profiles of the configuration
    #[command(subcommand)]
    Profile(ProfileVerb),
    /// List who holds which session until when
    Leases(Json),
    /// End a lease
    #[command(subcommand)]
    Lease(LeaseVerb),
    /// Read and verify the record of everything that was handed out
    Journal(Journal),
    /// Check a configuration file; all its errors are shown at once
    Check {
        /// The file [default: the one in use]
        file: Option<PathBuf>,
    },
    /// Read the configuration again; a broken file leaves the old one in force
    Reload,
    /// Start, stop or run the agent; it is started by itself when needed
    #[command(subcommand)]
    Agent(AgentVerb),
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual of all commands, as roff: jumpgate man | man -l -
    Man,
}

/// How a listing is shown.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Json {
    /// Print JSON for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// `jumpgate exec`.
#[derive(Debug, Args)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) ask: Ask,
    /// How the command gets its credentials
    ///
    /// container and imds will refresh them; they are not available in this version, which takes env when
    /// nothing is said. The default becomes container with them.
    #[arg(long, value_enum, verbatim_doc_comment)]
    pub(crate) via: Option<Via>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// How a command gets its credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Via {
    /// A container credentials endpoint of its own
    Container,
    /// An IMDSv2 endpoint of its own
    Imds,
    /// Environment variables
    Env,
}

/// `jumpgate export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) ask: Ask,
    /// For which shell
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// What `export` prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// POSIX shells: export NAME='value'
    #[default]
    Env,
    /// fish: set -gx NAME 'value'
    Fish,
    /// PowerShell: $Env:NAME = 'value'
    Powershell,
    /// The document of credential_process
    Json,
}

/// `jumpgate identity`.
#[derive(Debug, Subcommand)]
pub(crate) enum IdentityVerb {
    /// Store the access key of an identity of the configuration
    ///
    /// The access key id and the secret access key are read from the terminal, the secret without echo, or
    /// from two lines of standard input; never from an argument. A third line is the passphrase of a
    /// sealed file, where one is needed. AWS is asked first whose key it is: it must be an IAM user of
    /// the identity's account.
    #[command(verbatim_doc_comment)]
    Add {
        /// Its name in the configuration
        name: String,
    },
    /// List the identities of the configuration
    List(Json),
    /// Remove the stored key of an identity; the key itself goes on living at AWS
    Remove {
        /// Its name in the configuration
        name: String,
    },
    /// Ask AWS whose key is stored
    Check {
        /// Its name in the configuration
        name: String,
    },
}

/// `jumpgate profile`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileVerb {
    /// List the profiles of the configuration
    List(Json),
    /// Show everything that would be sent to AWS for a profile
    Show {
        /// Its name in the configuration
        name: String,
        #[command(flatten)]
        json: Json,
    },
}

/// `jumpgate lease`.
#[derive(Debug, Subcommand)]
pub(crate) enum LeaseVerb {
    /// End a lease: the agent hands that session out no more
    ///
    /// AWS cannot revoke one session: whoever holds it can use it until it expires.
    #[command(verbatim_doc_comment)]
    End {
        /// Its id, as jumpgate leases shows it
        id: String,
    },
}

/// `jumpgate journal`.
#[derive(Debug, Args)]
pub(crate) struct Journal {
    #[command(subcommand)]
    pub(crate) verb: Option<JournalVerb>,
    /// Print the records as they are, one JSON object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What to do with the journal.
#[derive(Debug, Subcommand)]
pub(crate) enum JournalVerb {
    /// Show the records, the newest last (the default)
    Show {
        /// Only so many of the newest
        #[arg(long, value_name = "N")]
        last: Option<u32>,
    },
    /// Show the newest records and those that come
    Tail,
    /// Check that no record was changed, taken out or added
    Verify,
    /// Print all records as they are, one JSON object a line
    Export,
}

/// `jumpgate agent`.
#[derive(Debug, Subcommand)]
pub(crate) enum AgentVerb {
    /// Start the agent in the background, unless it runs
    Start,
    /// Stop the agent and wait until it has ended
    Stop,
    /// Run the agent in the foreground
    Run,
}

/// Which session, and what to take away from it.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// A profile of the configuration
    pub(crate) profile: String,
    #[command(flatten)]
    pub(crate) narrow: NarrowFlags,
}

/// What a caller takes away from a profile's scope. It cannot add anything.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Narrowing (never widens what the profile grants)")]
pub(crate) struct NarrowFlags {
    /// A session policy: a file of JSON, or preset:NAME
    #[arg(long, value_name = "FILE|preset:NAME")]
    pub(crate) policy: Option<OsString>,
    /// A session tag that the profile leaves to the caller; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    pub(crate) tags: Vec<(String, String)>,
    /// A shorter life: 900s, 15m, 1h
    #[arg(long, value_name = "DURATION", value_parser = duration_seconds)]
    pub(crate) duration: Option<u32>,
    /// Why, in your words; kept in the journal
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The ticket that this is for; kept in the journal
    #[arg(long, value_name = "ID")]
    pub(crate) ticket: Option<String>,
}

/// `KEY=VALUE`; the value may hold further `=`.
fn tag(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE"),
    }
}

/// `900s`, `15m`, `1h`: from the 900 s to the 12 h that AWS grants.
fn duration_seconds(text: &str) -> Result<u32, &'static str> {
    const EXPECTED: &str = "expected 900s, 15m or 1h, from 15 minutes to 12 hours";
    let unit = match text.as_bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3600,
        _ => return Err(EXPECTED),
    };
    let digits = &text[..text.len() - 1];
    let count: u32 = match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.parse().map_err(|_| EXPECTED)?,
        false => return Err(EXPECTED),
    };
    count
        .checked_mul(unit)
        .filter(|seconds| (900..=43_200).contains(seconds))
        .ok_or(EXPECTED)
}

#[cfg(test)]
mod tests;
