//! The process that holds a socket, for the journal.
//!
//! The kernel names a socket's inode; which process holds it is found by looking through `/proc`. That is possible for
//! processes of our own user only, and it is racy: a descriptor can be passed on. The user id is the boundary, not this.

use std::collections::VecDeque;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OnceCell, Semaphore};

use super::tcp_peer::Owner;
use crate::domain::peer::Peer;

/// Most processes that are looked through.
const MAX_PROCESSES: usize = 4_096;

/// So many processes that held a socket lately are looked at first: an SDK connects again and again.
const REMEMBERED: usize = 16;

/// Walks through `/proc` at a time, so that a storm of connections costs threads no end.
const WALKS: usize = 2;

/// Finds holders.
#[derive(Debug)]
pub(super) struct Holders {
    lately: Mutex<VecDeque<u32>>,
    walks: Semaphore,
}

impl Default for Holders {
    fn default() -> Self {
        Self {
            lately: Mutex::default(),
            walks: Semaphore::new(WALKS),
        }
    }
}

impl Holders {
    async fn find(&self, owner: Owner) -> Peer {
        let _turn = self.walks.acquire().await;
        let lately: Vec<u32> = self.lately().iter().copied().collect();
        let walk = tokio::task::spawn_blocking(move || of_socket(owner, &lately));
        let peer = walk.await.unwrap_or(Peer {
            pid: 0,
            uid: owner.uid,
            executable: None,
        });
        self.remember(peer.pid);
        peer
    }

    fn remember(&self, pid: u32) {
        let mut lately = self.lately();
        lately.retain(|known| *known != pid);
        lately.push_front(pid);
        lately.truncate(REMEMBERED);
    }

    fn lately(&self) -> std::sync::MutexGuard<'_, VecDeque<u32>> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who is at the other end of one connection: looked up once, and only when somebody wants to know.
#[derive(Debug)]
pub(super) struct Caller {
    owner: Owner,
    peer: OnceCell<Peer>,
    holders: Arc<Holders>,
}

impl Caller {
    pub(super) fn new(owner: Owner, holders: Arc<Holders>) -> Self {
        Self {
            owner,
            peer: OnceCell::new(),
            holders,
        }
    }

    /// The process; pid 0 when none of ours holds the socket any more.
    pub(super) async fn peer(&self) -> &Peer {
        self.peer
            .get_or_init(|| self.holders.find(self.owner))
            .await
    }
}

/// The process that holds the socket, these looked at first; pid 0 when none of ours does any more.
pub(super) fn of_socket(owner: Owner, first: &[u32]) -> Peer {
    let wanted = format!("socket:[{}]", owner.inode);
    let known = first.iter().copied().find(|pid| holds(*pid, &wanted));
    let pid = known.or_else(|| processes().find(|pid| holds(*pid, &wanted)));
    let pid = pid.unwrap_or_default();
    Peer {
        pid,
        uid: owner.uid,
        executable: super::peer::executable(pid),
    }
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    // The newest first: who connects has usually just started.
    pids.sort_unstable_by(|a, b| b.cmp(a));
    pids.into_iter().take(MAX_PROCESSES)
}

fn holds(pid: u32, wanted: &str) -> bool {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    descriptors
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|target| target.as_os_str() == wanted)
}
