//! Reads the whole journal and says what is not as it was written.
//!
//! Finds every changed byte and every line or file that was removed, put in, doubled or moved. What it cannot
//! find without outside help: that the newest records were removed (a running agent knows its last hash and
//! compares), and a whole journal written anew by somebody who may write the directory.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use jumpgate_api::{JournalDamage, JournalReport};

use super::chain::{Link, read_link};
use super::files::FileName;
use super::read::{End, Extent, Line, Lines, files};

/// Most places reported; the journal is read to its end even so.
pub(super) const MAX_FINDINGS: usize = 1000;

/// A record this much earlier than the one before it is worth a note, in ms. Records of calls that ran side by
/// side may be some seconds out of order.
const CLOCK_BACK: i64 = 5 * 60 * 1000;

/// Verifies up to `extent`, or all.
///
/// # Errors
/// The directory cannot be read, or a file was pruned meanwhile (`NotFound`).
pub(super) fn verify(directory: &Path, extent: Option<&Extent>) -> io::Result<JournalReport> {
    let mut verifier = Verifier::default();
    for name in files(directory, extent)? {
        verifier.file(directory, name, extent)?;
    }
    Ok(verifier.finish(extent))
}

#[derive(Default)]
struct Verifier {
    report: Report,
    chain_uid: Option<String>,
    /// What the next record may name as the one before it.
    previous: Previous,
    /// What the journal's first record names, and where that is.
    before_all: Option<(String, String)>,
    /// Last hashes of files that were pruned.
    pruned: HashSet<String>,
    last_time: i64,
}

#[derive(Default)]
enum Previous {
    /// Nothing was read yet.
    #[default]
    Nothing,
    /// The last line was no record: its hash is not known.
    Unknown,
    /// The hash that the last line states, and that of the last good record.
    Hashes(String, Option<String>),
}

#[derive(Default)]
struct Report {
    place: String,
    files: Vec<String>,
    records: u64,
    head: Option<String>,
    damage: Vec<JournalDamage>,
    notes: Vec<JournalDamage>,
}

impl Report {
    fn damaged(&mut self, line: u64, what: impl Into<String>) {
        push(&mut self.damage, &self.place, line, what.into());
    }
}

fn push(list: &mut Vec<JournalDamage>, file: &str, line: u64, what: String) {
    if list.len() < MAX_FINDINGS {
        list.push(JournalDamage {
            file: file.to_owned(),
            line,
            what,
        });
    }
}

impl Verifier {
    fn file(
        &mut self,
        directory: &Path,
        name: FileName,
        extent: Option<&Extent>,
    ) -> io::Result<()> {
        self.report.place = name.within(directory).display().to_string();
        self.report.files.push(self.report.place.clone());
        match self.lines(directory, name, extent) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let what = format!("the file cannot be read: {error}");
                self.report.damaged(0, what);
                self.previous = Previous::Unknown;
                Ok(())
            }
            read => read,
        }
    }

    fn lines(
        &mut self,
        directory: &Path,
        name: FileName,
        extent: Option<&Extent>,
    ) -> io::Result<()> {
        for line in Lines::open(directory, name, extent)? {
            self.line(&line?);
        }
        Ok(())
    }

    fn line(&mut self, line: &Line) {
        let what = match (line.end, read_link(&line.bytes)) {
            (End::Newline, Ok(link)) => return self.link(line.number, link),
            (End::Newline, Err(what)) => what.to_string(),
            (End::TooLong, _) => "it is too long".to_owned(),
            (End::Missing, _) => {
                "it is not complete; a starting agent sets such a line aside".to_owned()
            }
        };
        self.report.damaged(line.number, what);
        self.previous = Previous::Unknown;
    }

    fn link(&mut self, number: u64, link: Link) {
        let good_before = self.report.damage.len();
        self.check_place(number, &link);
        self.check_time(number, &link);
        if !link.fits {
            self.report
                .damaged(number, "the hash does not fit the record");
        } else if self.report.damage.len() == good_before {
            self.report.records += 1;
        }
        let last_good = if link.fits {
            Some(link.hash.clone())
        } else {
            self.report.head.clone()
        };
        self.report.head.clone_from(&last_good);
        self.previous = Previous::Hashes(link.hash, last_good);
        self.pruned.extend(link.pruned_head.filter(|_| link.fits));
    }

    fn check_place(&mut self, number: u64, link: &Link) {
        match (&self.previous, &link.prev) {
            (Previous::Nothing, Some(prev)) => {
                self.before_all = Some((self.report.place.clone(), prev.clone()));
            }
            (Previous::Nothing, None) | (Previous::Unknown, _) => {}
            (Previous::Hashes(stated, good), Some(prev))
                if prev == stated || Some(prev) == good.as_ref() => {}
            (Previous::Hashes(..), _) => self.report.damaged(
                number,
                "it does not follow the record before it: lines or files are missing, doubled or moved",
            ),
        }
        if *self.chain_uid.get_or_insert_with(|| link.chain_uid.clone()) != link.chain_uid {
            self.report.damaged(number, "it belongs to another journal");
        }
    }

    /// A clock may be set back by right, so it is no damage; what was written then stays in the chain's order.
    fn check_time(&mut self, number: u64, link: &Link) {
        let back = self.last_time.saturating_sub(link.time);
        if back > CLOCK_BACK {
            let what = format!("the clock went back by {} s", back / 1000);
            push(&mut self.report.notes, &self.report.place, number, what);
        }
        self.last_time = link.time;
    }

    fn finish(mut self, extent: Option<&Extent>) -> JournalReport {
        if let Some((file, prev)) = &self.before_all
            && !self.pruned.contains(prev)
        {
            let what = "what came before it is missing, and no log.prune names it".to_owned();
            let first = JournalDamage {
                file: file.clone(),
                line: 1,
                what,
            };
            self.report.damage.insert(0, first);
        }
        if extent.is_some_and(|extent| extent.head != self.report.head) {
            self.report.damaged(
                0,
                "the newest record is not the last one that this agent wrote",
            );
        }
        let Report {
            files,
            records,
            head,
            damage,
            notes,
            ..
        } = self.report;
        JournalReport {
            files,
            records,
            head,
            damage,
            notes,
        }
    }
}
