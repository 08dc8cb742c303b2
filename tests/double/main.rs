//! Tests of the strict STS double itself: each of its rules is shown to be in force, its signatures
//! and codes against published vectors, its faults, its record.
#![allow(clippy::unwrap_used)]

mod authorization;
#[path = "../../proto/iam/src/narrow/cases.rs"]
mod cases;
mod client;
mod evaluator;
mod faults;
mod lab;
mod narrowing;
mod presets;
mod record;
mod rule_table;
mod scenarios;
mod scoping;
mod vectors;
mod wire;
mod worlds;
