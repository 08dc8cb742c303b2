//! The files that hold the tokens of container endpoints: one for each lease, in a directory of our own beside the socket.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jumpgate_api::Secret;

use super::socket::{SocketError, private_directory};
use crate::domain::name::LeaseId;

/// What a name ends with until the file is whole.
const HALF_WRITTEN: &str = ".new";

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
        let new = self.directory.join(format!("{lease}{HALF_WRITTEN}"));
        replace(path, &new, token)
    }

    /// Whether the file is there with this token: somebody may have cleaned the directory up.
    pub(super) fn holds(&self, lease: &LeaseId, token: &Secret<String>) -> bool {
        fs::read(self.path(lease)).is_ok_and(|found| found == token.expose().as_bytes())
    }

    pub(super) fn remove(&self, lease: &LeaseId) {
        let _gone_already = fs::remove_file(self.path(lease));
    }

    /// Removes all of them, and the directory if nothing else lies there: where the socket lies is the user's choice, so
    /// a directory of this name beside it may be the user's too.
    pub(super) fn remove_all(&self) {
        let entries = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten();
        for entry in entries.filter(|entry| is_of_a_lease(&entry.file_name())) {
            if let Err(error) = fs::remove_file(entry.path()) {
                tracing::warn!(%error, path = %entry.path().display(), "an old token stays");
            }
        }
        let _others_are_there = fs::remove_dir(&self.directory);
    }
}

/// Whether a file is named like one of ours: by a ULID, and perhaps half written.
fn is_of_a_lease(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let id = name.strip_suffix(HALF_WRITTEN.as_bytes()).unwrap_or(name);
    let digit = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    id.len() == 26 && id.iter().all(digit)
}

/// Puts a token in place of what a file holds, by way of a new one: whoever reads it finds the old or the new whole.
pub(super) fn replace(
    path: PathBuf,
    new: &Path,
    token: &Secret<String>,
) -> Result<(), SocketError> {
    let written = write_new(new, token).and_then(|()| fs::rename(new, &path));
    written.map_err(|error| {
        let _half_written = fs::remove_file(new);
        SocketError::Io { path, error }
    })
}

/// Writes a file that was not there, for its owner alone.
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
        for left_over in [
            "01KAN0000000000000000000L0",
            "01KAN0000000000000000000L0.new",
        ] {
            fs::write(directory.join(left_over), "x").unwrap();
        }
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

    #[test]
    fn what_somebody_else_keeps_under_the_same_name_stays() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("tokens");
        fs::create_dir_all(directory.join("deep")).unwrap();
        fs::set_permissions(&directory, PermissionsExt::from_mode(0o700)).unwrap();
        let others = ["github", "deep/npm", "01kan0000000000000000000l1"];
        for name in others {
            fs::write(directory.join(name), "x").unwrap();
        }
        let uid = rustix::process::geteuid().as_raw();
        let files = TokenFiles::new(directory.clone(), uid);
        let lease = LeaseId::parse("01KAN0000000000000000000L1").unwrap();
        files.write(&lease, &"token".into()).unwrap();
        files.remove_all();
        assert!(!files.path(&lease).exists());
        for name in others {
            assert!(directory.join(name).exists(), "{name}");
        }
    }
}
