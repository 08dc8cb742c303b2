//! What follows `--configure` on the agent's command line. The client writes it, so it has no short forms.

use std::path::PathBuf;

use super::ConfigureError;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) write: bool,
    /// Take out what comes before us.
    pub(crate) replace: bool,
    /// For programs.
    pub(crate) json: bool,
    /// The client's path, as it is to be called.
    pub(crate) program: PathBuf,
    pub(crate) config_file: PathBuf,
    pub(crate) credentials_file: Option<PathBuf>,
    /// All of the configuration if empty.
    pub(crate) profiles: Vec<String>,
}

impl Arguments {
    /// Reads them: options, `--`, profiles.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, ConfigureError> {
        let usage = |what: &str| ConfigureError::Usage(what.to_owned());
        let (mut write, mut json, mut replace) = (false, false, false);
        let (mut program, mut config_file, mut credentials_file) = (None, None, None);
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            let place = match word {
                "--" => break,
                "--write" => {
                    write = true;
                    continue;
                }
                "--json" => {
                    json = true;
                    continue;
                }
                "--replace" => {
                    replace = true;
                    continue;
                }
                "--program" => &mut program,
                "--config-file" => &mut config_file,
                "--credentials-file" => &mut credentials_file,
                _ => return Err(usage("an option is not understood")),
            };
            let path = words
                .next()
                .ok_or_else(|| usage("an option lacks its path"))?;
            *place = Some(PathBuf::from(path));
        }
        Ok(Self {
            write,
            replace,
            json,
            program: program.ok_or_else(|| usage("--program is missing"))?,
            config_file: config_file.ok_or_else(|| usage("--config-file is missing"))?,
            credentials_file,
            profiles: words.map(str::to_owned).collect(),
        })
    }
}
