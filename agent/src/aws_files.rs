//! The files that the AWS CLI and the SDKs share, on the disk: read whole, replaced whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jumpgate_api::ExitStatus;
use jumpgate_iam::shared_file::{MAX_SHARED_FILE_BYTES, SharedFile};
use zeroize::Zeroizing;

/// The settings that are a key. They are never taken out unasked: it may be the only copy.
pub(crate) const KEY_SETTINGS: [&str; 3] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
];

/// Group and others may write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// In a directory with this bit only a file's owner can replace it.
const STICKY: u32 = 0o1000;

/// Most backups of one file: whoever has so many should look at them.
const MAX_BACKUPS: u32 = 20;

/// What there is to say, and the exit status.
#[derive(Debug)]
pub(crate) struct Said {
    /// For standard output.
    pub(crate) text: String,
    /// For standard error, a line each.
    pub(crate) notes: Vec<String>,
    /// What to do about the notes.
    pub(crate) hint: &'static str,
    pub(crate) status: ExitStatus,
}

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", .path.display())]
pub(crate) struct FileError {
    path: PathBuf,
    why: io::Error,
}

fn failed(path: &Path) -> impl Fn(io::Error) -> FileError {
    move |why| FileError {
        path: path.to_owned(),
        why,
    }
}

/// The text of a file, wiped after use; empty if there is none.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, FileError> {
    match content(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Zeroizing::default()),
        other => other.map_err(failed(path)),
    }
}

fn content(path: &Path) -> io::Result<Zeroizing<String>> {
    let refused = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let metadata = std::fs::metadata(path)?;
    // A pipe would have to be left to its reader.
    if !metadata.is_file() {
        return Err(refused("it is no regular file".to_owned()));
    }
    let most = u64::try_from(MAX_SHARED_FILE_BYTES).unwrap_or(u64::MAX);
    // It never grows, unless the file does meanwhile: no copy of a secret is left behind.
    let room = usize::try_from(metadata.len().min(most)).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_SHARED_FILE_BYTES {
        return Err(refused(format!(
            "it has more than {MAX_SHARED_FILE_BYTES} bytes"
        )));
    }
    String::from_utf8(std::mem::take(&mut *bytes))
        .map(Zeroizing::new)
        .map_err(|error| {
            let at = error.utf8_error().valid_up_to() + 1;
            drop(Zeroizing::new(error.into_bytes()));
            refused(format!("it is not UTF-8 from byte {at} on"))
        })
}

/// The text taken apart.
pub(crate) fn parse<'a>(path: &Path, text: &'a str) -> Result<SharedFile<'a>, FileError> {
    let unreadable = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    SharedFile::parse(text).map_err(|error| failed(path)(unreadable(error)))
}

/// Puts a text in the place of the one that was read: another file of the same mode is written, flushed and moved
/// there, so that at any time one of the two is there as a whole. A link stays and its target is replaced. A file
/// that does not exist comes with mode 0600.
pub(crate) fn replace(path: &Path, before: &str, text: &str) -> Result<(), FileError> {
    swap(path, before, text).map_err(failed(path))
}

fn swap(path: &Path, before: &str, text: &str) -> io::Result<()> {
    let (target, mode) = match path.canonicalize() {
        Ok(target) => {
            let mode = target.metadata()?.mode() & 0o7777;
            (target, mode)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = path.parent().unwrap_or(Path::new("."));
            std::os::unix::fs::DirBuilderExt::mode(
                std::fs::DirBuilder::new().recursive(true),
                0o700,
            )
            .create(directory)?;
            (path.to_owned(), 0o600)
        }
        Err(error) => return Err(error),
    };
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".jumpgate-{}", std::process::id()));
    let beside = target.with_file_name(name);
    let moved = write_new(&beside, mode, text).and_then(|()| {
        let now = read(&target).map_err(io::Error::other)?;
        if *now != before {
            let what = "somebody else has changed it meanwhile; nothing was written";
            return Err(io::Error::other(what));
        }
        std::fs::rename(&beside, &target)
    });
    if moved.is_err() {
        let _was_not_there = std::fs::remove_file(&beside);
    }
    moved?;
    File::open(target.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn write_new(path: &Path, mode: u32, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

/// Keeps the text in a new file beside its own, for us alone; returns the file.
pub(crate) fn back_up(path: &Path, text: &str) -> Result<PathBuf, FileError> {
    let name = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(".jumpgate-backup");
        match number {
            1 => {}
            _ => name.push(format!("-{number}")),
        }
        PathBuf::from(name)
    };
    let is_free = |backup: &PathBuf| std::fs::symlink_metadata(backup).is_err();
    let backup = (1..=MAX_BACKUPS).map(name).find(is_free);
    let backup = backup.ok_or_else(|| {
        let what = format!("it has {MAX_BACKUPS} backups already; see whether they can go");
        failed(path)(io::Error::other(what))
    })?;
    write_new(&backup, 0o600, text).map_err(failed(&backup))?;
    Ok(backup)
}

/// Whether somebody else could put another program or file in the place of this one.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    let mode = |path: &Path| path.metadata().map_or(0, |metadata| metadata.mode());
    let directory = path.parent().map_or(0, mode);
    mode(path) & WRITABLE_BY_OTHERS != 0
        || directory & WRITABLE_BY_OTHERS != 0 && directory & STICKY == 0
}

#[cfg(test)]
mod tests;
