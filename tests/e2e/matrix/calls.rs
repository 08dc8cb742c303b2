//! A client that lives on and makes a call when it is told to.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// It ends with the test.
pub(super) struct Held {
    child: Child,
    lines: BufReader<ChildStdout>,
    stderr: PathBuf,
}

impl Held {
    /// Starts it; what it says goes to a file.
    pub(super) fn start(mut command: Command, stderr: PathBuf) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&stderr).unwrap());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            lines,
            stderr,
        }
    }

    /// One call; what the client tells of it.
    #[track_caller]
    pub(super) fn call(&mut self) -> Value {
        let _ended = self.child.stdin.as_mut().unwrap().write_all(b"\n");
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| {
            let said = std::fs::read_to_string(&self.stderr).unwrap_or_default();
            panic!("no call: {said}")
        })
    }

    /// Calls until another key signs: the SDK for JavaScript goes on with the old session while it fetches the new.
    #[track_caller]
    pub(super) fn call_until_not(&mut self, before: &Value) -> Value {
        loop {
            let told = self.call();
            if told["access_key_id"] != before["access_key_id"] {
                return told;
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}
