//! End-to-end tests: the real client and the real agent against the strict double, real SDKs and real keyrings.
#![allow(clippy::unwrap_used)]

mod built;
mod clients;
mod configuration;
#[path = "../double/client.rs"]
#[allow(dead_code)]
mod double_client;
mod exec;
mod identity;
mod keyring;
mod ministack;
mod peers;
mod process;
mod scope;
mod socket;
mod storm;
mod surroundings;
