//! What should happen: decisions as values, and the types that they are made of.
//!
//! Nothing here can wait, do I/O, tell the time, log or draw a random number (`tests/tidy.rs` holds it to that),
//! so all of it is tested without a runtime.

pub mod assume_role;
pub mod clock;
pub mod consent;
pub mod event;
pub mod grant;
pub mod identity;
pub mod lease;
pub mod lifetime;
pub mod name;
pub mod narrowing;
pub mod notice;
pub mod peer;
pub mod preset;
pub mod profile;
pub mod rotation;
pub mod rule;
pub mod scope;
pub mod serve;
pub mod session;
pub mod settings;
pub mod template;
pub mod totp;
pub mod weight;

#[cfg(any(test, feature = "fuzzed"))]
pub mod samples;
