//! A real gnome-keyring behind a D-Bus daemon of its own, and a lab whose identity is in it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use dbus::Message;
use dbus::channel::Channel;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::Lab;
use crate::skip::skip;

/// What it is made of.
const PARTS: [&str; 3] = ["gnome-keyring-daemon", "dbus-daemon", "gdbus"];

/// Longer than anything here takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A part that can be ended, and the word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// gnome-keyring.
    Keyring,
    /// The D-Bus daemon, and with it the keyring.
    Bus,
}

/// A keyring session; it ends when its standard input closes.
pub struct Keyring {
    process: Child,
    output: BufReader<ChildStdout>,
    /// `DBUS_SESSION_BUS_ADDRESS`.
    pub bus: String,
    pids: [Pid; 2],
}

impl Keyring {
    /// `None`, and a line among the skipped, where there is no gnome-keyring.
    ///
    /// # Panics
    /// It does not come up.
    #[must_use]
    pub fn start(what: &str) -> Option<Self> {
        let there = |program: &str| Path::new("/usr/bin").join(program).exists();
        if !PARTS.into_iter().all(there) {
            skip(what, "gnome-keyring, dbus-daemon or gdbus is not installed");
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/keyring-session");
        let mut process = Command::new(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("our own script");
        let mut output = BufReader::new(process.stdout.take().expect("piped"));
        let (bus, pids) = told(&mut output);
        Some(Self {
            process,
            output,
            bus,
            pids,
        })
    }

    /// The same lab, with its identity in this session's keyring.
    #[must_use]
    pub fn holds(&self, mut lab: Lab) -> Lab {
        self.is_in(&mut lab);
        lab
    }

    /// Has the lab's identity in this session's keyring.
    pub fn is_in(&self, lab: &mut Lab) {
        lab.set("DBUS_SESSION_BUS_ADDRESS", &self.bus);
        let text = lab.configuration();
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("passphrase_command"));
        let text = lines.collect::<Vec<_>>().join("\n");
        lab.configure(&text.replace("store = \"file\"", "store = \"keyring\""));
    }

    /// Ends a part by SIGKILL; returns when everybody on the bus can know it.
    ///
    /// # Panics
    /// It was not there.
    pub fn kill(&self, part: Part) {
        let pid = self.pids[part as usize];
        let gone = pidfd_open(pid, PidfdFlags::empty()).expect("a process of the session");
        kill_process(pid, Signal::KILL).expect("a process of the session");
        let mut events = [PollFd::new(&gone, PollFlags::IN)];
        rustix::event::poll(&mut events, None).expect("our own descriptor");
        if part == Part::Keyring {
            let began = Instant::now();
            while self.answers() {
                assert!(began.elapsed() < PATIENCE, "it is on the bus yet");
            }
        }
    }

    /// Has what was killed come back as it was, at the same address.
    ///
    /// # Panics
    /// It does not.
    pub fn comes_back(&mut self, part: Part) {
        let input = self.process.stdin.as_mut().expect("piped");
        let asked = match part {
            Part::Keyring => input.write_all(b"keyring\n"),
            Part::Bus => input.write_all(b"bus\n"),
        };
        asked.expect("our own script reads");
        let (bus, pids) = told(&mut self.output);
        assert_eq!(bus, self.bus);
        self.pids = pids;
    }

    /// Stops the keyring's process as it is, or lets it go on.
    ///
    /// # Panics
    /// It was not there.
    pub fn stops(&self, stops: bool) {
        let signal = if stops { Signal::STOP } else { Signal::CONT };
        kill_process(self.pids[0], signal).expect("a process of the session");
    }

    /// Whether somebody on the bus answers for the keyring.
    fn answers(&self) -> bool {
        let mut bus = Channel::open_private(&self.bus).expect("a bus");
        bus.register().expect("a place on the bus");
        let me = "org.freedesktop.DBus";
        let call = Message::call_with_args(me, "/org/freedesktop/DBus", me, "NameHasOwner", ());
        let call = call.append1("org.freedesktop.secrets");
        let answer = bus.send_with_reply_and_block(call, PATIENCE);
        answer.expect("an answer").get1() == Some(true)
    }
}

/// Where the bus is, and the processes of keyring and bus.
fn told(output: &mut impl BufRead) -> (String, [Pid; 2]) {
    let lines = output.lines().map_while(Result::ok).take(3);
    let lines: Vec<_> = lines.collect();
    let of = |name: &str| {
        let mut lines = lines.iter();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.expect("the session tells of itself")
    };
    let pid = |name| Pid::from_raw(of(name).parse().ok()?);
    let pid = |name| pid(name).expect("a process id");
    (
        of("DBUS_SESSION_BUS_ADDRESS").to_owned(),
        ["KEYRING_SESSION_KEYRING_PID", "KEYRING_SESSION_DBUS_PID"].map(pid),
    )
}

impl Drop for Keyring {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ended = self.process.wait();
    }
}
