//! How long identities stay in memory: until a lock, idleness, age, or another configuration.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::futures::Notified;

use super::failure::Failure;
use super::identities::{Identities, State, Table};
use crate::domain::identity::Identity;
use crate::domain::name::IdentityName;
use crate::domain::settings::AgentSettings;

/// Between two locks. What is asked for in one is not handed out in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Era(u64);

/// Who locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LockedBy {
    /// The user: only a person unlocks again.
    User,
    /// Idleness or age: the next ask unlocks again as it did before.
    Time,
    /// The machine sleeps: until it is awake, asks are refused.
    Suspend,
    /// The screen is locked: until it is unlocked, asks are refused.
    ScreenLock,
}

/// What keeps asks out. The user's lock stays until a person unlocks; an absence until it is over, or until a person
/// unlocks all the same, from elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Barred {
    user: bool,
    suspend: bool,
    screen: bool,
}

impl Barred {
    pub(super) const fn is_barred(self) -> bool {
        self.user || self.suspend || self.screen
    }

    const fn of(&mut self, by: LockedBy) -> Option<&mut bool> {
        match by {
            LockedBy::User => Some(&mut self.user),
            LockedBy::Suspend => Some(&mut self.suspend),
            LockedBy::ScreenLock => Some(&mut self.screen),
            LockedBy::Time => None,
        }
    }
}

impl Table {
    pub(super) const fn era(&self) -> Era {
        Era(self.locks)
    }
}

impl State {
    /// Ends its flight and keeps nothing but the last code, which AWS remembers whether we are locked or not, and
    /// what is no secret.
    fn wipe(&mut self) {
        if let Some(flight) = &self.flight {
            flight.call_off();
        }
        *self = Self {
            last_code: self.last_code.take(),
            history: self.history.take(),
            attendance: self.attendance.clone(),
            ..Self::default()
        };
    }
}

impl State {
    /// The same, for an identity that is another now.
    fn forget(&mut self) {
        self.wipe();
        self.history = None;
    }
}

impl Identities {
    /// The time between locks that we are in, for an ask.
    ///
    /// # Errors
    /// The user locked, or is away.
    pub(super) fn era(&self) -> Result<Era, Failure> {
        let table = self.table();
        if table.barred.is_barred() {
            Err(Failure::Locked)
        } else {
            Ok(table.era())
        }
    }

    /// The same for a person, who may end a lock.
    pub(super) fn era_of_person(&self) -> Era {
        self.table().era()
    }

    /// Drops everything; flights under way land nowhere. Returns how many identities were unlocked.
    pub(super) fn lock(&self, by: LockedBy) -> usize {
        let mut table = self.table();
        table.locks += 1;
        table.barred.of(by).into_iter().for_each(|bar| *bar = true);
        let states = table.states.values();
        let unlocked = states.filter(|state| state.unlocked.is_some()).count();
        table.states.values_mut().for_each(State::wipe);
        drop(table);
        self.changed.notify_waiters();
        unlocked
    }

    /// An absence is over: says whether it was one.
    pub(super) fn lift(&self, by: LockedBy) -> bool {
        self.table().barred.of(by).is_some_and(std::mem::take)
    }

    /// Whether this keeps asks out already, so that there is nothing more to drop.
    pub(super) fn is_barred_by(&self, by: LockedBy) -> bool {
        self.table().barred.of(by).is_some_and(|bar| *bar)
    }

    /// The wall clock was set back: base credentials end as much sooner by it.
    pub(super) fn end_sooner(&self, by: Duration) {
        for state in self.table().states.values_mut() {
            let Some(held) = &mut state.unlocked else {
                continue;
            };
            let end = &mut Arc::make_mut(held).base.expires_at;
            *end = end.map(|end| end.minus(by));
        }
    }

    /// Drops one identity, since its key or its configuration is another now.
    pub(super) fn forget(&self, name: &IdentityName) {
        self.with(name, State::forget);
        self.changed.notify_waiters();
    }

    /// Puts other identities in force and drops those that are configured no more, or otherwise. Returns
    /// their names.
    pub(super) fn configure(
        &self,
        after: &BTreeMap<IdentityName, Arc<Identity>>,
    ) -> Vec<IdentityName> {
        let mut table = self.table();
        let before = std::mem::replace(&mut table.configured, after.clone());
        let gone = before.into_iter();
        let gone = gone.filter(|(name, identity)| after.get(name) != Some(identity));
        let gone: Vec<_> = gone.map(|(name, _)| name).collect();
        for name in &gone {
            table
                .states
                .get_mut(name)
                .into_iter()
                .for_each(State::forget);
        }
        table.states.retain(|name, _| after.contains_key(name));
        drop(table);
        self.changed.notify_waiters();
        gone
    }

    /// A request came in: idleness starts anew.
    pub(super) fn touch(&self, now: Duration) {
        self.table().touched = now;
    }

    /// How long until idleness or age locks what is unlocked, and which of the two; `None` while nothing is.
    pub(super) fn lock_due(
        &self,
        agent: &AgentSettings,
        now: Duration,
    ) -> Option<(Duration, &'static str)> {
        let table = self.table();
        let oldest = table
            .states
            .values()
            .filter_map(|state| state.since.map(|since| since.running))
            .min()?;
        let aged = agent
            .max_unlock
            .map(|limit| (oldest + limit, "max_unlock reached"));
        let idle = agent.idle_lock.map(|limit| (table.touched + limit, "idle"));
        let (at, why) = aged.into_iter().chain(idle).min_by_key(|(at, _)| *at)?;
        Some((at.saturating_sub(now), why))
    }

    /// Resolves when something is unlocked or locked after this call, or the limits change.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }
}
