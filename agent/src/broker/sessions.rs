//! The session cache: one entry and at most one flight for each question.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jumpgate_api::{Secret, Timestamp};

use super::failure::Failure;
use super::flight::Flight;
use super::question::Question;
use crate::domain::assume_role::AssumeRoleRequest;
use crate::domain::lifetime::{Freshness, HANDED_OUT, freshness, refresh_pause};
use crate::domain::name::{IdentityName, ProfileName};
use crate::domain::session::Session;
use crate::ports::{Clock, Entropy};

/// Most questions that are kept; beyond it new ones are refused until some have expired.
pub(super) const MAX_ENTRIES: usize = 20_000;

/// How long callers of `credential_process` are kept waiting for a refresh of a session that still lives.
pub(super) const REFRESH_WAIT: Duration = Duration::from_secs(5);

/// How a caller is served.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// How long a person may take.
    pub(super) person: Duration,
    /// How long a refresh may take, from its start, before the old session is handed out for as long as it lives.
    pub(super) refresh: Duration,
    /// The life that is handed out at least, wherever a refresh is possible.
    pub(super) least: Duration,
}

/// A session and the call that made it, for the journal.
#[derive(Debug)]
pub(super) struct Minted {
    pub(super) session: Session,
    pub(super) sent: AssumeRoleRequest,
    pub(super) profile: ProfileName,
    /// When it was made, by the clock that nobody can set.
    pub(super) made_at: Duration,
    /// Whether a caller has taken the issue upon itself: its record is written or on the way.
    pub(super) issued: AtomicBool,
    /// Whether a hand-out of it is known to be in the journal, on disk.
    pub(super) on_disk: AtomicBool,
    /// The session as endpoints answer with it, each kind's made once: gone when the session is.
    pub(super) bodies: Bodies,
}

/// A session as container credentials and as IMDS show it.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    pub(super) container: OnceLock<Arc<Secret<Vec<u8>>>>,
    pub(super) imds: OnceLock<Arc<Secret<Vec<u8>>>>,
}

impl Minted {
    /// The time that its expiry is compared with: a wall clock that was set back since does not lengthen its
    /// life.
    pub(super) fn now(&self, clock: &dyn Clock) -> Timestamp {
        let age = clock.running().saturating_sub(self.made_at);
        clock.now().max(self.session.issued_at.plus(age))
    }

    fn freshness(&self, clock: &dyn Clock, least: Duration) -> Freshness {
        let (issued_at, expires_at) = (self.session.issued_at, self.session.expires_at);
        freshness(issued_at, expires_at, self.now(clock), least)
    }
}

/// Whether a session is made while an older one is still handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behind(pub(super) bool);

type Minting = Flight<Arc<Minted>>;

#[derive(Default)]
struct Entry {
    minted: Option<Arc<Minted>>,
    flight: Option<Minting>,
    /// Until when, as the next refresh, by the clock that nobody can set.
    refusal: Option<(Failure, Duration)>,
    failed_refreshes: u32,
    next_refresh: Option<Duration>,
}

#[derive(Default)]
struct Cache {
    entries: HashMap<Question, Entry>,
    sweep_at: usize,
}

/// The session cache.
#[derive(Clone)]
pub(super) struct Sessions {
    cache: Arc<Mutex<Cache>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

#[must_use]
enum Step {
    Serve(Arc<Minted>),
    /// Wait for the flight; the session before it still lives, if there is one.
    Join(Minting, Option<Arc<Minted>>),
}

impl Manner {
    /// For a caller that can wait: `credential_process`, `export`.
    pub(super) const fn patient(person: Duration) -> Self {
        Self {
            person,
            refresh: REFRESH_WAIT,
            least: HANDED_OUT,
        }
    }
}

impl Sessions {
    pub(super) fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            cache: Arc::default(),
            clock,
            entropy,
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session for a question that has one which needs no thought: [`Sessions::session`] would hand it out, at once and
    /// to everybody.
    pub(super) fn fresh(&self, question: &Question, least: Duration) -> Option<Arc<Minted>> {
        let cache = self.cache();
        let minted = cache.entries.get(question)?.minted.as_ref()?;
        let judged = minted.freshness(self.clock.as_ref(), least);
        (judged == Freshness::Fresh).then(|| Arc::clone(minted))
    }

    /// The session for a question: from the cache, from the flight under way, or by `mint`. `refreshable` says
    /// whether `mint` can do without a person; a session that still lives is not refreshed otherwise. `mint` is
    /// told whether it works behind its callers' backs.
    ///
    /// # Errors
    /// The flight's failure, shared by all that wait for it and by those that ask within a few seconds.
    pub(super) async fn session<M>(
        &self,
        question: &Question,
        refreshable: bool,
        manner: Manner,
        mint: impl FnOnce(Behind) -> M,
    ) -> Result<Arc<Minted>, Failure>
    where
        M: Future<Output = Result<Arc<Minted>, Failure>> + Send + 'static,
    {
        match self.step(question, refreshable, manner, mint)? {
            Step::Serve(minted) => Ok(minted),
            Step::Join(flight, None) => flight.landed().await,
            Step::Join(flight, Some(old)) => self.new_or_old(flight, old, manner).await,
        }
    }

    fn step<M>(
        &self,
        question: &Question,
        refreshable: bool,
        manner: Manner,
        mint: impl FnOnce(Behind) -> M,
    ) -> Result<Step, Failure>
    where
        M: Future<Output = Result<Arc<Minted>, Failure>> + Send + 'static,
    {
        let (clock, now) = (self.clock.as_ref(), self.clock.running());
        let mut cache = self.cache();
        let cache = &mut *cache;
        let entry = match cache.entries.get_mut(question) {
            Some(entry) => entry,
            None => {
                cache.make_room(clock)?;
                cache.entries.entry(question.clone()).or_default()
            }
        };
        let under_way = entry.flight.clone().filter(Minting::is_under_way);
        if let Some((old, judged)) = entry.alive(clock, manner.least) {
            let launches = judged != Freshness::Fresh && refreshable && entry.may_refresh(now);
            let flight = match under_way {
                None if launches => Some(self.launch(entry, question, mint(Behind(true)))),
                under_way => under_way,
            };
            return Ok(match flight {
                Some(flight) if judged == Freshness::Short => Step::Join(flight, Some(old)),
                Some(_) | None => Step::Serve(old),
            });
        }
        if let Some(flight) = under_way {
            return Ok(Step::Join(flight, None));
        }
        if let Some((failure, until)) = &entry.refusal
            && *until > now
        {
            return Err(failure.clone());
        }
        let flight = self.launch(entry, question, mint(Behind(false)));
        Ok(Step::Join(flight, None))
    }

    fn launch<M>(&self, entry: &mut Entry, question: &Question, mint: M) -> Minting
    where
        M: Future<Output = Result<Arc<Minted>, Failure>> + Send + 'static,
    {
        let sessions = self.clone();
        let key = question.clone();
        let flight = Flight::start(mint, move |flight, result| {
            sessions.settle(&key, flight, result)
        });
        entry.flight = Some(flight.clone());
        entry.refusal = None;
        flight
    }

    /// Takes a flight's result into the cache. A flight that the entry does not know was locked away, or its
    /// identity is another now: its result is thrown away.
    fn settle(
        &self,
        question: &Question,
        flight: &Minting,
        result: Result<Arc<Minted>, Failure>,
    ) -> Result<Arc<Minted>, Failure> {
        let (now, jitter) = (self.clock.running(), self.entropy.byte());
        let mut cache = self.cache();
        let entry = cache.entries.get_mut(question);
        let Some(entry) =
            entry.filter(|entry| entry.flight.as_ref().is_some_and(|own| own.is(flight)))
        else {
            return Err(Failure::Locked);
        };
        entry.flight = None;
        match &result {
            Ok(minted) => {
                *entry = Entry {
                    minted: Some(Arc::clone(minted)),
                    ..Entry::default()
                };
            }
            Err(failure) => {
                entry.failed_refreshes = entry.failed_refreshes.saturating_add(1);
                entry.next_refresh = Some(now + refresh_pause(entry.failed_refreshes, jitter));
                let remembered = failure.remembered();
                entry.refusal = remembered.map(|pause| (failure.clone(), now + pause));
            }
        }
        result
    }

    /// Gives the new session a bounded time to come. The old one does where that fails, for as long as it lives.
    async fn new_or_old(
        &self,
        flight: Minting,
        old: Arc<Minted>,
        manner: Manner,
    ) -> Result<Arc<Minted>, Failure> {
        let new = flight.clone().landed_within(manner.refresh).await;
        let lives = old.freshness(self.clock.as_ref(), manner.least) != Freshness::Spent;
        match new {
            Some(Ok(new)) => Ok(new),
            Some(Err(Failure::Locked)) => Err(Failure::Locked),
            Some(Err(_)) | None if lives => Ok(old),
            Some(Err(failure)) => Err(failure),
            None => flight.landed().await,
        }
    }

    /// Drops everything; flights under way land nowhere. Returns how many sessions there were.
    pub(super) fn lock(&self) -> usize {
        let entries = std::mem::take(&mut self.cache().entries);
        entries.values().for_each(Entry::call_off);
        let sessions = entries.values().filter(|entry| entry.minted.is_some());
        sessions.count()
    }

    /// Drops the sessions that are made; flights under way go on.
    pub(super) fn drop_made(&self) {
        for entry in self.cache().entries.values_mut() {
            entry.minted = None;
        }
    }

    /// Drops what came from one identity; flights under way land nowhere.
    pub(super) fn forget(&self, identity: &IdentityName) {
        self.cache().entries.retain(|question, entry| {
            let stays = question.identity != *identity;
            if !stays {
                entry.call_off();
            }
            stays
        });
    }

    /// Drops one session that AWS takes no more, unless it was replaced already.
    pub(super) fn discard(&self, question: &Question, minted: &Arc<Minted>) {
        let mut cache = self.cache();
        if let Some(entry) = cache.entries.get_mut(question) {
            entry.minted.take_if(|cached| Arc::ptr_eq(cached, minted));
        }
    }

    /// Forgets the refusals of questions to one identity: a person has changed what led to them.
    pub(super) fn forgive(&self, identity: &IdentityName) {
        let mut cache = self.cache();
        let entries = cache.entries.iter_mut();
        for (_, entry) in entries.filter(|(question, _)| question.identity == *identity) {
            entry.refusal = None;
        }
    }

    /// The question as it is kept, if it is: then it is the same in memory.
    pub(super) fn kept(&self, question: Question) -> Question {
        let cache = self.cache();
        let kept = cache.entries.get_key_value(&question);
        kept.map_or_else(|| question.clone(), |(kept, _)| kept.clone())
    }

    /// Whether this is the session that is kept for the question.
    pub(super) fn keeps(&self, question: &Question, minted: &Arc<Minted>) -> bool {
        let cache = self.cache();
        let kept = cache
            .entries
            .get(question)
            .and_then(|entry| entry.minted.as_ref());
        kept.is_some_and(|kept| Arc::ptr_eq(kept, minted))
    }

    /// How many questions are kept.
    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.cache().entries.len()
    }

    /// The sessions that can be handed out now.
    pub(super) fn live(&self) -> Vec<Arc<Minted>> {
        let clock = self.clock.as_ref();
        let cache = self.cache();
        let entries = cache.entries.values();
        let mut live: Vec<_> = entries
            .filter_map(|entry| Some(entry.alive(clock, HANDED_OUT)?.0))
            .collect();
        live.sort_by(|a, b| a.session.id.cmp(&b.session.id));
        live
    }
}

impl Entry {
    fn alive(&self, clock: &dyn Clock, least: Duration) -> Option<(Arc<Minted>, Freshness)> {
        let minted = self.minted.as_ref()?;
        let judged = minted.freshness(clock, least);
        (judged != Freshness::Spent).then(|| (Arc::clone(minted), judged))
    }

    fn may_refresh(&self, now: Duration) -> bool {
        self.next_refresh.is_none_or(|next| next <= now)
    }

    fn call_off(&self) {
        if let Some(flight) = &self.flight {
            flight.call_off();
        }
    }

    fn is_idle(&self, clock: &dyn Clock) -> bool {
        let now = clock.running();
        let remembers = self.refusal.as_ref().is_some_and(|(_, until)| *until > now);
        let flies = self.flight.as_ref().is_some_and(Minting::is_under_way);
        !remembers && !flies && self.alive(clock, HANDED_OUT).is_none()
    }
}

impl Cache {
    /// Sweeps out what is over whenever the cache has doubled since the last sweep, which keeps the cost of
    /// an ask constant on average.
    fn make_room(&mut self, clock: &dyn Clock) -> Result<(), Failure> {
        if self.entries.len() >= self.sweep_at.clamp(64, MAX_ENTRIES) {
            self.entries.retain(|_, entry| !entry.is_idle(clock));
            self.sweep_at = self.entries.len() * 2;
        }
        if self.entries.len() >= MAX_ENTRIES {
            return Err(Failure::Busy("the session cache is full"));
        }
        Ok(())
    }
}
