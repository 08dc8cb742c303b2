//! What a run did and saw, as text; the lines that begin with `|` are those of docs/reliability.md.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Plan;
use super::gauges::{Sample, floors, growth, processor_time};
use super::under_load::UnderLoad;

/// A run that came to its end.
#[derive(Debug)]
pub(crate) struct Report {
    plan: Plan,
    tallies: BTreeMap<String, u64>,
    longest: BTreeMap<&'static str, Duration>,
    hand_outs: u64,
    sessions: usize,
    looks: Vec<(&'static str, Sample)>,
    grown: f64,
    /// Processor time of the load and the double.
    ours: Duration,
}

impl Report {
    pub(crate) fn new(
        plan: Plan,
        load: &UnderLoad<'_>,
        samples: &[Sample],
        before: Sample,
        after: Sample,
    ) -> Self {
        let floors = floors(samples);
        let mut looks = vec![("before the load", before)];
        if let [first, .., last] = floors.as_slice() {
            let warm = floors.get(floors.len() / 4).unwrap_or(first);
            looks.extend([
                ("warm", *warm),
                ("half-way", floors[floors.len() / 2]),
                ("end", *last),
            ]);
        }
        looks.push(("at rest again", after));
        let (hand_outs, sessions) = load.ledger.counts();
        Self {
            plan,
            tallies: load.tallies(),
            longest: load.longest(),
            hand_outs,
            sessions,
            looks,
            grown: growth(samples),
            ours: processor_time(std::process::id()),
        }
    }

    fn group(&self, begins: &str) -> String {
        let tallies = self.tallies.iter();
        let group = tallies.filter_map(|(name, count)| Some((name.strip_prefix(begins)?, count)));
        let all: Vec<String> = group
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        all.join(", ")
    }
}

const DOORS: [&str; 8] = [
    "credential-process",
    "export",
    "control socket",
    "exec --via container",
    "exec --via imds",
    "exec --via env",
    "container endpoint",
    "IMDS endpoint",
];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { seed, length } = self.plan;
        writeln!(f, "seed {seed}, {} s", length.as_secs())?;
        writeln!(
            f,
            "\n| interface | longest answer, s | answers |\n|---|---|---|"
        )?;
        for door in DOORS {
            let longest = self.longest.get(door).copied().unwrap_or_default();
            let answers = self.group(&format!("{door}: "));
            writeln!(f, "| {door} | {:.2} | {answers} |", longest.as_secs_f64())?;
        }
        for (what, begins) in [
            ("control socket, other", "control: "),
            ("malformed", "malformed: "),
            ("what went wrong", "episodes: "),
        ] {
            writeln!(f, "| {what} | – | {} |", self.group(begins))?;
        }
        let others = ["clients killed", "connections left half-open"];
        for other in others {
            let count = self.tallies.get(other).copied().unwrap_or_default();
            writeln!(f, "| {other} | – | {count} |")?;
        }
        writeln!(
            f,
            "\n| hand-outs checked | of sessions |\n|---|---|\n| {} | {} |",
            self.hand_outs, self.sessions
        )?;
        writeln!(
            f,
            "\n| | at, s | calls | RSS, KiB | open files | threads | processor, s |\n|---|---|---|---|---|---|---|"
        )?;
        for (name, look) in &self.looks {
            let files = look.files.map_or("?".to_owned(), |files| files.to_string());
            let (at, calls, rss) = (look.at.as_secs(), look.calls, look.rss);
            let processor = look.processor.as_secs_f64();
            let threads = look.threads;
            writeln!(
                f,
                "| {name} | {at} | {calls} | {rss} | {files} | {threads} | {processor:.1} |"
            )?;
        }
        writeln!(f, "\nline through the second half: {:+.0} KiB", self.grown)?;
        writeln!(
            f,
            "processor time of the load and the double: {:.1} s",
            self.ours.as_secs_f64()
        )?;
        let left_out = self
            .tallies
            .iter()
            .filter(|(name, _)| name.starts_with("steps left"));
        left_out
            .into_iter()
            .try_for_each(|(name, count)| writeln!(f, "{name}: {count}"))
    }
}
