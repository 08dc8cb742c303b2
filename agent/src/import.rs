//! `jumpgate-agent --import`: the profiles of `~/.aws/config` as identities and profiles of ours. What cannot be taken
//! over is listed with its place and the reason. No value of the credentials file is looked at, only which keys
//! there are.
//!
//! | module | does |
//! |---|---|
//! | `found` | the profiles that are there, each with what it inherits |
//! | `chains` | where the credentials of each come from, through how many roles |
//! | `translate` | one profile or identity as lines of our configuration |
//! | `judged` | our own loader has the last word on every one of them |

mod arguments;
mod chains;
mod found;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;
mod judged;
mod translate;

use std::fmt;
use std::path::Path;

use jumpgate_api::ExitStatus;
use jumpgate_iam::Excerpt;
use jumpgate_iam::shared_file::{Changes, SharedFile};
use serde::Serialize;

use crate::aws_files::{self, FileError, Said};
use crate::config::ConfigErrors;
pub(crate) use arguments::Arguments;
use judged::Judged;

/// Why nothing is imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// The command line is not understood.
    #[error("{0}")]
    Usage(String),
    /// One of the files.
    #[error(transparent)]
    File(#[from] FileError),
    /// Our configuration is not valid as it is.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
}

/// Something that was not taken over, or not as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Remark {
    file: String,
    /// Counted from 1.
    line: usize,
    /// The profile, or the section's header.
    name: String,
    what: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, what) = (Excerpt::of(&self.name), &self.what);
        write!(f, "{}:{}: {name}: {what}", self.file, self.line)
    }
}

/// For `--json`. The keys are stable: new ones may come, none goes.
#[derive(Serialize)]
struct Document<'a> {
    config: String,
    written: bool,
    identities: &'a [String],
    profiles: &'a [String],
    /// Not taken over.
    skipped: &'a [Remark],
    /// Taken over in part.
    notes: &'a [Remark],
    toml: &'a str,
}

/// Reads the shared files and says what they become; written behind our configuration if asked to. `ours` is its
/// path.
pub(crate) fn run(arguments: &Arguments, ours: &Path) -> Result<Said, ImportError> {
    let path = &arguments.config_file;
    let text = aws_files::read(path)?;
    let keys = match &arguments.credentials_file {
        Some(path) => aws_files::read(path)?,
        None => Default::default(),
    };
    let config = aws_files::parse(path, &text)?;
    let credentials = match &arguments.credentials_file {
        Some(path) => Some((path.as_path(), aws_files::parse(path, &keys)?)),
        None => None,
    };
    let credentials = credentials.as_ref().map(|(path, file)| (*path, file));
    let mut found = found::find((path, &config), credentials, arguments.aws_vault);
    let before = aws_files::read(ours)?;
    let known = judged::Known::read(&before, ours)?;
    let blocks = chains::blocks(&mut found, arguments, &known);
    let judged = judged::judge(blocks, &before, ours, &mut found.remarks);
    let skipped = &mut found.remarks.skipped;
    skipped.sort();
    let is_taken = |note: &Remark| {
        !skipped
            .iter()
            .any(|other| (&other.file, other.line) == (&note.file, note.line))
    };
    found.remarks.notes.retain(is_taken);
    found.remarks.notes.sort();
    let written = arguments.write && !judged.toml.is_empty();
    if written {
        aws_files::replace(ours, &before, &judged.whole)?;
    }
    Ok(said(
        arguments,
        &found.remarks,
        &judged,
        (ours, &before),
        written,
    ))
}

fn said(
    arguments: &Arguments,
    remarks: &found::Remarks,
    judged: &Judged,
    (ours, before): (&Path, &str),
    written: bool,
) -> Said {
    let config = ours.display().to_string();
    let text = match arguments.json {
        true => json(&Document {
            config,
            written,
            identities: &judged.identities,
            profiles: &judged.profiles,
            skipped: &remarks.skipped,
            notes: &remarks.notes,
            toml: &judged.toml,
        }),
        false => for_people(judged, &config, before, written),
    };
    let nothing = judged.toml.is_empty() && remarks.kept == 0;
    let status = match nothing && !remarks.skipped.is_empty() {
        true => ExitStatus::Failed,
        false => ExitStatus::Success,
    };
    Said {
        text,
        notes: notes(remarks),
        hint: "docs/moving-in.md says what helps",
        status,
    }
}

fn notes(remarks: &found::Remarks) -> Vec<String> {
    let mut notes = Vec::new();
    if !remarks.skipped.is_empty() {
        notes.push(format!("not imported: {}", remarks.skipped.len()));
        notes.extend(remarks.skipped.iter().map(ToString::to_string));
    }
    if !remarks.notes.is_empty() {
        notes.push(format!("imported in part: {}", remarks.notes.len()));
        notes.extend(remarks.notes.iter().map(ToString::to_string));
    }
    notes
}

fn json(document: &Document<'_>) -> String {
    serde_json::to_string_pretty(document).expect("plain values become JSON") + "\n"
}

/// The whole text where there is none yet, else what is added as a diff; both say in the end whether it was written.
fn for_people(judged: &Judged, config: &str, before: &str, written: bool) -> String {
    let end = match (judged.toml.is_empty(), written) {
        (true, _) => return format!("# {config}: nothing to add\n"),
        (false, true) => format!("# {config}: written\n"),
        (false, false) => format!("# {config}: not written; --write writes it\n"),
    };
    match before.is_empty() {
        true => format!("{}{end}", judged.whole),
        false => format!("{}{end}", added(before, &judged.toml, config)),
    }
}

/// A diff of lines that come behind all others.
fn added(before: &str, toml: &str, config: &str) -> String {
    let file = SharedFile::unread(before);
    let mut changes = Changes::new(&file);
    changes.append_lines(toml);
    changes.diff(config)
}

#[cfg(test)]
mod tests;
