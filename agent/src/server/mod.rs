//! Transport only: bytes ↔ control API ↔ broker.

pub mod control;
pub mod endpoints;
pub mod foothold;
pub mod guard;
pub mod peer;
pub mod socket;
pub mod tcp_peer;
pub mod token_files;
mod upkeep;

mod answers;
mod asks;
mod body;
mod container;
mod credentials;
mod crowd;
mod exits;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;
mod holder;
mod imds;
mod keys;
mod listener;
mod origin;
mod pace;
mod ports;
mod problem;
mod reply;
mod room;
mod routes;
mod stand;
mod standing;
mod standing_tokens;
#[cfg(test)]
mod tests;
