//! The end of a process, as an event (pidfd_open(2)): an endpoint that was opened for a command ends with it, also when
//! the command is killed.

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::domain::peer::Peer;

/// A process that is being watched.
#[derive(Debug)]
pub(super) struct Watched(AsyncFd<OwnedFd>);

impl Watched {
    /// Watches the process at the other end of a connection.
    ///
    /// A pid can be given anew when its process is gone; so after it is held, what it names must still be what
    /// connected: alive, and the same program.
    ///
    /// # Errors
    /// It is gone, or the kernel cannot watch processes (before Linux 5.3).
    pub(super) fn of(peer: &Peer) -> io::Result<Self> {
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        let pid = i32::try_from(peer.pid).ok().and_then(Pid::from_raw);
        let process = pidfd_open(pid.ok_or_else(gone)?, PidfdFlags::empty())?;
        let same = super::peer::executable(peer.pid) == peer.executable;
        if !same || has_ended(&process)? {
            return Err(gone());
        }
        // tokio warns of types that could close or change their descriptor while it is registered: an `OwnedFd` that
        // nobody else can reach does neither.
        #[allow(deprecated)]
        let watched = AsyncFd::with_interest(process, Interest::READABLE)?;
        Ok(Self(watched))
    }

    /// Resolves when it has ended.
    pub(super) async fn ended(&self) {
        let _ready = self.0.readable().await;
    }
}

pub(super) fn has_ended(process: &OwnedFd) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut wanted = [PollFd::new(process, PollFlags::IN)];
    Ok(poll(&mut wanted, Some(&Timespec::default()))? > 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::process::Command;

    use super::*;

    fn peer(pid: u32) -> Peer {
        Peer {
            pid,
            uid: rustix::process::geteuid().as_raw(),
            executable: super::super::peer::executable(pid),
            origin: None,
        }
    }

    #[tokio::test]
    async fn the_end_of_a_killed_process_is_told() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        // Until exec, the child is still this program.
        while peer(child.id()).executable == peer(std::process::id()).executable {
            std::thread::yield_now();
        }
        let watched = Watched::of(&peer(child.id())).unwrap();
        child.kill().unwrap();
        watched.ended().await;
        let known = peer(child.id());
        assert!(
            Watched::of(&known).is_err(),
            "it has ended, its pid is still taken"
        );
        child.wait().unwrap();
        assert!(Watched::of(&known).is_err(), "there is no such process");
    }

    #[tokio::test]
    async fn another_program_under_the_same_pid_is_not_watched() {
        let mut other = peer(std::process::id());
        other.executable = Some("/usr/bin/another".into());
        assert!(Watched::of(&other).is_err());
        other.pid = 0;
        assert!(Watched::of(&other).is_err());
    }
}
