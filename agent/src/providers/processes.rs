//! What the kernel says of a process in `/proc/PID/stat` (proc_pid_stat(5)): its parent, session and terminal.

use crate::domain::consent::Tree;
use crate::ports::{Kin, Processes};

/// The processes of this machine, by `/proc`.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcProcesses;

impl Processes for ProcProcesses {
    fn kin(&self, pid: u32) -> Kin {
        let Some(stat) = Stat::of(pid) else {
            return Kin::default();
        };
        let parent = executable(stat.parent).map(|executable| (stat.parent, executable));
        Kin {
            tree: stat.tree(pid),
            terminal: terminal(stat.terminal),
            parent,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    session: u32,
    terminal: u32,
    started: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name, in parentheses, is the process's own choice: what counts comes after the last one.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        Some(Self {
            parent: fields.nth(1)?.parse().ok()?,
            session: fields.nth(1)?.parse().ok()?,
            terminal: fields.next()?.parse::<i32>().ok()?.cast_unsigned(),
            started: fields.nth(14)?.parse().ok()?,
        })
    }

    /// The session's tree; where its leader has ended, nothing tells two sessions of one number apart, and the process
    /// stands for itself.
    fn tree(&self, pid: u32) -> Option<Tree> {
        let own = Tree {
            leader: pid,
            started: self.started,
        };
        match Self::of(self.session) {
            Some(leader) if leader.session == self.session => Some(Tree {
                leader: self.session,
                started: leader.started,
            }),
            _ => Some(own),
        }
    }
}

fn executable(pid: u32) -> Option<String> {
    let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    path.into_os_string().into_string().ok()
}

/// The device's name: Unix98 pseudo-terminals have the major numbers 136 to 143, consoles 4 (devices.txt of Linux).
fn terminal(device: u32) -> Option<String> {
    let major = (device >> 8) & 0xfff;
    let minor = (device & 0xff) | ((device >> 12) & 0xfff00);
    match major {
        136..=143 => Some(format!("/dev/pts/{}", (major - 136) * 256 + minor)),
        4 if minor < 64 => Some(format!("/dev/tty{minor}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use rustix::process::{Pid, Signal, kill_process};

    use super::*;

    #[test]
    fn a_name_cannot_pretend_to_be_the_fields_behind_it() {
        let text =
            "77 (a) R 1 1 1) S 42 77 70 34819 77 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 9\n";
        let stat = Stat {
            parent: 42,
            session: 70,
            terminal: 34819,
            started: 123_456,
        };
        assert_eq!(Stat::parse(text), Some(stat));
        for text in ["", "77 (a", "77 (a) S 42", "77 (a) S x 77 70 0"] {
            assert_eq!(Stat::parse(text), None, "{text}");
        }
    }

    #[test]
    fn terminals_by_their_numbers() {
        for (device, name) in [
            (0, None),
            (34816, Some("/dev/pts/0")),
            (34819, Some("/dev/pts/3")),
            (35072, Some("/dev/pts/256")),
            (1025, Some("/dev/tty1")),
            (1088, None),
        ] {
            assert_eq!(terminal(device).as_deref(), name, "{device}");
        }
    }

    /// A session of its own: the one that this runs in may have lost its leader, or have it in another pid namespace.
    #[test]
    fn a_session_is_one_tree_while_its_leader_lives() {
        let script = "sleep 60 & echo $!; setsid sleep 60 & echo $!; exec sleep 60";
        let mut command = Command::new("setsid");
        command.args(["sh", "-c", script]);
        let mut leader = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(leader.stdout.take().unwrap()).lines();
        let pids: Vec<u32> = lines
            .take(2)
            .map(|line| line.unwrap().parse().unwrap())
            .collect();
        let [stays, leaves] = pids[..] else {
            panic!("two programs were to start");
        };
        let of = |pid| ProcProcesses.kin(pid);
        let leader_of = |pid| of(pid).tree.unwrap().leader;
        while leader_of(leaves) == leader.id() {
            std::thread::yield_now();
        }
        let seen = (of(leader.id()).tree, of(stays), leader_of(leaves));
        leader.kill().unwrap();
        leader.wait().unwrap();
        let left_alone = leader_of(stays);
        for pid in [stays, leaves] {
            let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            kill_process(pid, Signal::KILL).unwrap();
        }
        let (tree, kin, its_own) = seen;
        assert_eq!(tree.unwrap().leader, leader.id());
        assert_eq!(kin.tree, tree);
        assert_eq!(kin.parent.unwrap().0, leader.id());
        assert_eq!((its_own, left_alone), (leaves, stays));
        assert_eq!(of(leader.id()), Kin::default(), "it has ended");
    }
}
