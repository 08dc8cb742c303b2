//! A screen of a test's own, with a real keyring that can ask on it, and a person who sees and types.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::skip::skip;

/// The password of the keyring.
pub const PASSWORD: &str = "a password that guards nothing";

/// The title of the keyring's own prompt (gnome-keyring by gcr).
pub const KEYRING_PROMPT: &str = "^Unlock Login Keyring$";

/// The title of KeePassXC's own prompt.
pub const KEEPASSXC_PROMPT: &str = "^Unlock Database - KeePassXC$";

/// The title of KeePassXC's question whether a program may read an item.
pub const KEEPASSXC_ACCESS: &str = "^KeePassXC - +Access Request$";

/// Longer than a dialog takes on a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What stands behind a screen.
const PARTS: [&str; 7] = [
    "Xvfb",
    "xdotool",
    "dbus-daemon",
    "gdbus",
    "gnome-keyring-daemon",
    "dbus-update-activation-environment",
    "import",
];

/// A screen, a bus and an unlocked keyring. They end with it.
pub struct Screen {
    process: Child,
    variables: Vec<(String, String)>,
}

impl Screen {
    /// `None`, and a line among the skipped, where a part is not installed; `programs` are what the test needs beside.
    ///
    /// # Panics
    /// It does not come up.
    #[must_use]
    pub fn start(what: &str, programs: &[&str]) -> Option<Self> {
        Self::with(what, programs, &[])
    }

    /// The same with KeePassXC as the keyring, and these lines in its configuration's section `FdoSecrets`.
    ///
    /// # Panics
    /// It does not come up.
    #[must_use]
    pub fn with_keepassxc(what: &str, settings: &str) -> Option<Self> {
        let variables = [
            ("KEYRING_SESSION_KEEPASSXC", "1"),
            ("KEYRING_SESSION_SETTINGS", settings),
        ];
        Self::with(what, &["keepassxc", "keepassxc-cli"], &variables)
    }

    fn with(what: &str, programs: &[&str], variables: &[(&str, &str)]) -> Option<Self> {
        let there = |program: &&&str| Path::new("/usr/bin").join(program).exists();
        let missing = PARTS.iter().chain(programs).find(|part| !there(part));
        if let Some(missing) = missing {
            skip(what, &format!("{missing} is not installed"));
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/keyring-session");
        let mut process = Command::new(script)
            .env("KEYRING_SESSION_SCREEN", "1")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("our own script");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let lines = output.lines().map_while(Result::ok);
        let variables = lines.filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        let variables: Vec<_> = variables.take(4).collect();
        assert_eq!(variables.len(), 4, "the session did not come up");
        Some(Self { process, variables })
    }

    /// `DISPLAY`, `DBUS_SESSION_BUS_ADDRESS` or another of the session's variables.
    ///
    /// # Panics
    /// There is none of this name.
    #[must_use]
    pub fn variable(&self, name: &str) -> &str {
        let mut variables = self.variables.iter();
        let found = variables.find(|(known, _)| known == name);
        &found.expect("a variable of the session").1
    }

    fn run(&self, program: &str, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(program)
            .args(arguments)
            .env("DISPLAY", self.variable("DISPLAY"))
            .env(
                "DBUS_SESSION_BUS_ADDRESS",
                self.variable("DBUS_SESSION_BUS_ADDRESS"),
            )
            .stderr(Stdio::null())
            .output()
            .expect("an installed program");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), text)
    }

    /// Locks the keyring.
    ///
    /// # Panics
    /// It does not let itself be locked.
    pub fn lock_keyring(&self) {
        let call = "call --session --dest org.freedesktop.secrets --object-path /org/freedesktop/secrets \
                    --method org.freedesktop.Secret.Service.Lock";
        let mut arguments: Vec<&str> = call.split_whitespace().collect();
        arguments.push("[objectpath '/org/freedesktop/secrets/collection/login']");
        assert!(self.run("gdbus", &arguments).0, "the keyring stays open");
    }

    /// Locks the database of KeePassXC, as a person does.
    ///
    /// # Panics
    /// It does not let itself be locked.
    pub fn lock_keepassxc(&self) {
        self.sees("^guarded.kdbx - KeePassXC$");
        self.presses("ctrl+l");
        self.sees("Locked. - KeePassXC$");
    }

    /// The windows whose title is this (a regular expression).
    #[must_use]
    pub fn windows(&self, title: &str) -> Vec<String> {
        let (_, found) = self.run("xdotool", &["search", "--onlyvisible", "--name", title]);
        found.lines().map(str::to_owned).collect()
    }

    /// All windows that have a title.
    #[must_use]
    pub fn titles(&self) -> Vec<String> {
        let windows = self.windows("[^ ]");
        let titles = windows
            .iter()
            .map(|id| self.run("xdotool", &["getwindowname", id]).1);
        titles.map(|title| title.trim().to_owned()).collect()
    }

    /// Waits until a window with this title is there and gives it the keys.
    ///
    /// # Panics
    /// None comes.
    #[track_caller]
    pub fn sees(&self, title: &str) {
        let began = Instant::now();
        loop {
            for window in self.windows(title) {
                if self.run("xdotool", &["windowfocus", "--sync", &window]).0 {
                    return;
                }
            }
            let shown = || self.titles();
            assert!(
                began.elapsed() < PATIENCE,
                "no {title:?} among {:?}",
                shown()
            );
        }
    }

    /// Waits until no window has this title.
    ///
    /// # Panics
    /// One stays.
    #[track_caller]
    pub fn sees_no(&self, title: &str) {
        let began = Instant::now();
        while !self.windows(title).is_empty() {
            assert!(began.elapsed() < PATIENCE, "{title:?} stays");
        }
    }

    /// Types a line.
    ///
    /// # Panics
    /// xdotool fails.
    pub fn types(&self, text: &str) {
        assert!(self.run("xdotool", &["type", "--delay", "5", text]).0);
        self.presses("Return");
    }

    /// Presses a key.
    ///
    /// # Panics
    /// xdotool fails.
    pub fn presses(&self, key: &str) {
        assert!(self.run("xdotool", &["key", key]).0);
    }

    /// Keeps a picture of the screen in `tests/output` for a person to look at.
    pub fn keep_picture(&self, name: &str) {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("output");
        let _there_already = std::fs::create_dir(&directory);
        let file: PathBuf = directory.join(format!("{name}.png"));
        self.run("import", &["-window", "root", &file.display().to_string()]);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ended = self.process.wait();
    }
}
