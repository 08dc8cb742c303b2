//! Identities in memory: unlocked once for all who wait. `unlocking` is what happens in the flight, `codes`
//! where second factors come from, `holding` how long it all stays.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jumpgate_api::{IdentityState, Secret, Timestamp};
use tokio::sync::Notify;

use super::Ports;
use super::attendance::Attendance;
use super::codes::{a_person_can_mend, types_code_each_time, types_codes};
use super::failure::{Failure, Needs};
use super::flight::Flight;
use super::holding::{Barred, Era};
use crate::domain::identity::{BaseCredentials, Identity, LongTermKey};
use crate::domain::name::IdentityName;
use crate::domain::rotation::KeyHistory;
use crate::domain::totp::TotpSeed;

/// How long a question on a terminal counts as open: callers wait for it meanwhile.
const OPEN_PROMPT: Duration = Duration::from_secs(120);

/// What a person supplied.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// The passphrase of the sealed key.
    pub passphrase: Option<Secret<String>>,
    /// A code of the MFA device.
    pub mfa_code: Option<Secret<String>>,
    /// The seed of the MFA device, to be kept beside a key.
    pub totp_seed: Option<TotpSeed>,
}

impl Answers {
    pub(super) const fn is_empty(&self) -> bool {
        self.passphrase.is_none() && self.mfa_code.is_none()
    }
}

/// An identity in memory. Dropping it wipes the key.
#[derive(Clone)]
pub(super) struct Unlocked {
    pub(super) key: LongTermKey,
    pub(super) base: BaseCredentials,
    /// What the agent makes codes of, if it does.
    pub(super) seed: Option<TotpSeed>,
}

/// When something was unlocked: by the wall clock for people, by the one that nobody can set for the lock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    pub(super) wall: Timestamp,
    pub(super) running: Duration,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) unlocked: Option<Arc<Unlocked>>,
    /// Since when something of it, or a session made by it, may be in memory.
    pub(super) since: Option<Since>,
    pub(super) flight: Option<Flight<Arc<Unlocked>>>,
    /// What an ask's own flight failed with, and until when, by the clock that nobody can set, the next ask is
    /// told the same.
    pub(super) refusal: Option<(Failure, Duration)>,
    pub(super) asked_at: Option<Timestamp>,
    pub(super) waiting_code: Option<(Secret<String>, Timestamp)>,
    pub(super) last_code: Option<Secret<String>>,
    /// What may be told of the key, since it was read last: no secret, so a lock leaves it.
    pub(super) history: Option<KeyHistory>,
    /// Who waits for it to be unlocked.
    pub(super) attendance: Attendance,
    /// What a dialog on the screen asks for.
    pub(super) asking: Option<Needs>,
    /// What was typed at a terminal meanwhile.
    pub(super) typed: Answers,
    /// Whether its key is being read: a keyring may be asking a person.
    pub(super) opening: bool,
}

#[derive(Default)]
pub(super) struct Table {
    /// The identities as they are configured now. What was configured otherwise is not unlocked.
    pub(super) configured: BTreeMap<IdentityName, Arc<Identity>>,
    pub(super) states: HashMap<IdentityName, State>,
    /// What keeps asks out: until it is over, or a person unlocks.
    pub(super) barred: Barred,
    /// Counts locks.
    pub(super) locks: u64,
    /// When the last request came, by the clock that nobody can set.
    pub(super) touched: Duration,
}

/// How an identity stands, for `status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whether it can be used now.
    pub state: IdentityState,
    /// Since when it is in memory.
    pub since: Option<Timestamp>,
    /// Until when no further code is needed.
    pub mfa_until: Option<Timestamp>,
    /// What is known of its key; nothing before it was read once.
    pub history: Option<KeyHistory>,
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
    /// Told when something is unlocked or locked, when a person is done, and when the limits change.
    pub(super) changed: Arc<Notify>,
    pub(super) ports: Arc<Ports>,
}

impl Identities {
    pub(super) fn new(
        ports: Arc<Ports>,
        configured: BTreeMap<IdentityName, Arc<Identity>>,
    ) -> Self {
        let table = Table {
            configured,
            ..Table::default()
        };
        Self {
            table: Arc::new(Mutex::new(table)),
            changed: Arc::default(),
            ports,
        }
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
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
            match self.unlock(identity, None).await {
                Ok(unlocked) => return Ok(unlocked.base.clone()),
                // A person sits at a terminal with the question before them: wait for the answer.
                Err(missing) if self.is_mended(identity, &missing) => {
                    let answered = tokio::time::timeout_at(deadline, news).await;
                    answered.map_err(|_| missing)?;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// What signs a change that a person asked for, with what the person supplied.
    pub(super) async fn base_for_change(
        &self,
        identity: &Arc<Identity>,
        answers: &Answers,
    ) -> Result<BaseCredentials, Failure> {
        let answers = (!answers.is_empty()).then(|| answers.clone());
        Ok(self.unlock(identity, answers).await?.base.clone())
    }

    /// The long-term key itself, for `identity check`.
    pub(super) async fn long_term(
        &self,
        identity: &Arc<Identity>,
    ) -> Result<BaseCredentials, Failure> {
        let unlocked = self.unlock(identity, None).await?;
        Ok(BaseCredentials::from(&unlocked.key))
    }

    /// Unlocks with what a person supplied, unless a lock came since the person asked. A question that remains counts as being asked.
    pub(super) async fn unlock_by_person(
        &self,
        identity: &Arc<Identity>,
        answers: Answers,
        era: Era,
    ) -> Result<(), Failure> {
        if self.table().era() != era {
            return Err(Failure::Locked);
        }
        let result = self.unlock_with(identity, answers).await;
        let now = self.ports.clock.now();
        let open = matches!(&result, Err(failure) if a_person_can_mend(identity, failure));
        let mut table = self.table();
        if table.era() != era {
            return Err(Failure::Locked);
        }
        if result.is_ok() {
            table.barred = Barred::default();
        }
        let state = table.states.entry(identity.name.clone()).or_default();
        state.asked_at = open.then_some(now);
        drop(table);
        self.changed.notify_waiters();
        result
    }

    async fn unlock_with(&self, identity: &Arc<Identity>, answers: Answers) -> Result<(), Failure> {
        let typed = answers.mfa_code.clone();
        let handed_over = self.answer_dialog(identity, &answers)?;
        if let Some(code) = typed.as_ref().filter(|_| !handed_over) {
            self.keep_code(identity, code)?;
        }
        self.unlock(identity, Some(answers)).await?;
        match typed {
            Some(_) => Ok(()),
            None => self.code_is_there(identity),
        }
    }

    /// Unlocks for an ask, or with a person's answers.
    async fn unlock(
        &self,
        identity: &Arc<Identity>,
        answers: Option<Answers>,
    ) -> Result<Arc<Unlocked>, Failure> {
        let supplied = answers.as_ref().is_some_and(|answers| !answers.is_empty());
        loop {
            let (flight, joined) = match self.board(identity, answers.as_ref())? {
                Boarding::Unlocked(unlocked) => return Ok(unlocked),
                Boarding::Joined(flight) => (flight, true),
                Boarding::TookOff(flight) => (flight, false),
            };
            match flight.landed().await {
                // The flight that was under way had nobody's answers on board; ours has.
                Err(Failure::InteractionRequired { .. }) if joined && supplied => {}
                result => return result,
            }
        }
    }

    fn board(
        &self,
        identity: &Arc<Identity>,
        answers: Option<&Answers>,
    ) -> Result<Boarding, Failure> {
        let (now, running) = (self.ports.clock.now(), self.ports.clock.running());
        let mut table = self.table();
        if table.configured.get(&identity.name) != Some(identity)
            || (table.barred.is_barred() && answers.is_none())
        {
            return Err(Failure::Locked);
        }
        let state = table.states.entry(identity.name.clone()).or_default();
        if let Some(unlocked) = &state.unlocked
            && unlocked.base.usable_at(now)
        {
            return Ok(Boarding::Unlocked(Arc::clone(unlocked)));
        }
        if let Some(flight) = state.flight.clone().filter(Flight::is_under_way) {
            return Ok(Boarding::Joined(flight));
        }
        match &state.refusal {
            Some((failure, until)) if *until > running && answers.is_none() => Err(failure.clone()),
            _ => Ok(Boarding::TookOff(self.take_off(state, identity, answers))),
        }
    }

    fn take_off(
        &self,
        state: &mut State,
        identity: &Arc<Identity>,
        answers: Option<&Answers>,
    ) -> Flight<Arc<Unlocked>> {
        let held = state.unlocked.clone();
        let (this, on_board) = (self.clone(), Arc::clone(identity));
        let (that, name) = (self.clone(), identity.name.clone());
        let by_ask = answers.is_none();
        let answers = answers.cloned();
        let flight = Flight::start(
            async move {
                let unlocked = this.fetch(&on_board, held, answers).await?;
                if by_ask {
                    this.record_unlock(&on_board).await;
                }
                Ok(Arc::new(unlocked))
            },
            move |flight, result| that.settle(&name, flight, by_ask, result),
        );
        state.flight = Some(flight.clone());
        flight
    }

    /// Takes a flight's result into the table. A flight that the table does not know was locked away, or the
    /// identity is another now: its result is thrown away.
    fn settle(
        &self,
        name: &IdentityName,
        flight: &Flight<Arc<Unlocked>>,
        by_ask: bool,
        result: Result<Arc<Unlocked>, Failure>,
    ) -> Result<Arc<Unlocked>, Failure> {
        let (now, running) = (self.ports.clock.now(), self.ports.clock.running());
        let mut table = self.table();
        let state = table.states.get_mut(name);
        let Some(state) =
            state.filter(|state| state.flight.as_ref().is_some_and(|own| own.is(flight)))
        else {
            return Err(Failure::Locked);
        };
        state.flight = None;
        state.typed = Answers::default();
        match &result {
            Ok(unlocked) => {
                state.unlocked = Some(Arc::clone(unlocked));
                state.since.get_or_insert(Since { wall: now, running });
                state.refusal = None;
                drop(table);
                self.changed.notify_waiters();
            }
            // A person's slip is told to that person alone.
            Err(failure) if by_ask => {
                let remembered = failure.remembered();
                state.refusal = remembered.map(|pause| (failure.clone(), running + pause));
            }
            Err(_) => {}
        }
        result
    }

    /// Whether a further session can be made without a person.
    pub(super) fn is_ready(&self, identity: &Identity) -> bool {
        let by_program = !types_codes(identity);
        let now = || self.ports.clock.now();
        !types_code_each_time(identity)
            && self.with(&identity.name, |state| {
                let held = state.unlocked.as_ref();
                held.is_some_and(|held| by_program || held.base.usable_at(now()))
            })
    }

    /// These base credentials are no good any more, though they have not expired.
    pub(super) fn drop_base(&self, name: &IdentityName, base: &BaseCredentials) {
        self.with(name, |state| {
            state.unlocked.take_if(|held| held.base == *base);
        });
    }

    /// Whether a person at a terminal is about to mend this failure.
    pub(super) fn is_mended(&self, identity: &Identity, failure: &Failure) -> bool {
        a_person_can_mend(identity, failure) && self.is_being_asked(&identity.name)
    }

    fn is_being_asked(&self, name: &IdentityName) -> bool {
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
            let held = state.unlocked.as_ref();
            let unlocked = held.filter(|held| held.base.usable_at(now));
            Standing {
                state: match (unlocked, prompting) {
                    (Some(_), _) => IdentityState::Unlocked,
                    (None, true) => IdentityState::Prompting,
                    (None, false) => IdentityState::Locked,
                },
                since: unlocked.and(state.since).map(|since| since.wall),
                mfa_until: unlocked.and_then(|held| held.base.expires_at),
                history: state.history.clone(),
            }
        })
    }
}
