//! The executables under test, and the lab that most tests start from.

use std::path::Path;
use std::process::Command;

use jumpgate_tests::lab::DEV;
use jumpgate_tests::skip::skip;
use jumpgate_tests::{Lab, Programs};

use crate::surroundings::has;

/// The executables that Cargo built.
pub(crate) fn programs() -> Programs {
    Programs::new(
        env!("CARGO_BIN_EXE_test-client"),
        env!("CARGO_BIN_EXE_test-agent"),
    )
}

/// A lab with these profiles, in which no agent runs and nothing is stored.
pub(crate) fn lab(profiles: &str) -> Lab {
    Lab::new(&programs(), profiles)
}

/// A lab with the profile `dev`, a running agent and alice's key stored. Nothing is unlocked.
pub(crate) fn ready() -> Lab {
    ready_with(DEV)
}

/// The same with these profiles.
pub(crate) fn ready_with(profiles: &str) -> Lab {
    let lab = lab(profiles);
    lab.start_agent();
    lab.add_identity();
    lab
}

/// Gives the lab's agent a clock that can be set ahead: by as many seconds as the file `later` says. False, and a skip,
/// where it cannot be had.
pub(crate) fn clock_to_set(lab: &mut Lab) -> bool {
    std::fs::write(lab.path("later"), "0").unwrap();
    lab.set("LATER", &lab.path("later").display().to_string());
    preload(lab, &["later.c"])
}

/// Has these sources stand before the C library in the lab's programs. False, and a skip, where no compiler is.
pub(crate) fn preload(lab: &mut Lab, sources: &[&str]) -> bool {
    let what = "an agent in a world that can be changed";
    if !has("cc", what) {
        return false;
    }
    let library = lab.path("preloaded.so");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .args(sources.iter().map(|source| here.join(source)))
        .status();
    if !made.is_ok_and(|status| status.success()) {
        skip(what, "cc made no library");
        return false;
    }
    lab.set("LD_PRELOAD", &library.display().to_string());
    true
}
