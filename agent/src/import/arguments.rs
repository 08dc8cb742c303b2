//! What follows `--import` on the agent's command line. The client writes it, so it has no short forms.

use std::path::PathBuf;

use jumpgate_iam::AccountId;

use super::ImportError;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) write: bool,
    /// For programs.
    pub(crate) json: bool,
    /// Read the file as aws-vault does.
    pub(crate) aws_vault: bool,
    /// The account of identities whose account the file does not tell.
    pub(crate) account: Option<AccountId>,
    pub(crate) config_file: PathBuf,
    pub(crate) credentials_file: Option<PathBuf>,
}

impl Arguments {
    /// Reads them.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, ImportError> {
        let usage = |what: &str| ImportError::Usage(what.to_owned());
        let (mut write, mut json, mut aws_vault) = (false, false, false);
        let (mut account, mut config_file, mut credentials_file) = (None, None, None);
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            match word {
                "--write" => write = true,
                "--json" => json = true,
                "--aws-vault" => aws_vault = true,
                _ => {
                    let value = words
                        .next()
                        .ok_or_else(|| usage("an option lacks its value"))?;
                    match word {
                        "--account" => {
                            let id = AccountId::parse(value);
                            let id = id.map_err(|_| usage("--account needs 12 digits"))?;
                            account = Some(id);
                        }
                        "--config-file" => config_file = Some(PathBuf::from(value)),
                        "--credentials-file" => credentials_file = Some(PathBuf::from(value)),
                        _ => return Err(usage("an option is not understood")),
                    }
                }
            }
        }
        Ok(Self {
            write,
            json,
            aws_vault,
            account,
            config_file: config_file.ok_or_else(|| usage("--config-file is missing"))?,
            credentials_file,
        })
    }
}
