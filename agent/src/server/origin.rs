//! Where a process comes from: the programs that started it and its cgroup, by `/proc` (proc_pid_stat(5), cgroups(7)).
//!
//! Looked at only when a rule asks for it. A process whose parent has ended belongs to another; what cannot be told is
//! left out, and no rule fits it.

use std::fs::File;
use std::io::Read;

use super::peer::executable;
use crate::domain::peer::{MAX_ANCESTORS, Origin};

/// Most bytes of a file of `/proc` that are read.
const MAX_PROC: u64 = 8 * 1024;

/// Longest path of a cgroup, bytes.
const MAX_CGROUP: usize = 1_024;

/// Where this process comes from.
#[must_use]
pub(super) fn of(pid: u32) -> Origin {
    let up = |pid: &u32| read(*pid, "stat").and_then(|stat| parent_in(&stat));
    let ancestors = std::iter::successors(up(&pid), up).take(MAX_ANCESTORS);
    Origin {
        ancestors: ancestors.map(executable).collect(),
        cgroup: read(pid, "cgroup").and_then(|text| cgroup_in(&text)),
    }
}

fn read(pid: u32, name: &str) -> Option<String> {
    let file = File::open(format!("/proc/{pid}/{name}")).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_PROC).read_to_end(&mut bytes).ok()?;
    // The program's name in `stat` can be any bytes.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The parent's pid: the second field behind the name, which stands in parentheses and may hold some itself.
fn parent_in(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let parent = fields.split_ascii_whitespace().nth(1)?.parse().ok()?;
    (parent != 0).then_some(parent)
}

/// The path in the one hierarchy (`0::`), or in systemd's where both are there and the first says nothing. One outside
/// what the agent sees begins with `/..`, and is unknown.
fn cgroup_in(text: &str) -> Option<String> {
    let line = |mark: &str| text.lines().find_map(|line| line.split_once(mark));
    let unified = text.lines().find_map(|line| line.strip_prefix("0::"));
    let systemd = line(":name=systemd:").map(|(_, path)| path);
    let path = unified
        .filter(|path| *path != "/")
        .or(systemd)
        .or(unified)?;
    let known = path.len() <= MAX_CGROUP && path.starts_with('/') && !path.starts_with("/..");
    known.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_parent_stands_behind_a_name_that_may_look_like_anything() {
        for (stat, expected) in [
            ("42 (aws) S 41 42 42 0", Some(41)),
            ("42 (a) S 1 (b) R 41 42", Some(41)),
            ("1 (systemd) S 0 1 1", None),
            ("42 (aws) S", None),
            ("42 aws S 41", None),
            ("", None),
        ] {
            assert_eq!(parent_in(stat), expected, "{stat}");
        }
    }

    #[test]
    fn one_hierarchy_is_the_right_one() {
        for (text, expected) in [
            ("0::/user.slice/a.scope\n", Some("/user.slice/a.scope")),
            ("0::/\n", Some("/")),
            (
                "1:name=systemd:/system.slice/b.service\n0::/\n",
                Some("/system.slice/b.service"),
            ),
            ("1:name=systemd:/b.service\n0::/a.scope\n", Some("/a.scope")),
            (
                "4:memory:/x\n1:name=systemd:/b.service\n",
                Some("/b.service"),
            ),
            ("4:memory:/x\n", None),
            ("0::/../other.service\n", None),
            ("0::relative\n", None),
            ("", None),
        ] {
            assert_eq!(cgroup_in(text).as_deref(), expected, "{text}");
        }
        let long = format!("0::/{}", "x".repeat(MAX_CGROUP));
        assert_eq!(cgroup_in(&long), None);
        assert_eq!(
            cgroup_in(&long[..long.len() - 1]).unwrap().len(),
            MAX_CGROUP
        );
    }

    #[test]
    fn our_own_child_descends_from_us() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let origin = of(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(origin.parent(), executable(std::process::id()).as_deref());
        assert!(origin.ancestors.len() <= MAX_ANCESTORS);
    }
}
