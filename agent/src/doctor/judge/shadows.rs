//! What would win over us in an SDK: variables, and profiles of the AWS CLI's files.

use super::places::writable;
use super::unless_faulty;
use crate::doctor::check::Check;
use crate::doctor::facts::{AwsFile, AwsProfile, Facts, Files, Found};
use crate::doctor::finding::Finding;

/// Variables that are set on purpose: they choose a profile, or name an endpoint that may be ours.
const CHOICES: [&str; 3] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// Group and others may read.
const READABLE: u32 = 0o044;

pub(super) fn environment(facts: &Facts) -> Vec<Finding> {
    let check = Check::Environment;
    let set = facts.told.variables.iter();
    let winning = set.filter(|name| !CHOICES.contains(&name.as_str()));
    let faults = winning.map(|name| {
        let what = format!("{name} is set: SDKs take it and do not ask for a session");
        let hint = format!("unset {name}, and see where it is set: ~/.profile, ~/.bashrc, the IDE");
        Finding::warning(check, &what, &hint)
    });
    unless_faulty(faults.collect(), check, "no variable wins over a session")
}

pub(super) fn aws_files(facts: &Facts, files: &Files) -> Vec<Finding> {
    let check = Check::AwsFiles;
    let mut faults = Vec::new();
    for file in &files.aws {
        faults.extend(file.unreadable.as_ref().map(|why| {
            let hint = "correct it: the AWS CLI and the SDKs cannot read it either";
            Finding::failed(check, why, hint)
        }));
        faults.extend(of_file(facts, file));
        faults.extend(file.profiles.iter().filter_map(|profile| {
            let process = profile.credential_process.as_deref();
            match (&profile.key, process.and_then(our_profile)) {
                (Some(key), _) => Some(of_key(files, file, profile, key)),
                (None, Some(ours)) => of_process(facts, file, profile, ours),
                (None, None) => None,
            }
        }));
    }
    unless_faulty(faults, check, "nothing in them wins over a session")
}

/// Who can write it can have programs run by whoever reads it.
fn of_file(facts: &Facts, file: &AwsFile) -> Option<Finding> {
    let path = file.look.shown();
    if let Some(what) = writable(&file.look, facts.us) {
        let hint = format!("look at what is in it, then: chmod 600 '{path}'");
        return Some(Finding::failed(Check::AwsFiles, &what, &hint));
    }
    let has_key = file.profiles.iter().any(|profile| profile.key.is_some());
    match file.look.found {
        Found::Something { mode, .. } if has_key && mode & READABLE != 0 => Some(Finding::failed(
            Check::AwsFiles,
            &format!("others can read the keys in {path}: its mode is {mode:04o}"),
            &format!("chmod 600 '{path}', and replace those keys"),
        )),
        _ => None,
    }
}

fn place(file: &AwsFile, profile: &AwsProfile) -> String {
    format!("{}:{}: [{}]", file.look.shown(), profile.line, profile.name)
}

/// A key in the clear; it wins over a `credential_process` of the same name.
fn of_key(files: &Files, file: &AwsFile, profile: &AwsProfile, key: &str) -> Finding {
    let place = place(file, profile);
    let mut profiles = files.aws.iter().flat_map(|file| &file.profiles);
    let shadows = profiles.any(|other| {
        let process = other.credential_process.as_deref();
        other.name == profile.name && process.and_then(our_profile).is_some()
    });
    let name = &profile.name;
    if shadows {
        let what = format!("{place} has a key of its own, which wins over its credential_process");
        let hint = format!("take the key out of [{name}]; jumpgate is never asked for it");
        return Finding::failed(Check::AwsFiles, &what, &hint);
    }
    let lasting = key.starts_with("AKIA");
    let what = match (lasting, name.as_str()) {
        (_, "default") => format!("{place} has a key, which wins over endpoints"),
        (true, _) => format!("{place} has a long-term key in the clear"),
        (false, _) => format!("{place} has a key of its own"),
    };
    let hint = "keep it in an identity (jumpgate identity add), and take it out of the file";
    Finding::warning(Check::AwsFiles, &what, hint)
}

/// The profile that a `credential_process` asks us for.
fn our_profile(process: &str) -> Option<&str> {
    let mut words = process.split_whitespace();
    let program = words.next()?.trim_matches('"');
    let ours = program == "jumpgate" || program.ends_with("/jumpgate");
    let verb = words.find(|word| *word == "credential-process");
    verb.filter(|_| ours)?;
    // Every option of that command takes a value.
    while let Some(word) = words.next() {
        match word.starts_with("--") {
            false => return Some(word),
            true if word.contains('=') => {}
            true => drop(words.next()),
        }
    }
    None
}

fn of_process(facts: &Facts, file: &AwsFile, profile: &AwsProfile, ours: &str) -> Option<Finding> {
    let profiles = &facts.configured.valid()?.settings.profiles;
    if profiles.keys().any(|name| name.as_str() == ours) {
        return None;
    }
    let place = place(file, profile);
    let what = format!("{place} asks for profile {ours}, which the configuration does not have");
    let hint = "name one that jumpgate profile list shows, or add it";
    Some(Finding::failed(Check::AwsFiles, &what, hint))
}
