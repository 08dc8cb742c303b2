//! Identities in memory: unlocked once for all who wait, dropped on lock, idleness and age.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jumpgate_api::{IdentityState, Secret, Timestamp};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::Ports;
use super::failure::Failure;
use super::flight::Flight;
use super::unlocking::{missing_code, takes_code_each_time};
use crate::domain::identity::{BaseCredentials, CodeSource, Identity, LongTermKey};
use crate::domain::name::IdentityName;
use crate::domain::settings::AgentSettings;
use crate::ports::{StoreError, TokenErrorKind};

/// How long a question on a terminal counts as open: callers wait for it meanwhile.
const OPEN_PROMPT: Duration = Duration::from_secs(120);

/// How long a typed code waits for the AssumeRole that takes it (`mfa_session = "off"`). AWS accepts a code
/// for its own 30 s and one step before and after.
const CODE_KEEPS: Duration = Duration::from_secs(60);

/// What a person supplied.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// The passphrase of the sealed key.
    pub passphrase: Option<Secret<String>>,
    /// A code of the MFA device.
    pub mfa_code: Option<Secret<String>>,
}

impl Answers {
    const fn is_empty(&self) -> bool {
        self.passphrase.is_none() && self.mfa_code.is_none()
    }
}

/// An identity in memory. Dropping it wipes the key.
#[derive(Clone)]
pub(super) struct Unlocked {
    pub(super) key: LongTermKey,
    pub(super) base: BaseCredentials,
    pub(super) since: Timestamp,
}

#[derive(Default)]
pub(super) struct State {
    unlocked: Option<Arc<Unlocked>>,
    flight: Option<Flight<Arc<Unlocked>>>,
    asked_at: Option<Timestamp>,
    pub(super) waiting_code: Option<(Secret<String>, Timestamp)>,
    pub(super) last_code: Option<Secret<String>>,
}

#[derive(Default)]
struct Table {
    states: HashMap<IdentityName, State>,
    /// Counts locks: what a flight brings home after one is thrown away.
    locks: u64,
    touched: Timestamp,
}

/// How an identity stands, for `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether it can be used now.
    pub state: IdentityState,
    /// Since when it is in memory.
    pub since: Option<Timestamp>,
    /// Until when no further code is needed.
    pub mfa_until: Option<Timestamp>,
}

#[must_use]
enum Boarding {
    Unlocked(Arc<Unlocked>),
    Joined(Flight<Arc<Unlocked>>),
    TookOff(Flight<Arc<Unlocked>>),
}

/// All identities.
#[derive(Clone)]
pub(super) struct Identities {
    table: Arc<Mutex<Table>>,
    pub(super) changed: Arc<Notify>,
    pub(super) ports: Arc<Ports>,
}

impl Identities {
    pub(super) fn new(ports: Arc<Ports>) -> Self {
        Self {
            table: Arc::default(),
            changed: Arc::default(),
            ports,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What signs the identity's STS calls; unlocks it if need be, once for all who wait.
    ///
    /// # Errors
    /// Nothing stored, nobody to ask, declined, refused by STS.
    pub(super) async fn base(
        &self,
        identity: &Arc<Identity>,
        patience: Duration,
    ) -> Result<BaseCredentials, Failure> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let news = self.changed.notified();
            match self.unlock(identity, Answers::default()).await {
                Ok(unlocked) => return Ok(unlocked.base.clone()),
                Err(missing @ Failure::InteractionRequired { .. }) => {
                    if !self.is_being_asked(&identity.name) {
                        return Err(missing);
                    }
                    // A person sits at a terminal with the question before them: wait for the answer.
                    tokio::time::timeout_at(deadline, news)
                        .await
                        .map_err(|_| missing)?;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// The long-term key itself, for `identity check`.
    pub(super) async fn long_term(
        &self,
        identity: &Arc<Identity>,
    ) -> Result<BaseCredentials, Failure> {
        let unlocked = self.unlock(identity, Answers::default()).await?;
        Ok(BaseCredentials::from(&unlocked.key))
    }

    /// Unlocks with what a person supplied. Without answers, a question that remains counts as being asked.
    pub(super) async fn unlock_by_person(
        &self,
        identity: &Arc<Identity>,
        answers: Answers,
    ) -> Result<(), Failure> {
        if let (Some(code), true) = (&answers.mfa_code, takes_code_each_time(identity)) {
            let until = self.ports.clock.now().plus(CODE_KEEPS);
            self.with(&identity.name, |state| {
                state.waiting_code = Some((code.clone(), until))
            });
        }
        let result = self.unlock(identity, answers).await.map(drop);
        let result = result.and_then(|()| self.code_is_there(identity));
        let now = self.ports.clock.now();
        let open = result.as_ref().is_err_and(a_person_can_mend);
        self.with(&identity.name, |state| state.asked_at = open.then_some(now));
        self.changed.notify_waiters();
        result
    }

    fn code_is_there(&self, identity: &Identity) -> Result<(), Failure> {
        let now = self.ports.clock.now();
        let waits = self.with(&identity.name, |state| {
            state
                .waiting_code
                .as_ref()
                .is_some_and(|(_, until)| *until > now)
        });
        match (&identity.mfa, takes_code_each_time(identity) && !waits) {
            (Some(mfa), true) if mfa.source == CodeSource::Prompt => {
                Err(missing_code(identity, mfa))
            }
            _ => Ok(()),
        }
    }

    async fn unlock(
        &self,
        identity: &Arc<Identity>,
        answers: Answers,
    ) -> Result<Arc<Unlocked>, Failure> {
        loop {
            let (flight, joined) = match self.board(identity, &answers) {
                Boarding::Unlocked(unlocked) => return Ok(unlocked),
                Boarding::Joined(flight) => (flight, true),
                Boarding::TookOff(flight) => (flight, false),
            };
            match flight.landed().await {
                // The flight that was under way had nobody's answers on board; ours has.
                Err(Failure::InteractionRequired { .. }) if joined && !answers.is_empty() => {}
                result => return result,
            }
        }
    }

    fn board(&self, identity: &Arc<Identity>, answers: &Answers) -> Boarding {
        let now = self.ports.clock.now();
        let mut table = self.table();
        let locks = table.locks;
        let state = table.states.entry(identity.name.clone()).or_default();
        if let Some(unlocked) = &state.unlocked
            && unlocked.base.usable_at(now)
        {
            return Boarding::Unlocked(Arc::clone(unlocked));
        }
        match state.flight.clone().filter(Flight::is_under_way) {
            Some(flight) => Boarding::Joined(flight),
            None => Boarding::TookOff(self.take_off(state, locks, identity, answers.clone())),
        }
    }

    fn take_off(
        &self,
        state: &mut State,
        locks: u64,
        identity: &Arc<Identity>,
        answers: Answers,
    ) -> Flight<Arc<Unlocked>> {
        let known = state
            .unlocked
            .as_ref()
            .map(|unlocked| (unlocked.key.clone(), unlocked.since));
        let (this, on_board) = (self.clone(), Arc::clone(identity));
        let (that, name) = (self.clone(), identity.name.clone());
        let flight = Flight::start(
            async move { this.fetch(&on_board, known, answers).await.map(Arc::new) },
            move |result| that.settle(&name, locks, result),
        );
        state.flight = Some(flight.clone());
        flight
    }

    fn settle(
        &self,
        name: &IdentityName,
        locks: u64,
        result: Result<Arc<Unlocked>, Failure>,
    ) -> Result<Arc<Unlocked>, Failure> {
        let mut table = self.table();
        if table.locks != locks {
            return Err(Failure::Locked);
        }
        let state = table.states.entry(name.clone()).or_default();
        state.flight = None;
        if let Ok(unlocked) = &result {
            state.unlocked = Some(Arc::clone(unlocked));
        }
        drop(table);
        self.changed.notify_waiters();
        result
    }

    /// Whether a further session can be made without a person.
    pub(super) fn is_ready(&self, identity: &Identity) -> bool {
        let now = self.ports.clock.now();
        let typed_each_time = takes_code_each_time(identity)
            && identity
                .mfa
                .as_ref()
                .is_some_and(|mfa| mfa.source == CodeSource::Prompt);
        !typed_each_time
            && self.with(&identity.name, |state| {
                state
                    .unlocked
                    .as_ref()
                    .is_some_and(|unlocked| unlocked.base.usable_at(now))
            })
    }

    /// The MFA session is no good any more, though it has not expired.
    pub(super) fn drop_base(&self, name: &IdentityName) {
        self.with(name, |state| state.unlocked = None);
    }

    pub(super) fn is_being_asked(&self, name: &IdentityName) -> bool {
        let now = self.ports.clock.now();
        let open = |at: Timestamp| now.since(at) < OPEN_PROMPT;
        self.with(name, |state| state.asked_at.is_some_and(open))
    }

    pub(super) fn with<T>(&self, name: &IdentityName, act: impl FnOnce(&mut State) -> T) -> T {
        act(self.table().states.entry(name.clone()).or_default())
    }

    /// How an identity stands.
    pub(super) fn standing(&self, identity: &Identity) -> Standing {
        let asked = self.is_being_asked(&identity.name);
        let now = self.ports.clock.now();
        self.with(&identity.name, |state| {
            let prompting = asked || state.flight.as_ref().is_some_and(Flight::is_under_way);
            let unlocked = state
                .unlocked
                .as_ref()
                .filter(|held| held.base.usable_at(now));
            Standing {
                state: match (unlocked, prompting) {
                    (Some(_), _) => IdentityState::Unlocked,
                    (None, true) => IdentityState::Prompting,
                    (None, false) => IdentityState::Locked,
                },
                since: unlocked.map(|held| held.since),
                mfa_until: unlocked.and_then(|held| held.base.expires_at),
            }
        })
    }

    /// Drops everything; flights under way land nowhere. Returns how many identities were unlocked.
    pub(super) fn lock(&self) -> usize {
        let mut table = self.table();
        table.locks += 1;
        let unlocked = table
            .states
            .values()
            .filter(|state| state.unlocked.is_some())
            .count();
        let states = std::mem::take(&mut table.states);
        for (name, state) in states {
            // AWS remembers a used code whether we are locked or not.
            let kept = State {
                last_code: state.last_code,
                ..State::default()
            };
            table.states.insert(name, kept);
        }
        drop(table);
        self.changed.notify_waiters();
        unlocked
    }

    /// Drops one identity, since its key or its configuration is another now.
    pub(super) fn forget(&self, name: &IdentityName) {
        self.table().states.remove(name);
        self.changed.notify_waiters();
    }

    /// Drops the identities that are configured no more, or otherwise. Returns their names.
    pub(super) fn keep_only(
        &self,
        before: &BTreeMap<IdentityName, Arc<Identity>>,
        after: &BTreeMap<IdentityName, Arc<Identity>>,
    ) -> Vec<IdentityName> {
        let gone = before
            .iter()
            .filter(|(name, identity)| after.get(*name) != Some(identity));
        let gone: Vec<_> = gone.map(|(name, _)| name.clone()).collect();
        gone.iter().for_each(|name| self.forget(name));
        gone
    }

    /// A request came in: idleness starts anew.
    pub(super) fn touch(&self) {
        self.table().touched = self.ports.clock.now();
    }

    /// When idleness or age locks what is unlocked, and which of the two; `None` while nothing is.
    pub(super) fn lock_due(&self, agent: &AgentSettings) -> Option<(Timestamp, &'static str)> {
        let table = self.table();
        let held = table
            .states
            .values()
            .filter_map(|state| state.unlocked.as_ref());
        let oldest = held.map(|unlocked| unlocked.since).min()?;
        let aged = agent
            .max_unlock
            .map(|limit| (oldest.plus(limit), "max_unlock reached"));
        let idle = agent
            .idle_lock
            .map(|limit| (table.touched.plus(limit), "idle"));
        aged.into_iter().chain(idle).min_by_key(|(at, _)| *at)
    }

    /// Resolves when something is unlocked or locked after this call.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }
}

/// Whether the person at the terminal is asked (again), so that callers may wait for the answer.
fn a_person_can_mend(failure: &Failure) -> bool {
    match failure {
        Failure::InteractionRequired { .. } => true,
        Failure::Upstream { error, .. } => error.kind == TokenErrorKind::MfaRejected,
        Failure::Store { error, .. } => *error == StoreError::WrongPassphrase,
        _ => false,
    }
}
