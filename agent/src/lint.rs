//! `jumpgate-agent --lint`: policy files held against the rules of `jumpgate_iam::lint`, shown as text for people, as
//! JSON or as SARIF. The client runs it, as it runs `--check`.

mod arguments;
mod json;
mod needs;
mod sarif;
mod text;

use std::fs::File;
use std::io::{self, Read};

use jumpgate_api::ExitStatus;
use jumpgate_iam::json::MAX_JSON_BYTES;
use jumpgate_iam::lint::{self, Finding, JumpNeed, Kind, Linted, Options, Severity};

use crate::config::ConfigErrors;
use crate::config::report::printable;
pub(crate) use arguments::{Arguments, Format};
pub(crate) use needs::{NoSuchIdentity, needs};

/// Most files of one run.
pub(crate) const MAX_FILES: usize = 1_000;

/// What standard input is called among files.
const STANDARD_INPUT: &str = "-";

/// Why nothing could be held against the rules.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LintError {
    /// The command line is not understood.
    #[error("{0}")]
    Usage(String),
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The configuration has no such identity.
    #[error(transparent)]
    Identity(#[from] NoSuchIdentity),
}

/// A file and what was found in it.
#[derive(Debug)]
pub(crate) struct Judged {
    /// As it was named.
    name: String,
    outcome: Result<Linted, String>,
}

/// What there is to say, and the exit status.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// For standard output.
    pub(crate) text: String,
    /// Files that could not be read, and why: for standard error.
    pub(crate) unread: Vec<String>,
    /// Success with warnings and notes only; failed for errors; usage for a file that cannot be read.
    pub(crate) status: ExitStatus,
}

/// Reads the files and holds each against the rules. `needs` are the roles that a jump policy must open.
pub(crate) fn run(arguments: &Arguments, needs: Option<&[JumpNeed]>) -> Verdict {
    let texts = arguments.files.iter().map(|name| (name, read(name)));
    judged(arguments, needs, texts)
}

/// Holds texts that were read already, or could not be, against the rules.
pub(crate) fn judged<'a>(
    arguments: &Arguments,
    needs: Option<&[JumpNeed]>,
    texts: impl Iterator<Item = (&'a String, io::Result<String>)>,
) -> Verdict {
    let options = Options {
        kind: arguments.kind.or(needs.map(|_| Kind::Jump)),
        class: arguments.class,
        needs,
    };
    let judge = |(name, text): (&String, io::Result<String>)| Judged {
        name: name.clone(),
        outcome: text
            .map(|text| lint::lint(&text, &options))
            .map_err(|error| error.to_string()),
    };
    verdict(arguments.format, &texts.map(judge).collect::<Vec<_>>())
}

fn verdict(format: Format, judged: &[Judged]) -> Verdict {
    let has_errors = |judged: &Judged| {
        let linted = judged.outcome.as_ref();
        linted.is_ok_and(|linted| linted.has(Severity::Error))
    };
    let unread: Vec<String> = judged
        .iter()
        .filter_map(|judged| Some((judged, judged.outcome.as_ref().err()?)))
        .map(|(judged, why)| {
            let name = printable(&judged.name);
            format!("{name}: cannot be read: {why}")
        })
        .collect();
    let status = match (unread.is_empty(), judged.iter().any(has_errors)) {
        (false, _) => ExitStatus::Usage,
        (true, true) => ExitStatus::Failed,
        (true, false) => ExitStatus::Success,
    };
    let text = match format {
        Format::Text => text::render(judged),
        Format::Json => json::render(judged),
        Format::Sarif => sarif::render(judged),
    };
    Verdict {
        text,
        unread,
        status,
    }
}

/// At most [`MAX_JSON_BYTES`] of UTF-8.
pub(crate) fn read(name: &str) -> io::Result<String> {
    match name {
        STANDARD_INPUT => read_from(io::stdin().lock()),
        path => read_from(File::open(path)?),
    }
}

fn read_from(source: impl Read) -> io::Result<String> {
    let refused = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_JSON_BYTES).unwrap_or(u64::MAX) + 1;
    source.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_JSON_BYTES {
        return Err(refused(format!("it has more than {MAX_JSON_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to() + 1;
        refused(format!("it is not UTF-8 from byte {at} on"))
    })
}

/// How many findings of each severity there are.
#[derive(Debug, Default, serde::Serialize)]
struct Sums {
    files: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
}

impl Sums {
    fn of(judged: &[Judged]) -> Self {
        let mut sums = Self {
            files: judged.len(),
            ..Self::default()
        };
        for (_, finding) in findings(judged) {
            match finding.rule.severity() {
                Severity::Error => sums.errors += 1,
                Severity::Warning => sums.warnings += 1,
                Severity::Note => sums.notes += 1,
            }
        }
        sums
    }
}

/// All findings, each with its file.
fn findings(judged: &[Judged]) -> impl Iterator<Item = (&Judged, &Finding)> {
    judged.iter().flat_map(|judged| {
        let found = judged.outcome.as_ref().map(|linted| &linted.findings);
        found
            .into_iter()
            .flatten()
            .map(move |finding| (judged, finding))
    })
}

#[cfg(test)]
mod tests;
