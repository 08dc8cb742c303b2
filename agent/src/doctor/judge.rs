//! Facts to findings. Pure: what is said of a set-up follows from the facts alone.

mod agent;
mod configuration;
mod keyring;
mod machine;
mod network;
mod people;
mod places;
mod shadows;

use super::check::Check;
use super::facts::{Facts, Files};
use super::finding::Finding;

/// What did not answer in time.
const LATE: &str = "it could not be looked at within 15 s";

/// What to do about that.
const HANGS: &str = "see whether a file system of the network, or a service, hangs";

/// All findings, at least one of each check.
pub(super) fn everything(facts: &Facts) -> Vec<Finding> {
    let checks = Check::ALL.into_iter();
    checks.flat_map(|check| judged(check, facts)).collect()
}

fn judged(check: Check, facts: &Facts) -> Vec<Finding> {
    match check {
        Check::ConfigurationFile => configuration::file(facts),
        Check::Configuration => configuration::content(facts),
        Check::Programs => with_files(check, facts, places::programs),
        Check::RuntimeDirectory => with_files(check, facts, places::runtime_directory),
        Check::ControlSocket => with_files(check, facts, places::control_socket),
        Check::Agent => agent::running(facts),
        Check::AgentVersion => agent::version(facts),
        Check::StateDirectory => with_files(check, facts, places::state_directory),
        Check::Journal => with_files(check, facts, places::journal),
        Check::DiskSpace => with_files(check, facts, places::disk_space),
        Check::SealedFiles => with_files(check, facts, places::sealed_files),
        Check::SessionBus | Check::SecretService | Check::Collection => keyring::part(check, facts),
        Check::StoredKey => keyring::stored_key(facts),
        Check::KeyAge => agent::key_age(facts),
        Check::MfaDevice => configuration::mfa_device(facts),
        Check::Display => people::display(facts),
        Check::Prompter => with_files(check, facts, people::prompter),
        Check::LockSigns => with_files(check, facts, people::lock_signs),
        Check::Sts => network::sts(facts),
        Check::Clock => network::clock(facts),
        Check::Environment => shadows::environment(facts),
        Check::AwsFiles => with_files(check, facts, shadows::aws_files),
        Check::Memory => machine::memory(facts),
        Check::Ptrace => machine::ptrace(facts),
        Check::CoreDumps => machine::core_dumps(facts),
        Check::Profile => agent::profiles(facts),
    }
}

fn with_files(
    check: Check,
    facts: &Facts,
    judge: fn(&Facts, &Files) -> Vec<Finding>,
) -> Vec<Finding> {
    match &facts.files {
        Some(files) => judge(facts, files),
        None => vec![Finding::failed(check, LATE, HANGS)],
    }
}

/// The faults, or that there is none.
fn unless_faulty(faults: Vec<Finding>, check: Check, in_order: &str) -> Vec<Finding> {
    match faults.is_empty() {
        true => vec![Finding::ok(check, in_order)],
        false => faults,
    }
}

#[cfg(test)]
mod tests;
