//! Who is at the other end, by the kernel's word.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tokio::net::UnixStream;

use crate::domain::peer::{Peer, Stranger, admit};

/// The process that connected, if it may talk to us.
///
/// # Errors
/// The stranger, as far as it is known, and why it is refused.
pub fn admitted(stream: &UnixStream, agent_uid: u32) -> Result<Peer, (Peer, Stranger)> {
    let credentials = stream.peer_cred().ok().and_then(|credentials| {
        let pid = credentials.pid().and_then(|pid| u32::try_from(pid).ok());
        Some((pid?, credentials.uid()))
    });
    let (pid, uid) = credentials.unwrap_or((0, u32::MAX));
    match admit(agent_uid, credentials) {
        Ok(()) => Ok(Peer {
            pid,
            uid,
            executable: executable(pid),
        }),
        Err(stranger) => Err((
            Peer {
                pid,
                uid,
                executable: None,
            },
            stranger,
        )),
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
    fn another_file_at_the_same_path_is_another_executable() {
        let link = Path::new("/proc/self/exe");
        let here = std::env::current_exe().unwrap();
        assert!(is_same_file(link, &here));
        for other in ["/bin/sh", "/nonexistent"] {
            assert!(!is_same_file(link, other.as_ref()), "{other}");
        }
    }
}
