//! The process that holds a socket, for the journal.
//!
//! The kernel names a socket's inode; which process holds it is found by looking through `/proc`. That is possible for
//! processes of our own user only, and it is racy: a descriptor can be passed on. The user id is the boundary, not this, and
//! no answer waits long for it.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore, oneshot};

use super::crowd::{Attended, Crowd};
use super::tcp_peer::Owner;
use crate::domain::peer::Peer;

/// Most processes that are looked through.
const MAX_PROCESSES: usize = 4_096;

/// Most descriptors of a process that are looked at.
const MAX_DESCRIPTORS: usize = 65_536;

/// So many processes that held a socket lately are looked at first: an SDK connects again and again.
const REMEMBERED: usize = 16;

/// How long an answer waits for a name for the journal: beyond it the record says only which user it is.
const LOOK_WITHIN: Duration = Duration::from_millis(200);

/// Where a socket was found: a process by its pid, and the number of its descriptor. A next connection of the same process
/// mostly has the same number, so that it is found without reading all the others. Only where to look is remembered: what
/// is there is read each time, so a pid or a number that was given anew misleads nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) pid: u32,
    descriptor: u32,
}

/// Finds holders. One walk through `/proc` looks for all sockets that are asked for by then, so that a storm of
/// connections costs two walks and not one each.
#[derive(Debug)]
pub(super) struct Holders {
    lately: Mutex<VecDeque<Place>>,
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
        let lately: Vec<Place> = locked(&self.lately).iter().copied().collect();
        let inodes: Vec<u32> = asked.iter().map(|(owner, _)| owner.inode).collect();
        for ((owner, tell), place) in asked.into_iter().zip(places(&inodes, &lately)) {
            place.into_iter().for_each(|place| self.remember(place));
            let peer = place.map_or_else(|| nobody(owner), |place| holding(owner, place.pid));
            let _gone_meanwhile = tell.send(peer);
        }
    }

    fn remember(&self, place: Place) {
        let mut lately = locked(&self.lately);
        lately.retain(|known| known.pid != place.pid);
        lately.push_front(place);
        lately.truncate(REMEMBERED);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn nobody(owner: Owner) -> Peer {
    Peer {
        pid: 0,
        uid: owner.uid,
        executable: None,
        origin: None,
    }
}

fn holding(owner: Owner, pid: u32) -> Peer {
    Peer {
        pid,
        executable: super::peer::executable(pid),
        ..nobody(owner)
    }
}

/// Who is at the other end of one connection: looked up once, and only when somebody wants to know.
#[derive(Debug)]
pub(super) struct Caller {
    owner: Owner,
    peer: OnceCell<Peer>,
    holders: Arc<Holders>,
    crowd: Arc<Crowd>,
}

impl Caller {
    pub(super) fn new(owner: Owner, holders: Arc<Holders>, crowd: Arc<Crowd>) -> Self {
        Self {
            owner,
            peer: OnceCell::new(),
            holders,
            crowd,
        }
    }

    /// One that is known already.
    #[cfg(any(test, feature = "fuzzed"))]
    pub(super) fn known(peer: Peer) -> Self {
        let owner = Owner {
            uid: peer.uid,
            inode: 0,
        };
        let caller = Self::new(owner, Arc::default(), Arc::default());
        Self {
            peer: OnceCell::new_with(Some(peer)),
            ..caller
        }
    }

    /// One request of it is to be answered; `None` when its process has too many under way.
    pub(super) async fn attended(&self) -> Option<Attended<'_>> {
        self.crowd.attend(self.peer().await.pid)
    }

    /// It is about to be refused for what no SDK does again and again. Who does so waits.
    pub(super) async fn refused(&self) {
        self.crowd.refused(self.peer().await.pid).await;
    }

    /// The process; pid 0 when none of ours holds the socket any more, or it was not found in time.
    pub(super) async fn peer(&self) -> &Peer {
        match self.peer.get() {
            Some(peer) => peer,
            None => Box::pin(self.looked_up()).await,
        }
    }

    async fn looked_up(&self) -> &Peer {
        let looked = async || {
            let found = tokio::time::timeout(LOOK_WITHIN, self.holders.find(self.owner)).await;
            found.unwrap_or_else(|_| nobody(self.owner))
        };
        self.peer.get_or_init(looked).await
    }
}

/// Sockets that are looked for, each with its place once it is found.
struct Wanted {
    places: HashMap<u32, Option<Place>>,
    left: usize,
}

impl Wanted {
    fn found(&mut self, inode: u32, place: Place) {
        if let Some(unknown @ None) = self.places.get_mut(&inode) {
            *unknown = Some(place);
            self.left -= 1;
        }
    }
}

/// Where these sockets are, in their order; `None` where no process of ours has it any more. The places in `first` are
/// looked at before their processes, and those before all others.
pub(super) fn places(inodes: &[u32], first: &[Place]) -> Vec<Option<Place>> {
    let places: HashMap<u32, Option<Place>> = inodes.iter().map(|inode| (*inode, None)).collect();
    let left = places.len();
    let mut wanted = Wanted { places, left };
    for place in first {
        let there = socket_at(*place);
        there
            .into_iter()
            .for_each(|inode| wanted.found(inode, *place));
    }
    // All processes are listed only when these were not enough.
    let others = std::iter::once_with(processes).flatten();
    let processes = first.iter().map(|place| place.pid).chain(others);
    let mut sockets = processes.flat_map(sockets);
    while wanted.left > 0
        && let Some((inode, place)) = sockets.next()
    {
        wanted.found(inode, place);
    }
    let place = |inode| wanted.places.get(inode).copied().flatten();
    inodes.iter().map(place).collect()
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

/// The sockets that a process has open, by inode.
fn sockets(pid: u32) -> impl Iterator<Item = (u32, Place)> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"));
    let descriptors = descriptors.into_iter().flatten().flatten();
    descriptors
        .take(MAX_DESCRIPTORS)
        .filter_map(move |descriptor| {
            let descriptor = descriptor.file_name().to_str()?.parse().ok()?;
            let place = Place { pid, descriptor };
            Some((socket_at(place)?, place))
        })
}

fn socket_at(Place { pid, descriptor }: Place) -> Option<u32> {
    let target = fs::read_link(format!("/proc/{pid}/fd/{descriptor}")).ok()?;
    let inode = target.to_str()?.strip_prefix("socket:[")?;
    inode.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::os::unix::net::UnixStream;

    use super::*;

    const fn place(pid: u32, descriptor: u32) -> Place {
        Place { pid, descriptor }
    }

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
        let lately = locked(&holders.lately);
        assert_eq!(lately.len(), 1);
        assert_eq!(lately[0].pid, std::process::id());
    }

    #[test]
    fn a_socket_that_is_gone_has_no_holder() {
        let (socket, owner) = open();
        let (_kept, other) = open();
        drop(socket);
        let me = std::process::id();
        let (one, mine) = (place(1, 0), place(me, 0));
        for first in [&[][..], &[one, mine]] {
            let found = places(&[owner.inode, other.inode], first);
            assert_eq!(found[0], None);
            assert_eq!(found[1].unwrap().pid, me);
        }
    }

    #[tokio::test]
    async fn a_process_that_is_not_found_is_not_looked_at_first() {
        let holders = Arc::<Holders>::default();
        let (socket, owner) = open();
        drop(socket);
        assert_eq!(holders.find(owner).await, nobody(owner));
        assert!(locked(&holders.lately).is_empty());
    }

    /// A process with a thousand descriptors connects again and again: they are read once.
    #[tokio::test]
    async fn the_next_socket_of_a_process_is_found_where_the_last_one_was() {
        let holders = Arc::<Holders>::default();
        let (first, owner) = open();
        let mut first: OwnedFd = first.into();
        holders.find(owner).await;
        let descriptor = u32::try_from(first.as_raw_fd()).unwrap();
        let lately: Vec<Place> = locked(&holders.lately).iter().copied().collect();
        assert_eq!(lately, [place(std::process::id(), descriptor)]);
        // It is closed, and the next one gets its number.
        let (second, owner) = open();
        rustix::io::dup2(&second, &mut first).unwrap();
        drop(second);
        assert_eq!(socket_at(lately[0]), Some(owner.inode));
        assert_eq!(places(&[owner.inode], &lately), [Some(lately[0])]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_does_not_wait_long_for_a_name() {
        let holders = Arc::<Holders>::default();
        let (_socket, owner) = open();
        let _a_walk_without_end = Arc::clone(&holders.walking).acquire_owned().await;
        let caller = Caller::new(owner, Arc::clone(&holders), Arc::default());
        let peer = tokio::time::timeout(2 * LOOK_WITHIN, caller.peer()).await;
        assert_eq!(peer.unwrap(), &nobody(owner));
    }

    #[test]
    fn so_many_places_are_remembered() {
        let holders = Holders::default();
        for pid in 1..=20 {
            holders.remember(place(pid, 3));
            holders.remember(place(pid, 4));
        }
        let lately = locked(&holders.lately);
        assert_eq!(lately.len(), REMEMBERED);
        assert_eq!(lately[0], place(20, 4));
    }
}
