//! One run of a program: what it printed, within limits of time and size.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Child;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::leash::Leash;
use crate::domain::identity::Argv;
use crate::ports::PromptError;

/// The most that a program may print, in bytes.
const MAX_OUTPUT: usize = 4096;

/// How much of the last line of its complaints is kept, in characters.
const MAX_COMPLAINT: usize = 200;

/// How long the pipes may stay open once the program is gone: it may have started a daemon that holds them.
const AFTER_EXIT: Duration = Duration::from_millis(250);

/// What the program printed on standard output.
///
/// # Errors
/// It cannot be started, exits with another status than 0, prints more than 4 KiB or takes longer than `wait`.
pub(super) async fn output(
    leash: Leash,
    argv: &Argv,
    wait: Duration,
) -> Result<Zeroizing<Vec<u8>>, PromptError> {
    let run = timeout(wait, answer(leash, argv)).await;
    let run = run.map_err(|_| PromptError::TimedOut)?;
    run.map_err(|(_, error)| error)
}

/// The same without an end: who waits for it drops it.
///
/// # Errors
/// With the status that it exited with, if it did.
pub(super) async fn answer(
    leash: Leash,
    argv: &Argv,
) -> Result<Zeroizing<Vec<u8>>, (Option<i32>, PromptError)> {
    let broken = |error| (None, error);
    let child = start(leash, argv).map_err(broken)?;
    let group = Group::of(&child);
    let run = watch(child, group).await;
    let run = run.map_err(|error| broken(failed(argv, &format!("cannot be watched: {error}"))))?;
    match run {
        Run::SaidTooMuch => {
            let what = format!("printed more than {MAX_OUTPUT} bytes");
            Err(broken(failed(argv, &what)))
        }
        Run::Ended { status, output, .. } if status.success() => Ok(output),
        Run::Ended {
            status, complaint, ..
        } => Err((status.code(), failed(argv, &reason(status, &complaint)))),
    }
}

/// The first line of what was printed, without its end.
pub(super) fn first_line(printed: &[u8]) -> Zeroizing<Vec<u8>> {
    let line = printed.split(|&byte| byte == b'\n').next();
    let line = line.unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Zeroizing::new(line.to_vec())
}

/// The program's name for a message.
pub(super) fn shown(argv: &Argv) -> String {
    format!("`{}`", argv.program.escape_debug())
}

fn start(leash: Leash, argv: &Argv) -> Result<Child, PromptError> {
    leash
        .command(&argv.program)
        .args(&argv.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => failed(argv, "there is no such program"),
            _ => failed(argv, &format!("cannot be started: {error}")),
        })
}

/// The process group of a program. Dropped, it is killed: also where the caller's future is.
pub(super) struct Group(Option<Pid>);

impl Group {
    pub(super) fn of(child: &Child) -> Self {
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        Self(pid.and_then(Pid::from_raw))
    }

    /// The program ended by itself. Its number is nobody's now, and a daemon that it started may stay.
    fn ended(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // A group that is gone already is as good.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

enum Run {
    SaidTooMuch,
    Ended {
        status: ExitStatus,
        output: Zeroizing<Vec<u8>>,
        complaint: Tail,
    },
}

/// Dropped before it is ready, it drops `group` first: the number is the program's until `child` is reaped.
async fn watch(mut child: Child, mut group: Group) -> io::Result<Run> {
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let mut output = Zeroizing::new(Vec::with_capacity(MAX_OUTPUT + 1));
    let mut complaint = Tail::default();
    let status = {
        let reading = async {
            tokio::try_join!(
                read_bounded(stdout.as_mut(), &mut output),
                complaint.fill(stderr.as_mut())
            )
        };
        tokio::pin!(reading);
        tokio::select! {
            biased;
            read = &mut reading => match read {
                Err(Unread::TooMuch) => return Ok(Run::SaidTooMuch),
                Err(Unread::Failed(error)) => return Err(error),
                Ok(_) => child.wait().await?,
            },
            status = child.wait() => {
                group.ended();
                match timeout(AFTER_EXIT, reading).await {
                    Ok(Err(Unread::TooMuch)) => return Ok(Run::SaidTooMuch),
                    Ok(Err(Unread::Failed(error))) => return Err(error),
                    Ok(Ok(_)) | Err(_) => status?,
                }
            }
        }
    };
    group.ended();
    Ok(Run::Ended {
        status,
        output,
        complaint,
    })
}

enum Unread {
    TooMuch,
    Failed(io::Error),
}

/// Reads to the end into a buffer that never grows, so that no copy is left behind.
async fn read_bounded(
    from: Option<&mut (impl AsyncRead + Unpin)>,
    into: &mut Vec<u8>,
) -> Result<(), Unread> {
    let Some(from) = from else { return Ok(()) };
    let mut piece = Zeroizing::new([0; 512]);
    loop {
        match from.read(&mut *piece).await.map_err(Unread::Failed)? {
            0 => return Ok(()),
            length if into.len() + length > MAX_OUTPUT => return Err(Unread::TooMuch),
            length => into.extend_from_slice(&piece[..length]),
        }
    }
}

/// The end of what a program complained about.
#[derive(Default)]
struct Tail(Vec<u8>);

impl Tail {
    async fn fill(&mut self, from: Option<&mut (impl AsyncRead + Unpin)>) -> Result<(), Unread> {
        let Some(from) = from else { return Ok(()) };
        let mut piece = [0; 512];
        loop {
            match from.read(&mut piece).await.map_err(Unread::Failed)? {
                0 => return Ok(()),
                length => self.0.extend_from_slice(&piece[..length]),
            }
            let excess = self.0.len().saturating_sub(MAX_OUTPUT);
            self.0.drain(..excess);
        }
    }

    /// Its last line, escaped.
    fn last_line(&self) -> String {
        let text = self.0.trim_ascii_end();
        let line = text.rsplit(|&byte| byte == b'\n').next();
        let line = String::from_utf8_lossy(line.unwrap_or_default());
        let escaped = line.trim().escape_debug();
        escaped.take(MAX_COMPLAINT).collect()
    }
}

fn reason(status: ExitStatus, complaint: &Tail) -> String {
    let ended = match status.code() {
        Some(code) => format!("exited with status {code}"),
        None => "was ended by a signal".to_owned(),
    };
    match complaint.last_line().as_str() {
        "" => ended,
        line => format!("{ended}: {line}"),
    }
}

fn failed(argv: &Argv, what: &str) -> PromptError {
    PromptError::Failed(format!("{} {what}", shown(argv)))
}
