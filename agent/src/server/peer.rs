//! Who is at the other end, by the kernel's word.

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
fn executable(pid: u32) -> Option<String> {
    const LONGEST: usize = 1_024;
    let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    path.to_str()
        .filter(|path| path.len() <= LONGEST)
        .map(str::to_owned)
}
