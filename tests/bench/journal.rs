//! The journal: records a second, flushed and not, what a lease's record takes, and how long `journal verify` reads
//! 1, 10 and 100 MB. The agent writes all of it itself, of what it is asked.

use std::fs::File;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jumpgate_tests::lab::DEV;
use jumpgate_tests::{Lab, Programs};

use crate::control;
use crate::figures::{Bound, Limit, Spread, digits, grouped, heading};
use crate::growth::linear;
use crate::leases::{forget_journal, journal_bytes};
use crate::profiles::started;
use crate::ratio::{PAIRS, Ratio};
use crate::scale::Scale;
use crate::section::Section;
use crate::table::Table;

/// Those who ask at once.
const CALLERS: [usize; 3] = [1, 16, 64];

/// Records of each kind by each number of callers, in each of so many turns.
const RECORDS: usize = 150;
const TURNS: usize = PAIRS;

/// MB of the journals that are verified.
const SIZES: [usize; 3] = [1, 10, 100];

/// Verifications of each, and KiB that the largest may take beyond what the smallest takes.
const READS: usize = PAIRS;
const FLAT: f64 = 1_024.0;

/// Records a second, of one kind: by callers, then by turns.
type Rates = [Vec<f64>; CALLERS.len()];

pub(crate) fn measure(programs: &Programs, _: Scale) -> Section {
    let mut section = Section::default();
    heading("journal: records a second");
    let lab = ready(programs);
    records(&lab, &mut section);
    drop(lab);
    heading("journal: verify");
    let lab = ready(programs);
    verified(&lab, &mut section);
    forget_journal(&lab);
    section
}

fn ready(programs: &Programs) -> Lab {
    let lab = Lab::new(programs, DEV);
    lab.start_agent();
    lab.add_identity();
    control::lease(&lab, "dev", None);
    lab
}

/// A hand-out from cache is written and flushed within a second; the end of a lease is flushed before its answer.
fn records(lab: &Lab, section: &mut Section) {
    let (mut written, mut flushed) = (Rates::default(), Rates::default());
    let mut bare = Vec::new();
    let before = journal_bytes(lab);
    for _ in 0..TURNS {
        bare.push(appends(lab));
        for (at, callers) in CALLERS.iter().enumerate() {
            written[at].push(rate(*callers, |_| {
                control::lease(lab, "dev", None);
            }));
        }
    }
    let leases = (TURNS * CALLERS.len() * RECORDS) as u64;
    let each = (journal_bytes(lab) - before) / leases;
    for _ in 0..TURNS {
        for (at, callers) in CALLERS.iter().enumerate() {
            flushed[at].push(ended(lab, *callers));
        }
    }
    let caption = format!(
        "Records a second, medians. A record of a hand-out has {each} bytes. A bare append of as many with fdatasync, by one: {} a second.",
        digits(middle(&bare))
    );
    let mut table = Table::new(
        caption,
        &["callers", "written (lease.serve)", "flushed (lease.end)"],
    );
    for (at, callers) in CALLERS.iter().enumerate() {
        let cells = [&written[at], &flushed[at]].map(|rates| digits(middle(rates)));
        table.row([callers.to_string(), cells[0].clone(), cells[1].clone()]);
    }
    section.table(table);
    let pairs = flushed[CALLERS.len() - 1].iter().zip(&bare);
    let pairs = pairs.map(|(ours, theirs)| ours / theirs);
    section.ratio(Ratio::of(
        "flushed records of 64 callers, in bare appends by one",
        pairs,
    ));
}

fn middle(rates: &[f64]) -> f64 {
    Ratio::of("", rates.iter().copied()).median
}

/// How many times a second something is done by so many callers.
fn rate(callers: usize, done: impl Fn(usize) + Sync) -> f64 {
    let began = Instant::now();
    shared(callers, RECORDS, done);
    #[allow(clippy::cast_precision_loss)]
    let records = RECORDS as f64;
    records / began.elapsed().as_secs_f64()
}

/// Does something so many times, by so many callers.
fn shared(callers: usize, times: usize, done: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                loop {
                    match next.fetch_add(1, Ordering::Relaxed) {
                        at if at < times => done(at),
                        _ => return,
                    }
                }
            });
        }
    });
}

/// Ends leases that are there.
fn ended(lab: &Lab, callers: usize) -> f64 {
    let listed = control::ask(lab, "GET", "leases", "").0;
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("a list");
    let leases = listed["leases"].as_array().expect("leases").iter();
    let ids: Vec<&str> = leases.filter_map(|lease| lease["id"].as_str()).collect();
    assert!(ids.len() >= RECORDS, "leases to end");
    rate(callers, |at| {
        control::ask(lab, "DELETE", &format!("leases/{}", ids[at]), "");
    })
}

/// What the disk can do: as many bytes as a record, appended to a file and flushed, a second.
fn appends(lab: &Lab) -> f64 {
    let file = File::create(lab.path("bare")).expect("a file");
    let file = Mutex::new(file);
    rate(1, |_| {
        let mut file = file.lock().expect("one caller");
        file.write_all(&[b'x'; 1_480]).expect("room on the disk");
        file.sync_data().expect("a disk");
    })
}

/// Journals that grow by hand-outs; an agent of its own verifies each, so that its memory tells.
fn verified(lab: &Lab, section: &mut Section) {
    let columns = [
        "MB",
        "records",
        "journal verify, ms",
        "MB a second",
        "agent's largest memory, kB",
    ];
    let mut table = Table::new("Medians (5 %, 95 %):", &columns);
    let (mut all, mut peaks) = (Vec::new(), Vec::new());
    for size in SIZES {
        fill(lab, size as u64 * 1_000_000);
        lab.run(&["agent", "stop"]).good();
        lab.wait_for_agent();
        started(lab);
        let times: Vec<Duration> = (0..READS).map(|_| verify(lab)).collect();
        let spread = Spread::of(times.clone());
        let peak = largest(lab);
        #[allow(clippy::cast_precision_loss)]
        let speed = journal_bytes(lab) as f64 / 1e6 / spread.median.as_secs_f64();
        let records = control::ask(lab, "GET", "journal/verify", "").0;
        let records: serde_json::Value = serde_json::from_str(&records).expect("a report");
        table.row([
            size.to_string(),
            grouped(records["records"].as_u64().unwrap_or(0).into()),
            spread.millis(),
            digits(speed),
            grouped(peak.into()),
        ]);
        all.push(times);
        peaks.push(peak);
    }
    section.table(table);
    section.ratio(linear("journal verify, MB", &SIZES, &all));
    #[allow(clippy::cast_precision_loss)]
    let grown = peaks[SIZES.len() - 1].saturating_sub(peaks[0]) as f64;
    let what = "memory of verifying 100 MB beyond that of 1 MB, KiB";
    section.limit(Limit::new(what, grown, Bound::AtMost(FLAT)));
}

/// Asks until the journal has so many bytes.
fn fill(lab: &Lab, bytes: u64) {
    while journal_bytes(lab) < bytes {
        shared(16, RECORDS, |_| {
            control::lease(lab, "dev", None);
        });
    }
}

fn verify(lab: &Lab) -> Duration {
    crate::process::timed(lab.client(&["journal", "verify"]))
}

/// The most that the agent ever had resident, kB.
fn largest(lab: &Lab) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", lab.agent_pid()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}
