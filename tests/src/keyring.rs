//! A real gnome-keyring behind a D-Bus daemon of its own, and a lab whose identity is in it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Lab;
use crate::skip::skip;

/// What it is made of.
const PARTS: [&str; 3] = ["gnome-keyring-daemon", "dbus-daemon", "gdbus"];

/// A keyring session; it ends when its standard input closes.
pub struct Keyring {
    process: Child,
    /// `DBUS_SESSION_BUS_ADDRESS`.
    pub bus: String,
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
        let output = process.stdout.take().expect("piped");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let bus =
            lines.find_map(|line| Some(line.strip_prefix("DBUS_SESSION_BUS_ADDRESS=")?.to_owned()));
        let bus = bus.expect("the session says where its bus is");
        Some(Self { process, bus })
    }

    /// The same lab, with its identity in this session's keyring.
    #[must_use]
    pub fn holds(&self, mut lab: Lab) -> Lab {
        lab.set("DBUS_SESSION_BUS_ADDRESS", &self.bus);
        let text = lab.configuration();
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("passphrase_command"));
        let text = lines.collect::<Vec<_>>().join("\n");
        lab.configure(&text.replace("store = \"file\"", "store = \"keyring\""));
        lab
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ended = self.process.wait();
    }
}
