//! The journal's directory: names of its files, who may read them, one agent at a time.

use std::fmt;
use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jumpgate_api::Timestamp;
use rustix::fs::{FlockOperation, Mode, OFlags, fcntl_setfl, flock, open};

use crate::ports::JournalError;

/// Where torn lines are kept, inside the journal's directory.
const TORN: &str = "torn";
/// Locked by the agent that writes.
const LOCK: &str = ".lock";
/// Most torn lines kept of one place in one file.
const MAX_TORN: u32 = 100;

/// `audit-YYYYMMDD-N.jsonl`: ordered by the UTC day of its start, then by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileName {
    /// As the number YYYYMMDD.
    day: u32,
    /// From 1.
    number: u32,
}

impl FileName {
    /// The name of the file that starts at `at` after `newest`. A clock that was set back does not put it
    /// before: then it counts on under the newest day.
    pub(super) fn next(at: Timestamp, newest: Option<Self>) -> Self {
        let today = day_of(at);
        match newest {
            Some(newest) if newest.day >= today => Self {
                day: newest.day,
                number: newest.number.saturating_add(1),
            },
            _ => Self {
                day: today,
                number: 1,
            },
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let (day, number) = name
            .strip_prefix("audit-")?
            .strip_suffix(".jsonl")?
            .split_once('-')?;
        let parsed = Self {
            day: day.parse().ok()?,
            number: number.parse().ok()?,
        };
        (parsed.to_string() == name && parsed.day_end().is_some()).then_some(parsed)
    }

    /// The end of the day that it is named after; absent for a day that no calendar has.
    pub(super) fn day_end(self) -> Option<Timestamp> {
        let (year, month, day) = (self.day / 10_000, self.day / 100 % 100, self.day % 100);
        let start: Timestamp = format!("{year:04}-{month:02}-{day:02}T00:00:00Z")
            .parse()
            .ok()?;
        Some(start.plus(Duration::from_secs(86_400)))
    }

    /// Inside a directory.
    pub(super) fn within(self, directory: &Path) -> PathBuf {
        directory.join(self.to_string())
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "audit-{:08}-{}.jsonl", self.day, self.number)
    }
}

fn day_of(at: Timestamp) -> u32 {
    let digits: String = at
        .to_string()
        .chars()
        .take(10)
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().expect("RFC 3339 starts with eight digits")
}

/// The journal's files, oldest first. Others in the directory are not looked at.
pub(super) fn list(directory: &Path) -> io::Result<Vec<FileName>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        names.extend(entry?.file_name().to_str().and_then(FileName::parse));
    }
    names.sort_unstable();
    Ok(names)
}

/// Opens a journal file for reading; a link or anything else but a file is refused.
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

/// Makes the directory if it is missing (0700, with its parents) and refuses one that others own or may enter.
pub(super) fn prepare(directory: &Path) -> Result<(), JournalError> {
    let failed = |what: &dyn fmt::Display| broken(directory, what);
    let mut builder = DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| failed(&error))?;
    let found = directory
        .symlink_metadata()
        .map_err(|error| failed(&error))?;
    if !found.is_dir() {
        return Err(failed(&"it is not a directory"));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(failed(&format_args!(
            "it belongs to uid {}, not to us",
            found.uid()
        )));
    }
    if found.mode() & 0o077 != 0 {
        return Err(failed(&format_args!(
            "others may enter it (mode {:03o}); chmod 700 it",
            found.mode() & 0o777
        )));
    }
    Ok(())
}

/// How long between two tries to take the directory.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Takes the directory for this process until the file is dropped; waits so long for another one to leave it, which
/// flock(2) cannot.
pub(super) fn lock(directory: &Path, wait: Duration) -> Result<File, JournalError> {
    let path = directory.join(LOCK);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = open(&path, flags, Mode::RUSR | Mode::WUSR)
        .map(File::from)
        .map_err(|error| broken(&path, &error))?;
    let until = Instant::now() + wait;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < until => {
                std::thread::sleep(LOOK_AGAIN);
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(broken(&path, &"another agent writes it"));
            }
            Err(error) => return Err(broken(&path, &error)),
        }
    }
}

/// Gives the directory back.
pub(super) fn unlock(lock: &File) {
    let _ = flock(lock, FlockOperation::Unlock);
}

/// An error that names its place. The path is escaped: it may come from the environment.
pub(super) fn broken(path: &Path, what: &dyn fmt::Display) -> JournalError {
    JournalError {
        what: format!("{}: {what}", path.display().to_string().escape_debug()),
    }
}

/// What the writer does to the world; tests put a failing one in its place.
pub(super) trait Disk: Send {
    /// Starts a file; it is the current one from now on.
    fn create(&mut self, name: FileName) -> io::Result<()>;
    /// Adds to the current file's end; an error may leave a part there.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Waits until the current file is safe.
    fn flush(&mut self) -> io::Result<()>;
    /// Writes what is in the current file once more, in its place.
    fn rewrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the current file.
    fn cut(&mut self, length: u64) -> io::Result<()>;
    /// The current file's length; absent when it was removed.
    fn length(&self) -> io::Result<Option<u64>>;
    /// Removes an old file.
    fn remove(&mut self, name: FileName) -> io::Result<()>;
    /// Copies the current file's bytes from `offset` on to a file of their own; returns its name.
    fn set_aside(&mut self, name: FileName, offset: u64) -> io::Result<String>;
}

/// The real one.
pub(super) struct Directory {
    path: PathBuf,
    current: Option<File>,
}

impl Directory {
    /// With the file to go on with, if there is one.
    pub(super) fn new(path: &Path, current: Option<FileName>) -> io::Result<Self> {
        let current = current.map(|name| reopen(&name.within(path))).transpose()?;
        Ok(Self {
            path: path.to_owned(),
            current,
        })
    }

    fn current(&self) -> io::Result<&File> {
        self.current
            .as_ref()
            .ok_or_else(|| io::Error::other("no journal file is open"))
    }
}

const APPEND: OFlags = OFlags::RDWR
    .union(OFlags::APPEND)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

fn reopen(path: &Path) -> io::Result<File> {
    open_to_read(path)?;
    let file = File::from(open(path, APPEND, Mode::empty())?);
    rustix::fs::fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    Ok(file)
}

fn create_new(path: &Path) -> io::Result<File> {
    let flags = APPEND | OFlags::CREATE | OFlags::EXCL;
    let file = File::from(open(path, flags, Mode::RUSR | Mode::WUSR)?);
    let parent = path.parent().unwrap_or(Path::new("."));
    // Without this a power cut could take the name of the file, and the records with it.
    File::open(parent)
        .and_then(|directory| directory.sync_all())
        .inspect_err(|_| {
            let _ = std::fs::remove_file(path);
        })?;
    Ok(file)
}

impl Disk for Directory {
    fn create(&mut self, name: FileName) -> io::Result<()> {
        self.current = Some(create_new(&name.within(&self.path))?);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.current()?.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.current()?.sync_data()
    }

    fn rewrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let current = self.current()?;
        // A file that is open for appending takes everything at its end, pwrite(2) included.
        fcntl_setfl(current, OFlags::empty())?;
        let written = current.write_all_at(bytes, offset);
        fcntl_setfl(current, OFlags::APPEND)?;
        written
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.current()?.set_len(length)
    }

    fn length(&self) -> io::Result<Option<u64>> {
        let found = self.current()?.metadata()?;
        Ok((found.nlink() > 0).then_some(found.len()))
    }

    fn remove(&mut self, name: FileName) -> io::Result<()> {
        std::fs::remove_file(name.within(&self.path))
    }

    fn set_aside(&mut self, name: FileName, offset: u64) -> io::Result<String> {
        let directory = self.path.join(TORN);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)?;
        let (kept, mut copy) = torn_file(&directory, name, offset)?;
        let mut torn = open_to_read(&name.within(&self.path))?;
        io::Seek::seek(&mut torn, io::SeekFrom::Start(offset))?;
        io::copy(&mut torn, &mut copy)
            .and_then(|_| copy.sync_all())
            .inspect_err(|_| drop(std::fs::remove_file(directory.join(&kept))))?;
        Ok(format!("{TORN}/{kept}"))
    }
}

fn torn_file(directory: &Path, name: FileName, offset: u64) -> io::Result<(String, File)> {
    for attempt in 1..=MAX_TORN {
        let kept = format!("{name}-{offset}.{attempt}");
        match create_new(&directory.join(&kept)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (kept, file)),
        }
    }
    Err(io::Error::other(format!(
        "{TORN} holds {MAX_TORN} torn lines of one place already"
    )))
}
