//! Which files are older than the journal is kept.

use std::io;
use std::path::Path;
use std::time::Duration;

use jumpgate_api::Timestamp;

use crate::domain::event::{Activity, Event};

use super::chain::{Link, read_link};
use super::files::{FileName, list};
use super::read::Lines;

/// A file to remove, and what is recorded of it first: with its last hash the rest of the chain still verifies.
pub(super) struct Expired {
    pub(super) name: FileName,
    head: Option<String>,
    records: u64,
}

impl Expired {
    /// `log.prune`.
    pub(super) fn event(&self, at: Timestamp) -> Event {
        let mut event = Event::new(Activity::LogPrune, at);
        event.facts.journal_file = Some(self.name.to_string());
        event.facts.journal_head.clone_from(&self.head);
        event.facts.count = Some(self.records);
        event
    }
}

/// The oldest files whose last record is older than `keep`; never the current one. Stops at the first that is
/// young enough or cannot be read.
pub(super) fn expired(
    directory: &Path,
    current: FileName,
    now: Timestamp,
    keep: Duration,
) -> Vec<Expired> {
    let names = list(directory).unwrap_or_default();
    let older = names.into_iter().filter(|name| *name < current);
    older
        .map_while(|name| examine(directory, name, now, keep).ok().flatten())
        .collect()
}

fn examine(
    directory: &Path,
    name: FileName,
    now: Timestamp,
    keep: Duration,
) -> io::Result<Option<Expired>> {
    let (mut records, mut last) = (0, None);
    for line in Lines::open(directory, name, None)? {
        records += 1;
        last = Some(line?.bytes);
    }
    let link = match last.and_then(|line| read_link(&line).ok()) {
        Some(link) => Some(link),
        None => last_link(directory, name)?,
    };
    // A file without a single record still has the day in its name: damage does not keep it for ever.
    let ended = match &link {
        Some(link) => Some(Timestamp::from_unix_millis(link.time)),
        None => name.day_end(),
    };
    let expired = ended.is_some_and(|ended| now.since(ended) > keep);
    let head = link.filter(|link| link.fits).map(|link| link.hash);
    Ok(expired.then_some(Expired {
        name,
        head,
        records,
    }))
}

/// The last record of a file whose last line is none.
fn last_link(directory: &Path, name: FileName) -> io::Result<Option<Link>> {
    let mut last = None;
    for line in Lines::open(directory, name, None)? {
        last = read_link(&line?.bytes).ok().or(last);
    }
    Ok(last)
}
