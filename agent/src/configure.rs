//! `jumpgate-agent --configure`: the stanzas of `~/.aws/config` that have AWS SDKs and the AWS CLI call
//! `jumpgate credential-process`. Shown as a diff, written on demand; every other byte of the file stays.

mod arguments;
mod command;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;

use std::path::Path;

use jumpgate_api::ExitStatus;
use jumpgate_iam::Excerpt;
use jumpgate_iam::shared_file::{Changes, Entry, Kind, Section, SharedFile};
use serde::Serialize;

use crate::aws_files::{self, FileError, KEY_SETTINGS, Said};
use crate::domain::name::ProfileName;
use crate::domain::profile::Profile;
use crate::domain::settings::Settings;
pub(crate) use arguments::Arguments;
use command::{Unquotable, command};

/// Settings of a profile that at least one SDK takes for a source of credentials before it looks for
/// `credential_process`: in botocore `role_arn`, web identity and SSO; in the SDKs for Go and JavaScript also keys in
/// this file; in the SDK for Rust web identity, SSO and `login_session`.
const BEFORE_US: [&str; 9] = [
    "role_arn",
    "source_profile",
    "credential_source",
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
    "sso_account_id",
    "sso_role_name",
    "login_session",
];

/// What is done about refusals.
const HINT: &str = "--replace takes such settings out, a key: jumpgate identity add; or name the profile otherwise";

/// Why nothing is configured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigureError {
    /// The command line is not understood.
    #[error("{0}")]
    Usage(String),
    /// The configuration has no such profile.
    #[error("there is no profile {0} in the configuration")]
    NoProfile(Excerpt),
    /// No way of writing our program's path is read alike everywhere.
    #[error(transparent)]
    Program(#[from] Unquotable),
    /// One of the shared files.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What becomes of one profile's stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    Added,
    Changed,
    Unchanged,
    Refused,
}

/// The same with its reason. The keys are stable.
#[derive(Debug, Serialize)]
struct Stanza<'a> {
    profile: &'a str,
    change: Change,
    reason: Option<String>,
}

/// For `--json`. The keys are stable: new ones may come, none goes.
#[derive(Serialize)]
struct Document<'a> {
    file: String,
    written: bool,
    profiles: &'a [Stanza<'a>],
    warnings: &'a [String],
    diff: &'a str,
}

/// Plans the stanzas and, if asked to, writes them.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Said, ConfigureError> {
    let profiles = chosen(arguments, settings)?;
    let path = &arguments.config_file;
    let text = aws_files::read(path)?;
    let file = aws_files::parse(path, &text)?;
    let mut changes = Changes::new(&file);
    let mut stanzas = Vec::new();
    for profile in &profiles {
        let name = profile.name.as_str();
        let process = command(&arguments.program, name)?;
        let region = profile.region.as_ref().map(|region| region.as_str());
        let wanted = Wanted {
            name,
            process: &process,
            region,
            replace: arguments.replace,
        };
        let (change, reason) = wanted.plan(&file, &mut changes);
        let reason = reason.map(|reason| format!("{}:{reason}", path.display()));
        stanzas.push(Stanza {
            profile: name,
            change,
            reason,
        });
    }
    let warnings = warnings(arguments, &profiles)?;
    let diff = changes.diff(&path.display().to_string());
    let written = arguments.write && !changes.is_empty();
    if written {
        aws_files::replace(path, &text, &changes.text())?;
    }
    Ok(said(arguments, &stanzas, warnings, &diff, written))
}

/// The profiles that are named, or all.
fn chosen<'s>(
    arguments: &Arguments,
    settings: &'s Settings,
) -> Result<Vec<&'s Profile>, ConfigureError> {
    if arguments.profiles.is_empty() {
        return Ok(settings.profiles.values().map(AsRef::as_ref).collect());
    }
    let named = arguments.profiles.iter().map(|text| {
        let name = ProfileName::parse(text).ok();
        let profile = name.and_then(|name| settings.profiles.get(&name));
        profile
            .map(AsRef::as_ref)
            .ok_or_else(|| ConfigureError::NoProfile(Excerpt::of(text)))
    });
    let mut named = named.collect::<Result<Vec<&Profile>, _>>()?;
    named.sort_by(|one, other| one.name.cmp(&other.name));
    named.dedup_by(|one, other| one.name == other.name);
    Ok(named)
}

/// A stanza as it should be.
struct Wanted<'w> {
    name: &'w str,
    process: &'w str,
    region: Option<&'w str>,
    replace: bool,
}

impl Wanted<'_> {
    /// What the stanza becomes, and the place and reason if it stays as it is.
    fn plan<'a>(
        &self,
        file: &SharedFile<'a>,
        changes: &mut Changes<'_, 'a>,
    ) -> (Change, Option<String>) {
        let region = self.region.map(|region| ("region", region));
        let settings: Vec<(&str, &str)> = region
            .into_iter()
            .chain([("credential_process", self.process)])
            .collect();
        let mut sections = file.profile(Kind::Config, self.name);
        let Some(section) = sections.next() else {
            changes.append(&self.header(), &settings);
            return (Change::Added, None);
        };
        if let Some(reason) = self.conflict(section, sections.next()) {
            return (Change::Refused, Some(reason));
        }
        let entries = section.entries().iter();
        let before_us = entries.filter(|entry| is_one_of(entry, &BEFORE_US));
        let before_us: Vec<&Entry<'a>> = before_us.collect();
        let has = |&(key, value): &(&str, &str)| section.value(key) == Some(value);
        if before_us.is_empty() && settings.iter().all(has) {
            return (Change::Unchanged, None);
        }
        before_us
            .into_iter()
            .for_each(|entry| changes.remove(entry));
        changes.set(section, &settings);
        (Change::Changed, None)
    }

    fn header(&self) -> String {
        match self.name {
            "default" => self.name.to_owned(),
            name => format!("profile {name}"),
        }
    }

    /// Why a stanza is none that we may change: its line and what is there.
    fn conflict(&self, section: &Section<'_>, second: Option<&Section<'_>>) -> Option<String> {
        if let Some(second) = second {
            let (line, header) = (second.line(), Excerpt::of(second.header()));
            return Some(format!(
                "{line}: a second section {header}: the AWS CLI refuses such a file"
            ));
        }
        let found = |entry: &Entry<'_>, what: &str| {
            format!("{}: {} {what}", entry.line(), entry.key().to_lowercase())
        };
        if let Some(entry) = section.repeated() {
            let what = "stands here twice: the AWS CLI refuses such a file";
            return Some(found(entry, what));
        }
        let in_the_way = |entry: &&Entry<'_>| {
            is_one_of(entry, &KEY_SETTINGS) || !self.replace && is_one_of(entry, &BEFORE_US)
        };
        let entry = section.entries().iter().find(in_the_way)?;
        Some(found(entry, "would come before credential_process"))
    }
}

fn is_one_of(entry: &Entry<'_>, keys: &[&str]) -> bool {
    keys.iter().any(|key| entry.is(key))
}

/// What is legal and may keep a stanza from being used.
fn warnings(arguments: &Arguments, profiles: &[&Profile]) -> Result<Vec<String>, FileError> {
    let mut warnings = Vec::new();
    if aws_files::is_open_to_others(&arguments.program) {
        warnings.push(format!(
            "{}: others can write it or its directory, and so run programs as you",
            arguments.program.display()
        ));
    }
    if command::needs_quotes(&arguments.program) {
        warnings.push(format!(
            "{}: has to be quoted, which minio-go and fluent-bit do not understand",
            arguments.program.display()
        ));
    }
    let Some(path) = &arguments.credentials_file else {
        return Ok(warnings);
    };
    let text = aws_files::read(path)?;
    let file = aws_files::parse(path, &text)?;
    warnings.extend(
        profiles
            .iter()
            .filter_map(|profile| shadow(path, &file, profile)),
    );
    Ok(warnings)
}

/// Keys of the same name in the credentials file: botocore and the SDKs for Go and JavaScript take them and never
/// call the process; the SDK for Rust calls it.
fn shadow(path: &Path, file: &SharedFile<'_>, profile: &Profile) -> Option<String> {
    let name = profile.name.as_str();
    let mut sections = file.profile(Kind::Credentials, name);
    let entry = sections.find_map(|section| section.entry("aws_access_key_id"))?;
    let (place, line) = (path.display(), entry.line());
    Some(format!(
        "{place}:{line}: the key of [{name}] comes before credential_process in most SDKs and the AWS CLI"
    ))
}

fn said(
    arguments: &Arguments,
    stanzas: &[Stanza<'_>],
    warnings: Vec<String>,
    diff: &str,
    written: bool,
) -> Said {
    let refused = stanzas
        .iter()
        .filter(|stanza| stanza.change == Change::Refused);
    let mut notes: Vec<String> = refused
        .map(|stanza| {
            let reason = stanza.reason.as_deref().unwrap_or_default();
            format!("{}: left as it is: {reason}", stanza.profile)
        })
        .collect();
    let status = match notes.is_empty() {
        true => ExitStatus::Success,
        false => ExitStatus::Failed,
    };
    let file = arguments.config_file.display().to_string();
    let text = match arguments.json {
        true => json(&Document {
            file,
            written,
            profiles: stanzas,
            warnings: &warnings,
            diff,
        }),
        false => for_people(diff, &file, written),
    };
    notes.extend(
        warnings
            .into_iter()
            .map(|warning| format!("warning: {warning}")),
    );
    let hint = match status {
        ExitStatus::Success => "docs/moving-in.md says which SDKs look where first",
        _ => HINT,
    };
    Said {
        text,
        notes,
        hint,
        status,
    }
}

fn json(document: &Document<'_>) -> String {
    serde_json::to_string_pretty(document).expect("plain values become JSON") + "\n"
}

fn for_people(diff: &str, file: &str, written: bool) -> String {
    match (diff.is_empty(), written) {
        (true, _) => format!("{file}: nothing to change\n"),
        (false, true) => format!("{diff}{file}: written\n"),
        (false, false) => format!("{diff}{file}: not written; --write writes it\n"),
    }
}

#[cfg(test)]
mod tests;
