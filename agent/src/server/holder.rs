//! The process that holds a socket, for the journal.
//!
//! The kernel names a socket's inode; which process holds it is found by looking through `/proc`. That is possible for
//! processes of our own user only, and it is racy: a descriptor can be passed on. The user id is the boundary, not this.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OnceCell, Semaphore, oneshot};

use super::tcp_peer::Owner;
use crate::domain::peer::Peer;

/// Most processes that are looked through.
const MAX_PROCESSES: usize = 4_096;

/// So many processes that held a socket lately are looked at first: an SDK connects again and again.
const REMEMBERED: usize = 16;

/// Finds holders. One walk through `/proc` looks for all sockets that are asked for by then, so that a storm of
/// connections costs two walks and not one each.
#[derive(Debug)]
pub(super) struct Holders {
    lately: Mutex<VecDeque<u32>>,
    asked: Mutex<Vec<Asked>>,
    walking: Arc<Semaphore>,
}

/// A socket whose holder somebody waits for.
type Asked = (Owner, oneshot::Sender<Peer>);

impl Default for Holders {
    fn default() -> Self {
        Self {
            lately: Mutex::default(),
            asked: Mutex::default(),
            walking: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Holders {
    async fn find(self: &Arc<Self>, owner: Owner) -> Peer {
        let (tell, mut told) = oneshot::channel();
        locked(&self.asked).push((owner, tell));
        let found = tokio::select! {
            biased;
            found = &mut told => found,
            turn = Arc::clone(&self.walking).acquire_owned() => {
                let this = Arc::clone(self);
                // Who asked and left takes nobody's answer along: a walk is finished.
                tokio::task::spawn_blocking(move || {
                    this.answer();
                    drop(turn);
                });
                told.await
            }
        };
        found.unwrap_or_else(|_| nobody(owner))
    }

    /// Tells all that have asked by now.
    fn answer(&self) {
        let asked = std::mem::take(&mut *locked(&self.asked));
        let lately: Vec<u32> = locked(&self.lately).iter().copied().collect();
        let owners: Vec<Owner> = asked.iter().map(|(owner, _)| *owner).collect();
        for ((_, tell), peer) in asked.into_iter().zip(of_sockets(&owners, &lately)) {
            self.remember(peer.pid);
            let _gone_meanwhile = tell.send(peer);
        }
    }

    fn remember(&self, pid: u32) {
        let mut lately = locked(&self.lately);
        lately.retain(|known| *known != pid);
        lately.push_front(pid);
        lately.truncate(REMEMBERED);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const fn nobody(owner: Owner) -> Peer {
    Peer {
        pid: 0,
        uid: owner.uid,
        executable: None,
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

/// The processes that hold these sockets, in their order; pid 0 where none of ours does any more. Those in `first` are
/// looked at before all others.
pub(super) fn of_sockets(owners: &[Owner], first: &[u32]) -> Vec<Peer> {
    let mut wanted: HashMap<u64, u32> = owners
        .iter()
        .map(|owner| (u64::from(owner.inode), 0))
        .collect();
    let mut left = wanted.len();
    // All of them are listed only when these were not enough.
    let others = std::iter::once_with(processes).flatten();
    for pid in first.iter().copied().chain(others) {
        if left == 0 {
            break;
        }
        for inode in sockets(pid) {
            if let Some(holder @ 0) = wanted.get_mut(&inode) {
                *holder = pid;
                left -= 1;
            }
        }
    }
    let peer = |owner: &Owner| match wanted.get(&u64::from(owner.inode)) {
        Some(0) | None => nobody(*owner),
        Some(pid) => Peer {
            pid: *pid,
            executable: super::peer::executable(*pid),
            ..nobody(*owner)
        },
    };
    owners.iter().map(peer).collect()
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

/// The inodes of the sockets that a process has open.
fn sockets(pid: u32) -> impl Iterator<Item = u64> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"));
    let descriptors = descriptors.into_iter().flatten().flatten();
    descriptors.filter_map(|descriptor| {
        let target = fs::read_link(descriptor.path()).ok()?;
        let inode = target.to_str()?.strip_prefix("socket:[")?;
        inode.strip_suffix(']')?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn open() -> (UnixStream, Owner) {
        let (socket, _) = UnixStream::pair().unwrap();
        let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
        let inode = link.to_str().unwrap().strip_prefix("socket:[").unwrap();
        let inode = inode.strip_suffix(']').unwrap().parse().unwrap();
        (socket, Owner { uid: 7, inode })
    }

    #[tokio::test]
    async fn many_who_ask_at_once_are_all_told_whoever_leaves() {
        let holders = Arc::<Holders>::default();
        let sockets: Vec<_> = (0..50).map(|_| open()).collect();
        let turn = Arc::clone(&holders.walking).acquire_owned().await;
        let mut asking: Vec<_> = sockets
            .iter()
            .map(|(_, owner)| {
                let (holders, owner) = (Arc::clone(&holders), *owner);
                tokio::spawn(async move { holders.find(owner).await })
            })
            .collect();
        while locked(&holders.asked).len() < sockets.len() {
            tokio::task::yield_now().await;
        }
        // The first in the line, who would have begun the walk.
        asking.remove(0).abort();
        drop(turn);
        for found in asking {
            let found = found.await.unwrap();
            assert_eq!((found.pid, found.uid), (std::process::id(), 7));
        }
        assert_eq!(locked(&holders.lately)[0], std::process::id());
    }

    #[test]
    fn a_socket_that_is_gone_has_no_holder() {
        let (socket, owner) = open();
        let (_kept, other) = open();
        drop(socket);
        let me = std::process::id();
        for first in [&[][..], &[1, me]] {
            let found = of_sockets(&[owner, other], first);
            assert_eq!((found[0].pid, found[1].pid), (0, me));
        }
    }
}
