//! The executables under test, and the lab that most tests start from.

use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};

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
