//! `credential-process` from cache, and the agent at rest.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};

use crate::figures::{Spread, grouped, heading, rss};
use crate::floors;
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

/// `credential-process` from cache against programs that do nothing. They take turns, so that what disturbs one
/// disturbs the other.
fn warm(lab: &Lab, scale: Scale, section: &mut Section) {
    let floors = floors::all(&lab.path("floors"), section);
    let mut times = vec![Vec::new(); floors.len()];
    let mut process = Vec::new();
    for _ in 0..scale.runs {
        for (floor, times) in floors.iter().zip(&mut times) {
            times.push(timed(lab.program(&floor.program, &[])));
        }
        process.push(timed(lab.client(&["credential-process", "dev"])));
    }
    let caption = format!("From start to end, {} runs in turns:", scale.runs);
    let mut table = Table::new(caption, &["", "µs, median (5 %, 95 %)"]);
    for (floor, times) in floors.iter().zip(times) {
        let what = format!("credential-process, in the time of {}", floor.name);
        let ratio = Ratio::of(what, against(&process, &times));
        section.ratio(match floor.aim {
            Some(aim) => ratio.aiming(aim),
            None => ratio,
        });
        table.row([floor.name.to_owned(), Spread::of(times).micros()]);
    }
    let ours = Spread::of(process).micros();
    table.row(["credential-process".to_owned(), ours]);
    section.table(table);
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
