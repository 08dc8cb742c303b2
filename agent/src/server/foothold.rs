//! Whether the control socket is still where clients look for it. Somebody may clean its directory up, and systemd takes
//! `/run/user/UID` away when its user has left: an agent that nobody can reach would hold the journal against the next.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::socket::ControlSocket;

/// Room for events, in bytes; they are not looked at.
const EVENTS: usize = 4096;

/// What the kernel says of the directory: something in it went, or itself (inotify(7)).
fn losses() -> WatchFlags {
    WatchFlags::DELETE
        | WatchFlags::MOVED_FROM
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF
        | WatchFlags::ONLYDIR
}

/// A look at the socket's directory.
#[derive(Debug)]
pub struct Foothold(Option<AsyncFd<OwnedFd>>);

impl Foothold {
    /// Of a socket that we bound. Where the kernel cannot watch for us, and with a socket of systemd's, nothing is ever
    /// lost.
    #[must_use]
    pub fn of(socket: &ControlSocket) -> Self {
        let watched = socket.bound_at().map(Path::parent);
        let watched = watched.flatten().map(watch).transpose();
        Self(watched.unwrap_or_else(|error| {
            tracing::warn!(%error, "the socket's directory cannot be watched");
            None
        }))
    }

    /// Resolves when something else is there, or nothing.
    pub async fn lost(&self, socket: &ControlSocket) {
        // It may have gone before it was watched.
        while socket.is_in_place() {
            let Some(events) = &self.0 else {
                return std::future::pending().await;
            };
            let read = events.async_io(Interest::READABLE, |events| {
                Ok(rustix::io::read(events, &mut [0; EVENTS])?)
            });
            if read.await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

fn watch(directory: &Path) -> io::Result<AsyncFd<OwnedFd>> {
    let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    inotify::add_watch(&events, directory, losses())?;
    // As in `exits`: nobody else can reach the descriptor.
    #[allow(deprecated)]
    AsyncFd::with_interest(events, Interest::READABLE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::socket::Owner;
    use super::*;

    #[tokio::test]
    async fn a_socket_that_is_taken_away_is_missed_and_can_be_bound_again() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("run");
        let path = directory.join("agent.sock");
        let uid = rustix::process::geteuid().as_raw();
        let mut socket = ControlSocket::bind(&path, Owner { uid, pid: 42 }).unwrap();
        type Loss = fn(&Path);
        let losses: [Loss; 4] = [
            |directory| std::fs::remove_file(directory.join("agent.sock")).unwrap(),
            |directory| std::fs::remove_dir_all(directory).unwrap(),
            |directory| std::fs::rename(directory, directory.with_extension("away")).unwrap(),
            |directory| {
                std::fs::rename(directory.join("agent.sock"), directory.join("else")).unwrap();
            },
        ];
        for lose in losses {
            let foothold = Foothold::of(&socket);
            std::fs::write(directory.join("other"), "").unwrap();
            std::fs::remove_file(directory.join("other")).unwrap();
            tokio::select! {
                biased;
                () = foothold.lost(&socket) => panic!("it is there"),
                () = tokio::task::yield_now() => {}
            }
            lose(&directory);
            foothold.lost(&socket).await;
            socket = socket.bind_again().unwrap();
            assert!(socket.is_in_place());
        }
        drop(socket);
        assert!(!path.exists());
    }

    /// Who removes the directory may be at it yet when the socket is back.
    #[tokio::test]
    async fn a_place_that_is_gone_before_it_is_watched_is_missed() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("run");
        let uid = rustix::process::geteuid().as_raw();
        let path = directory.join("agent.sock");
        let socket = ControlSocket::bind(&path, Owner { uid, pid: 42 }).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        let foothold = Foothold::of(&socket);
        tokio::select! {
            biased;
            () = foothold.lost(&socket) => {}
            () = tokio::task::yield_now() => panic!("nobody would ever know"),
        }
    }
}
