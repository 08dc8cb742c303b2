//! The configuration: that it is there, that it is valid, what it leaves open.

use super::places::writable;
use super::unless_faulty;
use crate::doctor::check::Check;
use crate::doctor::facts::{Configured, Facts, Found, Kind, Look};
use crate::doctor::finding::Finding;
use crate::domain::identity::{Argv, CodeSource};

/// Most mistakes that are told; `jumpgate check` tells all.
const MAX_MISTAKES: usize = 10;

pub(super) fn file(facts: &Facts) -> Vec<Finding> {
    let check = Check::ConfigurationFile;
    match &facts.configured {
        Configured::Nowhere(why) => {
            let hint = "set JUMPGATE_CONFIG to its path";
            vec![Finding::failed(check, why, hint)]
        }
        Configured::Missing(path) => {
            let what = format!("there is no configuration at {}", path.display());
            let hint = "jumpgate import makes one of ~/.aws/config, jumpgate check shows one to begin with";
            vec![Finding::failed(check, &what, hint)]
        }
        Configured::Late(path) => {
            let what = format!("{} could not be read in time", path.display());
            vec![Finding::failed(check, &what, super::HANGS)]
        }
        Configured::Invalid(path, _) => of_place(facts, &path.display().to_string()),
        Configured::Valid(config) => of_place(facts, &config.path.display().to_string()),
    }
}

/// Whose the file and its directory are.
fn of_place(facts: &Facts, path: &str) -> Vec<Finding> {
    let check = Check::ConfigurationFile;
    let looks = facts.files.iter().flat_map(|files| &files.configuration);
    let faults = looks.filter_map(|look| {
        let what = writable(look, facts.us)?;
        let hint = format!(
            "who can write it can have programs run as you: look at what is in it, then chmod go-w '{}'",
            look.shown()
        );
        Some(Finding::failed(check, &what, &hint))
    });
    unless_faulty(faults.collect(), check, path)
}

pub(super) fn content(facts: &Facts) -> Vec<Finding> {
    let check = Check::Configuration;
    let unread = || vec![Finding::skipped(check, "not read: see configuration-file")];
    match &facts.configured {
        Configured::Nowhere(_) | Configured::Missing(_) | Configured::Late(_) => unread(),
        Configured::Invalid(..) if file(facts).iter().any(Finding::is_failure) => unread(),
        Configured::Invalid(_, mistakes) => {
            let hint = "correct it; all of it is read again by: jumpgate check";
            let told = mistakes.iter().take(MAX_MISTAKES);
            told.map(|what| Finding::failed(check, what, hint))
                .collect()
        }
        Configured::Valid(config) => {
            let hint = "see docs/configuration.md; all of it is read again by: jumpgate check";
            let doubts = config.warnings.iter().map(ToString::to_string);
            let doubts = doubts.map(|what| Finding::warning(check, &what, hint));
            let settings = &config.settings;
            let (identities, profiles) = (settings.identities.len(), settings.profiles.len());
            let what = format!("valid: identities {identities}, profiles {profiles}");
            unless_faulty(doubts.collect(), check, &what)
        }
    }
}

/// The form of the device, and whose it is, the configuration's own rules say.
pub(super) fn mfa_device(facts: &Facts) -> Vec<Finding> {
    let check = Check::MfaDevice;
    let Some(config) = facts.configured.valid() else {
        return vec![Finding::skipped(check, "there is no valid configuration")];
    };
    let mut findings = Vec::new();
    for identity in config.settings.identities.values() {
        let name = &identity.name;
        let Some(mfa) = &identity.mfa else {
            let what = format!("identity {name} has no second factor");
            let hint = "set its mfa_serial: a key that is stolen is then not enough";
            findings.push(Finding::warning(check, &what, hint));
            continue;
        };
        let missing = match &mfa.source {
            CodeSource::Command(command) => unusable(facts, command),
            CodeSource::Prompt | CodeSource::Stored => None,
        };
        let serial = mfa.serial.as_str();
        let kept = match mfa.source {
            CodeSource::Stored => " (its seed is stored: both factors are in one place)",
            CodeSource::Prompt | CodeSource::Command(_) => "",
        };
        findings.push(match missing {
            None => Finding::ok(check, &format!("identity {name}: {serial}{kept}")),
            Some(why) => Finding::failed(
                check,
                &format!("the mfa_command of identity {name} cannot be run: {why}"),
                "correct its path, or install that program",
            ),
        });
    }
    if let Some(passphrases) = missing_passphrase_command(facts) {
        findings.push(passphrases);
    }
    unless_faulty(findings, check, "there is no identity")
}

fn missing_passphrase_command(facts: &Facts) -> Option<Finding> {
    let config = facts.configured.valid()?;
    let mut identities = config.settings.identities.values();
    let (name, why) = identities.find_map(|identity| {
        let command = identity.passphrase_command.as_ref()?;
        Some((&identity.name, unusable(facts, command)?))
    })?;
    let what = format!("the passphrase_command of identity {name} cannot be run: {why}");
    let hint = "correct its path, or install that program";
    Some(Finding::failed(Check::SealedFiles, &what, hint))
}

/// Why a program that is named by its path cannot be run.
fn unusable(facts: &Facts, command: &Argv) -> Option<String> {
    let files = facts.files.as_ref()?;
    let is_it = |look: &&Look| look.path.as_os_str() == command.program.as_str();
    let look = files.named_programs.iter().find(is_it)?;
    let path = look.shown();
    match look.found {
        Found::Nothing => Some(format!("there is no {path}")),
        Found::Something {
            kind: Kind::File,
            mode,
            ..
        } if mode & 0o111 != 0 => None,
        Found::Something { .. } => Some(format!("{path} is no executable file")),
        Found::Unknown(_) => None,
    }
}
