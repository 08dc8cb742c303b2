//! From step to step: what to do by what is stored, and by what came of it.

use std::time::Duration;

use jumpgate_api::Timestamp;

use super::{DEFAULT_GRACE, DatedKey, LastUse, ListedKey, Phase, Refusal, Rotation, StoredKey};
use crate::domain::identity::{AccessKeyId, LongTermKey};

/// How far AWS's clock may be behind ours when it dates a key, so that the key counts as made after our intent.
const CLOCKS_APART: Duration = Duration::from_secs(300);

/// What the one who asks wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// A new key.
    Begin,
    /// The end of a rotation that was cut off, or whose grace is over.
    Resume,
    /// The old key back.
    Abort,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// List the user's keys, with the last use of all but the current one.
    Survey,
    /// Make a key.
    Create,
    /// Show that AWS takes this key.
    Prove(LongTermKey),
    /// Let AWS take a key again.
    Activate(AccessKeyId),
    /// Let AWS take a key no more.
    Deactivate(AccessKeyId),
    /// Delete a key.
    Delete(AccessKeyId),
    /// Store this.
    Store(StoredKey),
    /// Nothing: it is finished, or waits for the end of the grace.
    Rest,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The user's keys.
    Surveyed(Vec<ListedKey>),
    /// The new key.
    Made(LongTermKey),
    /// It is done.
    Done,
    /// AWS knows no such key.
    Gone,
}

/// A rotation in the hands of a run.
#[derive(Debug)]
pub struct Run {
    stored: StoredKey,
    aim: Aim,
    grace: Duration,
}

impl Run {
    /// What to do first. `grace` is that of a rotation that begins; where one goes on, it can only shorten.
    ///
    /// # Errors
    /// The aim does not fit what is stored.
    pub fn begin(
        stored: StoredKey,
        aim: Aim,
        grace: Option<Duration>,
        now: Timestamp,
    ) -> Result<(Self, Step), Refusal> {
        match (stored.phase(), aim) {
            (None, Aim::Resume | Aim::Abort) => return Err(Refusal::NotUnderWay),
            (Some(phase), Aim::Begin) if !stored.is_due(now) => {
                return Err(Refusal::UnderWay(phase.as_str()));
            }
            _ => {}
        }
        let under_way = stored.rotation.as_ref().filter(|_| aim != Aim::Begin);
        let own = under_way.map(|rotation| rotation.grace);
        let least = own.into_iter().chain(grace).min();
        let mut run = Self {
            stored,
            aim,
            grace: least.unwrap_or(DEFAULT_GRACE),
        };
        let shorter = grace.is_some_and(|grace| run.shorten(now.plus(grace)));
        let step = match run.next(now) {
            Step::Rest if shorter => Step::Store(run.stored.clone()),
            step => step,
        };
        Ok((run, step))
    }

    /// What is stored.
    #[must_use]
    pub const fn stored(&self) -> &StoredKey {
        &self.stored
    }

    /// Lets the former key go by then, and says whether that is earlier than before.
    fn shorten(&mut self, end: Timestamp) -> bool {
        match &mut self.stored.rotation {
            Some(Rotation {
                phase: Phase::Retiring { delete_at, .. },
                ..
            }) if *delete_at > end => {
                *delete_at = end;
                true
            }
            _ => false,
        }
    }

    /// What to do, by what is stored alone.
    fn next(&self, now: Timestamp) -> Step {
        use Phase as P;
        let Some(phase) = self.stored.phase() else {
            return if self.aim == Aim::Begin {
                Step::Survey
            } else {
                Step::Rest
            };
        };
        match (phase, self.aim) {
            (P::Creating { .. }, _) => Step::Survey,
            (P::Created { next }, Aim::Abort) => {
                Step::Store(self.withdrawing(&self.stored.current, next.id()))
            }
            (P::Created { next }, _) => Step::Prove(next.key.clone()),
            (P::Switched { former } | P::Retiring { former, .. }, Aim::Abort) => {
                Step::Activate(former.id().clone())
            }
            (P::Switched { former }, _) => Step::Deactivate(former.id().clone()),
            (P::Retiring { former, delete_at }, _) if *delete_at <= now => {
                Step::Delete(former.id().clone())
            }
            (P::Retiring { .. }, _) => Step::Rest,
            (P::Withdrawing { doomed }, _) => Step::Delete(doomed.clone()),
        }
    }

    /// What to do after a step.
    ///
    /// # Errors
    /// What came of it forbids to go on; what is stored stays, and can be resumed or aborted.
    pub fn after(&mut self, step: Step, event: Event, now: Timestamp) -> Result<Step, Refusal> {
        if let (Step::Store(stored), Event::Done) = (&step, &event) {
            self.stored = stored.clone();
            return Ok(self.next(now));
        }
        let phase = self.stored.phase();
        match (phase, step, event) {
            (None, Step::Survey, Event::Surveyed(keys)) => self.intend(keys, now),
            (Some(Phase::Creating { known, at }), Step::Survey, Event::Surveyed(keys)) => {
                self.look_back(keys, known, *at)
            }
            (Some(Phase::Creating { .. }), Step::Delete(_), Event::Done | Event::Gone) => {
                Ok(self.create_or_leave())
            }
            (Some(Phase::Creating { .. }), Step::Create, Event::Made(key)) => {
                let since = Some(now);
                let next = DatedKey { key, since };
                let current = &self.stored.current;
                Ok(self.store(current, Phase::Created { next }))
            }
            (Some(Phase::Created { next }), Step::Prove(_), Event::Done) => {
                self.aim = Aim::Resume;
                let former = self.stored.current.clone();
                Ok(self.store(next, Phase::Switched { former }))
            }
            (Some(Phase::Switched { former }), Step::Deactivate(_), Event::Done | Event::Gone) => {
                let (former, delete_at) = (former.clone(), now.plus(self.grace));
                let current = &self.stored.current;
                Ok(self.store(current, Phase::Retiring { former, delete_at }))
            }
            (
                Some(Phase::Retiring { .. } | Phase::Withdrawing { .. }),
                Step::Delete(_),
                Event::Done | Event::Gone,
            ) => Ok(Step::Store(self.stored.settled())),
            (
                Some(Phase::Switched { former } | Phase::Retiring { former, .. }),
                Step::Activate(_),
                Event::Done,
            ) => Ok(Step::Prove(former.key.clone())),
            (_, Step::Activate(former), Event::Gone) => Err(Refusal::FormerIsGone(former)),
            (
                Some(Phase::Switched { former } | Phase::Retiring { former, .. }),
                Step::Prove(_),
                Event::Done,
            ) => Ok(Step::Store(
                self.withdrawing(former, self.stored.current.id()),
            )),
            _ => Err(Refusal::Confused),
        }
    }

    fn store(&self, current: &DatedKey, phase: Phase) -> Step {
        Step::Store(self.stored.with(current, phase, self.grace))
    }

    fn withdrawing(&self, current: &DatedKey, doomed: &AccessKeyId) -> StoredKey {
        let doomed = doomed.clone();
        self.stored
            .with(current, Phase::Withdrawing { doomed }, self.grace)
    }

    /// Before anything is made: the only key must be ours.
    fn intend(&self, keys: Vec<ListedKey>, at: Timestamp) -> Result<Step, Refusal> {
        let current = &self.stored.current;
        if !keys.iter().any(|key| key.id == *current.id()) {
            return Err(Refusal::Unlisted(current.id().clone()));
        }
        if keys.len() > 1 {
            return Err(Refusal::NoRoom(keys));
        }
        let known = keys.into_iter().map(|key| key.id).collect();
        Ok(self.store(current, Phase::Creating { known, at }))
    }

    /// Whether an earlier run, or this one with an answer that was lost, made a key whose secret nobody has: one that
    /// appeared since the intent and never signed. Any other is somebody's, and stays.
    fn look_back(
        &self,
        keys: Vec<ListedKey>,
        known: &[AccessKeyId],
        intended_at: Timestamp,
    ) -> Result<Step, Refusal> {
        let lost = keys.iter().find(|key| !known.contains(&key.id));
        let Some(lost) = lost else {
            return Ok(self.create_or_leave());
        };
        let appeared = lost
            .created_at
            .is_some_and(|at| at.plus(CLOCKS_APART) >= intended_at);
        if appeared && lost.last_used == LastUse::Never {
            Ok(Step::Delete(lost.id.clone()))
        } else {
            Err(Refusal::Foreign(vec![lost.clone()]))
        }
    }

    fn create_or_leave(&self) -> Step {
        if self.aim == Aim::Abort {
            Step::Store(self.stored.settled())
        } else {
            Step::Create
        }
    }
}
