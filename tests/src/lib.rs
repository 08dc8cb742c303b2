//! The harness of the end-to-end tests: a [`Lab`] with a home of its own, the strict STS double, the real agent and the
//! real client; and a search of everything they wrote for the secrets that were put in.

pub mod canary;
pub mod desktop;
pub mod draw;
pub mod keyring;
pub mod kin;
pub mod lab;
pub mod matrix;
pub mod memory;
pub mod programs;
pub mod prompts;
pub mod ran;
pub mod screen;
pub mod sealed;
pub mod skip;
pub mod sts;
pub mod terminal;

pub use lab::Lab;
pub use programs::Programs;
pub use ran::Ran;
