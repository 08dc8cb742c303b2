//! Configuration: text -> `raw` (as written, every value with its place) -> [`Settings`] (domain types).
//!
//! All mistakes are collected on the way and reported at once, in the order of the file. Nothing is opened but the
//! configuration and the policies that it names; nothing is bound; the environment is read in [`environment`]
//! alone.
//!
//! | module | does |
//! |---|---|
//! | [`environment`], [`place`] | the process environment; where things are |
//! | `file` | reads files that nobody else can change |
//! | `section`, `raw` | known keys, right types, right counts |
//! | `agent`, `identity`, `profile`, `peers`, `chain`, `serve` | what the sections mean |
//! | `policy`, `preset`, `tags`, `templates`, `terms` | what single values mean |
//! | `faults`, [`report`] | mistakes with their places; how a person reads them |

mod agent;
mod chain;
pub mod environment;
mod faults;
mod file;
mod identity;
mod peers;
pub mod place;
mod policy;
mod preset;
mod profile;
mod raw;
pub mod report;
mod section;
mod serve;
mod tags;
mod templates;
mod terms;

use std::io;
use std::path::{Path, PathBuf};

use jumpgate_iam::Excerpt;
use jumpgate_iam::json::MAX_JSON_BYTES;
use toml::de::DeTable;

use crate::domain::settings::Settings;
use faults::{Fault, Faults, Place};
use raw::RawConfig;

pub use identity::{DEFAULT_MFA_SESSION, DEFAULT_REGION};
pub use raw::{
    MAX_ACCOUNTS, MAX_ARGV, MAX_IDENTITIES, MAX_PEERS, MAX_POLICY_ARNS, MAX_PROFILES, MAX_SERVES,
    MAX_TAGS, MAX_WORD,
};
pub use report::{ConfigErrors, Report};
pub use templates::DEFAULT_SESSION_NAME;

/// Most bytes of a configuration file.
pub const MAX_CONFIG_BYTES: usize = 1024 * 1024;

/// How to begin, for whoever has no configuration yet.
pub const EXAMPLE: &str = r#"version = 1

[identity.jump]
kind       = "iam-user"
account    = "111111111111"
mfa_serial = "arn:aws:iam::111111111111:mfa/alice"

[profile.dev]
role_arn = "arn:aws:iam::222222222222:role/Developer"
region   = "eu-central-1"
"#;

/// A configuration that is valid as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What it decides.
    pub settings: Settings,
    /// The file that it was read from, absolute.
    pub path: PathBuf,
    /// What is legal and probably not what is wanted, in the order of the file.
    pub warnings: Vec<Report>,
}

/// Reads the configuration file and the policies that it names.
///
/// # Errors
/// Everything that is wrong with it: missing, unreadable, over [`MAX_CONFIG_BYTES`], not UTF-8, writable by others;
/// or every mistake in it.
pub fn load(path: &Path) -> Result<Config, ConfigErrors> {
    let whole = |error| ConfigErrors(vec![about_file(path, &error)]);
    let path = std::path::absolute(path).map_err(whole)?;
    let text = file::read(&path, MAX_CONFIG_BYTES)
        .map_err(|error| ConfigErrors(vec![about_file(&path, &error)]))?;
    judge(&text, &path)
}

/// Understands a text that is, or is to become, the configuration at this place, with the policies that it names.
pub(crate) fn judge(text: &str, path: &Path) -> Result<Config, ConfigErrors> {
    if text.len() > MAX_CONFIG_BYTES {
        let error = io::Error::other(format!("it has more than {MAX_CONFIG_BYTES} bytes"));
        return Err(ConfigErrors(vec![about_file(path, &error)]));
    }
    parse(text, path, &|policy| file::read(policy, MAX_JSON_BYTES))
}

/// Understands a configuration's text. `read_policy` reads a policy file; nothing else is asked of the world.
///
/// # Errors
/// Every mistake in it, in the order of the file.
pub fn parse(
    text: &str,
    path: &Path,
    read_policy: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Config, ConfigErrors> {
    let faults = Faults::default();
    let (document, broken) = DeTable::parse_recoverable(text);
    for error in &broken {
        faults.error(syntax_fault(text, error));
    }
    let settings = {
        let raw = RawConfig::read(document.get_ref(), &faults);
        understand(&faults, &raw, path, read_policy)
    };
    let (errors, warnings) = faults.into_reports(text, path);
    if !errors.is_empty() {
        return Err(ConfigErrors(errors));
    }
    Ok(Config {
        settings,
        path: path.to_owned(),
        warnings,
    })
}

/// The file that holds a profile's session policy, for who wants to name it: absent for a policy within the
/// configuration.
pub(crate) fn policy_file(config: &Path, profile: &str) -> Option<String> {
    let text = file::read(config, MAX_CONFIG_BYTES).ok()?;
    let (document, _) = DeTable::parse_recoverable(&text);
    let policy = document.get_ref().get("profile")?.get_ref();
    let policy = policy.get(profile)?.get_ref().get("policy")?;
    let name = policy.get_ref().as_str()?;
    let is_text = name.trim_start().starts_with('{');
    let directory = config.parent().unwrap_or(Path::new(""));
    (!is_text).then(|| directory.join(name).display().to_string())
}

fn syntax_fault(text: &str, error: &toml::de::Error) -> Fault {
    let span = error.span().unwrap_or_default();
    // Only here does the place say which key is meant.
    let key = match text.get(span.clone()) {
        Some(key) if error.message() == "duplicate key" => Excerpt::of(key).to_string(),
        _ => String::new(),
    };
    let at = span.start;
    Fault::syntax(&Place { at, key }, error.message())
}

fn understand(
    faults: &Faults,
    raw: &RawConfig<'_>,
    path: &Path,
    read_policy: &dyn Fn(&Path) -> io::Result<String>,
) -> Settings {
    let agent = agent::understand(faults, raw.agent.as_ref());
    let accounts = terms::Accounts::read(faults, &raw.accounts);
    let identities = identity::understand(faults, &raw.identities, &accounts);
    let context = profile::Context {
        faults,
        accounts: &accounts,
        raw_identities: &raw.identities,
        identities: &identities,
        policies: policy::PolicyReader {
            faults,
            directory: path.parent().unwrap_or(Path::new("")).to_owned(),
            read: read_policy,
        },
    };
    let profiles = context.understand(&raw.profiles);
    chain::check(faults, &raw.profiles, &profiles);
    let serves = serve::understand(faults, &raw.serves, &raw.profiles);
    Settings::new(agent, identities, profiles, serves)
}

fn about_file(path: &Path, error: &io::Error) -> Report {
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!(
            "there is no configuration here (JUMPGATE_CONFIG can name another place). To begin, write:\n\n{EXAMPLE}"
        ),
        _ => format!("the configuration cannot be used: {error}"),
    };
    Report {
        path: path.to_owned(),
        position: None,
        key: String::new(),
        message,
        expected: None,
        nearest: None,
    }
}

#[cfg(test)]
mod tests;
