//! Reads `~/.aws/credentials` and `~/.aws/config`, as far as it matters: which profiles have keys of their own, and which
//! ask us. No secret is kept.

use std::path::PathBuf;

use jumpgate_iam::shared_file::{Kind, Section, SharedFile};

use super::files::named;
use crate::aws_files;
use crate::doctor::facts::{AwsFile, AwsProfile};

pub(super) fn look(path: PathBuf, kind: Kind) -> AwsFile {
    let (profiles, unreadable) = match aws_files::read(&path) {
        Err(error) => (Vec::new(), Some(error.to_string())),
        Ok(text) => match SharedFile::parse(&text) {
            Err(error) => (Vec::new(), Some(format!("{}: {error}", path.display()))),
            Ok(file) => (profiles(&file, kind), None),
        },
    };
    AwsFile {
        // Behind a link, as who reads it.
        look: named(&path.canonicalize().unwrap_or(path)),
        profiles,
        unreadable,
    }
}

/// In the order of the file.
fn profiles(file: &SharedFile<'_>, kind: Kind) -> Vec<AwsProfile> {
    let sections = file.sections().iter();
    let profile = |section: &Section<'_>| {
        let value = |key: &str| section.value(key).map(str::to_owned);
        Some(AwsProfile {
            name: section.profile(kind)?.to_owned(),
            line: section.line(),
            key: value("aws_access_key_id"),
            credential_process: value("credential_process"),
        })
    };
    sections.filter_map(profile).collect()
}
