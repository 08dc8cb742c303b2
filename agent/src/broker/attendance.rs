//! Those who wait for a person's answer, each with a deadline of its own. The question stays for as long as one of
//! them waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::domain::grant::Grant;
use crate::domain::name::ProfileName;
use crate::domain::peer::Peer;
use crate::ports::{Errand, Processes, PromptError};

/// The place of a caller that went away and will ask again: endpoints answer at once.
const LINGERING: u64 = 0;

/// Who waits.
#[derive(Debug, Clone)]
pub(super) struct Waiter {
    pub(super) profile: Option<ProfileName>,
    pub(super) peer: Peer,
}

impl Waiter {
    /// A process that asked for what is granted to it.
    pub(super) fn new(grant: &Grant, peer: &Peer) -> Self {
        Self {
            profile: Some(grant.profile.name.clone()),
            peer: peer.clone(),
        }
    }
}

#[derive(Debug)]
struct Seat {
    waiter: Waiter,
    until: Instant,
}

#[derive(Debug, Default)]
struct Seats {
    taken: BTreeMap<u64, Seat>,
    last: u64,
}

#[derive(Debug, Default)]
struct Room {
    seats: Mutex<Seats>,
    changed: Notify,
}

/// All who wait for one answer. A clone is the same room.
#[derive(Debug, Clone, Default)]
pub(super) struct Attendance(Arc<Room>);

/// One of them. Dropped, it has left.
#[derive(Debug)]
pub(super) struct Attending {
    attendance: Attendance,
    seat: u64,
}

impl Drop for Attending {
    fn drop(&mut self) {
        self.attendance.seats().taken.remove(&self.seat);
        self.attendance.0.changed.notify_waiters();
    }
}

impl Attendance {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, for so long at most.
    pub(super) fn join(&self, waiter: Waiter, wait: Duration) -> Attending {
        let until = Instant::now() + wait;
        let mut seats = self.seats();
        seats.last += 1;
        let seat = seats.last;
        seats.taken.insert(seat, Seat { waiter, until });
        drop(seats);
        let attendance = self.clone();
        Attending { attendance, seat }
    }

    /// Counts as waiting for so long, though it goes away.
    pub(super) fn linger(&self, waiter: Waiter, wait: Duration) {
        let until = Instant::now() + wait;
        self.seats().taken.insert(LINGERING, Seat { waiter, until });
    }

    /// On whose behalf a person is asked: the first of those who wait. Nobody's, if none does.
    pub(super) fn errand(&self, processes: &dyn Processes) -> Option<Errand> {
        let now = Instant::now();
        let (first, others) = {
            let seats = self.seats();
            let mut live = seats.taken.values().filter(|seat| seat.until > now);
            (live.next()?.waiter.clone(), live.count())
        };
        let pid = first.peer.pid;
        Some(Errand {
            profile: first.profile,
            pid,
            executable: first.peer.executable,
            kin: processes.kin(pid),
            others,
        })
    }

    /// Whether nobody has come.
    pub(super) fn is_empty(&self) -> bool {
        self.seats().taken.is_empty()
    }

    /// Resolves when nobody waits any more: all have left, or the time of those who have not is over.
    pub(super) async fn deserted(&self) -> PromptError {
        loop {
            let news = self.0.changed.notified();
            let last = self.seats().taken.values().map(|seat| seat.until).max();
            match last {
                None => return PromptError::Withdrawn,
                Some(until) if until <= Instant::now() => return PromptError::TimedOut,
                Some(until) => {
                    let _somebody_came_or_left = tokio::time::timeout_at(until, news).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::broker::tests::fakes::FakeProcesses;
    use crate::domain::samples::peer;

    const MINUTE: Duration = Duration::from_secs(60);

    fn waiter() -> Waiter {
        Waiter {
            profile: None,
            peer: peer(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_stays_for_the_last_who_waits() {
        let room = Attendance::default();
        assert_eq!(room.deserted().await, PromptError::Withdrawn);
        let begin = Instant::now();
        let first = room.join(waiter(), MINUTE);
        tokio::time::advance(MINUTE / 2).await;
        let second = room.join(waiter(), MINUTE);
        assert_eq!(room.errand(&FakeProcesses::default()).unwrap().others, 1);
        assert_eq!(room.deserted().await, PromptError::TimedOut);
        assert_eq!(begin.elapsed(), MINUTE * 3 / 2);
        assert!(room.errand(&FakeProcesses::default()).is_none());
        drop((first, second));
        assert!(room.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_who_leaves_takes_it_along() {
        let room = Attendance::default();
        let waiting = [room.join(waiter(), MINUTE), room.join(waiter(), MINUTE)];
        let begin = Instant::now();
        let leaving = async {
            tokio::time::sleep(MINUTE / 4).await;
            drop(waiting);
        };
        let (left, ()) = tokio::join!(room.deserted(), leaving);
        assert_eq!(left, PromptError::Withdrawn);
        assert_eq!(begin.elapsed(), MINUTE / 4);
    }

    #[tokio::test(start_paused = true)]
    async fn who_lingers_counts_once_and_for_its_time() {
        let room = Attendance::default();
        let begin = Instant::now();
        room.linger(waiter(), MINUTE);
        tokio::time::advance(MINUTE / 2).await;
        room.linger(waiter(), MINUTE);
        assert_eq!(room.errand(&FakeProcesses::default()).unwrap().others, 0);
        assert_eq!(room.deserted().await, PromptError::TimedOut);
        assert_eq!(begin.elapsed(), MINUTE * 3 / 2);
    }
}
