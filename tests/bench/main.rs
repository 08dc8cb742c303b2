//! The benchmark: what is shipped, measured side by side in one run, as ratios. Not part of the test suite.
//!
//! `packaging/build && cargo bench-all` prints a table, and at its end which limits hold. It fails when one does not.
//! `cargo bench-all exec kills` measures these parts only; `--long` takes more and longer runs, for figures that are
//! published.

mod asking;
mod bare;
mod endpoints;
mod exec;
mod figures;
mod hang;
mod lock;
mod process;
mod scale;
mod wrk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use figures::{Limit, heading, row, say};
use jumpgate_tests::Programs;
use scale::Scale;

/// A part of the benchmark.
type Part = fn(&Programs, Scale) -> Vec<Limit>;

/// All of them, in their order.
const PARTS: [(&str, Part); 6] = [
    ("process", process::measure),
    ("endpoints", endpoints::measure),
    ("exec", exec::measure),
    ("hang", hang::measure),
    ("kills", exec::kills),
    ("lock", lock::measure),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [bare::ARGUMENT, bytes] => match bare::serve(bytes.parse().unwrap_or_default()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failure(&format!("the bare server: {error}")),
        },
        all => chosen(all),
    }
}

fn chosen(arguments: &[&str]) -> ExitCode {
    let long = arguments.contains(&"--long");
    let names: Vec<_> = arguments.iter().filter(|name| **name != "--long").collect();
    let known = |name: &&&&str| PARTS.iter().any(|(part, _)| part == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let parts = PARTS.map(|(name, _)| name).join(", ");
        return failure(&format!("no part is called {unknown}; there are: {parts}"));
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|chosen| **chosen == name);
    let scale = if long { Scale::LONG } else { Scale::QUICK };
    let Some(programs) = programs() else {
        return failure("there is no release build: run packaging/build first");
    };
    let parts = PARTS.iter().filter(|(name, _)| wanted(name));
    let limits: Vec<Limit> = parts.flat_map(|(_, part)| part(&programs, scale)).collect();
    verdict(&limits)
}

/// What is shipped, as `packaging/build` made it; of another directory if `JUMPGATE_DIST` names one.
fn programs() -> Option<Programs> {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/dist");
    let dist = std::env::var_os("JUMPGATE_DIST").map_or_else(built, PathBuf::from);
    let programs = Programs {
        client: dist.join("jumpgate"),
        agent: dist.join("jumpgate-agent"),
    };
    for program in [&programs.client, &programs.agent] {
        let bytes = program.metadata().ok()?.len();
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        row(&name, format!("{bytes:>10} bytes"));
    }
    Some(programs)
}

fn verdict(limits: &[Limit]) -> ExitCode {
    heading("limits");
    for limit in limits {
        say(&limit.to_string());
    }
    let broken = limits.iter().filter(|limit| !limit.holds()).count();
    if broken > 0 {
        return failure(&format!("{broken} of {} limits do not hold", limits.len()));
    }
    say(&format!("all {} limits hold", limits.len()));
    ExitCode::SUCCESS
}

fn failure(line: &str) -> ExitCode {
    say(line);
    ExitCode::FAILURE
}
