//! The benchmark: what is shipped, measured side by side in one run, as ratios. Not part of the test suite.
//!
//! `packaging/build && cargo bench-all` prints a table; nothing is asserted.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};

/// Runs of each command; they take turns, so that what disturbs one disturbs the others.
const ROUNDS: usize = 500;

/// How long the idle agent is watched.
const IDLE_SECONDS: u32 = 10;

fn main() -> ExitCode {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/dist");
    let programs = Programs {
        client: dist.join("jumpgate"),
        agent: dist.join("jumpgate-agent"),
    };
    if !programs.client.is_file() || !programs.agent.is_file() {
        say("nothing is in target/dist: run packaging/build first");
        return ExitCode::FAILURE;
    }
    for program in [&programs.client, &programs.agent] {
        let bytes = program.metadata().map_or(0, |metadata| metadata.len());
        say(&format!("{:<40} {bytes:>10} bytes", name(program)));
    }
    let lab = Lab::new(&programs, DEV);
    lab.start_agent();
    say(&format!(
        "{:<40} {:>10} kB",
        "agent RSS after start",
        rss(&lab)
    ));
    say(&format!(
        "{:<40} {:>10}",
        "system calls of the idle agent in 10 s",
        idle_calls(&lab)
    ));
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    say(&format!(
        "{:<40} {:>10} kB",
        "agent RSS after unlock and one session",
        rss(&lab)
    ));
    warm(&lab);
    say(&format!(
        "{:<40} {:>10} kB",
        "agent RSS after the runs",
        rss(&lab)
    ));
    ExitCode::SUCCESS
}

fn say(line: &str) {
    let _nobody_reads = writeln!(std::io::stdout(), "{line}");
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// `credential-process` from cache against a program that does nothing.
fn warm(lab: &Lab) {
    let nothing = PathBuf::from("/bin/true");
    let (mut floor, mut process) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floor.push(timed(lab.program(&nothing, &[])));
        process.push(timed(lab.client(&["credential-process", "dev"])));
    }
    let (floor, process) = (Spread::of(floor), Spread::of(process));
    say(&format!("{:<40} {floor}", "/bin/true"));
    say(&format!(
        "{:<40} {process}",
        "credential-process, from cache"
    ));
    let ratio = process.median.as_secs_f64() / floor.median.as_secs_f64();
    say(&format!("{:<40} {ratio:>10.2}", "ratio of the medians"));
}

fn timed(mut command: Command) -> Duration {
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

struct Spread {
    median: Duration,
    tenth: Duration,
    ninetieth: Duration,
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        Self {
            median: at(50),
            tenth: at(10),
            ninetieth: at(90),
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = |time: Duration| time.as_micros();
        let (low, middle, high) = (self.tenth, self.median, self.ninetieth);
        write!(
            f,
            "{:>10} µs (10 % {}, 90 % {})",
            micros(middle),
            micros(low),
            micros(high)
        )
    }
}

fn rss(lab: &Lab) -> String {
    let status = std::fs::read_to_string(format!("/proc/{}/status", lab.agent_pid()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or("unknown".to_owned(), |line| {
        line.trim().trim_end_matches(" kB").to_owned()
    })
}

/// System calls that the agent makes while nobody asks it for anything: each would be a wake-up.
fn idle_calls(lab: &Lab) -> String {
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
