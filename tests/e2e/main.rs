//! End-to-end tests: the real client and the real agent against the strict double, real SDKs and real keyrings.
#![allow(clippy::unwrap_used)]

mod bad_days;
mod built;
mod cli;
mod clients;
mod configuration;
mod crash;
mod daemon;
mod desktop;
mod doctor;
#[path = "../double/client.rs"]
#[allow(dead_code)]
mod double_client;
mod endpoints;
mod exec;
mod explain;
mod faults;
mod hardening;
mod identity;
mod journal;
mod keepassxc;
mod keyring;
mod lint;
mod matrix;
mod memory;
mod mfa;
mod ministack;
mod moving;
mod namespaces;
mod narrowing;
mod peers;
mod presets;
mod process;
mod prompts;
mod rotation;
mod rules;
mod scope;
mod seed;
#[path = "../soak/mod.rs"]
mod soak;
mod soaking;
mod socket;
mod standing;
mod storm;
mod sts_faults;
mod surroundings;
