//! `jumpgate-agent --leftover`: the access key that still stands in a file of `~/.aws` after it was stored. Shown as a
//! diff without its values; taken out, behind a backup, on demand.

use std::path::PathBuf;

use jumpgate_api::ExitStatus;
use jumpgate_iam::Excerpt;
use jumpgate_iam::shared_file::{Changes, Kind, SharedFile};

use crate::aws_files::{self, FileError, KEY_SETTINGS, Said};

/// What to do when it fails.
pub(crate) const HINT: &str = "the key is stored; take it out of the file by hand";

/// Why the key was not taken out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeftoverError {
    /// The command line is not understood.
    #[error("{0}")]
    Usage(&'static str),
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file changed since the key was read.
    #[error("{}: the key that was stored does not stand in the section of {name}", .file.display())]
    NotThere {
        /// The file.
        file: PathBuf,
        /// The profile.
        name: Excerpt,
    },
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    write: bool,
    kind: Kind,
    file: PathBuf,
    profile: String,
    access_key_id: String,
}

impl Arguments {
    /// Reads them: `[--write] config|credentials FILE PROFILE KEYID`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, LeftoverError> {
        let (write, words) = match words {
            ["--write", words @ ..] => (true, words),
            words => (false, words),
        };
        let [kind, file, profile, access_key_id] = words else {
            return Err(LeftoverError::Usage("four words are expected"));
        };
        Ok(Self {
            write,
            kind: match *kind {
                "config" => Kind::Config,
                _ => Kind::Credentials,
            },
            file: PathBuf::from(file),
            profile: (*profile).to_owned(),
            access_key_id: (*access_key_id).to_owned(),
        })
    }
}

/// Shows what goes and, if asked to, takes it out.
pub(crate) fn run(arguments: &Arguments) -> Result<Said, LeftoverError> {
    let path = &arguments.file;
    let text = aws_files::read(path)?;
    let file = aws_files::parse(path, &text)?;
    let changes = without_key(&file, arguments)?;
    let name = path.display().to_string();
    let diff = changes.diff(&name);
    let said = match arguments.write {
        false => {
            format!("{diff}{name}: the key still stands there; --remove-source takes it out\n")
        }
        true => {
            let backup = aws_files::back_up(path, &text)?;
            let after = zeroize::Zeroizing::new(changes.text());
            aws_files::replace(path, &text, &after)?;
            let backup = backup.display();
            format!(
                "{diff}{name}: the key is taken out\n{backup}: the file as it was, with the key; delete it when all works\n"
            )
        }
    };
    Ok(Said {
        text: said,
        notes: Vec::new(),
        hint: HINT,
        status: ExitStatus::Success,
    })
}

/// The file without the key, if it is the one that was stored.
fn without_key<'f, 'a>(
    file: &'f SharedFile<'a>,
    arguments: &Arguments,
) -> Result<Changes<'f, 'a>, LeftoverError> {
    let mut changes = Changes::new(file);
    let mut sections = file.profile(arguments.kind, &arguments.profile);
    let is_it = |section: &&jumpgate_iam::shared_file::Section<'_>| {
        section.value("aws_access_key_id") == Some(&arguments.access_key_id)
    };
    let section = sections
        .find(is_it)
        .ok_or_else(|| LeftoverError::NotThere {
            file: arguments.file.clone(),
            name: Excerpt::of(&arguments.profile),
        })?;
    let entries = section.entries().iter();
    for entry in entries.filter(|entry| KEY_SETTINGS.iter().any(|key| entry.is(key))) {
        changes.remove(entry);
    }
    Ok(changes)
}

#[cfg(test)]
mod tests;
