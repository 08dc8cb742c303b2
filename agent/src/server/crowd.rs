//! What one process may take of the endpoints, so that there is something left for others: so many requests at a time, and
//! so many refusals in a time. Processes that nobody could name are one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::room::MAX_CONNECTIONS;

/// Most requests of one process that are being answered at a time, on as many connections: half of the room. It is far
/// more than the 64 of one endpoint that are worked on, since a hundred threads that start together are no attack.
pub(super) const MAX_AT_ONCE: usize = MAX_CONNECTIONS / 2;

/// So many refusals of one process are told at once.
const REFUSED_AT_ONCE: u32 = 20;

/// After that, one in so long a time is told at once.
const ONE_MORE_IN: Duration = Duration::from_millis(100);

/// How long the others are kept back: a client that asks in a loop finds its pace.
const KEPT_BACK: Duration = Duration::from_millis(400);

/// Most processes that are remembered; there are never more connections than half of that.
const MAX_PROCESSES: usize = 2 * MAX_CONNECTIONS;

/// The processes that are being answered, or were refused lately.
#[derive(Debug, Default)]
pub(super) struct Crowd(Mutex<Processes>);

/// By pid, in its order: mostly there are a few, and each request looks for its own twice.
type Processes = Vec<(u32, Dealings)>;

#[derive(Debug, Default)]
struct Dealings {
    at_once: usize,
    /// When all refusals so far would have been told at the slow pace; `None` if there were none.
    paid_off: Option<Instant>,
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Attended<'a> {
    crowd: &'a Crowd,
    pid: u32,
}

impl Drop for Attended<'_> {
    fn drop(&mut self) {
        let mut processes = self.crowd.processes();
        if let Ok(place) = place(&processes, self.pid) {
            let process = &mut processes[place].1;
            process.at_once -= 1;
            let owes = |paid_off| paid_off > Instant::now();
            if process.at_once == 0 && !process.paid_off.is_some_and(owes) {
                processes.remove(place);
            }
        }
    }
}

impl Crowd {
    /// Begins with a request of this process; `None` when as many as there may be are under way.
    pub(super) fn attend(&self, pid: u32) -> Option<Attended<'_>> {
        let mut processes = self.processes();
        let process = known(&mut processes, pid);
        if process.at_once >= MAX_AT_ONCE {
            return None;
        }
        process.at_once += 1;
        Some(Attended { crowd: self, pid })
    }

    /// A refusal is about to be told to this process: resolves at once, or later if there were many.
    pub(super) async fn refused(&self, pid: u32) {
        let late = !self.may_be_told(pid, Instant::now());
        if late {
            tokio::time::sleep(KEPT_BACK).await;
        }
    }

    fn may_be_told(&self, pid: u32, now: Instant) -> bool {
        let mut processes = self.processes();
        let process = known(&mut processes, pid);
        let paid_off = process.paid_off.map_or(now, |paid_off| paid_off.max(now)) + ONE_MORE_IN;
        let told = paid_off - now <= ONE_MORE_IN * REFUSED_AT_ONCE;
        if told {
            process.paid_off = Some(paid_off);
        }
        told
    }

    fn processes(&self) -> MutexGuard<'_, Processes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a process is, or would be.
fn place(processes: &Processes, pid: u32) -> Result<usize, usize> {
    processes.binary_search_by_key(&pid, |(pid, _)| *pid)
}

/// Where there are too many, those are forgotten that wait for nothing: their refusals are old, or count no more.
fn known(processes: &mut Processes, pid: u32) -> &mut Dealings {
    let mut found = place(processes, pid);
    if found.is_err() && processes.len() >= MAX_PROCESSES {
        processes.retain(|(_, process)| process.at_once > 0);
        found = place(processes, pid);
    }
    let place = found.unwrap_or_else(|place| {
        processes.insert(place, (pid, Dealings::default()));
        place
    });
    &mut processes[place].1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_takes_half_of_the_room_and_no_more() {
        let crowd = Crowd::default();
        let all: Vec<_> = (0..MAX_AT_ONCE).map(|_| crowd.attend(7)).collect();
        assert!(all.iter().all(Option::is_some));
        assert!(crowd.attend(7).is_none());
        assert!(crowd.attend(8).is_some(), "another process");
        drop(all);
        assert!(crowd.attend(7).is_some());
        assert!(
            crowd.processes().is_empty(),
            "nobody is remembered for nothing"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_refusals_are_told_at_once_and_then_one_in_a_time() {
        let crowd = Crowd::default();
        let told = |pid| crowd.may_be_told(pid, Instant::now());
        for _ in 0..REFUSED_AT_ONCE {
            assert!(told(7));
        }
        assert!(!told(7));
        assert!(told(8), "another process");
        tokio::time::advance(ONE_MORE_IN).await;
        assert!(told(7));
        assert!(!told(7));
        tokio::time::advance(ONE_MORE_IN * REFUSED_AT_ONCE).await;
        let at_once = (0..2 * REFUSED_AT_ONCE).filter(|_| told(7)).count();
        assert_eq!(at_once, REFUSED_AT_ONCE as usize);
        let before = Instant::now();
        crowd.refused(7).await;
        assert_eq!(before.elapsed(), KEPT_BACK);
    }

    #[test]
    fn so_many_processes_are_remembered() {
        let crowd = Crowd::default();
        let now = Instant::now();
        let _busy = crowd.attend(0);
        for pid in 1..=2 * MAX_PROCESSES {
            crowd.may_be_told(u32::try_from(pid).unwrap_or_default(), now);
            assert!(crowd.processes().len() <= MAX_PROCESSES);
        }
        let busy = place(&crowd.processes(), 0);
        assert!(busy.is_ok(), "it is being answered");
    }
}
