//! The control socket's place: a directory that is ours alone, one agent at a time, no stale socket.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

/// Longest path of a Unix socket on Linux (`sun_path` of unix(7), less the final zero).
const MAX_SOCKET_PATH: usize = 107;

/// How often it is looked whether another agent has ended that does not listen any more. flock(2) cannot wait for
/// a time, so it is asked for 7 s: the time for requests under way, and a little.
const LOOKS: u32 = 350;

/// The pause in between.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How often a place is made that is gone before it is taken.
const TRIES: usize = 8;

/// Whose the place is to be.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// This process, noted for whoever comes second.
    pub pid: u32,
}

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
    /// Something else stands where the socket should be.
    #[error("{path}: is there and is not a socket", path = .0.display())]
    NotASocket(PathBuf),
    /// Another agent serves this socket.
    #[error("another agent{} serves {path}", of_pid(*.pid), path = .path.display())]
    Taken {
        /// The socket.
        path: PathBuf,
        /// That agent's process, where it could be told.
        pid: Option<u32>,
    },
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
            Self::NotASocket(_) => "see what it is and move it away, or set JUMPGATE_SOCKET",
            Self::Taken { .. } => "use it, or end it with: jumpgate agent stop",
            Self::Io { .. } => "set JUMPGATE_SOCKET to a path that you can write to",
        }
    }
}

/// The listening socket and the lock that makes it ours. Dropping it removes the socket.
#[derive(Debug)]
pub struct ControlSocket {
    listener: Option<UnixListener>,
    /// Where we bound it, and what stood there then; nothing where systemd did.
    bound: Option<(PathBuf, FileId)>,
    directory: PathBuf,
    owner: Owner,
    _lock: File,
}

/// Device and inode.
type FileId = (u64, u64);

impl ControlSocket {
    /// Takes the place and listens. Who removes the directory may be at it yet: what is gone again is made again.
    ///
    /// # Errors
    /// A directory that others may enter, another agent, or the operating system's refusal.
    pub fn bind(path: &Path, owner: Owner) -> Result<Self, SocketError> {
        for _ in 1..TRIES {
            match Self::bind_once(path, owner) {
                Err(SocketError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
                bound => return bound,
            }
        }
        Self::bind_once(path, owner)
    }

    fn bind_once(path: &Path, owner: Owner) -> Result<Self, SocketError> {
        let lock = take_place(path, owner)?;
        remove_stale(path)?;
        let listener = UnixListener::bind(path).map_err(|error| io_at(path, error))?;
        let there = file_id(path).map_err(|error| io_at(path, error))?;
        Ok(Self {
            listener: Some(listener),
            bound: Some((path.to_owned(), there)),
            owner,
            directory: directory_of(path).to_owned(),
            _lock: lock,
        })
    }

    /// Takes the place for a socket that systemd listens on already.
    ///
    /// # Errors
    /// As [`ControlSocket::bind`].
    pub fn adopt(path: &Path, owner: Owner, listener: UnixListener) -> Result<Self, SocketError> {
        let lock = take_place(path, owner)?;
        Ok(Self {
            listener: Some(listener),
            bound: None,
            owner,
            directory: directory_of(path).to_owned(),
            _lock: lock,
        })
    }

    /// The directory that the socket lies in: ours alone.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where it lies, if it is one that we bound.
    pub(super) fn bound_at(&self) -> Option<&Path> {
        self.bound.as_ref().map(|(path, _)| path.as_path())
    }

    /// Whether a client that looks for it finds it.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        let bound = self.bound.as_ref();
        bound.is_none_or(|(path, id)| file_id(path).is_ok_and(|there| there == *id))
    }

    /// Takes the place anew that was taken away. Waits for another agent that is about to leave it: not for a runtime's
    /// own thread.
    ///
    /// # Errors
    /// As [`ControlSocket::bind`].
    pub fn bind_again(self) -> Result<Self, SocketError> {
        let (path, owner) = (self.bound_at().map(Path::to_owned), self.owner);
        // Before the new one is bound: its lock may be the same file.
        drop(self);
        Self::bind(&path.unwrap_or_default(), owner)
    }

    /// The listener, once.
    ///
    /// # Errors
    /// There is no runtime, or it was taken already.
    pub fn take_listener(&mut self) -> io::Result<tokio::net::UnixListener> {
        let listener = self.listener.take();
        let listener = listener.ok_or_else(|| io::Error::other("no listener"))?;
        listener.set_nonblocking(true)?;
        tokio::net::UnixListener::from_std(listener)
    }
}

impl Drop for ControlSocket {
    /// A socket that systemd made stays, and so does one that another agent has bound since.
    fn drop(&mut self) {
        if let Some((path, _)) = self.bound.as_ref().filter(|_| self.is_in_place()) {
            let _gone = std::fs::remove_file(path);
        }
    }
}

fn file_id(path: &Path) -> io::Result<FileId> {
    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

fn io_at(path: &Path, error: io::Error) -> SocketError {
    SocketError::Io {
        path: path.to_owned(),
        error,
    }
}

fn take_place(path: &Path, owner: Owner) -> Result<File, SocketError> {
    if path.as_os_str().len() > MAX_SOCKET_PATH {
        let error = format!("a socket's path has at most {MAX_SOCKET_PATH} bytes");
        return Err(io_at(
            path,
            io::Error::new(io::ErrorKind::InvalidInput, error),
        ));
    }
    let directory = directory_of(path);
    private_directory(directory, owner.uid)?;
    let lock_path = directory.join("agent.lock");
    let mut lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&lock_path)
        .map_err(|error| io_at(&lock_path, error))?;
    take_lock(&mut lock, path)?;
    let noted = lock.set_len(0).and_then(|()| write!(lock, "{}", owner.pid));
    noted.map_err(|error| io_at(&lock_path, error))?;
    Ok(lock)
}

/// Takes the lock, or names the agent that has it and listens. One that has it and does not listen is about to
/// end (or to begin): a client that comes in between is not turned away, so its end is waited for.
fn take_lock(lock: &mut File, path: &Path) -> Result<(), SocketError> {
    for _ in 0..LOOKS {
        if flock(&*lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Ok(());
        }
        if UnixStream::connect(path).is_ok() {
            break;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    let mut text = String::new();
    let _unnamed = lock.take(20).read_to_string(&mut text);
    let (path, pid) = (path.to_owned(), text.parse().ok());
    Err(SocketError::Taken { path, pid })
}

fn of_pid(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

/// Makes the directory, or sees to it that nobody else may enter the one that is there: whoever can replace
/// the socket can hand out credentials of their own and collect what is typed.
pub(super) fn private_directory(directory: &Path, uid: u32) -> Result<(), SocketError> {
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
        Ok(_) => Err(SocketError::NotASocket(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_at(path, error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn owner() -> Owner {
        let uid = rustix::process::geteuid().as_raw();
        Owner { uid, pid: 42 }
    }

    #[test]
    fn a_fresh_place_a_second_agent_and_a_stale_socket() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run/jumpgate/agent.sock");
        let first = ControlSocket::bind(&path, owner()).unwrap();
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
            ControlSocket::bind(&path, owner()),
            Err(SocketError::Taken { pid: Some(pid), .. }) if pid == 42
        ));
        drop(first);
        assert!(!path.exists());
        drop(UnixListener::bind(&path).unwrap());
        assert!(
            UnixStream::connect(&path).is_err(),
            "nobody listens: it is stale"
        );
        drop(ControlSocket::bind(&path, owner()).unwrap());
    }

    #[test]
    fn a_place_that_is_removed_while_it_is_taken_is_taken_again() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("run");
        let path = directory.join("agent.sock");
        for _ in 0..400 {
            let made = directory.join("agent.lock");
            let removed = std::thread::spawn(move || {
                while !made.exists() {
                    std::hint::spin_loop();
                }
                // Something may be made in it meanwhile.
                let _left = std::fs::remove_dir_all(made.parent().unwrap());
            });
            let bound = ControlSocket::bind(&path, owner());
            removed.join().unwrap();
            drop(bound.unwrap());
            let _gone_already = std::fs::remove_dir_all(&directory);
        }
    }

    #[test]
    fn a_place_that_others_may_enter_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("open");
        std::fs::create_dir(&place).unwrap();
        for mode in [0o750, 0o701, 0o777, 0o770] {
            std::fs::set_permissions(&place, PermissionsExt::from_mode(mode)).unwrap();
            let refused = ControlSocket::bind(&place.join("agent.sock"), owner());
            assert!(
                matches!(refused, Err(SocketError::Unsafe { .. })),
                "{mode:o}"
            );
        }
        std::fs::set_permissions(&place, PermissionsExt::from_mode(0o700)).unwrap();
        let stranger = Owner {
            uid: owner().uid + 1,
            ..owner()
        };
        let refused = ControlSocket::bind(&place.join("agent.sock"), stranger);
        assert!(
            matches!(refused, Err(SocketError::Unsafe { .. })),
            "another owner"
        );
        std::fs::write(place.join("agent.sock"), "").unwrap();
        let refused = ControlSocket::bind(&place.join("agent.sock"), owner());
        assert!(
            matches!(refused, Err(SocketError::NotASocket(_))),
            "not a socket"
        );
    }

    #[test]
    fn a_link_in_place_of_the_directory_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let (real, link) = (home.path().join("real"), home.path().join("link"));
        DirBuilder::new().mode(0o700).create(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let refused = ControlSocket::bind(&link.join("agent.sock"), owner());
        assert!(matches!(refused, Err(SocketError::Unsafe { .. })));
    }

    #[test]
    fn a_path_that_is_too_long_says_so() {
        let path = PathBuf::from(format!("/tmp/{}", "x".repeat(MAX_SOCKET_PATH - 4)));
        assert!(matches!(
            ControlSocket::bind(&path, owner()),
            Err(SocketError::Io { .. })
        ));
    }
}
