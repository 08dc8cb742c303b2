//! Harness.

pub mod sts;
