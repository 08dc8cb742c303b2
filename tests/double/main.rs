//! Tests of the strict STS double itself: each of its rules is shown to be in force, its signatures
//! and codes against published vectors, its faults, its record.
#![allow(clippy::unwrap_used)]

mod authorization;
mod client;
mod faults;
mod lab;
mod record;
mod rule_table;
mod scenarios;
mod vectors;
mod wire;
mod worlds;
