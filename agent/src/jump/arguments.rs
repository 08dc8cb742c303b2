//! What follows `--jump` on the agent's command line. The client writes it, so it has no short forms.

use super::JumpError;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The identity whose profiles count.
    pub(crate) identity: String,
    /// A policy that exists.
    pub(crate) check: Option<String>,
    /// For programs.
    pub(crate) json: bool,
}

impl Arguments {
    /// Reads them: options, `--`, the identity.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, JumpError> {
        let usage = |what: &str| JumpError::Usage(what.to_owned());
        let (mut check, mut json) = (None, false);
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            match word {
                "--" => break,
                "--json" => json = true,
                "--check" => {
                    let file = words.next().ok_or_else(|| usage("--check needs a file"))?;
                    check = Some(file.to_owned());
                }
                _ => return Err(usage("an option is not understood")),
            }
        }
        let identity = words.next().ok_or_else(|| usage("no identity is named"))?;
        if words.next().is_some() {
            return Err(usage("one identity is expected"));
        }
        Ok(Self {
            identity: identity.to_owned(),
            check,
            json,
        })
    }
}
