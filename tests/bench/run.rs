//! One run as a file, `target/bench/DAY-TIME.json`, and whether two of them agree.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::ratio::Ratio;
use crate::section::Section;
use crate::table::Table;

/// Everything that a run found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) command: String,
    pub(crate) machine: Machine,
    pub(crate) parts: Vec<Part>,
}

/// What a part found, and how long it took.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) seconds: u64,
    pub(crate) section: Section,
}

impl Run {
    /// Writes it, and says where.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn keep(&self) -> io::Result<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
        std::fs::create_dir_all(&folder)?;
        let name = self.machine.began.replace([' ', ':'], "-");
        let file = folder.canonicalize()?.join(name + ".json");
        std::fs::write(&file, serde_json::to_vec_pretty(self)?)?;
        Ok(file)
    }

    /// # Errors
    /// The file system's, or it is not the file of a run.
    pub(crate) fn read(file: &str) -> io::Result<Self> {
        let text = std::fs::read(file)?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// A part as it stands in the document: what it found, then of which run.
    pub(crate) fn block(&self, part: &Part) -> String {
        let (command, machine, seconds) = (&self.command, &self.machine, part.seconds);
        let (name, day, commit) = (&part.name, &machine.began, &machine.commit);
        let found = part.section.markdown();
        format!("{found}\n*Part `{name}` of `{command}`, {day} UTC, commit {commit}, {seconds} s.*")
    }

    /// All ratios, each with its part.
    pub(crate) fn ratios(&self) -> impl Iterator<Item = (&str, &Ratio)> {
        self.parts.iter().flat_map(|part| {
            let name = part.name.as_str();
            part.section.ratios.iter().map(move |ratio| (name, ratio))
        })
    }
}

/// How two runs compare.
pub(crate) struct Agreement {
    pub(crate) table: Table,
    pub(crate) compared: usize,
    pub(crate) disagree: usize,
}

/// Each ratio that both runs have. One that only one has is no disagreement: the other did not measure it.
pub(crate) fn compare(first: &Run, second: &Run) -> Agreement {
    let columns = ["", "first run (5 %, 95 %)", "second run (5 %, 95 %)", ""];
    let (mut table, mut compared, mut disagree) = (Table::new("", &columns), 0, 0);
    for (part, one) in first.ratios() {
        let same = |(name, other): &(&str, &Ratio)| *name == part && other.what == one.what;
        let Some((_, other)) = second.ratios().find(same) else {
            continue;
        };
        let agrees = one.agrees(other);
        compared += 1;
        disagree += usize::from(!agrees);
        let verdict = if agrees { "agree" } else { "**differ**" };
        let what = format!("{part}: {}", one.what);
        table.row([what, one.to_string(), other.to_string(), verdict.to_owned()]);
    }
    Agreement {
        table,
        compared,
        disagree,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(ratios: &[(&str, [f64; 3])]) -> Run {
        let ratios = ratios.iter().map(|(what, pairs)| Ratio::of(*what, *pairs));
        let section = Section {
            ratios: ratios.collect(),
            ..Section::default()
        };
        Run {
            command: "cargo bench-all".to_owned(),
            machine: Machine {
                began: "2026-01-02 03:04:05".to_owned(),
                commit: "abc".to_owned(),
                facts: Vec::new(),
            },
            parts: vec![Part {
                name: "process".to_owned(),
                seconds: 7,
                section,
            }],
        }
    }

    #[test]
    fn two_runs_differ_where_a_middle_is_out_of_the_others_spread() {
        let first = run(&[
            ("a", [1.0, 2.0, 3.0]),
            ("b", [1.0, 2.0, 3.0]),
            ("c", [1.0; 3]),
        ]);
        let second = run(&[("b", [3.5, 4.0, 4.5]), ("a", [1.5, 2.5, 3.0])]);
        let found = compare(&first, &second);
        assert_eq!((found.compared, found.disagree), (2, 1));
        assert!(
            found
                .table
                .markdown()
                .contains("| process: b | 2.00 (1.00, 3.00) | 4.00 (3.50, 4.50) | **differ** |")
        );
    }

    #[test]
    fn a_run_is_read_as_it_was_written() {
        let run = run(&[("a", [0.1, 0.2, 0.3])]);
        let text = serde_json::to_vec(&run).expect("JSON");
        let again: Run = serde_json::from_slice(&text).expect("a run");
        let found = compare(&run, &again);
        assert_eq!((found.compared, found.disagree), (1, 0));
        assert!(run.block(&run.parts[0]).ends_with(
            "*Part `process` of `cargo bench-all`, 2026-01-02 03:04:05 UTC, commit abc, 7 s.*"
        ));
    }
}
