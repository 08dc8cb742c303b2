//! What follows `--lint` on the agent's command line. The client writes it, so it has no short forms.

use jumpgate_iam::lint::{Class, Kind};

use super::{LintError, MAX_FILES};

/// How findings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For whatever shows findings of checkers: SARIF 2.1.0.
    Sarif,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) format: Format,
    /// What the files are; guessed for each if absent.
    pub(crate) kind: Option<Kind>,
    pub(crate) class: Option<Class>,
    /// The identity whose profiles a jump policy must open.
    pub(crate) identity: Option<String>,
    /// One to [`MAX_FILES`].
    pub(crate) files: Vec<String>,
}

impl Arguments {
    /// Reads them: options with their values, `--`, files.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, LintError> {
        let mut parsed = Self {
            format: Format::Text,
            kind: None,
            class: None,
            identity: None,
            files: Vec::new(),
        };
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            let value = words.next();
            parsed.option(word, value)?;
        }
        parsed.files = words.map(str::to_owned).collect();
        match parsed.files.len() {
            0 => Err(usage("no file is named")),
            count if count > MAX_FILES => Err(usage(&format!(
                "at most {MAX_FILES} files are taken at once, there are {count}"
            ))),
            _ => Ok(parsed),
        }
    }

    fn option(&mut self, name: &str, value: Option<&str>) -> Result<(), LintError> {
        let wrong = || usage(&format!("{name} is not understood"));
        let value = value.ok_or_else(wrong)?;
        match name {
            "--format" => {
                self.format = match value {
                    "text" => Format::Text,
                    "json" => Format::Json,
                    "sarif" => Format::Sarif,
                    _ => return Err(wrong()),
                }
            }
            "--kind" => self.kind = Some(Kind::of_name(value).ok_or_else(wrong)?),
            "--class" => self.class = Some(Class::of_name(value).ok_or_else(wrong)?),
            "--identity" => self.identity = Some(value.to_owned()),
            _ => return Err(wrong()),
        }
        Ok(())
    }
}

fn usage(what: &str) -> LintError {
    LintError::Usage(what.to_owned())
}
