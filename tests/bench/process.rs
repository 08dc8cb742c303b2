//! `credential-process` from cache, and the agent at rest.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};

use crate::figures::{Bound, Spread, grouped, heading, rss};
use crate::ratio::Ratio;
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;

/// How long the idle agent is watched.
const IDLE_SECONDS: u32 = 10;

/// Sizes, memory, rest, and the warm path.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Section {
    heading("credential-process, from cache");
    let mut section = Section::default();
    let lab = Lab::new(programs, DEV);
    lab.start_agent();
    let mut agent = Table::new("The agent:", &["", ""]);
    let memory = |lab: &Lab| format!("{} kB", grouped(rss(lab).into()));
    agent.row(["resident after its start", &memory(&lab)]);
    agent.row([
        "system calls in 10 s in which nobody asks",
        &idle_calls(&lab),
    ]);
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    agent.row(["resident after unlock and one session", &memory(&lab)]);
    warm(&lab, scale, &mut section);
    agent.row(["resident after the runs", &memory(&lab)]);
    section.table(agent);
    section
}

/// `credential-process` from cache against a program that does nothing. They take turns, so that what disturbs one
/// disturbs the other.
fn warm(lab: &Lab, scale: Scale, section: &mut Section) {
    let nothing = PathBuf::from("/bin/true");
    let (mut floor, mut process) = (Vec::new(), Vec::new());
    for _ in 0..scale.runs {
        floor.push(timed(lab.program(&nothing, &[])));
        process.push(timed(lab.client(&["credential-process", "dev"])));
    }
    let ratio = against(&process, &floor);
    let mut table = Table::new("From start to end:", &["", "µs, median (10 %, 90 %)"]);
    table.row(["/bin/true".to_owned(), Spread::of(floor).micros()]);
    table.row([
        "credential-process".to_owned(),
        Spread::of(process).micros(),
    ]);
    section.table(table);
    let what = "credential-process, in /bin/true's time";
    section.ratio(Ratio::of(what, ratio).aiming(Bound::AtMost(1.3)));
}

/// The ratios of times that followed each other.
pub(crate) fn against(ours: &[Duration], theirs: &[Duration]) -> Vec<f64> {
    let pairs = ours.iter().zip(theirs);
    let ratio = |(one, other): (&Duration, &Duration)| one.as_secs_f64() / other.as_secs_f64();
    pairs.map(ratio).collect()
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
