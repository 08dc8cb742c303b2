//! The process at the other end, as the kernel states it, and whether it may talk to us at all.

/// A process, as the kernel states it for a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its process id when it connected.
    pub pid: u32,
    /// Its effective user id when it connected.
    pub uid: u32,
    /// The path of its executable; absent when the kernel would not say. With ` (deleted)` or ` (elsewhere)`
    /// behind it, it is not the file at this path any more, or not where the agent runs.
    pub executable: Option<String>,
}

/// Why a process may not talk to us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stranger {
    /// The kernel did not say who it is.
    #[error("the peer's identity could not be established")]
    Unknown,
    /// Another user, root included: root can do without us.
    #[error("the peer runs as uid {0}, not as the agent's user")]
    OtherUser(u32),
}

/// Whether a peer with these credentials may talk to an agent of `agent_uid`.
///
/// # Errors
/// Another user, or none known. A pid of 0 is what the kernel reports for a process outside our pid
/// namespace: nothing could be said of it in the journal, so it is unknown.
pub fn admit(agent_uid: u32, credentials: Option<(u32, u32)>) -> Result<(), Stranger> {
    match credentials {
        None | Some((0, _)) => Err(Stranger::Unknown),
        Some((_, uid)) if uid != agent_uid => Err(Stranger::OtherUser(uid)),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_user_is_admitted() {
        for (agent, credentials, expected) in [
            (1000, Some((42, 1000)), Ok(())),
            (1000, Some((42, 1001)), Err(Stranger::OtherUser(1001))),
            (1000, Some((42, 0)), Err(Stranger::OtherUser(0))),
            (0, Some((42, 0)), Ok(())),
            (0, Some((42, 65_534)), Err(Stranger::OtherUser(65_534))),
            (1000, Some((0, 1000)), Err(Stranger::Unknown)),
            (0, Some((0, 0)), Err(Stranger::Unknown)),
            (1000, None, Err(Stranger::Unknown)),
        ] {
            assert_eq!(admit(agent, credentials), expected, "{credentials:?}");
        }
    }
}
