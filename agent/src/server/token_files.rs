//! The files that hold the tokens of container endpoints: one for each lease, in a directory of our own beside the socket.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jumpgate_api::Secret;

use super::socket::{SocketError, private_directory};
use crate::domain::name::LeaseId;

/// Where the files are.
#[derive(Debug, Clone)]
pub struct TokenFiles {
    directory: PathBuf,
    uid: u32,
}

impl TokenFiles {
    /// The directory, without what an earlier agent left in it.
    #[must_use]
    pub fn new(directory: PathBuf, uid: u32) -> Self {
        let files = Self { directory, uid };
        files.remove_all();
        files
    }

    /// The file of a lease.
    pub(super) fn path(&self, lease: &LeaseId) -> PathBuf {
        self.directory.join(lease.as_str())
    }

    /// Writes a token, in place of an earlier one, without a newline at its end: SDKs send the file as it is.
    pub(super) fn write(&self, lease: &LeaseId, token: &Secret<String>) -> Result<(), SocketError> {
        private_directory(&self.directory, self.uid)?;
        let path = self.path(lease);
        let new = path.with_extension("new");
        let written = write_new(&new, token).and_then(|()| fs::rename(&new, &path));
        written.map_err(|error| {
            let _half_written = fs::remove_file(&new);
            SocketError::Io { path, error }
        })
    }

    /// Whether the file is there with this token: somebody may have cleaned the directory up.
    pub(super) fn holds(&self, lease: &LeaseId, token: &Secret<String>) -> bool {
        fs::read(self.path(lease)).is_ok_and(|found| found == token.expose().as_bytes())
    }

    pub(super) fn remove(&self, lease: &LeaseId) {
        let _gone_already = fs::remove_file(self.path(lease));
    }

    /// Removes all of them and the directory.
    pub(super) fn remove_all(&self) {
        let ours = private_directory(&self.directory, self.uid).is_ok();
        let removed = match ours {
            true => fs::remove_dir_all(&self.directory),
            false => Err(io::Error::other("it is not ours alone")),
        };
        if let Err(error) = removed {
            tracing::warn!(%error, path = %self.directory.display(), "old tokens stay");
        }
    }
}

fn write_new(path: &Path, token: &Secret<String>) -> io::Result<()> {
    let _left_over = fs::remove_file(path);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(token.expose().as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_are_private_and_leave_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("tokens");
        let uid = rustix::process::geteuid().as_raw();
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, PermissionsExt::from_mode(0o700)).unwrap();
        fs::write(directory.join("left-over"), "x").unwrap();
        let files = TokenFiles::new(directory.clone(), uid);
        assert!(!directory.exists());
        let lease = LeaseId::parse("01KAN0000000000000000000L1").unwrap();
        for token in ["first", "second"] {
            files.write(&lease, &token.into()).unwrap();
            assert_eq!(fs::read(files.path(&lease)).unwrap(), token.as_bytes());
            assert!(files.holds(&lease, &token.into()));
        }
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&files.path(&lease)), 0o600);
        files.remove(&lease);
        assert!(!files.holds(&lease, &"second".into()));
        fs::set_permissions(&directory, PermissionsExt::from_mode(0o755)).unwrap();
        assert!(
            files.write(&lease, &"x".into()).is_err(),
            "others may enter"
        );
    }
}
