//! Who is at the other end, by the kernel's word.

use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::net::UnixStream;

use super::{exits, origin};
use crate::domain::peer::{Peer, Stranger, admit};
use crate::ports::Witness;

/// The process that connected, if it may talk to us, and what holds it. With `look_around`, also where it comes from.
///
/// # Errors
/// The stranger, as far as it is known, and why it is refused.
pub fn admitted(
    stream: &UnixStream,
    agent_uid: u32,
    look_around: bool,
) -> Result<(Peer, Held), (Peer, Stranger)> {
    let credentials = stream.peer_cred().ok().and_then(|credentials| {
        let pid = credentials.pid().and_then(|pid| u32::try_from(pid).ok());
        Some((pid?, credentials.uid()))
    });
    let (pid, uid) = credentials.unwrap_or((0, u32::MAX));
    let mut peer = Peer {
        pid,
        uid,
        executable: None,
        origin: None,
    };
    if let Err(stranger) = admit(agent_uid, credentials) {
        return Err((peer, stranger));
    }
    // Held first: what is read of this pid from here on is read of one process, or it has ended.
    let held = Held::of(pid);
    peer.executable = executable(pid);
    match look_around {
        true => Ok((looked_around(&peer), held)),
        false => Ok((peer, held)),
    }
}

/// The same peer with where it comes from.
#[must_use]
pub fn looked_around(peer: &Peer) -> Peer {
    let origin = peer.origin.clone();
    Peer {
        origin: origin.or_else(|| Some(origin::of(peer.pid))),
        ..peer.clone()
    }
}

/// A process whose pid goes to no other while this is there (pidfd_open(2)): what `/proc` says of it, it says of this
/// one, as long as it has not ended.
#[derive(Debug)]
pub struct Held(Option<OwnedFd>);

impl Held {
    /// Without pidfds (before Linux 5.3) nothing is held, and no process is ever still the same.
    fn of(pid: u32) -> Self {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        Self(pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()))
    }
}

impl Witness for Held {
    /// Alive, and the same program.
    fn is_still(&self, peer: &Peer) -> bool {
        let same = executable(peer.pid) == peer.executable;
        let ended = |process: &OwnedFd| exits::has_ended(process).unwrap_or(true);
        same && self.0.as_ref().is_some_and(|process| !ended(process))
    }
}

/// The path of a process's executable. A path that is not UTF-8, or that a hostile process chose to be long,
/// is unknown.
///
/// The kernel states the path as the process sees it. In a container, or in a mount namespace that anybody can
/// make, another program can lie there; then the path is marked, and no rule names it.
#[must_use]
pub fn executable(pid: u32) -> Option<String> {
    const LONGEST: usize = 1_024;
    let link = format!("/proc/{pid}/exe");
    let path = std::fs::read_link(&link).ok()?;
    let text = path.to_str().filter(|path| path.len() <= LONGEST)?;
    let is_plain = text.ends_with(DELETED) || is_same_file(link.as_ref(), &path);
    let mark = if is_plain { "" } else { ELSEWHERE };
    Some(format!("{text}{mark}"))
}

/// How the kernel marks an executable that was removed since.
const DELETED: &str = " (deleted)";

/// How we mark one that is not the file at this path where the agent runs.
const ELSEWHERE: &str = " (elsewhere)";

fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| path.metadata().map(|file| (file.dev(), file.ino())).ok();
    id(one).is_some_and(|file| id(other) == Some(file))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn an_executable_in_its_place_is_named_by_its_path() {
        let here = std::env::current_exe().unwrap();
        assert_eq!(
            executable(std::process::id()).unwrap(),
            here.to_str().unwrap()
        );
    }

    #[test]
    fn a_process_that_runs_another_program_is_not_the_same_any_more() {
        // The shell waits for a line, then becomes another program under its pid.
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo up; read line; exec sleep 60"]);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        let mut up = [0; 3];
        child.stdout.take().unwrap().read_exact(&mut up).unwrap();
        let (pid, held) = (child.id(), Held::of(child.id()));
        let peer = Peer {
            pid,
            uid: rustix::process::geteuid().as_raw(),
            executable: executable(pid),
            origin: None,
        };
        assert!(held.is_still(&peer));
        assert!(!Held(None).is_still(&peer), "held by nothing");
        child.stdin.take().unwrap().write_all(b"\n").unwrap();
        while executable(pid) == peer.executable {
            std::thread::yield_now();
        }
        assert!(!held.is_still(&peer), "another program");
        let slept = Peer {
            executable: executable(pid),
            ..peer
        };
        assert!(held.is_still(&slept));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!held.is_still(&slept), "it has ended");
    }

    #[test]
    fn another_file_at_the_same_path_is_another_executable() {
        let link = Path::new("/proc/self/exe");
        let here = std::env::current_exe().unwrap();
        assert!(is_same_file(link, &here));
        for other in ["/bin/sh", "/nonexistent"] {
            assert!(!is_same_file(link, other.as_ref()), "{other}");
        }
    }
}
