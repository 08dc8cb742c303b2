//! Two minutes of everything at once. For longer: `cargo soak --minutes 60 --seed 7`.

use std::time::Duration;

use crate::built::programs;
use crate::soak::{Plan, run};

/// Always the same one, so that a failure is of the code and not of the day.
const SEED: u64 = 1;

#[test]
fn two_minutes_of_everything_at_once() {
    let plan = Plan {
        seed: SEED,
        length: Duration::from_secs(120),
    };
    match run(&programs(), plan) {
        Ok(report) => assert!(report.to_string().contains("| hand-outs checked |")),
        Err(what) => panic!("{what}"),
    }
}
