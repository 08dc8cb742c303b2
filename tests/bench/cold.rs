//! Cold: from the start of the agent to the first credential, and what the time went into, seen from outside: by the socket,
//! by what arrives at STS and by the client's end.

use std::path::Path;
use std::time::{Duration, Instant};

use jumpgate_tests::keyring::Keyring;
use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};

use crate::figures::{Spread, heading};
use crate::process::timed;
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;

/// Longer than any of it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happens, in this order.
const PARTS: [&str; 5] = [
    "agent: from its start until it listens",
    "client asks: until GetSessionToken arrives at STS (identity unlocked, code made)",
    "both calls of STS: until AssumeRole is answered",
    "journal, reply, end of the client",
    "**all of it**",
];

/// The times of one run, in the order of [`PARTS`].
type Times = [Duration; PARTS.len()];

/// First credentials, of each kind of store.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Section {
    heading("cold: from the agent's start to the first credential");
    let mut section = Section::default();
    let file = (0..scale.colds).map(|_| first(&sealed(programs)));
    let mut columns = vec![("a sealed file", file.collect::<Vec<Times>>())];
    match Keyring::start("cold, of a keyring") {
        Some(keyring) => {
            let times = (0..scale.colds).map(|_| first(&in_keyring(programs, &keyring)));
            columns.push(("gnome-keyring", times.collect()));
        }
        None => section.absent("cold, of a keyring", "gnome-keyring is not installed"),
    }
    section.table(parts(&columns, scale));
    section.table(alone(&sealed(programs), scale));
    section
}

fn parts(columns: &[(&str, Vec<Times>)], scale: Scale) -> Table {
    let caption = format!("Of {} agents each, ms, median (5 %, 95 %):", scale.colds);
    let names: Vec<&str> = [""]
        .into_iter()
        .chain(columns.iter().map(|(name, _)| *name))
        .collect();
    let mut table = Table::new(caption, &names);
    for (at, part) in PARTS.iter().enumerate() {
        let of = |(_, times): &(&str, Vec<Times>)| {
            Spread::of(times.iter().map(|times| times[at]).collect()).millis()
        };
        let cells = columns.iter().map(of);
        table.row([(*part).to_owned()].into_iter().chain(cells));
    }
    table
}

/// What can be run by itself.
fn alone(lab: &Lab, scale: Scale) -> Table {
    let mut table = Table::new("Parts by themselves, ms:", &["", "median (5 %, 95 %)"]);
    let agent = &lab.programs.agent;
    let configuration = lab.path(".config/jumpgate/config.toml");
    let configuration = configuration.to_string_lossy();
    let runs: [(&str, &Path, Vec<&str>); 4] = [
        (
            "`jumpgate-agent --version`: the process alone",
            agent,
            vec!["--version"],
        ),
        (
            "`jumpgate-agent --check FILE`: and the configuration",
            agent,
            vec!["--check", &configuration],
        ),
        (
            "the bench's passphrase_command",
            &lab.passphrase.program,
            Vec::new(),
        ),
        ("the bench's mfa_command", &lab.mfa.program, Vec::new()),
    ];
    for (what, program, arguments) in runs {
        let times = (0..scale.colds).map(|_| timed(lab.program(program, &arguments)));
        table.row([what, &Spread::of(times.collect()).millis()]);
    }
    table
}

/// A lab with an identity in a sealed file, and no agent. Each run needs one: STS takes a code once.
fn sealed(programs: &Programs) -> Lab {
    ready(Lab::new(programs, DEV))
}

fn in_keyring(programs: &Programs, keyring: &Keyring) -> Lab {
    ready(keyring.holds(Lab::new(programs, DEV)))
}

/// An identity is stored, and no agent has read it yet.
pub(crate) fn ready(lab: Lab) -> Lab {
    lab.start_agent();
    lab.add_identity();
    lab.run(&["agent", "stop"]).good();
    lab.wait_for_agent();
    lab.double.clear_events();
    lab
}

fn first(lab: &Lab) -> Times {
    let started = Instant::now();
    lab.start_agent();
    let listens = Instant::now();
    let (asked, seen, done) = std::thread::scope(|scope| {
        let seen = scope.spawn(|| calls(lab));
        let asked = Instant::now();
        lab.run(&["credential-process", "dev"]).good();
        let done = Instant::now();
        (asked, seen.join().expect("STS was called"), done)
    });
    let [first, last] = seen;
    [
        listens - started,
        first - asked,
        last - first,
        done - last,
        (listens - started) + (done - asked),
    ]
}

/// When the first call arrived, and when the last was answered.
fn calls(lab: &Lab) -> [Instant; 2] {
    let at = |reached: bool| {
        assert!(reached, "STS was not called");
        Instant::now()
    };
    let double = &lab.double;
    [
        at(double.wait_for_arrivals("GetSessionToken", 1, PATIENCE)),
        at(double.wait_for_events("AssumeRole", 1, PATIENCE)),
    ]
}
