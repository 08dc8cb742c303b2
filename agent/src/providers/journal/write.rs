//! The one thread that writes: it takes all records that wait, writes them at once, flushes once if one of them asks
//! for it, and only then tells those who wait. The chain advances only over what was acknowledged. What was written
//! without a flush is flushed with the next record that asks for it, or when it is due.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jumpgate_api::Timestamp;

use crate::domain::event::{Activity, Durability, Event};
use crate::ports::{Entropy, JournalError};

use super::ROTATE_AT;
use super::chain::Chain;
use super::files::{Disk, FileName, broken};
use super::inbox::{Inbox, Job, Next};
use super::prune::{Expired, expired};
use super::read::Extent;
use super::record::compose;
use super::shared::Shared;
use super::survey::{Survey, Torn};
use super::unflushed::Unflushed;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const DAY: i64 = 86_400_000;

/// The file that is written.
struct Current {
    name: FileName,
    /// The day of its first record, since 1970.
    day: i64,
    /// Up to here every record was acknowledged.
    length: u64,
}

/// The state behind the thread.
pub(super) struct Writer {
    directory: PathBuf,
    disk: Box<dyn Disk>,
    entropy: Arc<dyn Entropy>,
    chain: Chain,
    newest: Option<FileName>,
    /// Absent: the next record starts a file.
    current: Option<Current>,
    /// A line of an earlier agent to set aside before anything else is written.
    torn: Option<Torn>,
    /// A failed write may have left something behind the current file's length.
    leftover: bool,
    /// The current file's end that may not be on disk.
    unflushed: Unflushed,
    /// What was found wrong and is not recorded yet.
    found: Vec<Event>,
    /// The retention that the files were last looked through with.
    pruned_with: Option<Duration>,
    shared: Arc<Shared>,
}

impl Writer {
    /// Goes on where the survey ended.
    pub(super) fn new(
        directory: PathBuf,
        disk: Box<dyn Disk>,
        entropy: Arc<dyn Entropy>,
        survey: Survey,
        unflushed: Unflushed,
        shared: Arc<Shared>,
    ) -> Self {
        let fresh = || Chain {
            uid: entropy.ulid(),
            head: None,
        };
        let mut writer = Self {
            directory,
            disk,
            chain: survey.chain.unwrap_or_else(fresh),
            entropy,
            newest: None,
            current: None,
            torn: None,
            leftover: false,
            unflushed,
            found: Vec::new(),
            pruned_with: None,
            shared,
        };
        if let Some(newest) = survey.newest {
            writer.newest = Some(newest.name);
            writer.torn = newest.torn;
            let day = newest.started.map_or(-1, |time| time / DAY);
            writer.current = Some(Current {
                name: newest.name,
                day,
                length: newest.length,
            });
            if let Some((line, what)) = newest.damage {
                writer.abandon(newest.name, Some(line), what);
            }
        }
        writer.publish();
        writer
    }

    /// Records what the survey found. A disk that takes nothing now is asked again with the first record.
    pub(super) fn begin(&mut self, now: Timestamp) {
        if self.torn.is_some() || !self.found.is_empty() {
            let _ = self.commit(now, &[]);
        }
    }

    /// Writes until nobody can send any more.
    pub(super) fn run(mut self, mut inbox: Inbox) {
        loop {
            match inbox.next(self.unflushed.due()) {
                Next::Jobs(jobs) => self.take(jobs),
                Next::Due => self.flush_what_is_due(),
                Next::Ended => break,
            }
        }
        self.flush_what_is_due();
    }

    fn take(&mut self, jobs: Vec<Job>) {
        let (events, waiting): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| (job.event, job.done)).unzip();
        let outcome = self.commit(events[0].at, &events);
        for done in waiting {
            let _ = done.send(outcome.clone());
        }
    }

    /// A failure has nobody who waits for it: it is in the log, in `status`, and the next record meets it.
    fn flush_what_is_due(&mut self) {
        let _in_the_log = self.settle();
    }

    /// Writes all of it, as safely as its records ask, or nothing.
    fn commit(&mut self, at: Timestamp, events: &[Event]) -> Result<(), JournalError> {
        let outcome = self.write(at, events).map_err(|error| {
            let name = self.current.as_ref().map(|current| current.name);
            let place = name.map_or(self.directory.clone(), |name| name.within(&self.directory));
            broken(&place, &error)
        });
        self.shared.wrote(outcome.as_ref().ok().copied());
        outcome.map(drop)
    }

    /// Returns how many records that were, the journal's own included.
    fn write(&mut self, at: Timestamp, events: &[Event]) -> io::Result<usize> {
        self.set_torn_aside(at)?;
        self.check_current()?;
        if self.unflushed.is_suspect() {
            self.settle()?;
        }
        let started = self.rotate(at)?;
        let expired = self.expired(at, started);
        let ours = self.housekeeping(at, &expired);
        let batch = || ours.iter().chain(events);
        let asked = batch().map(Event::durability).max();
        let mut chain = self.chain.clone();
        let lines: Vec<String> = batch()
            .map(|event| chain.seal(compose(event, self.entropy.ulid(), VERSION)))
            .collect();
        self.append(&lines, asked.unwrap_or(Durability::Flushed))?;
        self.chain = chain;
        self.found.clear();
        self.publish();
        self.remove(&expired);
        Ok(lines.len())
    }

    fn append(&mut self, lines: &[String], asked: Durability) -> io::Result<()> {
        let mut bytes = lines.join("\n").into_bytes();
        bytes.push(b'\n');
        let durability = self.unflushed.durability(asked, bytes.len());
        let mut written = self.disk.append(&bytes);
        if durability == Durability::Flushed {
            written = written.and_then(|()| self.disk.flush());
        }
        let current = self
            .current
            .as_mut()
            .expect("rotate starts a file if there is none");
        if written.is_err() {
            self.leftover = self.disk.cut(current.length).is_err();
            self.unflushed.failed(Instant::now());
            return written;
        }
        current.length += bytes.len() as u64;
        match durability {
            Durability::Flushed => self.unflushed.flushed(),
            Durability::Written => self.unflushed.written(&bytes, Instant::now()),
        }
        Ok(())
    }

    /// Flushes what was acknowledged. Behind a flush that failed, the kernel may take the bytes for clean, though the
    /// disk never got them, and would flush nothing: so they are written once more, in their place.
    fn settle(&mut self) -> io::Result<()> {
        let (bytes, Some(current)) = (self.unflushed.bytes(), &self.current) else {
            return Ok(());
        };
        if bytes.is_empty() {
            return Ok(());
        }
        let (name, offset) = (current.name, current.length - bytes.len() as u64);
        let mut outcome = Ok(());
        if self.unflushed.is_suspect() {
            outcome = self.disk.rewrite(offset, bytes);
        }
        outcome = outcome.and_then(|()| self.disk.flush());
        match &outcome {
            Ok(()) => self.unflushed.flushed(),
            Err(_) => self.unflushed.failed(Instant::now()),
        }
        let news = self.shared.settled(outcome.is_ok());
        match &outcome {
            Ok(()) if news => tracing::info!(%name, "the journal is on disk again"),
            Err(error) if news => tracing::error!(
                %name, offset, %error,
                "acknowledged records may not outlive a power cut; nothing is handed out until they do"
            ),
            Ok(()) | Err(_) => {}
        }
        outcome
    }

    /// Keeps the bytes of a torn line in a file of their own, then cuts the line off.
    fn set_torn_aside(&mut self, at: Timestamp) -> io::Result<()> {
        let (Some(torn), Some(current)) = (self.torn, &self.current) else {
            return Ok(());
        };
        let (name, offset) = (current.name, current.length);
        let kept = self.disk.set_aside(name, offset)?;
        self.disk.cut(offset)?;
        self.disk.flush()?;
        self.torn = None;
        let mut event = Event::new(Activity::LogRecover, at);
        event.detail = Some(format!(
            "line {} was not complete: its {} bytes are set aside in {kept}",
            torn.line, torn.bytes
        ));
        event.facts.journal_file = Some(name.to_string());
        event.facts.journal_line = Some(torn.line);
        self.found.push(event);
        Ok(())
    }

    /// Undoes what a failed write left; leaves a file alone that somebody else changed.
    fn check_current(&mut self) -> io::Result<()> {
        let Some(current) = &self.current else {
            return Ok(());
        };
        let (name, length) = (current.name, current.length);
        if self.leftover {
            self.disk.cut(length)?;
            self.leftover = false;
        }
        let what = match self.disk.length()? {
            Some(found) if found == length => return Ok(()),
            Some(found) => format!("it has {found} bytes where {length} were written"),
            None => "it was removed while it was written".to_owned(),
        };
        self.abandon(name, None, what);
        Ok(())
    }

    /// Leaves a damaged file exactly as it was found, and goes on in a new one. What it holds of ours goes to the
    /// disk as far as it will.
    fn abandon(&mut self, name: FileName, line: Option<u64>, what: String) {
        if !self.unflushed.bytes().is_empty() {
            let _damaged_anyway = self.disk.flush();
            self.unflushed.flushed();
        }
        self.current = None;
        self.torn = None;
        self.leftover = false;
        let mut event = Event::new(Activity::LogRecover, Timestamp::default());
        event.failure = Some(match line {
            Some(line) => format!("{name}:{line}: {what}"),
            None => format!("{name}: {what}"),
        });
        event.facts.journal_file = Some(name.to_string());
        event.facts.journal_line = line;
        // The time is that of the batch that records it.
        self.found.push(event);
        self.shared.damaged();
    }

    /// Starts a file if there is none, the day is another, or the file is full. Says whether it did.
    fn rotate(&mut self, at: Timestamp) -> io::Result<bool> {
        let today = at.unix_millis() / DAY;
        let goes_on = self
            .current
            .as_mut()
            .is_some_and(|current| current.takes(today));
        if goes_on {
            return Ok(false);
        }
        self.settle()?;
        let name = FileName::next(at, self.newest);
        self.disk.create(name)?;
        self.newest = Some(name);
        self.current = Some(Current {
            name,
            day: today,
            length: 0,
        });
        Ok(true)
    }

    fn expired(&mut self, at: Timestamp, started: bool) -> Vec<Expired> {
        let keep = self.shared.keep();
        if !started && self.pruned_with == Some(keep) {
            return Vec::new();
        }
        self.pruned_with = Some(keep);
        let current = self.current.as_ref().map(|current| current.name);
        current.map_or(Vec::new(), |current| {
            expired(&self.directory, current, at, keep)
        })
    }

    /// The journal's records about itself, ahead of the batch.
    fn housekeeping(&self, at: Timestamp, expired: &[Expired]) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some(Current {
            name, length: 0, ..
        }) = &self.current
            && self.chain.head.is_some()
        {
            let mut event = Event::new(Activity::LogRotate, at);
            event.facts.journal_file = Some(name.to_string());
            events.push(event);
        }
        events.extend(
            self.found
                .iter()
                .cloned()
                .map(|event| Event { at, ..event }),
        );
        events.extend(expired.iter().map(|expired| expired.event(at)));
        events
    }

    /// Oldest first and no further than the first failure, so that no gap arises.
    fn remove(&mut self, expired: &[Expired]) {
        let _ = expired
            .iter()
            .try_for_each(|expired| self.disk.remove(expired.name));
    }

    fn publish(&self) {
        let head = || self.chain.head.clone();
        let extent = match (&self.current, self.newest) {
            (Some(Current { name, length, .. }), _) => Some(Extent {
                newest: *name,
                length: *length,
                head: head(),
            }),
            (None, Some(newest)) => Some(Extent {
                newest,
                length: u64::MAX,
                head: head(),
            }),
            (None, None) => None,
        };
        self.shared.publish(extent);
    }
}

impl Current {
    /// Whether a record of that day may go here. A clock that hops back over midnight starts no file.
    fn takes(&mut self, today: i64) -> bool {
        if self.length == 0 {
            self.day = today;
        }
        (self.day - 1..=self.day).contains(&today) && self.length < ROTATE_AT
    }
}
