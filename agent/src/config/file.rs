//! The only files that configuration opens: the configuration itself and the policies that it names.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Whoever can write the configuration can have programs run by the agent (`mfa_command`), and whoever can write a
/// policy decides what its sessions may do.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// In a directory with this bit only a file's owner can replace it.
const STICKY: u32 = 0o1000;

/// Reads a file of at most `most` bytes that nobody but us and root can change.
pub(super) fn read(path: &Path, most: usize) -> io::Result<String> {
    // Without NONBLOCK, opening a pipe would wait for its writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(refused("it is no regular file"));
    }
    check_file(&metadata)?;
    check_directory(path)?;
    check_directory(&path.canonicalize()?)?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(refused(format!("it has more than {most} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        refused(format!("it is not UTF-8 from byte {} on", at + 1))
    })
}

fn refused(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

fn check_file(metadata: &Metadata) -> io::Result<()> {
    if !is_trusted(metadata.uid()) {
        return Err(foreign("it", metadata));
    }
    if metadata.mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(writable("it", metadata));
    }
    Ok(())
}

/// The directory that holds `path`, as named and behind a link.
fn check_directory(path: &Path) -> io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let metadata = parent.unwrap_or(Path::new(".")).metadata()?;
    if !is_trusted(metadata.uid()) {
        return Err(foreign("its directory", &metadata));
    }
    if metadata.mode() & WRITABLE_BY_OTHERS != 0 && metadata.mode() & STICKY == 0 {
        return Err(writable("its directory", &metadata));
    }
    Ok(())
}

fn is_trusted(owner: u32) -> bool {
    owner == 0 || owner == rustix::process::geteuid().as_raw()
}

fn foreign(what: &str, metadata: &Metadata) -> io::Error {
    let owner = metadata.uid();
    denied(format!(
        "{what} belongs to uid {owner}, who could have programs run as you; use one of your own"
    ))
}

fn writable(what: &str, metadata: &Metadata) -> io::Error {
    let mode = metadata.mode() & 0o7777;
    denied(format!(
        "others can write {what} (mode {mode:04o}) and so have programs run as you; chmod go-w"
    ))
}

fn denied(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, what)
}
