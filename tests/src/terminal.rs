//! A person at a terminal: a real pseudo-terminal, and what was shown on it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// How long a program may think before it says something.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that runs on a terminal of its own.
pub struct Terminal {
    screen: File,
    child: Child,
    shown: String,
}

impl Terminal {
    /// Runs the command with a new terminal as its standard streams and its controlling terminal.
    ///
    /// # Panics
    /// There is no terminal to be had, or no `setsid` of util-linux.
    #[must_use]
    pub fn run(command: &Command) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&screen).expect("our own terminal");
        unlockpt(&screen).expect("our own terminal");
        let name = ptsname(&screen, Vec::new()).expect("our own terminal");
        let open = || {
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            Stdio::from(rustix::fs::open(&name, flags, Mode::empty()).expect("our own terminal"))
        };
        let mut on_terminal = Command::new("setsid");
        on_terminal.args(["--ctty", "--wait"]);
        on_terminal
            .arg(command.get_program())
            .args(command.get_args());
        on_terminal.env_clear();
        for (name, value) in command.get_envs() {
            on_terminal.env(name, value.unwrap_or_default());
        }
        on_terminal.stdin(open()).stdout(open()).stderr(open());
        let child = on_terminal.spawn().expect("setsid is part of util-linux");
        Self {
            screen: screen.into(),
            child,
            shown: String::new(),
        }
    }

    /// Waits until this text is shown, behind what was waited for before; returns all that came until then.
    ///
    /// # Panics
    /// The program ended, or said nothing for a minute.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = self.shown.find(text) {
                let rest = self.shown.split_off(at + text.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            assert!(self.read_more(), "no {text:?} in {:?}", self.shown);
        }
    }

    /// Types a line.
    ///
    /// # Panics
    /// The terminal is gone.
    pub fn type_line(&mut self, text: &str) {
        let typed = self.screen.write_all(format!("{text}\n").as_bytes());
        typed.expect("the terminal is there");
    }

    /// Types, into a program that reads each key; the one for the end of a line is `\r`.
    ///
    /// # Panics
    /// The terminal is gone.
    pub fn type_keys(&mut self, keys: &str) {
        let typed = self.screen.write_all(keys.as_bytes());
        typed.expect("the terminal is there");
    }

    /// Waits for the end of the program; returns what else was shown.
    ///
    /// # Panics
    /// It does not end.
    pub fn end(mut self) -> (ExitStatus, String) {
        while self.read_more() {}
        let status = self.child.wait().expect("our own child");
        (status, self.shown)
    }

    /// `false` when nobody has the terminal open any more.
    fn read_more(&mut self) -> bool {
        let mut ready = [PollFd::new(&self.screen, PollFlags::IN)];
        let patience = Timespec {
            tv_sec: i64::try_from(PATIENCE.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: 0,
        };
        let count = poll(&mut ready, Some(&patience)).expect("our own terminal");
        assert!(count > 0, "nothing more was shown after {:?}", self.shown);
        let mut bytes = [0; 4096];
        match self.screen.read(&mut bytes) {
            Ok(size) if size > 0 => {
                self.shown
                    .push_str(&String::from_utf8_lossy(&bytes[..size]));
                true
            }
            _ => false,
        }
    }
}
