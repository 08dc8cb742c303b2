//! Starts the agent when none runs. Of many clients that find none, one starts it; the others wait for the
//! lock that it holds, which is an event and not a time.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus as ChildStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, MemfdFlags, Mode, OFlags, flock, memfd_create, open};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::place::Place;
use crate::cli::Environment;
use crate::failure::Exit;

/// The executable's name.
const PROGRAM: &str = "jumpgate-agent";

/// The file beside the socket that the starting client holds locked.
const LOCK_FILE: &str = "client.lock";

/// How long the agent may take until it is ready or has given up.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// How much of what the agent says on stderr is passed on, in bytes.
const MAX_STDERR_BYTES: u64 = 64 * 1024;

/// Why no agent could be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// There is no such program.
    #[error("{PROGRAM} is neither beside jumpgate nor on PATH")]
    NotInstalled,
    /// The agent said why it does not start.
    #[error("the agent did not start")]
    Refused { exit: Exit, lines: Vec<String> },
    /// It neither became ready nor ended.
    #[error("the agent was not ready after {} s", START_PATIENCE.as_secs())]
    TimedOut,
    /// The system failed.
    #[error("cannot start the agent: {what}: {error}")]
    Io {
        what: &'static str,
        error: io::Error,
    },
}

impl StartError {
    /// The agent's own words and status.
    pub(crate) fn refused(status: ChildStatus, words: &[u8]) -> Self {
        Self::Refused {
            exit: Exit::of(status),
            lines: lines(words),
        }
    }
}

/// Variables that hold credentials.
const FOREIGN_CREDENTIALS: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
];

fn failed(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |error| StartError::Io { what, error }
}

/// The lock of the one client that starts the agent; released on drop.
pub(crate) struct StartLock(#[expect(dead_code, reason = "held for its lock")] OwnedFd);

impl StartLock {
    /// Waits until no other client starts an agent at this place.
    pub(crate) fn acquire(place: &Place) -> Result<Self, StartError> {
        let path = place.directory.join(LOCK_FILE);
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = open(path, flags, Mode::RUSR | Mode::WUSR);
        let file = file
            .map_err(io::Error::from)
            .map_err(failed("opening the lock file"))?;
        loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Err(rustix::io::Errno::INTR) => {}
                other => {
                    other
                        .map_err(io::Error::from)
                        .map_err(failed("locking the lock file"))?;
                    return Ok(Self(file));
                }
            }
        }
    }
}

/// The agent's executable: beside our own, else the first on PATH.
pub(crate) fn program(environment: &Environment) -> Result<PathBuf, StartError> {
    let mut places = environment
        .program_directories()
        .map(|directory| directory.join(PROGRAM));
    places
        .find(|path| path.is_file())
        .ok_or(StartError::NotInstalled)
}

/// Starts the agent in the background and returns when it is ready to accept.
pub(crate) fn launch(environment: &Environment) -> Result<(), StartError> {
    // A file in memory rather than a pipe: a daemon that forgets to close it can neither block nor be blocked.
    let said = memfd_create("jumpgate-agent-stderr", MemfdFlags::CLOEXEC);
    let mut said = File::from(
        said.map_err(io::Error::from)
            .map_err(failed("making room for its words"))?,
    );
    let stderr = said
        .try_clone()
        .map_err(failed("making room for its words"))?;
    let mut command = Command::new(program(environment)?);
    // The agent outlives whoever starts it: no credentials of theirs stay in its environment.
    for variable in FOREIGN_CREDENTIALS {
        command.env_remove(variable);
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .map_err(failed("running it"))?;
    let status = wait(&mut child)?;
    if status.success() {
        return Ok(());
    }
    if status.code().is_none() {
        let error = io::Error::other("it was killed");
        return Err(failed("waiting for it")(error));
    }
    let mut text = Vec::new();
    said.rewind().map_err(failed("reading its words"))?;
    said.take(MAX_STDERR_BYTES)
        .read_to_end(&mut text)
        .map_err(failed("reading its words"))?;
    Err(StartError::refused(status, &text))
}

/// Waits for the child's end, at most [`START_PATIENCE`].
fn wait(child: &mut Child) -> Result<ChildStatus, StartError> {
    match wait_for_process(child.id(), START_PATIENCE).map_err(failed("watching it"))? {
        true => child.wait().map_err(failed("waiting for it")),
        false => {
            let _ = child.kill();
            let _ = child.wait();
            Err(StartError::TimedOut)
        }
    }
}

/// Waits until a process is over, whoever's child it is; `false` when the time ran out first.
pub(crate) fn wait_for_process(pid: u32, patience: Duration) -> io::Result<bool> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
    let handle = match pidfd_open(pid, PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH) => return Ok(true),
        other => other?,
    };
    let timeout = Timespec::try_from(patience).map_err(io::Error::other)?;
    let count = poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&timeout))?;
    Ok(count > 0)
}

/// The agent's words without its name, which the client's own takes the place of.
fn lines(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            line.strip_prefix("jumpgate-agent: ")
                .unwrap_or(line)
                .to_owned()
        })
        .collect()
}
