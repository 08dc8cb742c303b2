//! Looks at files and directories; opens none but those of the AWS CLI and the journal.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use jumpgate_api::Timestamp;
use jumpgate_iam::shared_file;

use super::{aws, kept_in};
use crate::config::environment::Environment;
use crate::config::place;
use crate::doctor::facts::{Configured, Files, Found, Kind, Look, State};
use crate::doctor::told::Told;
use crate::domain::identity::{CodeSource, Store};
use crate::domain::settings::PromptBy;
use crate::providers::desktop::SYSTEM_BUS;
use crate::providers::journal;
use crate::providers::prompter::{Screen, asking_programs};
use crate::providers::sealed_file;

/// Where to look.
pub(super) struct Places {
    configuration: Option<PathBuf>,
    client: Option<PathBuf>,
    agent: Option<PathBuf>,
    runtime_directory: Option<PathBuf>,
    socket: Option<PathBuf>,
    state: Option<PathBuf>,
    named_programs: Vec<String>,
    path: Vec<PathBuf>,
    has_display: bool,
    prompt_by: PromptBy,
    system_bus: Option<PathBuf>,
    /// Names of sealed files.
    sealed: Vec<String>,
    credentials_file: Option<PathBuf>,
    config_file: Option<PathBuf>,
}

impl Places {
    pub(super) fn of(environment: &Environment, told: &Told, configured: &Configured) -> Self {
        let sealed = kept_in(configured, Store::File);
        let sealed = sealed.map(|identity| sealed_file::file_name(&identity.name));
        Self {
            configuration: match configured {
                Configured::Nowhere(_) | Configured::Late(_) => None,
                Configured::Missing(path) | Configured::Invalid(path, _) => Some(path.clone()),
                Configured::Valid(config) => Some(config.path.clone()),
            },
            client: told.executable.clone(),
            agent: std::env::current_exe().ok(),
            runtime_directory: environment.xdg_runtime_dir.clone(),
            socket: place::socket(environment).ok(),
            state: place::state_directory(environment).ok(),
            named_programs: named_programs(configured),
            path: environment.path.clone(),
            has_display: super::has_display(environment),
            prompt_by: configured
                .valid()
                .map_or(PromptBy::Auto, |config| config.settings.agent.prompter),
            system_bus: socket_of(environment.dbus_system_bus_address.as_deref()),
            sealed: sealed.collect(),
            credentials_file: told.credentials_file.clone(),
            config_file: told.config_file.clone(),
        }
    }

    pub(super) fn look(self) -> Files {
        let written = |path: &PathBuf| {
            let changed = path.metadata().ok()?.mtime();
            Some(Timestamp::from_unix_seconds(changed))
        };
        let screen = Screen {
            display: self.has_display,
            path: self.path.clone(),
        };
        let prompters = asking_programs(&screen, self.prompt_by);
        let aws = [
            (self.credentials_file, shared_file::Kind::Credentials),
            (self.config_file, shared_file::Kind::Config),
        ];
        let programs = [&self.client, &self.agent];
        let programs = programs.into_iter().flatten().flat_map(|path| above(path));
        Files {
            configuration: self
                .configuration
                .iter()
                .flat_map(|path| pair(path))
                .collect(),
            programs: programs.collect(),
            agent_written: self.agent.as_ref().and_then(written),
            runtime_directory: self.runtime_directory.as_deref().map(named),
            socket: self.socket.as_deref().map(|socket| {
                let directory = socket.parent().unwrap_or(Path::new("/"));
                (named(directory), named(socket))
            }),
            named_programs: self
                .named_programs
                .iter()
                .map(|name| program(name, &self.path))
                .collect(),
            system_bus: self.system_bus.as_deref().map(named),
            prompters,
            state: self.state.map(|state| look_below(&state, &self.sealed)),
            aws: aws
                .into_iter()
                .filter_map(|(path, kind)| Some(aws::look(path?, kind)))
                .collect(),
        }
    }
}

fn named_programs(configured: &Configured) -> Vec<String> {
    let identities = configured.valid().into_iter();
    let identities = identities.flat_map(|config| config.settings.identities.values());
    let commands = identities.flat_map(|identity| {
        let code = identity.mfa.as_ref().and_then(|mfa| match &mfa.source {
            CodeSource::Command(command) => Some(command),
            CodeSource::Prompt | CodeSource::Stored => None,
        });
        [code, identity.passphrase_command.as_ref()]
    });
    let programs = commands.flatten();
    programs.map(|command| command.program.clone()).collect()
}

/// The socket's path in an address of D-Bus.
fn socket_of(address: Option<&str>) -> Option<PathBuf> {
    let path = address.unwrap_or(SYSTEM_BUS).strip_prefix("unix:path=")?;
    path.split([',', ';']).next().map(PathBuf::from)
}

fn look_below(state: &Path, sealed: &[String]) -> State {
    let (journal, identities) = (state.join("journal"), state.join("identities"));
    let newest = match journal::newest(&journal) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.to_string()),
        newest => Ok(newest.ok().flatten()),
    };
    State {
        directory: named(state),
        journal: named(&journal),
        newest,
        sealed_directory: named(&identities),
        sealed: sealed
            .iter()
            .map(|file| named(&identities.join(file)))
            .collect(),
        room: room(state),
    }
}

/// What is left at the innermost directory that is there.
fn room(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|path| path.is_dir())?;
    let about = rustix::fs::statvfs(there).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

/// The file and its directory, behind links.
fn pair(path: &Path) -> Vec<Look> {
    let mut ways = above(path);
    ways.truncate(2);
    ways
}

/// The file and all directories above it, behind links: whoever may write one of them may put another file there.
fn above(path: &Path) -> Vec<Look> {
    match path.canonicalize() {
        Ok(real) => real.ancestors().map(named).collect(),
        Err(_) => vec![named(path)],
    }
}

/// What a program's name means, which may be that of a link: a path, or the first of that name on PATH.
fn program(name: &str, path: &[PathBuf]) -> Look {
    let place = match name.contains('/') {
        true => Some(PathBuf::from(name)),
        false => {
            let mut places = path.iter().map(|directory| directory.join(name));
            places.find(|place| place.is_file())
        }
    };
    let real = place.map(|place| place.canonicalize().unwrap_or(place));
    Look {
        found: real.map_or(Found::Nothing, |real| named(&real).found),
        path: PathBuf::from(name),
    }
}

/// What stands under this name, which may be that of a link.
pub(super) fn named(path: &Path) -> Look {
    let found = match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Found::Nothing,
        Err(error) => Found::Unknown(error.to_string()),
        Ok(about) => Found::Something {
            kind: match about.file_type() {
                kind if kind.is_file() => Kind::File,
                kind if kind.is_dir() => Kind::Directory,
                kind if kind.is_socket() => Kind::Socket,
                _ => Kind::Other,
            },
            owner: about.uid(),
            mode: about.mode() & 0o7777,
        },
    };
    Look {
        path: path.to_owned(),
        found,
    }
}
