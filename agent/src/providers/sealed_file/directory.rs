//! A directory that nobody else can look into, and whole files in it.
//!
//! What has another owner, can be opened by others or is a symbolic link is refused, by looking at what was
//! opened and not at a name that may mean another file by then.

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, renameat, unlinkat};
use rustix::io::Errno;

use crate::ports::StoreError;

/// An open directory of ours.
pub(super) struct PrivateDirectory {
    opened: OwnedFd,
    path: PathBuf,
}

impl PrivateDirectory {
    /// Opens it; `None` where there is none.
    ///
    /// # Errors
    /// It is not a directory with mode 0700 of this user.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let opened = match openat(rustix::fs::CWD, path, flags, Mode::empty()) {
            Ok(opened) => opened,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return Err(unfit(
                    path,
                    "is not a directory",
                    "replace it by one of mode 0700",
                ));
            }
            Err(errno) => return Err(failed("open", path, errno.into())),
        };
        let stat = fstat(&opened).map_err(|errno| failed("look at", path, errno.into()))?;
        check_private(path, &stat, "chmod 700")?;
        let path = path.to_owned();
        Ok(Some(Self { opened, path }))
    }

    /// Opens it, and makes it where there is none.
    ///
    /// # Errors
    /// As for [`Self::open`]; or it cannot be made.
    pub(super) fn open_or_make(path: &Path) -> Result<Self, StoreError> {
        if let Some(directory) = Self::open(path)? {
            return Ok(directory);
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| failed("make", path, error))?;
        Self::open(path)?.ok_or_else(|| failed("open", path, Errno::NOENT.into()))
    }

    /// A whole file, but at most one byte more than `limit`; `None` where there is none.
    ///
    /// # Errors
    /// It is not a file with mode 0600 of this user, or cannot be read.
    pub(super) fn read(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path.join(name);
        // NONBLOCK: a FIFO under this name is refused below, and does not hold us up here.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = match openat(&self.opened, name, flags, Mode::empty()) {
            Ok(opened) => opened,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(not_a_file(&path)),
            Err(errno) => return Err(failed("open", &path, errno.into())),
        };
        let stat = fstat(&opened).map_err(|errno| failed("look at", &path, errno.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(not_a_file(&path));
        }
        check_private(&path, &stat, "chmod 600")?;
        let mut contents = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        File::from(opened)
            .take(most)
            .read_to_end(&mut contents)
            .map_err(|error| failed("read", &path, error))?;
        Ok(Some(contents))
    }

    /// Puts a file in place of an earlier one: after a crash there is the old one or the new one, whole.
    ///
    /// Not for two at once under one name; the caller sees to that.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn replace(&self, name: &str, contents: &[u8]) -> Result<(), StoreError> {
        let draft = draft_of(name);
        let written = self.write_draft(&draft, contents).and_then(|()| {
            renameat(&self.opened, &draft, &self.opened, name)?;
            rustix::fs::fsync(&self.opened)?;
            Ok(())
        });
        written.map_err(|error| {
            let _ = unlinkat(&self.opened, &draft, AtFlags::empty());
            failed("write", &self.path.join(name), error)
        })
    }

    fn write_draft(&self, draft: &str, contents: &[u8]) -> io::Result<()> {
        // One may be left from a crash.
        ignore_missing(unlinkat(&self.opened, draft, AtFlags::empty()))?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let opened = openat(&self.opened, draft, flags, Mode::RUSR | Mode::WUSR)?;
        let mut file = File::from(opened);
        file.write_all(contents)?;
        file.sync_all()
    }

    /// Removes a file; `false` where there is none.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(super) fn remove(&self, name: &str) -> Result<bool, StoreError> {
        let fail = |errno: Errno| failed("remove", &self.path.join(name), errno.into());
        ignore_missing(unlinkat(&self.opened, draft_of(name), AtFlags::empty())).map_err(fail)?;
        match unlinkat(&self.opened, name, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(false),
            Err(errno) => return Err(fail(errno)),
        }
        rustix::fs::fsync(&self.opened).map_err(fail)?;
        Ok(true)
    }
}

/// Where a file is written before it takes its place. No identity's file ends so.
fn draft_of(name: &str) -> String {
    format!("{name}.new")
}

fn ignore_missing(result: Result<(), Errno>) -> Result<(), Errno> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

fn check_private(path: &Path, stat: &Stat, command: &str) -> Result<(), StoreError> {
    let (owner, us) = (stat.st_uid, rustix::process::geteuid().as_raw());
    if owner != us {
        let what = format!("belongs to uid {owner}, and the agent runs as uid {us}");
        return Err(unfit(
            path,
            &what,
            "move it away, or chown it if it is yours",
        ));
    }
    let mode = stat.st_mode & 0o7777;
    if mode & 0o077 != 0 {
        let what = format!("can be opened by others (mode {mode:04o})");
        let remedy = format!("see who did that; then {command} '{}'", shown(path));
        return Err(unfit(path, &what, &remedy));
    }
    Ok(())
}

fn not_a_file(path: &Path) -> StoreError {
    let remedy = "move it away, and add the identity again";
    unfit(path, "is not a file, but a link or something else", remedy)
}

fn unfit(path: &Path, what: &str, remedy: &str) -> StoreError {
    StoreError::Unavailable {
        what: format!("{} {what}", shown(path)),
        remedy: remedy.to_owned(),
    }
}

fn failed(verb: &str, path: &Path, error: io::Error) -> StoreError {
    StoreError::Unavailable {
        what: format!("cannot {verb} {}: {error}", shown(path)),
        remedy: "see to the directory's owner, mode and free space".to_owned(),
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}
