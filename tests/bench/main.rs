//! The benchmark: what is shipped, measured side by side in one run, as ratios. Not part of the test suite.
//!
//! `packaging/build && cargo bench-all` shows tables, and at its end which limits hold; it fails when one does not. It keeps
//! what it found in `target/bench/DAY-TIME.json` and writes it into docs/performance.md.
//!
//! - `cargo bench-all exec kills` measures these parts only, and writes them with `--write`;
//! - `--long` takes more and longer runs, for figures that are published;
//! - `--compare A.json B.json` says on which ratios two runs differ beyond their spread; `--write` puts that into the
//!   document;
//! - `--parts` lists the blocks of the document.

mod asking;
mod bare;
mod callers;
mod callgrind;
mod clock;
mod cold;
mod control;
mod document;
mod endpoints;
mod exec;
mod figures;
mod floors;
mod growth;
mod guards;
mod hang;
mod idle;
mod instructions;
mod journal;
mod kept;
mod leases;
mod lock;
mod machine;
mod parts;
mod peer_endpoint;
mod peers;
mod process;
mod profiles;
mod ratio;
mod run;
mod scale;
mod section;
mod table;
mod vendor;
mod wrk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use figures::{heading, say};
use jumpgate_tests::Programs;
use machine::Machine;
use parts::{Measure, OTHER_BLOCKS, PARTS};
use ratio::PAIRS;
use run::{Part, Run};
use scale::Scale;
use section::Section;

/// How this program is called by people.
const COMMAND: &str = "cargo bench-all";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [bare::ARGUMENT, bytes] => match bare::serve(bytes.parse().unwrap_or_default()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failure(&format!("the bare server: {error}")),
        },
        ["--parts"] => {
            let parts = PARTS.iter().map(|(name, _)| name);
            parts.chain(OTHER_BLOCKS).for_each(|name| say(name));
            ExitCode::SUCCESS
        }
        ["--compare", first, second] => compared(first, second, false),
        ["--compare", first, second, "--write"] => compared(first, second, true),
        all => chosen(all),
    }
}

/// What is wanted of a run.
struct Wish {
    parts: Vec<(&'static str, Measure)>,
    scale: Scale,
    writes: bool,
}

impl Wish {
    /// `Err`: a word that is none.
    fn of(arguments: &[&str]) -> Result<Self, String> {
        let (flags, names): (Vec<&str>, Vec<&str>) =
            arguments.iter().partition(|word| word.starts_with("--"));
        if let Some(unknown) = flags
            .iter()
            .find(|flag| !["--long", "--write"].contains(flag))
        {
            return Err(format!(
                "there is no {unknown}; there are --long, --write, --compare"
            ));
        }
        let known = |name: &&&str| PARTS.iter().any(|(part, _)| part == *name);
        if let Some(unknown) = names.iter().find(|name| !known(name)) {
            let parts: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
            let parts = parts.join(", ");
            return Err(format!("no part is called {unknown}; there are: {parts}"));
        }
        let wanted = |name: &str| names.is_empty() || names.contains(&name);
        Ok(Self {
            parts: PARTS
                .iter()
                .filter(|(name, _)| wanted(name))
                .copied()
                .collect(),
            scale: if flags.contains(&"--long") {
                Scale::LONG
            } else {
                Scale::QUICK
            },
            writes: names.is_empty() || flags.contains(&"--write"),
        })
    }
}

fn chosen(arguments: &[&str]) -> ExitCode {
    let wish = match Wish::of(arguments) {
        Ok(wish) => wish,
        Err(line) => return failure(&line),
    };
    let Some(programs) = programs() else {
        return failure("there is no release build: run packaging/build first");
    };
    let machine = Machine::of(&programs);
    say(&machine.table().to_string());
    let words = [&[COMMAND], arguments].concat();
    let mut run = Run {
        command: words.join(" "),
        machine,
        parts: Vec::new(),
    };
    let mut failures = Vec::new();
    for (name, measure) in &wish.parts {
        match measured(name, *measure, &programs, wish.scale) {
            Some(part) => run.parts.push(part),
            None => failures.push(format!("the part {name} broke off, see above")),
        }
    }
    failures.extend(thin(&run));
    failures.extend(kept(&run, wish.writes));
    verdict(&run, &failures)
}

/// A part that breaks off must not take what the others found with it.
fn measured(name: &str, measure: Measure, programs: &Programs, scale: Scale) -> Option<Part> {
    let began = Instant::now();
    let section = std::panic::catch_unwind(|| measure(programs, scale)).ok()?;
    let seconds = began.elapsed().as_secs();
    Some(Part {
        name: name.to_owned(),
        seconds,
        section,
    })
}

/// Ratios of too few pairs to be compared with those of another run.
fn thin(run: &Run) -> Vec<String> {
    let few = run.ratios().filter(|(_, ratio)| ratio.pairs < PAIRS);
    few.map(|(part, ratio)| {
        let (what, pairs) = (&ratio.what, ratio.pairs);
        format!("{part}: {what}: {pairs} pairs, at least {PAIRS} are needed")
    })
    .collect()
}

/// Keeps a run as a file, and in the document. Returns what failed.
fn kept(run: &Run, writes: bool) -> Vec<String> {
    let mut failures = Vec::new();
    match run.keep() {
        Ok(file) => say(&format!("\nkept in {}", file.display())),
        Err(error) => failures.push(format!("target/bench: {error}")),
    }
    if writes {
        let machine = ("machine", run.machine.table().markdown());
        let parts = run
            .parts
            .iter()
            .map(|part| (part.name.as_str(), run.block(part)));
        for (name, block) in [machine].into_iter().chain(parts) {
            let written = document::write(&document::place(), name, &block);
            failures.extend(written.err().map(|error| error.to_string()));
        }
    }
    failures
}

/// What is shipped, as `packaging/build` made it; of another directory if `JUMPGATE_DIST` names one.
fn programs() -> Option<Programs> {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/dist");
    let dist = std::env::var_os("JUMPGATE_DIST").map_or_else(built, PathBuf::from);
    let programs = Programs {
        client: dist.join("jumpgate"),
        agent: dist.join("jumpgate-agent"),
    };
    (programs.client.exists() && programs.agent.exists()).then_some(programs)
}

fn verdict(run: &Run, failures: &[String]) -> ExitCode {
    heading("limits");
    let sections = run.parts.iter().map(|part| &part.section);
    let limits: Vec<_> = sections.flat_map(Section::all_limits).collect();
    limits.iter().for_each(|limit| say(&limit.to_string()));
    failures.iter().for_each(|line| say(line));
    let broken = limits.iter().filter(|limit| !limit.holds()).count();
    if broken > 0 || !failures.is_empty() {
        return failure(&format!("{broken} of {} limits do not hold", limits.len()));
    }
    say(&format!("all {} limits hold", limits.len()));
    ExitCode::SUCCESS
}

fn compared(first: &str, second: &str, writes: bool) -> ExitCode {
    let runs = (Run::read(first), Run::read(second));
    let (first, second) = match runs {
        (Ok(first), Ok(second)) => (first, second),
        (Err(error), _) => return failure(&format!("{first}: {error}")),
        (_, Err(error)) => return failure(&format!("{second}: {error}")),
    };
    let found = run::compare(&first, &second);
    let (all, differ) = (found.compared, found.disagree);
    let (one, other) = (&first.machine.began, &second.machine.began);
    let line = format!("The runs of {one} and {other} UTC: {all} ratios in both, {differ} differ.");
    say(&format!("{}\n{line}", found.table));
    if writes {
        let block = format!("{line}\n\n{}", found.table.markdown());
        if let Err(error) = document::write(&document::place(), "agreement", &block) {
            return failure(&error.to_string());
        }
    }
    if differ == 0 && all > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn failure(line: &str) -> ExitCode {
    say(line);
    ExitCode::FAILURE
}
