//! Where and of what the figures are: the machine, the day, the commit, versions.

use std::path::Path;
use std::process::Command;

use jumpgate_tests::Programs;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::table::Table;

/// What a figure needs beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// UTC, to the second.
    pub(crate) began: String,
    pub(crate) commit: String,
    pub(crate) facts: Vec<(String, String)>,
}

impl Machine {
    /// Taken from the system, as it is now.
    pub(crate) fn of(programs: &Programs) -> Self {
        let facts = [
            ("processors", processors()),
            ("memory", line_of("/proc/meminfo", "MemTotal:")),
            ("kernel", file("/proc/sys/kernel/osrelease")),
            ("load before the run", file("/proc/loadavg")),
            ("client, bytes", size(&programs.client)),
            ("agent, bytes", size(&programs.agent)),
            ("agent", said(&programs.agent, &["--version"])),
            ("compiler", said(Path::new("rustc"), &["--version"])),
            ("wrk", said(Path::new("wrk"), &["--version"])),
        ];
        Self {
            began: now(),
            commit: commit(),
            facts: facts.map(|(name, fact)| (name.to_owned(), fact)).into(),
        }
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new("", &["", ""]);
        table.row(["begun, UTC", &self.began]);
        table.row(["commit", &self.commit]);
        self.facts
            .iter()
            .for_each(|(name, fact)| table.row([name, fact]));
        table
    }
}

fn now() -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let now = OffsetDateTime::now_utc();
    now.format(&format)
        .unwrap_or_else(|error| error.to_string())
}

/// The commit of the tree that the bench was built from. What is measured was built from it too, unless `JUMPGATE_DIST` says
/// otherwise.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(arguments);
        command
            .output()
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "--short", "HEAD"]).unwrap_or_default();
    // The document is what a run changes itself.
    let changed = git(&[
        "status",
        "--porcelain",
        "--",
        ":/",
        ":!/docs/performance.md",
    ]);
    match changed {
        Ok(changed) if changed.is_empty() => head,
        _ => format!("{head} with changes"),
    }
}

fn processors() -> String {
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{count} × {}", line_of("/proc/cpuinfo", "model name"))
}

fn file(path: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.trim().to_owned()
}

/// What stands behind a name in a file of the kernel's.
fn line_of(path: &str, name: &str) -> String {
    let text = file(path);
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line
        .unwrap_or_default()
        .trim_start_matches([' ', '\t', ':']);
    value.trim().to_owned()
}

fn size(program: &Path) -> String {
    program
        .metadata()
        .map_or(0, |found| found.len())
        .to_string()
}

/// The first line that a program says, on whichever output.
fn said(program: &Path, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        return "absent".to_owned();
    };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().next().unwrap_or_default().trim().to_owned()
}
