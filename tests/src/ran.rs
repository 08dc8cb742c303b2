//! A command that was run to its end.

use std::io::Write;
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

/// A command that ended.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Ran {
    /// The exit status's number; -1 for a signal.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// The output as JSON.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in {:?}; stderr: {}", self.stdout, self.stderr))
    }

    /// The same, once it is known to have succeeded.
    ///
    /// # Panics
    /// It failed.
    #[track_caller]
    pub fn good(self) -> Self {
        assert!(self.status.success(), "{}: {}", self.status, self.stderr);
        self
    }
}

/// Runs a command to its end, with lines on its standard input.
///
/// # Panics
/// It cannot be started.
#[track_caller]
pub fn finish(mut command: Command, input: &str) -> Ran {
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    if let Some(mut stdin) = child.stdin.take() {
        let _closed = stdin.write_all(input.as_bytes());
    }
    ended(child)
}

/// Waits for the end of a child whose outputs are piped.
///
/// # Panics
/// It was not ours to wait for.
#[must_use]
pub fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().expect("our own child");
    Ran {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
