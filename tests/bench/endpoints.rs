//! Both endpoints under load, from cache, against the bare server with a body of the same size: throughput, latency,
//! memory, and what the journal makes of some hundred thousand hand-outs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};
use serde_json::Value;

use crate::asking::{Door, Kind};
use crate::bare::Bare;
use crate::figures::{Bound, Limit, grouped, heading, rss};
use crate::ratio::Ratio;
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;
use crate::wrk::{self, Storm, Storms};

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A round of [`Scale::storms`] may leave so many records: who got what first, the counts of each minute, some of
/// other kinds. Without aggregation there would be one for each request.
const RECORDS_A_STORM: f64 = 4.0;

/// Connections at once. The one that the limits are for, and others beside it for the shape.
const CONNECTIONS: [usize; 4] = [1, 4, LIMITED, 256];

/// Where the limits hold: a machine full of programs, each with a few connections.
const LIMITED: usize = 64;

/// An endpoint and the server that it is compared with.
struct Pair {
    kind: Kind,
    door: Door,
    bare: Bare,
    bytes: usize,
    loads: [Load; CONNECTIONS.len()],
}

/// Storms of so many connections.
struct Load {
    connections: usize,
    ours: Storms,
    theirs: Storms,
}

/// Storms over both endpoints.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Section {
    heading("endpoints under wrk, from cache, against bare hyper");
    let mut section = Section::default();
    if !wrk::is_there() {
        section.absent(
            "endpoints",
            "wrk is missing; tests/setup/system installs it",
        );
        section.limit(Limit::new("wrk is there", 0.0, Bound::AtLeast(1.0)));
        return section;
    }
    let lab = Lab::new(programs, DEV);
    lab.start_agent();
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    let before = rss(&lab);
    let mut pairs = Kind::BOTH.map(|kind| Pair::new(&lab, kind));
    let peak = storms(&lab, &mut pairs, scale);
    show(&pairs, scale, &mut section);
    #[allow(clippy::cast_precision_loss)]
    let megabytes = |kilobytes: u64| kilobytes as f64 / 1_000.0;
    let mut table = journal(&lab, &pairs, scale, &mut section);
    table.row([
        "agent's resident memory before, kB",
        &grouped(before.into()),
    ]);
    table.row(["at its largest, kB", &grouped(peak.into())]);
    section.table(table);
    let most = Bound::AtMost(25.0);
    section.limit(Limit::new(
        "agent's resident memory in the storm, MB",
        megabytes(peak),
        most,
    ));
    section
}

fn show(pairs: &[Pair], scale: Scale, section: &mut Section) {
    let columns = [
        "",
        "connections",
        "requests a second",
        "p50, ms",
        "p99, ms",
        "processor time for each, µs",
    ];
    let (count, seconds) = (scale.storms, scale.storm.as_secs());
    let caption = format!("{count} storms of {seconds} s each; median (5 %, 95 %):");
    let mut table = Table::new(caption, &columns);
    for pair in pairs {
        let (name, bytes) = (pair.kind.name(), grouped(pair.bytes as u128));
        for load in &pair.loads {
            let connections = load.connections;
            table.row(
                load.theirs
                    .cells(&format!("bare hyper, {bytes} bytes"), connections),
            );
            table.row(
                load.ours
                    .cells(&format!("{name}, {bytes} bytes"), connections),
            );
        }
    }
    section.table(table);
    for pair in pairs {
        let ratios = pair.loads.iter().flat_map(|load| load.ratios(pair.kind));
        ratios.for_each(|ratio| section.ratio(ratio));
    }
}

impl Pair {
    fn new(lab: &Lab, kind: Kind) -> Self {
        let door = Door::open(lab, "dev", kind);
        let answer = door.ask();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let bytes = answer.body.len();
        let bare = Bare::start(bytes).expect("this program starts again");
        let loads = CONNECTIONS.map(|connections| Load {
            connections,
            ours: Storms::default(),
            theirs: Storms::default(),
        });
        Self {
            kind,
            door,
            bare,
            bytes,
            loads,
        }
    }

    /// They take turns, so that what disturbs one disturbs the other; who is first takes turns too.
    fn round(&mut self, agent: u32, lasting: Duration) {
        let bare = Door {
            url: self.bare.url.clone(),
            header: self.door.header.clone(),
        };
        for load in &mut self.loads {
            let storm = |door, server| wrk::storm(door, server, load.connections, lasting);
            let ours_is_first = load.ours.0.len() % 2 == 1;
            if ours_is_first {
                load.ours.0.push(storm(&self.door, agent));
            }
            load.theirs.0.push(storm(&bare, self.bare.pid()));
            if !ours_is_first {
                load.ours.0.push(storm(&self.door, agent));
            }
        }
    }

    fn requests(&self) -> u64 {
        self.loads.iter().map(|load| load.ours.requests()).sum()
    }
}

impl Load {
    fn ratios(&self, kind: Kind) -> [Ratio; 3] {
        let (name, connections) = (kind.name(), self.connections);
        let of = |what: &str, figure: fn(&Storm) -> f64| {
            let pairs = self.ours.against(&self.theirs, figure);
            Ratio::of(format!("{name}, {connections} connections: {what}"), pairs)
        };
        let throughput = of("throughput, of bare hyper's", |storm| storm.per_second);
        let latency = of("p99, in bare hyper's", |storm| storm.p99);
        let cost = of("processor time, in bare hyper's", |storm| storm.cost);
        if connections != LIMITED {
            return [throughput, latency, cost];
        }
        [
            throughput
                .limited(Bound::AtLeast(0.7))
                .aiming(Bound::AtLeast(0.85)),
            latency
                .limited(Bound::AtMost(2.0))
                .aiming(Bound::AtMost(1.5)),
            cost,
        ]
    }
}

/// Returns the agent's largest memory in kB.
fn storms(lab: &Lab, pairs: &mut [Pair], scale: Scale) -> u64 {
    let (over, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                peak.fetch_max(rss(lab), Ordering::Relaxed);
                std::thread::sleep(LOOK);
            }
        });
        for _ in 0..scale.storms {
            pairs
                .iter_mut()
                .for_each(|pair| pair.round(lab.agent_pid(), scale.storm));
        }
        over.store(true, Ordering::Relaxed);
    });
    peak.into_inner()
}

/// Every request is in the journal, few records hold them all, and the chain verifies.
#[allow(clippy::cast_precision_loss)]
fn journal(lab: &Lab, pairs: &[Pair], scale: Scale, section: &mut Section) -> Table {
    let verified = lab.run(&["journal", "verify"]);
    let records = lab.journal_of(&["lease.issue", "lease.serve"]);
    let counted = |record: &Value| record["count"].as_u64().unwrap_or(1);
    let (kept, handed): (usize, u64) = (records.len(), records.iter().map(counted).sum());
    let asked: u64 = pairs.iter().map(Pair::requests).sum();
    let mut table = Table::new("", &["", ""]);
    table.row(["requests answered, by wrk", &grouped(asked.into())]);
    table.row(["hand-outs in the journal", &grouped(handed.into())]);
    table.row(["records that hold them", &grouped(kept as u128)]);
    let storms = (scale.storms * pairs.len() * CONNECTIONS.len()) as f64;
    let (verdict, most) = (f64::from(verified.code()), storms * RECORDS_A_STORM);
    section.limits.extend([
        Limit::new("exit status of journal verify", verdict, Bound::AtMost(0.0)),
        Limit::new("records of hand-outs", kept as f64, Bound::AtMost(most)),
        // wrk does not count what is under way when its time is up, the journal does.
        Limit::new(
            "hand-outs on record, of those answered",
            handed as f64 / asked as f64,
            Bound::AtLeast(1.0),
        ),
    ]);
    table
}
