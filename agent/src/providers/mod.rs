//! The ports' implementations: one file per contact with the world, and the only one that names its library.

#[cfg(target_os = "linux")]
pub mod desktop;
pub mod journal;
#[cfg(target_os = "linux")]
pub mod keyring;
pub mod processes;
pub mod prompter;
pub mod sealed_file;
pub mod sts;
pub mod system;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod skipped;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) use stored_key::fuzzed as stored_key_fuzzed;
mod stored_key;
