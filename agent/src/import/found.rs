//! The profiles that are there, each with what it inherits by aws-vault's `include_profile`.

use std::collections::BTreeMap;
use std::path::Path;

use jumpgate_iam::Excerpt;
use jumpgate_iam::shared_file::{Kind, Section, SharedFile};

use super::Remark;

/// Most profiles on the way of one `include_profile`.
const MAX_INCLUDES: usize = 16;

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    /// In the order of the files.
    pub(super) profiles: Vec<Profile<'a>>,
    pub(super) remarks: Remarks,
}

/// What there is to say besides.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    /// Not taken over.
    pub(super) skipped: Vec<Remark>,
    /// Taken over in part.
    pub(super) notes: Vec<Remark>,
    /// How many were in our configuration before.
    pub(super) kept: usize,
}

/// A profile with all that counts for it.
#[derive(Debug, Clone)]
pub(super) struct Profile<'a> {
    pub(super) name: &'a str,
    pub(super) file: String,
    pub(super) line: usize,
    /// By their names in lower case.
    pub(super) settings: BTreeMap<String, &'a str>,
    pub(super) key: Key,
    /// Why it cannot be taken over, if that is known already.
    pub(super) refused: Option<String>,
}

/// Whether an access key stands in one of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    None,
    LongLived,
    /// With a session token.
    Temporary,
}

impl<'a> Profile<'a> {
    /// A setting that is not empty.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        let value = self.settings.get(key).copied();
        value.filter(|value| !value.is_empty())
    }

    pub(super) fn remark(&self, what: impl Into<String>) -> Remark {
        Remark {
            file: self.file.clone(),
            line: self.line,
            name: self.name.to_owned(),
            what: what.into(),
        }
    }
}

type File<'f, 'a> = (&'f Path, &'f SharedFile<'a>);

/// Finds them. With `aws_vault` what a profile does not say is taken from `[default]`, as aws-vault does.
pub(super) fn find<'a>(
    config: File<'_, 'a>,
    credentials: Option<File<'_, 'a>>,
    aws_vault: bool,
) -> Found<'a> {
    let mut found = Found::default();
    for section in config.1.sections() {
        found.take(config.0, Kind::Config, section);
    }
    if let Some((path, file)) = credentials {
        let mut known: Vec<&str> = Vec::new();
        for section in file.sections() {
            let again = known.contains(&section.header());
            known.push(section.header());
            found.take_keys(path, section, again);
        }
    }
    found.inherit(aws_vault);
    found
}

impl<'a> Found<'a> {
    pub(super) fn profile(&self, name: &str) -> Option<&Profile<'a>> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    fn take(&mut self, path: &Path, kind: Kind, section: &Section<'a>) {
        let file = path.display().to_string();
        let Some(name) = section.profile(kind) else {
            self.set_aside(file, section);
            return;
        };
        if let Some(known) = self.profiles.iter_mut().find(|known| known.name == name) {
            let line = section.line();
            known.refused = Some(format!(
                "it stands here and in line {line}: the AWS CLI refuses such a file"
            ));
            return;
        }
        let refused = section.repeated().map(|entry| {
            let (line, key) = (entry.line(), Excerpt::of(entry.key()));
            format!(
                "{key} stands in it twice, again in line {line}: the AWS CLI refuses such a file"
            )
        });
        self.profiles.push(Profile {
            name,
            file,
            line: section.line(),
            settings: settings(section).collect(),
            key: key(section),
            refused,
        });
    }

    /// Sections that are no profiles.
    fn set_aside(&mut self, file: String, section: &Section<'a>) {
        let header = section.header();
        let what = match header.split_whitespace().next() {
            Some("services") => return,
            Some("sso-session") => "IAM Identity Center is no kind of identity in this version",
            Some("profile") => "its name is not one word",
            _ => "the section is no profile: it does not begin with the word profile",
        };
        self.remarks.skipped.push(Remark {
            file,
            line: section.line(),
            name: header.to_owned(),
            what: what.to_owned(),
        });
    }

    /// A section of the credentials file: of its values only whether there are keys.
    fn take_keys(&mut self, path: &Path, section: &Section<'a>, again: bool) {
        let name = section.header();
        if self.profile(name).is_none() {
            self.profiles.push(Profile {
                name,
                file: path.display().to_string(),
                line: section.line(),
                settings: BTreeMap::new(),
                key: Key::None,
                refused: None,
            });
        }
        let known = self.profiles.iter_mut().find(|known| known.name == name);
        let Some(profile) = known else { return };
        if profile.key == Key::None {
            profile.key = key(section);
        }
        if again || section.repeated().is_some() {
            let (file, line) = (path.display(), section.line());
            profile.refused = Some(format!(
                "{file}:{line}: something stands there twice: the AWS CLI refuses such a file"
            ));
        }
        for (key, value) in settings(section) {
            profile.settings.entry(key).or_insert(value);
        }
    }

    /// `include_profile` and, for aws-vault, `[default]`.
    fn inherit(&mut self, aws_vault: bool) {
        let before = self.profiles.clone();
        for profile in &mut self.profiles {
            let mut way = vec![profile.name];
            while let Some(next) = above(&before, &way, aws_vault) {
                if way.contains(&next) || way.len() > MAX_INCLUDES {
                    profile.refused = Some("include_profile runs in a circle".to_owned());
                    break;
                }
                way.push(next);
                let Some(included) = before.iter().find(|known| known.name == next) else {
                    let missing = Excerpt::of(next);
                    profile.refused = Some(format!("there is no profile {missing} to include"));
                    break;
                };
                let own = |(key, _): &(&String, _)| *key != "include_profile";
                for (key, value) in included.settings.iter().filter(own) {
                    profile.settings.entry(key.clone()).or_insert(value);
                }
            }
        }
    }
}

/// The profile from which the last one on the way takes what it does not say itself.
fn above<'a>(profiles: &[Profile<'a>], way: &[&'a str], aws_vault: bool) -> Option<&'a str> {
    let last = profiles
        .iter()
        .find(|known| Some(&known.name) == way.last())?;
    let default = || {
        let default = profiles.iter().find(|known| known.name == "default");
        default
            .filter(|_| aws_vault && last.name != "default")
            .map(|known| known.name)
    };
    last.get("include_profile").or_else(default)
}

/// All settings but the key itself.
fn settings<'a>(section: &Section<'a>) -> impl Iterator<Item = (String, &'a str)> {
    let settings = section.entries().iter();
    let settings = settings.map(|entry| (entry.key().to_lowercase(), entry.value()));
    settings.filter(|(key, _)| !key.starts_with("aws_") || key == "aws_account_id")
}

fn key(section: &Section<'_>) -> Key {
    let has = |key: &str| section.value(key).is_some();
    match (has("aws_access_key_id"), has("aws_session_token")) {
        (false, _) => Key::None,
        (true, false) => Key::LongLived,
        (true, true) => Key::Temporary,
    }
}
