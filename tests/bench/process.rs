//! `credential-process` from cache, and the agent at rest.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};

use crate::figures::{Limit, Spread, heading, row, rss};
use crate::scale::Scale;

/// How long the idle agent is watched.
const IDLE_SECONDS: u32 = 10;

/// Sizes, memory, rest, and the warm path.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Vec<Limit> {
    heading("credential-process, from cache");
    let lab = Lab::new(programs, DEV);
    lab.start_agent();
    row("agent RSS after start", format!("{:>10} kB", rss(&lab)));
    row(
        "system calls of the idle agent in 10 s",
        format!("{:>10}", idle_calls(&lab)),
    );
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    row(
        "agent RSS after unlock and one session",
        format!("{:>10} kB", rss(&lab)),
    );
    warm(&lab, scale);
    row("agent RSS after the runs", format!("{:>10} kB", rss(&lab)));
    Vec::new()
}

/// `credential-process` from cache against a program that does nothing. They take turns, so that what disturbs one
/// disturbs the other.
fn warm(lab: &Lab, scale: Scale) {
    let nothing = PathBuf::from("/bin/true");
    let (mut floor, mut process) = (Vec::new(), Vec::new());
    for _ in 0..scale.runs {
        floor.push(timed(lab.program(&nothing, &[])));
        process.push(timed(lab.client(&["credential-process", "dev"])));
    }
    let (floor, process) = (Spread::of(floor), Spread::of(process));
    row("/bin/true", floor);
    row("credential-process, from cache", process);
    let ratio = process.median.as_secs_f64() / floor.median.as_secs_f64();
    row("ratio of the medians", format!("{ratio:>10.2}"));
}

/// How long a command takes from its start to its end.
///
/// # Panics
/// It fails.
pub(crate) fn timed(mut command: Command) -> Duration {
    command.stdout(Stdio::null());
    let began = Instant::now();
    let status = command.status();
    let took = began.elapsed();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{command:?} failed"
    );
    took
}

/// System calls that the agent makes while nobody asks it for anything: each would be a wake-up.
pub(crate) fn idle_calls(lab: &Lab) -> String {
    let traced = Command::new("timeout")
        .args([
            &IDLE_SECONDS.to_string(),
            "strace",
            "--follow-forks",
            "--attach",
        ])
        .arg(lab.agent_pid().to_string())
        .output();
    match traced {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            // What it waits in when strace comes is shown as unfinished; anything beyond is a wake-up.
            let calls = text
                .lines()
                .filter(|line| line.contains('(') && line.contains(") ="));
            calls.count().to_string()
        }
        Err(error) => format!("no strace ({error})"),
    }
}
