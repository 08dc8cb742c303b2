//! Changes to a shared file: each is a few lines for a few lines, everything else stays byte for byte. Shown as a
//! unified diff without secrets.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use super::{Entry, Section, SharedFile, is_nothing};

/// How many lines around a change a diff shows.
const CONTEXT: usize = 3;

/// Words in the name of a setting whose value no diff shows.
const SECRETS: [&str; 4] = ["secret", "session_token", "security_token", "password"];

/// A file and what is to become of it.
#[derive(Debug)]
pub struct Changes<'f, 'a> {
    file: &'f SharedFile<'a>,
    edits: Vec<Edit>,
}

#[derive(Debug)]
struct Edit {
    /// The lines that go.
    at: Range<usize>,
    /// The lines that come, with their ends.
    lines: Vec<String>,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
    Comes,
}

impl Fate {
    fn mark(self) -> char {
        match self {
            Self::Stays => ' ',
            Self::Goes => '-',
            Self::Comes => '+',
        }
    }
}

type Fated<'t> = (Fate, Cow<'t, str>);

impl<'f, 'a> Changes<'f, 'a> {
    /// No change yet.
    #[must_use]
    pub fn new(file: &'f SharedFile<'a>) -> Self {
        Self {
            file,
            edits: Vec::new(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Gives settings of a section these values; those that are missing come behind the last one there.
    pub fn set(&mut self, section: &Section<'a>, settings: &[(&str, &str)]) {
        let last = section.entries.last();
        let end = last.map_or(section.at + 1, |entry| entry.lines.end);
        let indent = self.indent_behind(end);
        let mut missing = Vec::new();
        for &(key, value) in settings {
            match section.entry(key) {
                None => missing.push(format!("{indent}{}", self.line(key, value))),
                Some(entry) if entry.value() == value && entry.lines.len() == 1 => {}
                Some(entry) => {
                    let line = self.line(entry.key(), value);
                    self.replace(entry, line);
                }
            }
        }
        self.edit(end..end, missing);
    }

    /// How far the next header is indented: behind a setting that stands further out, it would belong to that.
    fn indent_behind(&self, end: usize) -> &'a str {
        let behind = self.file.lines[end..].iter();
        let next = behind.copied().find(|line| !is_nothing(line.trim()));
        next.map_or("", |line| &line[..line.len() - line.trim_start().len()])
    }

    /// The line ends as the last that goes, or has no end as that.
    fn replace(&mut self, entry: &Entry<'a>, line: String) {
        let first = self.file.lines[entry.lines.start];
        let below = &self.file.lines[entry.lines.start + 1..entry.lines.end];
        let last = match below.last() {
            Some(last) if !below.iter().any(|line| is_nothing(line.trim())) => last,
            Some(_) | None => first,
        };
        let indent = &first[..first.len() - first.trim_start().len()];
        let end = &last[last.trim_end_matches(['\r', '\n']).len()..];
        let line = format!("{indent}{}{end}", line.trim_end());
        self.edit(entry.lines.start..entry.lines.start + 1, vec![line]);
        self.remove_below(entry);
    }

    /// Takes a setting out.
    pub fn remove(&mut self, entry: &Entry<'a>) {
        self.edit(entry.lines.start..entry.lines.start + 1, Vec::new());
        self.remove_below(entry);
    }

    /// The indented lines that belong to a setting; comments and empty lines among them are nobody's and stay.
    fn remove_below(&mut self, entry: &Entry<'a>) {
        for at in entry.lines.start + 1..entry.lines.end {
            if !is_nothing(self.file.lines[at].trim()) {
                self.edit(at..at + 1, Vec::new());
            }
        }
    }

    /// Puts a section behind everything else.
    pub fn append(&mut self, header: &str, settings: &[(&str, &str)]) {
        let end = self.line_end();
        let lines = &self.file.lines;
        let blank = |line: &&str| line.trim().is_empty();
        let apart = !self.edits.is_empty() && self.appends() || !lines.last().is_none_or(blank);
        let mut added: Vec<String> = apart.then(|| end.to_owned()).into_iter().collect();
        added.push(format!("[{header}]{end}"));
        added.extend(settings.iter().map(|(key, value)| self.line(key, value)));
        self.edit(lines.len()..lines.len(), added);
    }

    /// Puts lines behind everything else.
    pub fn append_lines(&mut self, text: &str) {
        let end = self.file.lines.len();
        let lines = text.split_inclusive('\n').map(str::to_owned).collect();
        self.edit(end..end, lines);
    }

    /// Whether something comes behind the last line already.
    fn appends(&self) -> bool {
        let end = self.file.lines.len();
        self.edits.iter().any(|edit| edit.at.start == end)
    }

    fn edit(&mut self, at: Range<usize>, lines: Vec<String>) {
        if !at.is_empty() || !lines.is_empty() {
            self.edits.push(Edit { at, lines });
        }
    }

    fn line(&self, key: &str, value: &str) -> String {
        format!("{key} = {value}{}", self.line_end())
    }

    /// How the file ends its lines.
    fn line_end(&self) -> &'static str {
        match self.file.lines.first() {
            Some(line) if line.ends_with("\r\n") => "\r\n",
            _ => "\n",
        }
    }

    /// The lines of both texts. A line without an end that something follows gets one.
    fn fates(&self) -> Vec<Fated<'_>> {
        let mut edits: Vec<&Edit> = self.edits.iter().collect();
        edits.sort_by_key(|edit| edit.at.start);
        let mut fates: Vec<Fated<'_>> = Vec::new();
        let mut next = 0;
        for edit in edits {
            let stays = self.file.lines[next..edit.at.start].iter();
            fates.extend(stays.map(|line| (Fate::Stays, Cow::Borrowed(*line))));
            let goes = self.file.lines[edit.at.clone()].iter();
            fates.extend(goes.map(|line| (Fate::Goes, Cow::Borrowed(*line))));
            if !edit.lines.is_empty() {
                self.end_last(&mut fates);
            }
            fates.extend(edit.lines.iter().map(|line| (Fate::Comes, line.into())));
            next = edit.at.end;
        }
        let stays = self.file.lines[next..].iter();
        fates.extend(stays.map(|line| (Fate::Stays, Cow::Borrowed(*line))));
        fates
    }

    fn end_last<'t>(&self, fates: &mut Vec<Fated<'t>>) {
        let present = fates.iter().rposition(|(fate, _)| *fate != Fate::Goes);
        let Some(at) = present.filter(|&at| !fates[at].1.ends_with('\n')) else {
            return;
        };
        let line = &fates[at].1;
        // Half of an end is completed: two carriage returns would be one within the line.
        let end = if line.ends_with('\r') {
            "\n"
        } else {
            self.line_end()
        };
        let ended = Cow::Owned(format!("{line}{end}"));
        match fates[at].0 {
            Fate::Stays => {
                fates[at].0 = Fate::Goes;
                fates.push((Fate::Comes, ended));
            }
            _ => fates[at].1 = ended,
        }
    }

    /// The file as it becomes.
    #[must_use]
    pub fn text(&self) -> String {
        let fates = self.fates();
        let present = fates.iter().filter(|(fate, _)| *fate != Fate::Goes);
        present.map(|(_, line)| line.as_ref()).collect()
    }

    /// A unified diff, the values of secrets left out; empty without a change.
    #[must_use]
    pub fn diff(&self, name: &str) -> String {
        let fates = self.fates();
        let hunks = hunks(&fates);
        if hunks.is_empty() {
            return String::new();
        }
        let before = match self.file.lines.is_empty() {
            true => "/dev/null",
            false => name,
        };
        let mut text = format!("--- {before}\n+++ {name}\n");
        let hidden = hidden(&fates);
        for hunk in hunks {
            write_hunk(&mut text, &fates, &hidden, hunk);
        }
        text
    }
}

/// Ranges of lines with a change and [`CONTEXT`] around it; those that meet are one.
fn hunks(fates: &[Fated<'_>]) -> Vec<Range<usize>> {
    let mut hunks: Vec<Range<usize>> = Vec::new();
    let changed = fates.iter().enumerate();
    for (at, _) in changed.filter(|(_, (fate, _))| *fate != Fate::Stays) {
        let (start, end) = (at.saturating_sub(CONTEXT), at + CONTEXT + 1);
        let end = end.min(fates.len());
        match hunks.last_mut() {
            Some(last) if start <= last.end => last.end = end,
            _ => hunks.push(start..end),
        }
    }
    hunks
}

/// Which lines hold a secret: a setting of such a name, commented out or not, and what is indented below it.
fn hidden(fates: &[Fated<'_>]) -> Vec<bool> {
    let mut above = false;
    let is_hidden = |(_, line): &Fated<'_>| {
        let continues = above && (line.trim().is_empty() || line.starts_with([' ', '\t']));
        let key = line.split(['=', ':']).next().unwrap_or_default();
        let key = key.to_lowercase();
        above = continues || SECRETS.iter().any(|word| key.contains(word));
        above
    };
    fates.iter().map(is_hidden).collect()
}

fn write_hunk(text: &mut String, fates: &[Fated<'_>], hidden: &[bool], hunk: Range<usize>) {
    let count = |range: Range<usize>, other: Fate| {
        let counted = fates[range].iter();
        counted.filter(|(fate, _)| *fate != other).count()
    };
    let side = |other: Fate| {
        let (above, within) = (count(0..hunk.start, other), count(hunk.clone(), other));
        let first = above + usize::from(within > 0);
        format!("{first},{within}")
    };
    let (before, after) = (side(Fate::Comes), side(Fate::Goes));
    let _never_fails = writeln!(text, "@@ -{before} +{after} @@");
    for at in hunk {
        let (fate, line) = &fates[at];
        let content = line.trim_end_matches('\n');
        text.push(fate.mark());
        text.push_str(&shown(content, hidden[at]));
        text.push('\n');
        if content.len() == line.len() {
            text.push_str("\\ No newline at end of file\n");
        }
    }
}

/// A line as a terminal may show it.
fn shown(content: &str, hidden: bool) -> String {
    let visible = match (hidden, content.find(['=', ':'])) {
        (true, Some(delimiter)) => &content[..=delimiter],
        (true, None) => "",
        (false, _) => content,
    };
    let mut shown = String::with_capacity(visible.len());
    for character in visible.chars() {
        match character {
            '\t' | '\r' => shown.push(character),
            other if other.is_control() => shown.extend(other.escape_default()),
            other => shown.push(other),
        }
    }
    if hidden {
        shown.push_str(" (not shown)");
    }
    shown
}
