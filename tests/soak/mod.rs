//! The soak: a mixed load with random faults on a real agent, by one seed, and what must hold all along and at the end.
//!
//! `cargo soak --minutes 60 --seed 7` runs it for an hour; two minutes of the same are a test. The load is paced: it looks
//! for what adds up, not for what is fast.

mod codes;
mod director;
mod doors;
mod gauges;
mod http;
mod ledger;
mod report;
mod steps;
mod under_load;
mod weather;
mod world;

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jumpgate_tests::draw::Draw;
use jumpgate_tests::prompts::Prompt;
use jumpgate_tests::sts::ROLE_ARN;
use jumpgate_tests::{Lab, Programs};
use rustix::process::Signal;

use self::codes::Codes;
use self::director::Director;
use self::doors::{Endpoint, GUARD};
use self::gauges::Sample;
pub(crate) use self::report::Report;
use self::steps::{Door, ENDPOINTS, Step, Want};
use self::under_load::{UnderLoad, patience, signal};
use self::world::{DEVELOPER_MAY_ALSO, READS, configuration, world};

/// A run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) length: Duration,
}

/// How many steps there are in a second. A step is a client, or up to six requests on a connection.
const STEPS: u32 = 12;

/// Callers that may wait long, and callers that may not.
const PATIENT: usize = 24;
const PROMPT: usize = 6;

/// How long before the end nothing goes wrong any more: longer than any echo.
const CALM_END: Duration = Duration::from_secs(25);

/// KiB that memory may grow by between warming up and the end, beside leases; and by which a straight line through its
/// second half may rise.
const GROWTH: u64 = 6_000;
/// KiB for a lease that is listed.
const A_LEASE: u64 = 2;
/// How long a lease is listed at most, seconds: the longest life of a session here, and nobody's turn before.
const LISTED: Duration = Duration::from_secs(1_260);
/// Connections to AWS that may rest in the agent.
const RESTING: usize = 8;
/// Threads for files and `/proc` that may wait for more to do.
const THREADS: u64 = 8;

/// Runs it.
///
/// # Errors
/// What did not hold, with the seed and how to do it again.
pub(crate) fn run(programs: &Programs, plan: Plan) -> Result<Report, String> {
    let wrong = |what: String| {
        let Plan { seed, length } = plan;
        let minutes = length.as_secs().div_ceil(60);
        format!(
            "the soak with seed {seed} found:\n{what}\nagain: cargo soak --minutes {minutes} --seed {seed}"
        )
    };
    let lab = Lab::in_world(programs, world(), "");
    soaked(&lab, plan).map_err(wrong)
}

fn free_port() -> u16 {
    let begin = std::process::id() * 16;
    let ports = (0..20_000).map(|step| 10_000 + (begin + step) % 20_000);
    let mut ports = ports.map(|port| u16::try_from(port).unwrap());
    ports
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}

fn prepared(lab: &Lab, codes: &Codes) -> [u16; 2] {
    lab.double.attach_role_policy(ROLE_ARN, DEVELOPER_MAY_ALSO);
    std::fs::write(lab.path("reads.json"), READS).unwrap();
    let first = free_port();
    // The test that holds its neighbour would be another one.
    let ports = [first, first + 7];
    let codes = codes.clone();
    let _lives_on = Prompt::new(&lab.path("bin"), "next-code", move || codes.next());
    lab.configure(&configuration(0, ports));
    lab.start_agent();
    lab.add_identity();
    ports
}

fn endpoints(lab: &Lab, kind: &str, wants: &[Want]) -> Result<Vec<Endpoint>, String> {
    wants
        .iter()
        .map(|want| Endpoint::open(lab, *want, kind))
        .collect()
}

fn soaked(lab: &Lab, plan: Plan) -> Result<Report, String> {
    let codes = Codes::new(Arc::clone(&lab.double));
    let ports = prepared(lab, &codes);
    let containers = endpoints(lab, "container", &ENDPOINTS)?;
    let imds = endpoints(lab, "imds", &ENDPOINTS[..2])?;
    let load = UnderLoad::new(lab, containers, imds);
    all_are_served(&load)?;
    let began = Instant::now();
    let before = Sample::of(lab.agent_pid(), began, 0, 0).ok_or("no agent")?;
    let dice = Draw::of(plan.seed);
    let director = Director {
        load: &load,
        dice: dice.branch(1),
        codes,
        ports,
        edition: 0,
        until: began + plan.length.saturating_sub(CALM_END),
    };
    let samples = under_way(&load, plan, began, dice.branch(2), director);
    if load.findings().is_empty() {
        all_are_served(&load)?;
    }
    load.part();
    let after = quiet(&load, began, &before);
    judge(&load, &samples, &before, &after);
    let report = Report::new(plan, &load, &samples, before, after);
    finished(&load);
    let findings = load.findings();
    match findings.is_empty() {
        true => Ok(report),
        false => Err(format!("{}\n{report}", findings.join("\n"))),
    }
}

/// Each question by each door, until it is answered: before the load, and behind it.
fn all_are_served(load: &UnderLoad<'_>) -> Result<(), String> {
    let mut calls = vec![
        (Want::Ruled, Door::Process),
        (Want::Reading(900), Door::Control),
    ];
    calls.extend(ENDPOINTS.map(|want| (want, Door::Control)));
    let once = |kept| Door::Container { kept, times: 1 };
    calls.extend(ENDPOINTS.map(|want| (want, once(false))));
    let once = |kept| Door::Imds { kept, times: 1 };
    calls.extend(ENDPOINTS[..2].iter().map(|want| (*want, once(false))));
    for (want, door) in calls {
        let began = Instant::now();
        let served = || load.ledger.counts().0;
        let before = served();
        while served() == before {
            load.step(0, Step::Call(want, door));
            if !load.findings().is_empty() || began.elapsed() > GUARD {
                let findings = load.findings().join("\n");
                return Err(format!("{want:?} is not served by {door:?}: {findings}"));
            }
        }
    }
    Ok(())
}

type Queue = Mutex<Receiver<(u64, Step)>>;

/// The load itself; returns what was seen of the agent meanwhile.
fn under_way(
    load: &UnderLoad<'_>,
    plan: Plan,
    began: Instant,
    dice: Draw,
    mut director: Director<'_>,
) -> Vec<Sample> {
    let (patient, queue) = sync_channel(PATIENT);
    let (prompt, prompt_queue) = sync_channel(PROMPT * 4);
    let (queue, prompt_queue) = (Mutex::new(queue), Mutex::new(prompt_queue));
    std::thread::scope(|scope| {
        for _ in 0..PATIENT {
            scope.spawn(|| serve(load, &queue));
        }
        for _ in 0..PROMPT {
            scope.spawn(|| serve(load, &prompt_queue));
        }
        scope.spawn(move || director.direct());
        conduct(load, plan, began, dice, [patient, prompt])
    })
}

fn serve(load: &UnderLoad<'_>, queue: &Queue) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, step)) = next else { return };
        if !load.is_over() {
            load.step(number, step);
        }
    }
}

/// Deals out the steps at their pace, and looks at the agent every second.
fn conduct(
    load: &UnderLoad<'_>,
    plan: Plan,
    began: Instant,
    mut dice: Draw,
    [patient, prompt]: [SyncSender<(u64, Step)>; 2],
) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    let mut number = 0;
    while began.elapsed() < plan.length && !load.is_over() {
        number += 1;
        let step = Step::next(&mut dice);
        let queue = if step.is_patient() { &patient } else { &prompt };
        if queue.try_send((number, step)).is_err() {
            load.count("steps left out: all callers were waiting");
        }
        if samples
            .last()
            .is_none_or(|last| began.elapsed() - last.at > Duration::from_secs(1))
        {
            load.look_after();
            samples.extend(sample(load, began));
        }
        let due =
            began + u32::try_from(number).unwrap_or(u32::MAX) * Duration::from_secs(1) / STEPS;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    samples
}

fn sample(load: &UnderLoad<'_>, began: Instant) -> Option<Sample> {
    let calls = load.calls.load(Ordering::Relaxed);
    let leases = load.leases.load(Ordering::Relaxed);
    let sample = Sample::of(load.lab.agent_pid(), began, calls, leases);
    if sample.is_none() {
        load.found("the agent has ended".to_owned());
    }
    sample
}

/// Waits until the agent has no more descriptors and threads than before, as long as our patience lasts.
fn quiet(load: &UnderLoad<'_>, began: Instant, before: &Sample) -> Sample {
    let since = Instant::now();
    loop {
        let now = sample(load, began).unwrap_or(*before);
        let settled = now.files <= before.files.map(|files| files + RESTING)
            && now.threads <= before.threads + THREADS;
        if settled || since.elapsed() > GUARD || load.is_over() {
            return now;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn judge(load: &UnderLoad<'_>, samples: &[Sample], before: &Sample, after: &Sample) {
    if let (Some(before), Some(after)) = (before.files, after.files)
        && after > before + RESTING
    {
        load.found(format!(
            "{before} open files before the load, {after} behind it"
        ));
    }
    if after.threads > before.threads + THREADS {
        let (before, after) = (before.threads, after.threads);
        load.found(format!(
            "{before} threads before the load, {after} behind it"
        ));
    }
    for (name, longest) in load.longest() {
        if longest > patience(name) + GUARD {
            load.found(format!("{name}: an answer took {longest:?}"));
        }
    }
    let floors = gauges::floors(samples);
    let (Some(warm), Some(last)) = (floors.get(floors.len() / 4), floors.last()) else {
        return;
    };
    let leases = |at: &Sample| {
        let gone = samples.iter().rev().find(|s| s.at + LISTED < at.at);
        at.leases - gone.map_or(0, |gone| gone.leases)
    };
    let allowed = |from: &Sample| GROWTH + A_LEASE * leases(last).saturating_sub(leases(from));
    if last.rss > warm.rss + allowed(warm) {
        load.found(format!(
            "{} KiB when warm, {} KiB at the end",
            warm.rss, last.rss
        ));
    }
    let grown = gauges::growth(samples);
    let middle = &floors[floors.len() / 2];
    if grown > allowed(middle) as f64 {
        load.found(format!(
            "memory grew by {grown:.0} KiB over the second half"
        ));
    }
}

/// The agent ends as it should; the journal verifies and has everything that was handed out.
fn finished(load: &UnderLoad<'_>) {
    let lab = load.lab;
    let verified = lab.run(&["journal", "verify"]);
    if !verified.status.success() {
        load.found(format!("journal verify: {}", verified.stderr));
    }
    signal(lab.agent_pid(), Signal::TERM);
    let ended = lab.wait_for_agent();
    if !ended.success() {
        load.found(format!("the agent ended with {ended}"));
    }
    let wrong = load.ledger.audit(lab);
    let count = wrong.len();
    for what in wrong.into_iter().take(20) {
        load.found(what);
    }
    if count > 20 {
        load.found(format!("and {} more hand-outs", count - 20));
    }
}
