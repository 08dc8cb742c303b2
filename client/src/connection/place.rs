//! Where the agent's socket is, and whether that place can be trusted: a directory that is ours alone.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::cli::Environment;

/// The mode of the socket's directory: nobody else may look in, let alone put a socket there.
const DIRECTORY_MODE: u32 = 0o700;

/// The permission bits of a mode that give group or others anything.
const OTHERS: u32 = 0o077;

/// Why the socket's place cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// The environment says nothing to go by.
    #[error("cannot tell where the agent's socket is: neither XDG_RUNTIME_DIR nor HOME is set")]
    Unknown,
    /// It would depend on the current directory.
    #[error("JUMPGATE_SOCKET is not an absolute path of a file: {}", .0.display())]
    NotAbsolute(PathBuf),
    /// A file or a symbolic link.
    #[error("{} is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// Someone else made it.
    #[error("{} belongs to user id {owner}, not to {ours}", .directory.display())]
    Foreign {
        directory: PathBuf,
        owner: u32,
        ours: u32,
    },
    /// Someone else can use it.
    #[error("{} is open to others: its mode is {mode:04o}, not 0700", .directory.display())]
    Open { directory: PathBuf, mode: u32 },
    /// The system refused to tell or to create it.
    #[error("cannot use {}: {error}", .directory.display())]
    Io {
        directory: PathBuf,
        error: io::Error,
    },
}

impl PlaceError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Unknown => "set JUMPGATE_SOCKET to the agent's socket".to_owned(),
            Self::NotAbsolute(_) => "set it to a path that starts with /".to_owned(),
            Self::NotADirectory(path) => {
                format!("move {} away, or set JUMPGATE_SOCKET", path.display())
            }
            Self::Foreign { .. } => {
                "set JUMPGATE_SOCKET to a path in a directory of your own".to_owned()
            }
            Self::Open { directory, .. } => {
                format!(
                    "see what is in it, then run: chmod 700 {}",
                    directory.display()
                )
            }
            Self::Io { .. } => {
                "set JUMPGATE_SOCKET to a path in a directory of your own".to_owned()
            }
        }
    }

    /// Whether the setting is wrong, rather than the file system.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::Unknown | Self::NotAbsolute(_))
    }
}

/// The socket's path and its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) directory: PathBuf,
    pub(crate) socket: PathBuf,
}

impl Place {
    /// `$JUMPGATE_SOCKET`, else below `$XDG_RUNTIME_DIR`, else below `$XDG_STATE_HOME`.
    pub(crate) fn of(environment: &Environment) -> Result<Self, PlaceError> {
        let socket = match (&environment.socket, &environment.runtime_directory) {
            (Some(socket), _) => socket.clone(),
            (None, Some(runtime)) => runtime.join("jumpgate/agent.sock"),
            (None, None) => environment
                .state_home()
                .ok_or(PlaceError::Unknown)?
                .join("jumpgate/run/agent.sock"),
        };
        match socket.parent() {
            Some(directory) if socket.is_absolute() => Ok(Self {
                directory: directory.to_owned(),
                socket,
            }),
            _ => Err(PlaceError::NotAbsolute(socket)),
        }
    }

    /// Whether the directory is there; if so, it is ours alone.
    pub(crate) fn exists(&self) -> Result<bool, PlaceError> {
        let stat = match rustix::fs::lstat(&self.directory) {
            Err(rustix::io::Errno::NOENT) => return Ok(false),
            other => other.map_err(|error| self.io(error.into()))?,
        };
        let is_directory = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir();
        let ours = rustix::process::geteuid().as_raw();
        judge(
            &self.directory,
            is_directory,
            (stat.st_uid, ours),
            stat.st_mode & 0o7777,
        )?;
        Ok(true)
    }

    /// Makes the directory, and those above it that are missing, for us alone.
    pub(crate) fn create(&self) -> Result<(), PlaceError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(DIRECTORY_MODE);
        builder
            .create(&self.directory)
            .map_err(|error| self.io(error))?;
        self.exists().map(|_| ())
    }

    fn io(&self, error: io::Error) -> PlaceError {
        PlaceError::Io {
            directory: self.directory.clone(),
            error,
        }
    }
}

/// The rule itself, apart from the file system.
fn judge(
    directory: &Path,
    is_directory: bool,
    (owner, ours): (u32, u32),
    mode: u32,
) -> Result<(), PlaceError> {
    let directory = directory.to_owned();
    if !is_directory {
        return Err(PlaceError::NotADirectory(directory));
    }
    if owner != ours {
        return Err(PlaceError::Foreign {
            directory,
            owner,
            ours,
        });
    }
    if mode & OTHERS != 0 {
        return Err(PlaceError::Open { directory, mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn environment(socket: &str, runtime: &str, state: &str, home: &str) -> Environment {
        let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
        Environment {
            socket: path(socket),
            runtime_directory: path(runtime),
            state_home: path(state),
            home: path(home),
            ..Environment::default()
        }
    }

    #[test]
    fn the_socket_is_where_the_contract_says() {
        let cases = [
            (("/s/x.sock", "/run/user/1", "/st", "/h"), Some("/s/x.sock")),
            (
                ("", "/run/user/1", "/st", "/h"),
                Some("/run/user/1/jumpgate/agent.sock"),
            ),
            (("", "", "/st", "/h"), Some("/st/jumpgate/run/agent.sock")),
            (
                ("", "", "", "/h"),
                Some("/h/.local/state/jumpgate/run/agent.sock"),
            ),
            (("", "", "", ""), None),
            (("x.sock", "/run/user/1", "", "/h"), None),
            (("/", "/run/user/1", "", "/h"), None),
        ];
        for ((socket, runtime, state, home), expected) in cases {
            let place = Place::of(&environment(socket, runtime, state, home));
            assert_eq!(
                place.ok().map(|place| place.socket),
                expected.map(PathBuf::from),
                "{socket}"
            );
        }
    }

    #[test]
    fn only_a_directory_that_is_ours_alone_will_do() {
        let judge =
            |is_directory, owner, mode| judge(Path::new("/d"), is_directory, (owner, 7), mode);
        assert!(judge(true, 7, 0o700).is_ok());
        assert!(judge(true, 7, 0o500).is_ok());
        assert!(matches!(
            judge(false, 7, 0o700),
            Err(PlaceError::NotADirectory(_))
        ));
        assert!(matches!(
            judge(true, 0, 0o700),
            Err(PlaceError::Foreign {
                owner: 0,
                ours: 7,
                ..
            })
        ));
        for mode in [0o710, 0o720, 0o740, 0o701, 0o702, 0o704, 0o777, 0o1777] {
            assert!(
                matches!(judge(true, 7, mode), Err(PlaceError::Open { .. })),
                "{mode:o}"
            );
        }
    }

    #[test]
    fn the_file_system_is_asked() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| {
            Place::of(&environment(
                home.path().join(name).join("a.sock").to_str().unwrap(),
                "",
                "",
                "",
            ))
            .unwrap()
        };

        let fresh = at("new/deep");
        assert!(!fresh.exists().unwrap());
        fresh.create().unwrap();
        assert!(fresh.exists().unwrap());
        for made in [&fresh.directory, fresh.directory.parent().unwrap()] {
            assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }

        symlink(&fresh.directory, home.path().join("link")).unwrap();
        assert!(matches!(
            at("link").exists(),
            Err(PlaceError::NotADirectory(_))
        ));
        std::fs::set_permissions(&fresh.directory, PermissionsExt::from_mode(0o750)).unwrap();
        let open = fresh.exists().unwrap_err();
        assert!(
            open.to_string()
                .ends_with("is open to others: its mode is 0750, not 0700"),
            "{open}"
        );
        std::fs::write(home.path().join("file"), "").unwrap();
        assert!(matches!(at("file").create(), Err(PlaceError::Io { .. })));
    }
}
