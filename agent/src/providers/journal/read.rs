//! Reading journal files line by line, whatever is in them and however long they are.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};

use super::MAX_RECORD;
use super::files::{FileName, list, open_to_read};

/// How far the journal is acknowledged: readers go no further, so that they never meet half a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extent {
    /// The newest file.
    pub(super) newest: FileName,
    /// How many of its bytes.
    pub(super) length: u64,
    /// The last record's hash.
    pub(super) head: Option<String>,
}

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As it should.
    Newline,
    /// With the file.
    Missing,
    /// It went on beyond [`MAX_RECORD`]; only its beginning was kept.
    TooLong,
}

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    /// Where it starts in the file, in bytes.
    pub(super) offset: u64,
    /// Without the newline.
    pub(super) bytes: Vec<u8>,
    /// How it ended.
    pub(super) end: End,
}

/// The lines of one file.
pub(super) struct Lines {
    reader: BufReader<Take<File>>,
    number: u64,
    offset: u64,
}

impl Lines {
    /// Of a file, up to the extent if there is one.
    pub(super) fn open(
        directory: &Path,
        name: FileName,
        extent: Option<&Extent>,
    ) -> io::Result<Self> {
        let file = open_to_read(&name.within(directory))?;
        let limit = extent
            .filter(|extent| extent.newest == name)
            .map_or(u64::MAX, |e| e.length);
        Ok(Self {
            reader: BufReader::new(file.take(limit)),
            number: 0,
            offset: 0,
        })
    }

    /// Goes on at a byte of the file, or at its end if it is shorter. Line numbers count from there.
    fn pass(&mut self, offset: u64) -> io::Result<()> {
        let file = self.reader.get_mut();
        let offset = offset
            .min(file.limit())
            .min(file.get_ref().metadata()?.len());
        file.get_mut().seek(SeekFrom::Start(offset))?;
        file.set_limit(file.limit() - offset);
        self.offset = offset;
        Ok(())
    }

    fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader)
            .take(MAX_RECORD as u64)
            .read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        let mut line = Line {
            number: self.number + 1,
            offset: self.offset,
            bytes,
            end: if read < MAX_RECORD {
                End::Missing
            } else {
                End::TooLong
            },
        };
        let mut length = read as u64;
        if line.bytes.last() == Some(&b'\n') {
            line.bytes.pop();
            line.end = End::Newline;
        } else if line.end == End::TooLong {
            let (rest, ended) = self.skip_line()?;
            length += rest;
            line.end = if ended { End::TooLong } else { End::Missing };
        }
        self.number += 1;
        self.offset += length;
        Ok(Some(line))
    }

    /// Passes over the rest of a line; returns its length and whether there was a newline.
    fn skip_line(&mut self) -> io::Result<(u64, bool)> {
        let mut skipped = 0;
        loop {
            let buffer = self.reader.fill_buf()?;
            let newline = buffer.iter().position(|&byte| byte == b'\n');
            let length = newline.map_or(buffer.len(), |at| at + 1);
            self.reader.consume(length);
            skipped += length as u64;
            if newline.is_some() || length == 0 {
                return Ok((skipped, newline.is_some()));
            }
        }
    }
}

impl Iterator for Lines {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_line().transpose()
    }
}

/// The files up to the extent, oldest first.
pub(super) fn files(directory: &Path, extent: Option<&Extent>) -> io::Result<Vec<FileName>> {
    let mut names = list(directory)?;
    names.retain(|name| extent.is_none_or(|extent| *name <= extent.newest));
    Ok(names)
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// With the oldest record.
    Oldest,
    /// So many records before the end.
    Last(usize),
    /// Behind what was read before: in that file, from that byte on.
    Behind(FileName, u64),
}

/// Raw lines, oldest first; holds one line at a time.
pub(super) struct RawLines {
    directory: PathBuf,
    files: std::vec::IntoIter<FileName>,
    extent: Option<Extent>,
    lines: Option<Lines>,
    skip: u64,
    behind: Option<(FileName, u64)>,
}

/// Reads from `begin` to the extent, or to the end.
pub(super) fn raw_lines(
    directory: &Path,
    begin: Begin,
    extent: Option<Extent>,
) -> io::Result<RawLines> {
    let mut names = files(directory, extent.as_ref())?;
    let (mut skip, mut behind) = (0, None);
    match begin {
        Begin::Oldest => {}
        Begin::Last(wanted) => skip = drop_older(directory, &mut names, wanted, extent.as_ref())?,
        Begin::Behind(name, offset) => {
            names.retain(|other| *other >= name);
            behind = Some((name, offset));
        }
    }
    let (directory, files) = (directory.to_owned(), names.into_iter());
    Ok(RawLines {
        directory,
        files,
        extent,
        lines: None,
        skip,
        behind,
    })
}

/// Drops the files that the last `wanted` lines do not reach into; returns how many lines of the rest to skip.
fn drop_older(
    directory: &Path,
    names: &mut Vec<FileName>,
    wanted: usize,
    extent: Option<&Extent>,
) -> io::Result<u64> {
    let (wanted, mut found, mut from) = (wanted as u64, 0, names.len());
    while found < wanted && from > 0 {
        from -= 1;
        found += count(directory, names[from], extent)?;
    }
    names.drain(..from);
    Ok(found.saturating_sub(wanted))
}

/// How many lines a file has; none when it was pruned meanwhile.
fn count(directory: &Path, name: FileName, extent: Option<&Extent>) -> io::Result<u64> {
    match Lines::open(directory, name, extent) {
        Ok(lines) => lines.map(|line| line.map(|_| 1)).sum(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

impl RawLines {
    fn open(&self, name: FileName) -> io::Result<Lines> {
        let mut lines = Lines::open(&self.directory, name, self.extent.as_ref())?;
        if let Some((_, offset)) = self.behind.filter(|(file, _)| *file == name) {
            lines.pass(offset)?;
        }
        Ok(lines)
    }

    fn next_line(&mut self) -> io::Result<Option<String>> {
        loop {
            let Some(lines) = &mut self.lines else {
                let Some(name) = self.files.next() else {
                    return Ok(None);
                };
                match self.open(name) {
                    Ok(lines) => self.lines = Some(lines),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
                continue;
            };
            match lines.next().transpose()? {
                None => self.lines = None,
                Some(_) if self.skip > 0 => self.skip -= 1,
                Some(line) => return Ok(Some(String::from_utf8_lossy(&line.bytes).into_owned())),
            }
        }
    }
}

impl Iterator for RawLines {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_line().transpose()
    }
}
