//! End-to-end tests: the real client and the real agent against the strict double, real SDKs and real keyrings.
#![allow(clippy::unwrap_used)]

mod built;
mod exec;
mod process;
mod storm;
