//! The journal in files: JSON Lines in a hash chain, written before the caller goes on, and flushed before that or
//! soon after, as the event asks.
//!
//! `docs/journal.md` describes the format for those who read and verify it without us.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use jumpgate_api::{JournalDamage, JournalReport, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};

use crate::domain::event::Event;
use crate::ports::{Answer, Entropy, Journal, JournalError, JournalHealth, Lines};

mod chain;
mod files;
mod fit;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;
mod inbox;
mod prune;
mod read;
mod record;
mod shared;
mod sizes;
mod survey;
mod unflushed;
mod verify;
mod write;

#[cfg(test)]
mod tests;

use files::{Directory, Disk, broken};
use inbox::{Inbox, Job};
use read::{Begin, Extent};
use shared::Shared;
pub use sizes::last_size;
use unflushed::Unflushed;
pub use unflushed::{FLUSH_WITHIN, MAX_UNFLUSHED};
use write::Writer;

/// Longest line with its newline, in bytes.
pub const MAX_RECORD: usize = 8192;
/// A file of this length, in bytes, takes no further batch.
pub const ROTATE_AT: u64 = 16 * 1024 * 1024;
/// Most records written at once.
pub const MAX_BATCH: usize = 256;
/// Most records that wait for the disk; more wait in their callers.
pub const MAX_WAITING: usize = 1024;
/// Lines read ahead of somebody who takes them.
const READ_AHEAD: usize = 64;
/// How often a verification is begun anew because files were pruned under it.
const VERIFY_TRIES: usize = 3;

/// What the newest file of a journal looks like from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// The file.
    pub file: PathBuf,
    /// The first line that is not as it was written, and why.
    pub damage: Option<(u64, String)>,
}

/// Looks at the newest file of a journal, whether or not an agent writes it; absent where there is none. An unfinished
/// last line is no damage: it may be just being written, and a starting agent sets one aside.
///
/// # Errors
/// The directory or the file cannot be read.
pub fn newest(directory: &Path) -> io::Result<Option<Newest>> {
    let newest = survey::survey(directory)?.newest;
    Ok(newest.map(|newest| Newest {
        file: newest.name.within(directory),
        damage: newest.damage,
    }))
}

/// How a journal is kept.
pub struct Options {
    /// Files whose last record is older than this are removed.
    pub keep: Duration,
    /// The time of what opening itself records.
    pub now: Timestamp,
    /// Where record ids come from.
    pub entropy: Arc<dyn Entropy>,
    /// How long another agent is waited for that has the journal: it may be about to end.
    pub wait: Duration,
}

/// The journal of one directory. One agent at a time: the directory is locked until this is dropped.
pub struct FileJournal {
    directory: PathBuf,
    shared: Arc<Shared>,
    /// Absent only while dropping: the thread ends when nobody can send.
    queue: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    lock: File,
    /// Whether those who follow shall go on; each of them listens here.
    follow: watch::Sender<bool>,
}

impl FileJournal {
    /// Opens the journal, or starts one. Takes a torn last line off and records that; any other damage is
    /// recorded, makes `health` unhealthy, and the journal goes on in a new file.
    ///
    /// # Errors
    /// The directory cannot be made, belongs to others or lets them in; another agent writes it; a file in it
    /// cannot be read.
    pub fn open(directory: &Path, options: Options) -> Result<Self, JournalError> {
        Self::open_with(directory, options, FLUSH_WITHIN, Box::new)
    }

    /// With another bound, and something between the writer and the disk.
    fn open_with<D: Disk + 'static>(
        directory: &Path,
        options: Options,
        flush_within: Duration,
        wrap: impl FnOnce(Directory) -> Box<D>,
    ) -> Result<Self, JournalError> {
        files::prepare(directory)?;
        let lock = files::lock(directory, options.wait)?;
        let failed = |error: io::Error| broken(directory, &error);
        let survey = survey::survey(directory).map_err(failed)?;
        let newest = survey.newest.as_ref().map(|newest| newest.name);
        let disk = wrap(Directory::new(directory, newest).map_err(failed)?);
        let shared = Arc::new(Shared::new(options.keep));
        let Options { entropy, now, .. } = options;
        let path = directory.to_owned();
        let unflushed = Unflushed::new(flush_within);
        let mut writer = Writer::new(path, disk, entropy, survey, unflushed, Arc::clone(&shared));
        writer.begin(now);
        let (queue, jobs) = mpsc::channel(MAX_WAITING);
        let thread = std::thread::Builder::new().name("journal".to_owned());
        let writer = thread
            .spawn(move || writer.run(Inbox::new(jobs)))
            .map_err(failed)?;
        Ok(Self {
            directory: directory.to_owned(),
            shared,
            queue: Some(queue),
            writer: Some(writer),
            lock,
            follow: watch::Sender::new(true),
        })
    }

    /// Keeps files for another time from the next record on.
    pub fn set_keep(&self, keep: Duration) {
        self.shared.set_keep(keep);
    }

    /// How many follow the journal.
    #[must_use]
    pub fn followers(&self) -> usize {
        self.follow.receiver_count()
    }

    /// Those who follow are sent what is there, and no more.
    pub fn end_following(&self) {
        self.follow.send_replace(false);
    }
}

/// Waits for what is queued to be written and flushed.
impl Drop for FileJournal {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
        // A child that is being started may hold a copy of the lock for a moment: closing ours would not do.
        files::unlock(&self.lock);
    }
}

impl Journal for FileJournal {
    /// Queued before this returns if there is room, so that a caller who goes away does not lose it.
    fn record(&self, event: Event) -> Answer<'_, Result<(), JournalError>> {
        let (done, written) = oneshot::channel();
        let Some(queue) = &self.queue else {
            return Box::pin(async { Err(ended()) });
        };
        let full = match queue.try_send(Job { event, done }) {
            Ok(()) => None,
            Err(mpsc::error::TrySendError::Full(job)) => Some(job),
            Err(mpsc::error::TrySendError::Closed(_)) => {
                return Box::pin(async { Err(ended()) });
            }
        };
        Box::pin(async move {
            if let Some(job) = full {
                queue.send(job).await.map_err(|_| ended())?;
            }
            written.await.unwrap_or_else(|_| Err(ended()))
        })
    }

    fn health(&self) -> JournalHealth {
        let (records, healthy) = self.shared.health();
        let writes = self.queue.as_ref().is_some_and(|queue| !queue.is_closed());
        let path = self.directory.display().to_string();
        JournalHealth {
            path,
            records,
            healthy: healthy && writes,
        }
    }

    /// Verifies everything written so far.
    fn report(&self) -> Answer<'_, Result<JournalReport, JournalError>> {
        let (directory, shared) = (self.directory.clone(), Arc::clone(&self.shared));
        Box::pin(async move {
            let report = tokio::task::spawn_blocking(move || report(&directory, &shared)).await;
            report.map_err(|_| broken(&self.directory, &"verifying it ended early"))
        })
    }

    /// Lines are read as fast as they are taken. One that cannot be read ends them. A damaged journal's lines
    /// may hold anything: escape before printing. To be called within a tokio runtime.
    fn lines(&self, last: Option<usize>, follow: bool) -> Lines {
        let (sender, receiver) = mpsc::channel(READ_AHEAD);
        let begin = last.map_or(Begin::Oldest, Begin::Last);
        let extents = self.shared.extents();
        let follow = follow.then(|| self.follow.subscribe());
        tokio::spawn(send_lines(
            self.directory.clone(),
            begin,
            extents,
            follow,
            sender,
        ));
        receiver
    }
}

fn ended() -> JournalError {
    JournalError {
        what: "its writer has ended; restart the agent".to_owned(),
    }
}

/// Verifies a journal that no agent of this process writes. A line that another agent is just writing may be
/// reported as incomplete.
#[must_use]
pub fn verify(directory: &Path) -> JournalReport {
    verify::verify(directory, None).unwrap_or_else(|error| unreadable(directory, error.to_string()))
}

/// A running agent's own verification, begun anew when files were pruned under it.
fn report(directory: &Path, shared: &Shared) -> JournalReport {
    let mut outcome = Err(io::Error::from(io::ErrorKind::NotFound));
    for _ in 0..VERIFY_TRIES {
        outcome = verify::verify(directory, shared.extent().as_ref());
        if !matches!(&outcome, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            break;
        }
    }
    outcome.unwrap_or_else(|error| unreadable(directory, error.to_string()))
}

fn unreadable(directory: &Path, what: String) -> JournalReport {
    let damage = JournalDamage {
        file: directory.display().to_string(),
        line: 0,
        what,
    };
    JournalReport {
        files: Vec::new(),
        records: 0,
        head: None,
        damage: vec![damage],
        notes: Vec::new(),
    }
}

/// Sends what is there, and with `follow` what is acknowledged from then on, until nobody takes it or writes it, or
/// `follow` says that it is enough.
async fn send_lines(
    directory: PathBuf,
    mut begin: Begin,
    mut extents: watch::Receiver<Option<Extent>>,
    mut follow: Option<watch::Receiver<bool>>,
    sender: mpsc::Sender<String>,
) {
    loop {
        let goes_on = follow
            .as_mut()
            .is_some_and(|follow| *follow.borrow_and_update());
        let extent = extents.borrow_and_update().clone();
        if let Some(extent) = extent {
            let end = Begin::Behind(extent.newest, extent.length);
            let (directory, sender) = (directory.clone(), sender.clone());
            let read = move || send_until(&directory, begin, extent, &sender);
            match tokio::task::spawn_blocking(read).await {
                Ok(Ok(())) => begin = end,
                Ok(Err(_)) | Err(_) => return,
            }
        }
        let Some(follow) = follow.as_mut().filter(|_| goes_on) else {
            return;
        };
        let grown = tokio::select! {
            grown = extents.changed() => grown.is_ok(),
            told = follow.changed() => told.is_ok(),
            () = sender.closed() => false,
        };
        if !grown {
            return;
        }
    }
}

fn send_until(
    directory: &Path,
    begin: Begin,
    extent: Extent,
    sender: &mpsc::Sender<String>,
) -> io::Result<()> {
    for line in read::raw_lines(directory, begin, Some(extent))? {
        sender.blocking_send(line?).map_err(io::Error::other)?;
    }
    Ok(())
}
