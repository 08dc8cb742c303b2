//! Programs that end when the agent does, however it ends: a dialog that nobody listens to any more would take what a
//! person types, and the next agent would ask again beside it.
//!
//! The kernel ends a process with its parent only where the process itself asks for that (`PR_SET_PDEATHSIG` of
//! prctl(2)). So the agent's own executable asks, and then becomes the program. What the program has started in its turn
//! loses its pipes, and is not ended.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use tokio::process::Command;

use super::CHILD_MARK;

/// The word that has our own executable become another program.
pub const LEASHED: &str = "--leashed";

/// Our executable, also where its file was replaced.
const OURSELVES: &str = "/proc/self/exe";

/// The status of a program that did not come to be, as a shell has it.
const NOT_BECOME: u8 = 127;

/// To whom the programs belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leash(Option<u32>);

impl Leash {
    /// To this process, whose executable is the agent's. Its first thread must be the one that starts them.
    #[must_use]
    pub const fn of(agent: u32) -> Self {
        Self(Some(agent))
    }

    /// To nobody.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// This program, marked as started by us, in a process group of its own that ends when nobody waits for it.
    pub(super) fn command(self, program: &str) -> Command {
        let mut command = match self.0 {
            Some(agent) => {
                let mut command = Command::new(OURSELVES);
                command.args([LEASHED, &agent.to_string(), program]);
                command
            }
            None => Command::new(program),
        };
        command.env(CHILD_MARK, "1");
        command.process_group(0).kill_on_drop(true);
        command
    }
}

/// Becomes the program, which ends with this agent. Where that fails, the agent reads why, and the status is a shell's.
#[must_use]
pub fn become_program(agent: &str, program: &str, arguments: &[&str]) -> ExitCode {
    let error = became(agent, program, arguments);
    let what = match error.kind() {
        io::ErrorKind::NotFound => "there is no such program\n".to_owned(),
        _ => format!("cannot be started: {error}\n"),
    };
    let _nobody_reads = io::stderr().write_all(what.as_bytes());
    ExitCode::from(NOT_BECOME)
}

fn became(agent: &str, program: &str, arguments: &[&str]) -> io::Error {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // It may have ended before we asked.
    let parent = getppid().map(Pid::as_raw_pid);
    if parent.is_none_or(|parent| parent.to_string() != agent) {
        return io::Error::other("the agent has ended");
    }
    std::process::Command::new(program).args(arguments).exec()
}
