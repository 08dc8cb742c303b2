//! 1 to 10,000 leases: what they take of the agent's memory, whether they slow down what is asked of it, how long they
//! take to be listed, and how long an agent takes to start upon the journal that they leave.
//!
//! Each hand-out through the control socket is a lease. 10,000 is the most that the agent remembers
//! (`domain::lease::MAX_LEASES`); the journal has them all.

use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};

use crate::control;
use crate::figures::{Bound, Limit, Spread, digits, grouped, heading, rss};
use crate::growth::{Times, flat, linear, memory};
use crate::process::timed;
use crate::profiles::started;
use crate::ratio::PAIRS;
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;

const COUNTS: [usize; 5] = [1, 10, 100, 1_000, 10_000];

/// Sessions of their own, each by an AssumeRole.
const SESSIONS: usize = 200;

/// Lists of each, and starts upon each journal.
const TURNS: usize = PAIRS;

/// KiB that a lease may take.
const AIM: f64 = 2.0;

/// Times of what is done with each agent; its memory and its journal once it has its leases, kB and bytes.
struct Found {
    asks: Times,
    lists: Times,
    statuses: Times,
    restarts: Times,
    resident: Vec<u64>,
    journal: Vec<u64>,
}

/// Leases of one session, then sessions.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Section {
    heading("leases: memory, calls, lists and restarts");
    let labs = COUNTS.map(|count| holding(programs, count));
    let nothing = || labs.iter().map(|_| Vec::new()).collect::<Times>();
    let mut found = Found {
        resident: labs.iter().map(rss).collect(),
        journal: labs.iter().map(journal_bytes).collect(),
        asks: nothing(),
        lists: nothing(),
        statuses: nothing(),
        restarts: nothing(),
    };
    let turns = |times: &mut Times, count: usize, done: &dyn Fn(&Lab) -> _| {
        for _ in 0..count {
            let labs = labs.iter().zip(times.iter_mut());
            labs.for_each(|(lab, times)| times.push(done(lab)));
        }
    };
    turns(&mut found.lists, TURNS, &|lab| {
        timed(lab.client(&["leases", "--json"]))
    });
    turns(&mut found.statuses, TURNS, &|lab| {
        timed(lab.client(&["status", "--json"]))
    });
    turns(&mut found.asks, scale.runs, &|lab| {
        control::lease(lab, "dev", None)
    });
    turns(&mut found.restarts, TURNS, &|lab| {
        lab.run(&["agent", "stop"]).good();
        lab.wait_for_agent();
        started(lab)
    });
    labs.iter().for_each(forget_journal);
    let mut section = shown(&found);
    section.limit(session(programs));
    section
}

fn shown(found: &Found) -> Section {
    let mut section = Section::default();
    let columns = [
        "leases",
        "resident, kB",
        "an ask, µs",
        "leases --json, ms",
        "status, ms",
        "journal, kB",
        "restart, ms",
    ];
    let mut table = Table::new("Medians (5 %, 95 %):", &columns);
    for (at, count) in COUNTS.iter().enumerate() {
        let spread = |times: &Times| Spread::of(times[at].clone());
        table.row([
            grouped(*count as u128),
            grouped(found.resident[at].into()),
            spread(&found.asks).micros(),
            spread(&found.lists).millis(),
            spread(&found.statuses).millis(),
            grouped((found.journal[at] / 1_000).into()),
            spread(&found.restarts).millis(),
        ]);
    }
    section.table(table);
    section.ratio(linear("leases --json", &COUNTS, &found.lists));
    section.ratio(linear("status", &COUNTS, &found.statuses));
    section.ratio(linear(
        "restart upon their journal",
        &COUNTS,
        &found.restarts,
    ));
    section.ratio(flat("an ask", &COUNTS, &found.asks));
    section.limit(memory("a lease", AIM, &COUNTS, &found.resident));
    section
}

/// An agent that remembers so many leases of one session.
fn holding(programs: &Programs, leases: usize) -> Lab {
    let lab = Lab::new(programs, DEV);
    lab.start_agent();
    lab.add_identity();
    for _ in 0..leases {
        control::lease(&lab, "dev", None);
    }
    let shown = lab.status();
    assert_eq!(shown["leases"], leases, "leases that it remembers");
    lab
}

/// What the journal's files hold.
pub(crate) fn journal_bytes(lab: &Lab) -> u64 {
    let directory = lab.path(".local/state/jumpgate/journal");
    let entries = std::fs::read_dir(directory).expect("a journal");
    let sizes = entries.flatten().filter_map(|entry| entry.metadata().ok());
    sizes.map(|file| file.len()).sum()
}

/// A lab looks for its secrets in all files at its end; in tens of megabytes that takes longer than what is measured.
pub(crate) fn forget_journal(lab: &Lab) {
    let _stays = std::fs::remove_dir_all(lab.path(".local/state/jumpgate/journal"));
}

/// What a session of its own takes, with its lease: AWS's token, which it is told by, and the question that was put.
#[allow(clippy::cast_precision_loss)]
fn session(programs: &Programs) -> Limit {
    let lab = holding(programs, 1);
    let before = rss(&lab);
    for number in 0..SESSIONS {
        control::lease(&lab, "dev", Some(900 + number));
    }
    let each = rss(&lab).saturating_sub(before) as f64 / SESSIONS as f64;
    let shown = lab.status();
    let token = shown["sessions"][0]["token_bytes"].as_u64().unwrap_or(0);
    let token = digits(token as f64 / 1024.0);
    let what = format!("memory of a session of its own, KiB, its token {token} of it");
    Limit::new(what, each, Bound::AtMost(12.0))
}
