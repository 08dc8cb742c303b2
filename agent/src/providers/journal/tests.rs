//! The journal's tests, by subject, and what they share.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jumpgate_api::Timestamp;

use super::{FLUSH_WITHIN, FileJournal, Options, verify};
use crate::domain::event::{Activity, Event};
use crate::ports::{Entropy, Journal, JournalError};

mod chained;
mod crash;
mod damage;
mod disk;
mod document;
mod flushing;
mod format;
mod opening;
mod planned;
mod reading;
mod retention;

/// 2026-11-22T00:00:00Z.
const MIDNIGHT: i64 = 1_795_305_600;
const DAY: i64 = 86_400;
const KEEP: Duration = Duration::from_secs(30 * 86_400);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(MIDNIGHT + seconds)
}

fn event(seconds: i64) -> Event {
    Event::new(Activity::LeaseServe, at(seconds))
}

/// A record that is flushed before it is acknowledged; [`event`] makes one that is not.
fn issuing(seconds: i64) -> Event {
    Event::new(Activity::LeaseIssue, at(seconds))
}

/// Ids that count.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn secret(&self) -> jumpgate_api::Secret<String> {
        unreachable!("the journal keeps no secret")
    }

    fn ulid(&self) -> String {
        format!("01KAN{:021}", self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn byte(&self) -> u8 {
        0
    }
}

fn options(now: i64) -> Options {
    Options {
        wait: Duration::ZERO,
        keep: KEEP,
        now: at(now),
        entropy: Arc::new(Counting(AtomicU64::new(0))),
    }
}

/// A place for a journal.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("state/journal")
    }

    fn open(&self, now: i64) -> FileJournal {
        FileJournal::open(&self.path(), options(now)).unwrap()
    }

    /// Records through an agent of its own.
    fn record(&self, events: impl IntoIterator<Item = Event>) {
        let journal = self.open(0);
        for event in events {
            write(&journal, event).unwrap();
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        super::files::list(&self.path())
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// Places with damage, as `file:line: what`.
    fn damage(&self) -> Vec<String> {
        let name = |path: &str| {
            Path::new(path)
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        let damage = verify(&self.path()).damage;
        damage
            .iter()
            .map(|at| format!("{}:{}: {}", name(&at.file), at.line, at.what))
            .collect()
    }

    /// The activities recorded, oldest first.
    fn activities(&self) -> Vec<String> {
        self.fields("/activity_name")
    }

    /// One member of each record.
    fn fields(&self, pointer: &str) -> Vec<String> {
        let lines = super::read::raw_lines(&self.path(), super::read::Begin::Oldest, None).unwrap();
        let records = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()));
        let text = |value: &serde_json::Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        records
            .map(|record| record.unwrap().pointer(pointer).map_or(String::new(), text))
            .collect()
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn write(journal: &FileJournal, event: Event) -> Result<(), JournalError> {
    block_on(journal.record(event))
}
