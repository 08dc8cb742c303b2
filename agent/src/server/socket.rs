//! The control socket's place: a directory that is ours alone, one agent at a time, no stale socket.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Longest path of a Unix socket on Linux (`sun_path` of unix(7), less the final zero).
const MAX_SOCKET_PATH: usize = 107;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Something about the directory would let others in.
    #[error("{path}: {what}", path = .path.display())]
    Unsafe {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Another agent serves this socket.
    #[error("another agent serves {path}", path = .0.display())]
    Taken(PathBuf),
    /// The operating system refused.
    #[error("{path}: {error}", path = .path.display())]
    Io {
        /// The place.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

impl SocketError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unsafe { .. } => {
                "the directory must belong to you and have mode 0700: chmod 700 it"
            }
            Self::Taken(_) => "use it, or end it with: jumpgate agent stop",
            Self::Io { .. } => "set JUMPGATE_SOCKET to a path that you can write to",
        }
    }
}

/// The listening socket and the lock that makes it ours. Dropping it removes the socket.
#[derive(Debug)]
pub struct ControlSocket {
    listener: Option<UnixListener>,
    path: PathBuf,
    _lock: File,
}

impl ControlSocket {
    /// Takes the place and listens.
    ///
    /// # Errors
    /// A directory that others may enter, another agent, or the operating system's refusal.
    pub fn bind(path: &Path, uid: u32) -> Result<Self, SocketError> {
        let lock = take_place(path, uid)?;
        remove_stale(path)?;
        let listener = UnixListener::bind(path).map_err(|error| io_at(path, error))?;
        Ok(Self {
            listener: Some(listener),
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Takes the place for a socket that systemd listens on already.
    ///
    /// # Errors
    /// As [`ControlSocket::bind`].
    pub fn adopt(path: &Path, uid: u32, listener: UnixListener) -> Result<Self, SocketError> {
        let lock = take_place(path, uid)?;
        Ok(Self {
            listener: Some(listener),
            path: PathBuf::new(),
            _lock: lock,
        })
    }

    /// The listener, once.
    pub const fn take_listener(&mut self) -> Option<UnixListener> {
        self.listener.take()
    }
}

impl Drop for ControlSocket {
    /// A socket that systemd made stays.
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _gone = std::fs::remove_file(&self.path);
        }
    }
}

fn io_at(path: &Path, error: io::Error) -> SocketError {
    SocketError::Io {
        path: path.to_owned(),
        error,
    }
}

fn take_place(path: &Path, uid: u32) -> Result<File, SocketError> {
    if path.as_os_str().len() > MAX_SOCKET_PATH {
        let error = format!("a socket's path has at most {MAX_SOCKET_PATH} bytes");
        return Err(io_at(
            path,
            io::Error::new(io::ErrorKind::InvalidInput, error),
        ));
    }
    let directory = path.parent().unwrap_or(Path::new("/"));
    private_directory(directory, uid)?;
    let lock_path = directory.join("agent.lock");
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&lock_path)
        .map_err(|error| io_at(&lock_path, error))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| SocketError::Taken(path.to_owned()))?;
    Ok(lock)
}

/// Makes the directory, or sees to it that nobody else may enter the one that is there: whoever can replace
/// the socket can hand out credentials of their own and collect what is typed.
fn private_directory(directory: &Path, uid: u32) -> Result<(), SocketError> {
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory);
    made.map_err(|error| io_at(directory, error))?;
    let metadata = std::fs::symlink_metadata(directory).map_err(|error| io_at(directory, error))?;
    let unsafe_because = |what: String| {
        Err(SocketError::Unsafe {
            path: directory.to_owned(),
            what,
        })
    };
    if !metadata.is_dir() {
        return unsafe_because("is not a directory".to_owned());
    }
    if metadata.uid() != uid {
        return unsafe_because(format!("belongs to uid {}, not to {uid}", metadata.uid()));
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return unsafe_because(format!("has mode {mode:04o}: others may enter"));
    }
    Ok(())
}

/// Under the lock, a socket that is there has no agent behind it.
fn remove_stale(path: &Path) -> Result<(), SocketError> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {
            std::fs::remove_file(path).map_err(|error| io_at(path, error))
        }
        Ok(_) => Err(SocketError::Unsafe {
            path: path.to_owned(),
            what: "is there and is not a socket".to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_at(path, error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn uid() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    #[test]
    fn a_fresh_place_a_second_agent_and_a_stale_socket() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run/jumpgate/agent.sock");
        let first = ControlSocket::bind(&path, uid()).unwrap();
        UnixStream::connect(&path).unwrap();
        let mode = path
            .parent()
            .unwrap()
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(matches!(
            ControlSocket::bind(&path, uid()),
            Err(SocketError::Taken(_))
        ));
        drop(first);
        assert!(!path.exists());
        drop(UnixListener::bind(&path).unwrap());
        assert!(
            UnixStream::connect(&path).is_err(),
            "nobody listens: it is stale"
        );
        drop(ControlSocket::bind(&path, uid()).unwrap());
    }

    #[test]
    fn a_place_that_others_may_enter_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("open");
        std::fs::create_dir(&place).unwrap();
        for mode in [0o750, 0o701, 0o777, 0o770] {
            std::fs::set_permissions(&place, PermissionsExt::from_mode(mode)).unwrap();
            let refused = ControlSocket::bind(&place.join("agent.sock"), uid());
            assert!(
                matches!(refused, Err(SocketError::Unsafe { .. })),
                "{mode:o}"
            );
        }
        std::fs::set_permissions(&place, PermissionsExt::from_mode(0o700)).unwrap();
        let refused = ControlSocket::bind(&place.join("agent.sock"), uid() + 1);
        assert!(
            matches!(refused, Err(SocketError::Unsafe { .. })),
            "another owner"
        );
        std::fs::write(place.join("agent.sock"), "").unwrap();
        let refused = ControlSocket::bind(&place.join("agent.sock"), uid());
        assert!(
            matches!(refused, Err(SocketError::Unsafe { .. })),
            "not a socket"
        );
    }

    #[test]
    fn a_link_in_place_of_the_directory_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let (real, link) = (home.path().join("real"), home.path().join("link"));
        DirBuilder::new().mode(0o700).create(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let refused = ControlSocket::bind(&link.join("agent.sock"), uid());
        assert!(matches!(refused, Err(SocketError::Unsafe { .. })));
    }

    #[test]
    fn a_path_that_is_too_long_says_so() {
        let path = PathBuf::from(format!("/tmp/{}", "x".repeat(MAX_SOCKET_PATH - 4)));
        assert!(matches!(
            ControlSocket::bind(&path, uid()),
            Err(SocketError::Io { .. })
        ));
    }
}
