//! 1 to 10,000 profiles: how long the agent takes to its first answer, what they take of its memory, and whether
//! they slow down what is asked of it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use jumpgate_tests::{Lab, Programs};

use crate::asking::{Door, Kind};
use crate::control;
use crate::figures::{Spread, grouped, heading, rss};
use crate::growth::{Times, flat, linear, memory};
use crate::process::timed;
use crate::ratio::PAIRS;
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;

/// The last is the most that a configuration may have.
const COUNTS: [usize; 5] = [1, 10, 100, 1_000, 10_000];

/// Starts of each agent.
const STARTS: usize = PAIRS;

/// KiB that a profile may take.
const AIM: f64 = 4.0;

/// Times of what is done with each agent, and its memory after its last start, kB.
#[derive(Default)]
struct Found {
    starts: Times,
    clients: Times,
    endpoints: Times,
    resident: Vec<u64>,
}

/// Starts and warm calls.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Section {
    heading("profiles: start, memory and warm calls");
    let labs = COUNTS.map(|count| Lab::new(programs, &configuration(count)));
    let starts = labs.iter().map(|_| Vec::new()).collect();
    let mut found = Found {
        starts,
        ..Found::default()
    };
    for turn in 0..STARTS {
        for (lab, starts) in labs.iter().zip(&mut found.starts) {
            if turn > 0 {
                lab.run(&["agent", "stop"]).good();
                lab.wait_for_agent();
            }
            starts.push(started(lab));
        }
    }
    found.resident = labs.iter().map(rss).collect();
    (found.clients, found.endpoints) = warm(&labs, scale.runs / 2);
    shown(&found)
}

/// From an agent's start to its first answer.
pub(crate) fn started(lab: &Lab) -> Duration {
    let began = Instant::now();
    lab.start_agent();
    control::ask(lab, "GET", "identities", "");
    began.elapsed()
}

fn warm(labs: &[Lab], calls: usize) -> (Times, Times) {
    let doors: Vec<Door> = labs.iter().map(door).collect();
    let mut clients: Times = labs.iter().map(|_| Vec::new()).collect();
    let mut endpoints = clients.clone();
    for _ in 0..calls {
        for (at, (lab, door)) in labs.iter().zip(&doors).enumerate() {
            clients[at].push(timed(lab.client(&["credential-process", "p0"])));
            let answer = door.ask();
            assert_eq!(answer.status, 200, "{}", answer.body);
            endpoints[at].push(answer.took);
        }
    }
    (clients, endpoints)
}

fn door(lab: &Lab) -> Door {
    lab.add_identity();
    lab.run(&["credential-process", "p0"]).good();
    Door::open(lab, "p0", Kind::Container)
}

fn shown(found: &Found) -> Section {
    let mut section = Section::default();
    let columns = [
        "profiles",
        "start to first answer, ms",
        "resident, kB",
        "credential-process, µs",
        "container, µs",
    ];
    let mut table = Table::new("Medians (5 %, 95 %):", &columns);
    for (at, count) in COUNTS.iter().enumerate() {
        let spread = |times: &Times| Spread::of(times[at].clone());
        table.row([
            grouped(*count as u128),
            spread(&found.starts).millis(),
            grouped(found.resident[at].into()),
            spread(&found.clients).micros(),
            spread(&found.endpoints).micros(),
        ]);
    }
    section.table(table);
    section.ratio(linear("start with profiles", &COUNTS, &found.starts));
    section.ratio(flat("credential-process", &COUNTS, &found.clients));
    section.ratio(flat("container", &COUNTS, &found.endpoints));
    section.limit(memory("a profile", AIM, &COUNTS, &found.resident));
    section
}

/// As short as profiles are that a program writes for every account and role: ten thousand of them have to fit into the
/// 1 MiB of a configuration. The double has the first one's role.
fn configuration(profiles: usize) -> String {
    let mut text = "\n[profile.p0]\naccount = 'target'\nrole = 'Developer'\n".to_owned();
    for number in 1..profiles {
        let _a_string_takes_all = write!(
            text,
            "[profile.account-{number:05}-admin]\naccount = 'target'\nrole = 'Admin{number:05}'\n"
        );
    }
    text
}
