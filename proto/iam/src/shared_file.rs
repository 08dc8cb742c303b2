//! `~/.aws/config` and `~/.aws/credentials`, line by line: what stands where, and how to change one setting without
//! touching another byte.
//!
//! Lines are read as botocore reads them (`configparser` of Python), since of all readers it refuses the most; a
//! comment behind a value, which it takes for a part of the value, is left out as the other SDKs leave it out.

mod changes;

use std::ops::Range;

pub use changes::Changes;

/// Most bytes of a shared file that is read.
pub const MAX_SHARED_FILE_BYTES: usize = 1024 * 1024;

/// Which of the two files it is: their sections have different names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `[default]`, `[profile NAME]`, and sections of other kinds.
    Config,
    /// `[NAME]`.
    Credentials,
}

/// A line that the AWS CLI cannot read either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {what}")]
pub struct Unreadable {
    /// Counted from 1.
    pub line: usize,
    /// What it is not.
    pub what: &'static str,
}

/// A file, taken apart.
#[derive(Debug, Clone)]
pub struct SharedFile<'a> {
    /// With their ends.
    lines: Vec<&'a str>,
    sections: Vec<Section<'a>>,
}

/// A header and the settings below it.
#[derive(Debug, Clone)]
pub struct Section<'a> {
    header: &'a str,
    /// Counted from 0.
    at: usize,
    entries: Vec<Entry<'a>>,
}

/// A setting.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    key: &'a str,
    value: &'a str,
    /// With the indented lines that belong to it.
    lines: Range<usize>,
}

impl<'a> SharedFile<'a> {
    /// Takes a text apart.
    ///
    /// # Errors
    /// A line that is neither a section, a setting nor a comment, or a setting above all sections.
    pub fn parse(text: &'a str) -> Result<Self, Unreadable> {
        let mut reader = Reader::default();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for (at, line) in lines.iter().enumerate() {
            let content = line.trim_end_matches('\n');
            let content = content.strip_suffix('\r').unwrap_or(content);
            let read = reader.line(at, content);
            read.map_err(|what| Unreadable { line: at + 1, what })?;
        }
        let sections = reader.sections;
        Ok(Self { lines, sections })
    }

    /// The lines of a text without sections: of another file that is changed and shown the same way.
    #[must_use]
    pub fn unread(text: &'a str) -> Self {
        let lines = text.split_inclusive('\n').collect();
        let sections = Vec::new();
        Self { lines, sections }
    }

    /// All sections, in the order of the file.
    #[must_use]
    pub fn sections(&self) -> &[Section<'a>] {
        &self.sections
    }

    /// The sections of a profile: more than one in a file that the AWS CLI refuses.
    pub fn profile<'f>(
        &'f self,
        kind: Kind,
        name: &'f str,
    ) -> impl Iterator<Item = &'f Section<'a>> {
        let named = move |section: &&Section<'a>| section.profile(kind) == Some(name);
        self.sections.iter().filter(named)
    }
}

impl<'a> Section<'a> {
    /// What stands between the brackets.
    #[must_use]
    pub fn header(&self) -> &'a str {
        self.header
    }

    /// The line of the header, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.at + 1
    }

    /// The settings in the order of the file.
    #[must_use]
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// The first setting of this name; names are compared without regard to case.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| entry.is(key))
    }

    /// Its value, if it is not empty.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&'a str> {
        self.entry(key)
            .map(|entry| entry.value)
            .filter(|value| !value.is_empty())
    }

    /// The first setting that stands here for the second time.
    #[must_use]
    pub fn repeated(&self) -> Option<&Entry<'a>> {
        let mut known = Vec::with_capacity(self.entries.len());
        self.entries.iter().find(|entry| {
            let key = entry.key.to_lowercase();
            let again = known.contains(&key);
            known.push(key);
            again
        })
    }

    /// The name of the profile that this section is of.
    #[must_use]
    pub fn profile(&self, kind: Kind) -> Option<&'a str> {
        match kind {
            Kind::Credentials => Some(self.header),
            Kind::Config if self.header == "default" => Some("default"),
            Kind::Config => {
                let rest = self.header.strip_prefix("profile")?;
                rest.starts_with(char::is_whitespace)
                    .then(|| unquoted(rest.trim()))?
            }
        }
    }
}

/// A name with or without quotes around it. The AWS CLI splits it as a shell does, and takes one word.
fn unquoted(name: &str) -> Option<&str> {
    let quotes = ['"', '\''];
    let inner = quotes.iter().find_map(|&quote| {
        let inner = name.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(quote)).then_some(inner)
    });
    let plain = |name: &&str| !name.contains(char::is_whitespace) && !name.contains(quotes);
    inner
        .or(Some(name).filter(plain))
        .filter(|name| !name.is_empty())
}

impl<'a> Entry<'a> {
    /// The name as it is written.
    #[must_use]
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// The value on the name's own line, without a comment behind it.
    #[must_use]
    pub fn value(&self) -> &'a str {
        self.value
    }

    /// Its line, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.lines.start + 1
    }

    /// Whether this is its name.
    #[must_use]
    pub fn is(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }
}

#[derive(Default)]
struct Reader<'a> {
    sections: Vec<Section<'a>>,
    /// How far the last header or setting is indented: what stands further in belongs to the setting.
    indent: usize,
}

impl<'a> Reader<'a> {
    fn line(&mut self, at: usize, content: &'a str) -> Result<(), &'static str> {
        if content.contains('\r') {
            return Err("has a carriage return within");
        }
        let trimmed = content.trim();
        if is_nothing(trimmed) {
            return Ok(());
        }
        let indent = content.len() - content.trim_start().len();
        let section = self.sections.last_mut();
        let setting = section.and_then(|section| section.entries.last_mut());
        if let Some(entry) = setting
            && indent > self.indent
        {
            entry.lines.end = at + 1;
            return Ok(());
        }
        self.indent = indent;
        if let Some(rest) = trimmed.strip_prefix('[') {
            let header = header(rest).ok_or("begins like a section and is none")?;
            self.sections.push(Section {
                header,
                at,
                entries: Vec::new(),
            });
            return Ok(());
        }
        let delimiter = trimmed.find(['=', ':']);
        let delimiter = delimiter.ok_or("is neither a section, a setting nor a comment")?;
        let key = trimmed[..delimiter].trim_end();
        if key.is_empty() {
            return Err("has a value without a name");
        }
        let section = self.sections.last_mut();
        section
            .ok_or("has a setting above all sections")?
            .entries
            .push(Entry {
                key,
                value: without_comment(&trimmed[delimiter + 1..]).trim(),
                lines: at..at + 1,
            });
        Ok(())
    }
}

/// A comment, or an empty line: without the white space around it.
fn is_nothing(trimmed: &str) -> bool {
    trimmed.is_empty() || trimmed.starts_with(['#', ';'])
}

/// What stands before the bracket that closes; behind it only a comment may.
fn header(rest: &str) -> Option<&str> {
    let (header, behind) = rest.split_once(']')?;
    let (header, behind) = (header.trim(), behind.trim_start());
    let closed = behind.is_empty() || behind.starts_with(['#', ';']);
    (closed && !header.is_empty()).then_some(header)
}

/// A comment begins with `#` or `;` behind white space.
fn without_comment(value: &str) -> &str {
    let mut before = None;
    let begins = |(_, character): &(usize, char)| {
        let behind_space = before.replace(*character).is_some_and(char::is_whitespace);
        behind_space && ['#', ';'].contains(character)
    };
    let comment = value.char_indices().find(begins);
    comment.map_or(value, |(at, _)| &value[..at])
}

#[cfg(test)]
mod tests;
