//! The session cache: one entry and at most one flight for each question.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jumpgate_api::Timestamp;

use super::failure::Failure;
use super::flight::Flight;
use crate::domain::assume_role::{AssumeRole, AssumeRoleRequest};
use crate::domain::lifetime::{Freshness, LAST_SECONDS, freshness, refresh_pause};
use crate::domain::name::{IdentityName, ProfileName};
use crate::domain::session::Session;
use crate::ports::{Clock, Entropy};

/// Most questions that are kept; beyond it new ones are refused until some have expired.
pub(super) const MAX_ENTRIES: usize = 20_000;

/// How long a caller waits for a refresh of a session that still lives.
pub(super) const REFRESH_WAIT: Duration = Duration::from_secs(5);

/// A session and the call that made it, for the journal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Minted {
    pub(super) session: Session,
    pub(super) sent: AssumeRoleRequest,
    pub(super) profile: ProfileName,
}

/// What a caller got.
#[derive(Debug, Clone)]
pub(super) struct Served {
    pub(super) minted: Arc<Minted>,
    /// Whether this caller is the one for whom it was made.
    pub(super) first: bool,
}

/// Whether a session is made while an older one is still handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behind(pub(super) bool);

type Minting = Flight<Arc<Minted>>;

#[derive(Default)]
struct Entry {
    minted: Option<Arc<Minted>>,
    flight: Option<Minting>,
    refusal: Option<(Failure, Timestamp)>,
    failed_refreshes: u32,
    next_refresh: Option<Timestamp>,
    handed_out: bool,
}

#[derive(Default)]
struct Cache {
    entries: HashMap<Arc<AssumeRole>, Entry>,
    /// Counts locks: what a flight brings home after one is thrown away.
    locks: u64,
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
    Serve(Served),
    Join(Minting),
    JoinOrServe(Minting, Served),
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

    /// The session for a question: from the cache, from the flight under way, or by `mint`. `refreshable` says
    /// whether `mint` can do without a person; a session that still lives is not refreshed otherwise. `mint` is
    /// told whether it works behind its callers' backs.
    ///
    /// # Errors
    /// The flight's failure, shared by all that wait for it and by those that ask within a few seconds.
    pub(super) async fn session<M>(
        &self,
        question: &Arc<AssumeRole>,
        refreshable: bool,
        mint: impl FnOnce(Behind) -> M,
    ) -> Result<Served, Failure>
    where
        M: Future<Output = Result<Arc<Minted>, Failure>> + Send + 'static,
    {
        let step = self.step(question, refreshable, mint)?;
        match step {
            Step::Serve(served) => Ok(served),
            Step::Join(flight) => {
                let minted = flight.landed().await?;
                Ok(Served {
                    first: self.take_first(question, &minted),
                    minted,
                })
            }
            Step::JoinOrServe(flight, old) => {
                match tokio::time::timeout(REFRESH_WAIT, flight.landed()).await {
                    Ok(Ok(minted)) => Ok(Served {
                        first: self.take_first(question, &minted),
                        minted,
                    }),
                    Ok(Err(Failure::Locked)) => Err(Failure::Locked),
                    Ok(Err(_)) | Err(_) => Ok(old),
                }
            }
        }
    }

    fn step<M>(
        &self,
        question: &Arc<AssumeRole>,
        refreshable: bool,
        mint: impl FnOnce(Behind) -> M,
    ) -> Result<Step, Failure>
    where
        M: Future<Output = Result<Arc<Minted>, Failure>> + Send + 'static,
    {
        let now = self.clock.now();
        let mut cache = self.cache();
        cache.make_room(question, now)?;
        let locks = cache.locks;
        let entry = cache.entries.entry(Arc::clone(question)).or_default();
        let under_way = entry.flight.clone().filter(Minting::is_under_way);
        let old = entry.alive(now);
        if let Some((minted, judged)) = old {
            let served = Served {
                first: false,
                minted,
            };
            let may_refresh = refreshable && entry.next_refresh.is_none_or(|next| next <= now);
            return Ok(match (judged, under_way) {
                (Freshness::Fresh, _) | (Freshness::Ageing, Some(_)) => Step::Serve(served),
                (Freshness::Short | Freshness::Spent, Some(flight)) => {
                    Step::JoinOrServe(flight, served)
                }
                (_, None) if !may_refresh => Step::Serve(served),
                (Freshness::Ageing, None) => {
                    self.launch(entry, question, locks, mint(Behind(true)));
                    Step::Serve(served)
                }
                (Freshness::Short | Freshness::Spent, None) => {
                    let flight = self.launch(entry, question, locks, mint(Behind(true)));
                    Step::JoinOrServe(flight, served)
                }
            });
        }
        if let Some(flight) = under_way {
            return Ok(Step::Join(flight));
        }
        if let Some((failure, until)) = &entry.refusal
            && *until > now
        {
            return Err(failure.clone());
        }
        Ok(Step::Join(self.launch(
            entry,
            question,
            locks,
            mint(Behind(false)),
        )))
    }

    fn launch<M>(
        &self,
        entry: &mut Entry,
        question: &Arc<AssumeRole>,
        locks: u64,
        mint: M,
    ) -> Minting
    where
        M: Future<Output = Result<Arc<Minted>, Failure>> + Send + 'static,
    {
        let sessions = self.clone();
        let key = Arc::clone(question);
        let flight = Flight::start(mint, move |result| sessions.settle(&key, locks, result));
        entry.flight = Some(flight.clone());
        entry.refusal = None;
        flight
    }

    /// Takes a flight's result into the cache. What was locked away in the meantime stays away.
    fn settle(
        &self,
        question: &Arc<AssumeRole>,
        locks: u64,
        result: Result<Arc<Minted>, Failure>,
    ) -> Result<Arc<Minted>, Failure> {
        let (now, jitter) = (self.clock.now(), self.entropy.byte());
        let mut cache = self.cache();
        if cache.locks != locks {
            return Err(Failure::Locked);
        }
        let Some(entry) = cache.entries.get_mut(question) else {
            return result;
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
                entry.next_refresh = Some(now.plus(refresh_pause(entry.failed_refreshes, jitter)));
                let remembered = failure.remembered();
                entry.refusal = remembered.map(|pause| (failure.clone(), now.plus(pause)));
            }
        }
        result
    }

    /// Whether this session is handed out for the first time.
    fn take_first(&self, question: &Arc<AssumeRole>, minted: &Arc<Minted>) -> bool {
        let mut cache = self.cache();
        cache.entries.get_mut(question).is_some_and(|entry| {
            let same = entry
                .minted
                .as_ref()
                .is_some_and(|cached| Arc::ptr_eq(cached, minted));
            same && !std::mem::replace(&mut entry.handed_out, true)
        })
    }

    /// Drops everything; flights under way land nowhere. Returns how many sessions there were.
    pub(super) fn lock(&self) -> usize {
        let mut cache = self.cache();
        cache.locks += 1;
        let sessions = cache
            .entries
            .values()
            .filter(|entry| entry.minted.is_some())
            .count();
        cache.entries.clear();
        sessions
    }

    /// Drops what came from one identity.
    pub(super) fn forget(&self, identity: &IdentityName) {
        self.cache()
            .entries
            .retain(|question, _| question.identity != *identity);
    }

    /// The sessions that can be handed out now.
    pub(super) fn live(&self, now: Timestamp) -> Vec<Arc<Minted>> {
        let cache = self.cache();
        let mut live: Vec<_> = cache
            .entries
            .values()
            .filter_map(|entry| Some(entry.alive(now)?.0))
            .collect();
        live.sort_by(|a, b| a.session.id.cmp(&b.session.id));
        live
    }
}

impl Entry {
    fn alive(&self, now: Timestamp) -> Option<(Arc<Minted>, Freshness)> {
        let minted = self.minted.as_ref()?;
        let judged = freshness(minted.session.issued_at, minted.session.expires_at, now);
        (judged != Freshness::Spent).then(|| (Arc::clone(minted), judged))
    }

    fn is_idle(&self, now: Timestamp) -> bool {
        let remembers = self.refusal.as_ref().is_some_and(|(_, until)| *until > now);
        let flies = self.flight.as_ref().is_some_and(Minting::is_under_way);
        let lives = self
            .minted
            .as_ref()
            .is_some_and(|minted| minted.session.expires_at.since(now) > LAST_SECONDS);
        !remembers && !flies && !lives
    }
}

impl Cache {
    /// Sweeps out what is over whenever the cache has doubled since the last sweep, which keeps the cost of
    /// an ask constant on average.
    fn make_room(&mut self, question: &Arc<AssumeRole>, now: Timestamp) -> Result<(), Failure> {
        if self.entries.contains_key(question) {
            return Ok(());
        }
        if self.entries.len() >= self.sweep_at.clamp(64, MAX_ENTRIES) {
            self.entries.retain(|_, entry| !entry.is_idle(now));
            self.sweep_at = self.entries.len() * 2;
        }
        if self.entries.len() >= MAX_ENTRIES {
            return Err(Failure::Busy("the session cache is full"));
        }
        Ok(())
    }
}
