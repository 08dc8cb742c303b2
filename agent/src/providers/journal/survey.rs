//! What a starting agent finds: where the chain stands, whether the last line was torn by a crash, and whether
//! anything else is not as it was written. Changes nothing.

use std::io;
use std::path::Path;

use super::chain::{Chain, Link, NoRecord, read_link};
use super::files::{FileName, list};
use super::read::{End, Lines};

/// What was found.
pub(super) struct Survey {
    /// Where to go on; absent for a journal without a single good record.
    pub(super) chain: Option<Chain>,
    /// The newest file.
    pub(super) newest: Option<Newest>,
}

/// The newest file.
pub(super) struct Newest {
    pub(super) name: FileName,
    /// When its first record was written, in ms since 1970.
    pub(super) started: Option<i64>,
    /// The length of its whole lines, in bytes.
    pub(super) length: u64,
    /// An unfinished line behind them.
    pub(super) torn: Option<Torn>,
    /// The first place that is not as written, and why.
    pub(super) damage: Option<(u64, String)>,
}

/// A last line that a crash cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Torn {
    pub(super) line: u64,
    /// How many bytes it has.
    pub(super) bytes: u64,
}

/// Reads the newest file, and older ones as far as it takes to find a record.
pub(super) fn survey(directory: &Path) -> io::Result<Survey> {
    let mut names = list(directory)?;
    let Some(name) = names.pop() else {
        return Ok(Survey {
            chain: None,
            newest: None,
        });
    };
    let found = inspect(directory, name)?;
    let mut last = found.last;
    while let (None, Some(older)) = (&last, names.pop()) {
        last = inspect(directory, older)?.last;
    }
    let chain = last.map(|link| Chain {
        uid: link.chain_uid,
        head: Some(link.hash),
    });
    Ok(Survey {
        chain,
        newest: Some(found.newest),
    })
}

struct Inspected {
    newest: Newest,
    /// The last good record.
    last: Option<Link>,
}

fn inspect(directory: &Path, name: FileName) -> io::Result<Inspected> {
    let newest = Newest {
        name,
        started: None,
        length: 0,
        torn: None,
        damage: None,
    };
    let mut found = Inspected { newest, last: None };
    let mut suspect: Option<(u64, u64, String)> = None;
    let mut end = 0;
    for line in Lines::open(directory, name, None)? {
        let line = line?;
        if let Some((number, _, what)) = suspect.take() {
            found.blame(number, what);
        }
        found.newest.length = line.offset;
        end = line.offset + line.bytes.len() as u64 + 1;
        match (line.end, read_link(&line.bytes)) {
            (End::Newline, Ok(link)) => found.accept(line.number, link),
            (End::Newline, Err(what)) if what != NoRecord::Malformed => {
                found.blame(line.number, what.to_string());
            }
            (End::TooLong, _) => found.blame(line.number, "it is too long".to_owned()),
            (_, reason) => {
                let what = reason.err().map_or(String::new(), |what| what.to_string());
                suspect = Some((line.number, line.offset, what));
            }
        }
    }
    found.close(
        suspect,
        end,
        std::fs::metadata(name.within(directory))?.len(),
    );
    Ok(found)
}

impl Inspected {
    fn blame(&mut self, line: u64, what: String) {
        self.newest.damage.get_or_insert((line, what));
    }

    fn accept(&mut self, line: u64, link: Link) {
        let follows = match &self.last {
            None => true,
            Some(last) => {
                link.prev.as_ref() == Some(&last.hash) && link.chain_uid == last.chain_uid
            }
        };
        if !link.fits {
            self.blame(line, "the hash does not fit the record".to_owned());
            return;
        }
        if !follows {
            self.blame(line, "it does not follow the record before it".to_owned());
        }
        self.newest.started.get_or_insert(link.time);
        self.last = Some(link);
    }

    fn close(&mut self, suspect: Option<(u64, u64, String)>, end: u64, length: u64) {
        match suspect {
            Some((line, offset, _)) => {
                self.newest.length = offset;
                self.newest.torn = Some(Torn {
                    line,
                    bytes: length.saturating_sub(offset),
                });
            }
            None => self.newest.length = end.min(length),
        }
    }
}
