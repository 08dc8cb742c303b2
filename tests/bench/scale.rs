//! How much is measured: what a developer waits for, or what is published.

use std::time::Duration;

use crate::ratio::PAIRS;

/// How often and how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Runs of each short command.
    pub(crate) runs: usize,
    /// Storms of each server by each number of connections, and how long each lasts.
    pub(crate) storms: usize,
    pub(crate) storm: Duration,
    /// How long STS says nothing.
    pub(crate) hang: Duration,
    /// Whether a session is let age until only a refresh would keep its promise.
    pub(crate) ages: bool,
    /// Processes killed.
    pub(crate) kills: usize,
    /// First credentials of a new agent, of each keyring.
    pub(crate) colds: usize,
    /// Times that many ask at once.
    pub(crate) crowds: usize,
    /// Runs of each program that a user would have instead.
    pub(crate) peers: usize,
}

impl Scale {
    pub(crate) const QUICK: Self = Self {
        runs: 200,
        storms: PAIRS,
        storm: Duration::from_secs(1),
        hang: Duration::from_secs(10),
        ages: false,
        kills: 20,
        colds: 6,
        crowds: PAIRS,
        peers: PAIRS,
    };

    pub(crate) const LONG: Self = Self {
        runs: 1_000,
        storms: 40,
        storm: Duration::from_secs(2),
        hang: Duration::from_secs(60),
        ages: true,
        kills: 100,
        colds: 30,
        crowds: 40,
        peers: 40,
    };
}
