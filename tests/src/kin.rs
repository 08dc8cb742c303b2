//! The processes that belong to a lab, as the kernel lists them: whoever has its home in its environment or its name.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// What a process of a lab is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The agent, or the one that starts it.
    Agent,
    /// The command line.
    Client,
    /// Anything else: a program that stands in for a person.
    Program,
}

/// One process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its parent's.
    pub parent: u32,
    /// What it is.
    pub kind: Kind,
}

/// The processes whose home this is, those that have ended but were not waited for left out.
///
/// # Panics
/// There is no `/proc`.
#[must_use]
pub fn of(home: &Path) -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").expect("a list of processes");
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| known(pid, home)).collect()
}

/// Ends the agents that clients started beside a lab's own: who waited for its place has it now, and would make it again
/// wherever it is removed.
pub fn end_agents(home: &Path) {
    let agents = of(home).into_iter();
    for agent in agents.filter(|process| process.kind == Kind::Agent) {
        let pid = i32::try_from(agent.pid).ok().and_then(Pid::from_raw);
        let _gone = pid.map(|pid| kill_process(pid, Signal::KILL));
    }
}

fn known(pid: u32, home: &Path) -> Option<Process> {
    let read = |what: &str| std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
    let home = home.as_os_str().as_bytes();
    let line = read("cmdline");
    let program = line.split(|byte| *byte == 0).next()?;
    let kind = match program.strip_prefix(home) {
        Some(b"/bin/jumpgate-agent") => Kind::Agent,
        Some(b"/bin/jumpgate") => Kind::Client,
        _ => Kind::Program,
    };
    // The agent lets nobody read its environment, and needs not to: it bears its path as its name.
    let at_home = [b"HOME=", home].concat();
    let ours = || {
        read("environ")
            .split(|byte| *byte == 0)
            .any(|one| one == at_home)
    };
    (kind != Kind::Program || ours()).then_some(())?;
    let stat = read("stat");
    let fields = stat.rsplit(|byte| *byte == b')').next()?;
    let fields = std::str::from_utf8(fields).ok()?;
    let mut fields = fields.split_ascii_whitespace();
    let (state, parent) = (fields.next()?, fields.next()?.parse().ok()?);
    (!matches!(state, "Z" | "X")).then_some(Process { pid, parent, kind })
}
