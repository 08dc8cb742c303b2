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
    /// Where it comes from; absent where it was not looked at, since no rule asked for it.
    pub origin: Option<Origin>,
}

/// Most processes that are looked at from a process upwards.
pub const MAX_ANCESTORS: usize = 16;

/// Where a process comes from, as the kernel states it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The executables of its parent, of its parent's parent and so on, like [`Peer::executable`]; at most
    /// [`MAX_ANCESTORS`].
    pub ancestors: Vec<Option<String>>,
    /// The path of its cgroup, seen from the agent's; absent without cgroups.
    pub cgroup: Option<String>,
}

impl Origin {
    /// The executable of its parent.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        self.ancestors.first()?.as_deref()
    }

    /// The systemd unit that it belongs to: the innermost service or scope of its cgroup's path (systemd,
    /// CGROUP_DELEGATION: below its own a service may have further groups).
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        let is_unit = |name: &&str| name.ends_with(".service") || name.ends_with(".scope");
        self.cgroup.as_deref()?.rsplit('/').find(is_unit)
    }

    /// Whether its cgroup is this one or below it.
    #[must_use]
    pub fn is_within(&self, group: &str) -> bool {
        let Some(rest) = self
            .cgroup
            .as_deref()
            .and_then(|own| own.strip_prefix(group))
        else {
            return false;
        };
        rest.is_empty() || rest.starts_with('/')
    }
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
    fn units_and_groups_by_the_cgroup() {
        const EDITOR: &str = "/user.slice/user-1000.slice/user@1000.service/app.slice/editor.scope";
        for (cgroup, unit, within) in [
            (EDITOR, Some("editor.scope"), "/user.slice"),
            (
                "/system.slice/ci.service/job-1",
                Some("ci.service"),
                "/system.slice/ci.service",
            ),
            (
                "/system.slice/ci.service",
                Some("ci.service"),
                "/system.slice/ci.service",
            ),
            ("/docker/0a1b", None, "/docker/0a1b"),
        ] {
            let cgroup = Some(cgroup.to_owned());
            let origin = Origin {
                cgroup,
                ..Origin::default()
            };
            assert_eq!(origin.unit(), unit, "{origin:?}");
            assert!(origin.is_within(within), "{origin:?}");
            for other in [
                "/user.slice/user-1",
                "/system.slice/ci",
                "/docker/0a1b2",
                "/other",
            ] {
                assert!(!origin.is_within(other), "{other}");
            }
        }
        assert_eq!(Origin::default().unit(), None);
        assert!(!Origin::default().is_within("/"));
    }

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
