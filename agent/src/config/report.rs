//! What is wrong with a configuration, for the person who wrote it.

use std::fmt;
use std::path::PathBuf;

pub use jumpgate_iam::json::Position;

/// Most reports of one load. A file with more is broken in some other way than by mistakes.
pub const MAX_REPORTS: usize = 100;

/// One mistake, or one doubt: `FILE:LINE:COLUMN: KEY: message (expected …; did you mean "…"?)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The file.
    pub path: PathBuf,
    /// The place in it; absent when the file as a whole is meant.
    pub position: Option<Position>,
    /// The dotted key as it is written, such as `profile.dev.duration`; empty where there is none.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What would be right, if the message does not say so itself.
    pub expected: Option<String>,
    /// The known name that was probably meant.
    pub nearest: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", printable(&self.path.display().to_string()))?;
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        if !self.key.is_empty() {
            write!(f, " {}:", printable(&self.key))?;
        }
        write!(f, " {}", printable(&self.message))?;
        let expected = self
            .expected
            .as_ref()
            .map(|what| format!("expected {what}"));
        let nearest = self
            .nearest
            .as_ref()
            .map(|name| format!("did you mean \"{name}\"?"));
        let remedies: Vec<String> = expected.into_iter().chain(nearest).collect();
        if remedies.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", printable(&remedies.join("; ")))
    }
}

/// The text without characters that could play tricks on a terminal; line feeds are our own.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '"' | '\'' | '\\' => safe.push(character),
            other => safe.extend(other.escape_debug()),
        }
    }
    safe
}

/// Everything that is wrong with a configuration, in the order of the file. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<Report>);

impl ConfigErrors {
    /// The reports in the order of the file.
    #[must_use]
    pub fn reports(&self) -> &[Report] {
        &self.0
    }
}

/// One report a line.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, report) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{report}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            path: "/etc/c.toml".into(),
            position: Some(Position { line: 3, column: 7 }),
            key: "agent.idle_lok".into(),
            message: "no such key".into(),
            expected: None,
            nearest: None,
        }
    }

    #[test]
    fn reports_as_lines() {
        let bare = report();
        let expected = Report {
            expected: Some("a duration".into()),
            ..report()
        };
        let nearest = Report {
            nearest: Some("idle_lock".into()),
            ..report()
        };
        let both = Report {
            expected: Some("a duration".into()),
            ..nearest.clone()
        };
        let file = Report {
            position: None,
            key: String::new(),
            ..report()
        };
        let start = "/etc/c.toml:3:7: agent.idle_lok: no such key";
        for (report, line) in [
            (bare, start.to_owned()),
            (expected, format!("{start} (expected a duration)")),
            (nearest, format!("{start} (did you mean \"idle_lock\"?)")),
            (
                both,
                format!("{start} (expected a duration; did you mean \"idle_lock\"?)"),
            ),
            (file, "/etc/c.toml: no such key".to_owned()),
        ] {
            assert_eq!(report.to_string(), line);
        }
    }

    #[test]
    fn nothing_from_the_file_reaches_the_terminal_as_it_is() {
        let hostile = "\u{1b}[2J\u{202e}\r";
        let report = Report {
            path: hostile.into(),
            key: hostile.into(),
            message: hostile.into(),
            expected: Some(hostile.into()),
            nearest: Some(hostile.into()),
            ..report()
        };
        let line = report.to_string();
        assert!(!line.contains(['\u{1b}', '\u{202e}', '\r']), "{line}");
        assert_eq!(line.matches("\\u{1b}").count(), 5);
    }
}
