//! One clock for a whole test, which it moves on: the client's and the agent's by libfaketime, the double's by its own.
//! So nobody waits until a session is nearly over.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jumpgate_tests::Lab;
use jumpgate_tests::skip::skip;

/// What puts the library before a program's own.
pub(super) const PRELOAD: &str = "LD_PRELOAD";

/// The time that the agent and a client see. Intervals are the machine's: no timer fires because of it.
pub(super) struct Clock {
    library: PathBuf,
    file: PathBuf,
    ahead: Duration,
}

impl Clock {
    /// A clock that is right, for all that the lab starts; `None` where the library is missing.
    pub(super) fn of(lab: &mut Lab) -> Option<Self> {
        let library = library()?;
        let file = lab.path("clock");
        lab.set(PRELOAD, &library.display().to_string());
        lab.set("FAKETIME_TIMESTAMP_FILE", &file.display().to_string());
        lab.set("FAKETIME_NO_CACHE", "1");
        lab.set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let clock = Self {
            library,
            file,
            ahead: Duration::ZERO,
        };
        clock.write();
        Some(clock)
    }

    /// A program sees this clock after all. Python cannot sleep under it, so nothing shall have to be tried again.
    pub(super) fn shown_to(&self, command: &mut Command) {
        command.env(PRELOAD, &self.library);
    }

    /// Moves every clock on.
    pub(super) fn advance(&mut self, lab: &Lab, by: Duration) {
        self.ahead += by;
        self.write();
        lab.double.advance(by);
    }

    /// Whoever reads it reads a whole line.
    fn write(&self) {
        let beside = self.file.with_extension("new");
        std::fs::write(&beside, format!("+{}\n", self.ahead.as_secs())).unwrap();
        std::fs::rename(beside, &self.file).unwrap();
    }
}

fn library() -> Option<PathBuf> {
    let lib = Path::new("/usr/lib");
    let name = "faketime/libfaketime.so.1";
    let found = std::fs::read_dir(lib).ok()?.flatten();
    let mut places = found
        .map(|entry| entry.path().join(name))
        .chain([lib.join(name)]);
    let library = places.find(|place| place.is_file());
    if library.is_none() {
        skip(
            "conformance: refresh and restart",
            "libfaketime is not installed",
        );
    }
    library
}
