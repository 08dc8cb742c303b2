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
mod stored_key;
