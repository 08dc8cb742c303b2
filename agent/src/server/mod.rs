//! Transport only: bytes ↔ control API ↔ broker.

pub mod control;
pub mod peer;
pub mod socket;

mod answers;
mod asks;
mod body;
mod problem;
mod routes;
