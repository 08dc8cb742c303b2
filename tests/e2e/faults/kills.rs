//! SIGKILL of the agent, of a client or of a program that stands in for a person, at points that a seed decides.
//!
//! A seed is a short life of a machine: calls on all interfaces at once, somebody killed in their midst, and then what
//! a user does next. Whatever was handed out is in the journal, nothing that was left behind is in the way of the next
//! start, nobody is left over, and the next call works.
//!
//! `JUMPGATE_KILL_SEEDS` is how many are run, `JUMPGATE_KILL_FIRST` the first one.

use std::io::Write;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jumpgate_tests::draw::Draw;
use jumpgate_tests::kin::{Kind, Process};
use jumpgate_tests::lab::finish;

use super::machine::{Call, Held, Machine};
use crate::surroundings::{PATIENCE, until_good};

/// As many in each run of the suite.
const SEEDS: u64 = 24;

/// The longest that a victim is let live, where no event ends it.
const LONGEST: Duration = Duration::from_millis(400);

/// Most kills of one seed.
const ROUNDS: usize = 3;

/// What there is before the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// No agent: the calls start one.
    Stopped,
    /// One that has nothing in memory.
    Cold,
    /// One that has the session.
    Warm,
}

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Agent,
    Client,
    Prompter,
}

/// One kill: in the midst of what, whose, and how long after the start or after what is held was reached.
#[derive(Debug, Clone)]
struct Round {
    start: Start,
    calls: Vec<Call>,
    held: Held,
    victim: Victim,
    after: Duration,
}

impl Round {
    fn drawn(draw: &mut Draw) -> Self {
        let victim = draw.one_of(&[
            Victim::Agent,
            Victim::Agent,
            Victim::Client,
            Victim::Prompter,
        ]);
        let more = draw.below(5);
        let mut round = Self {
            start: draw.one_of(&[Start::Stopped, Start::Cold, Start::Warm]),
            calls: (0..more).map(|_| Call::drawn(draw)).collect(),
            held: if draw.happens(60) {
                Held::drawn(draw)
            } else {
                Held::Nothing
            },
            victim,
            after: draw.pause(LONGEST),
        };
        round.calls.push(Call::Process);
        // Nobody is asked for a session that is there, and a program that answers at once is hardly met.
        if victim == Victim::Prompter {
            round.start = draw.one_of(&[Start::Stopped, Start::Cold]);
            round.held = draw.one_of(&[Held::Passphrase, Held::Code]);
        }
        round
    }
}

/// What all seeds came to.
#[derive(Debug, Default)]
struct Tally {
    kills: [usize; 3],
    missed: usize,
    in_hand: usize,
}

fn set_up(machine: &Machine, start: Start) {
    let lab = &machine.lab;
    match start {
        Start::Stopped => drop(lab.run(&["agent", "stop"])),
        Start::Cold => {
            lab.run(&["agent", "stop"]);
            lab.run(&["agent", "start"]).good();
        }
        Start::Warm => drop(until_good(lab, &["credential-process", "dev"])),
    }
}

/// A victim of this kind that lives now.
fn found(machine: &Machine, victim: Victim, draw: &mut Draw) -> Option<u32> {
    let all = machine.processes();
    let agents = |one: &Process| one.kind == Kind::Agent;
    let is_agent = |pid: u32| all.iter().any(|one| one.pid == pid && agents(one));
    let fits = |one: &&Process| match victim {
        // A child that an agent has just made bears the agent's name until it becomes the program that asks: killed, it
        // would be a prompter.
        Victim::Agent => agents(one) && !is_agent(one.parent),
        Victim::Client => one.kind == Kind::Client,
        Victim::Prompter => one.kind == Kind::Program && is_agent(one.parent),
    };
    let fitting: Vec<u32> = all.iter().filter(fits).map(|one| one.pid).collect();
    (!fitting.is_empty()).then(|| draw.one_of(&fitting))
}

/// Nobody is left whose agent or client was killed; the kernel needs a moment for each.
fn no_orphan(machine: &Machine) {
    let patience = Instant::now() + PATIENCE;
    loop {
        let all = machine.processes();
        let has_parent = |one: &Process| all.iter().any(|other| other.pid == one.parent);
        let mut orphans = all
            .iter()
            .filter(|one| one.kind == Kind::Program && !has_parent(one));
        let Some(orphan) = orphans.next() else {
            return;
        };
        assert!(
            Instant::now() < patience,
            "left over: {orphan:?} of {all:?}"
        );
        std::thread::yield_now();
    }
}

fn play(machine: &mut Machine, round: &Round, draw: &mut Draw, tally: &Mutex<Tally>) {
    set_up(machine, round.start);
    machine.hold(round.held);
    let mut callers = machine.call(&round.calls);
    machine.reached(round.held, &mut callers);
    // The one pause here: it is what the seed says, and no test depends on what it meets.
    std::thread::sleep(round.after);
    let killed = found(machine, round.victim, draw);
    let killed = killed.is_some_and(super::machine::kill);
    if round.victim == Victim::Agent {
        no_orphan(machine);
    }
    machine.let_go();
    machine.collect(callers, killed && round.victim == Victim::Client);
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    match killed {
        true => tally.kills[round.victim as usize] += 1,
        false => tally.missed += 1,
    }
}

/// What a user does next works, whatever was killed.
fn go_on(machine: &mut Machine, round: &Round) {
    if round.victim == Victim::Prompter {
        // Its failure is remembered for some seconds; a person is not held up by that.
        until_good(&machine.lab, &["unlock", "jump"]);
    }
    machine.serves_all();
    machine.lab.run(&["journal", "verify"]).good();
    machine.everything_is_recorded();
}

fn live(seed: u64, tally: &Mutex<Tally>) {
    let mut draw = Draw::of(seed);
    let mut machine = Machine::new();
    for _ in 0..=draw.below(ROUNDS) {
        let round = Round::drawn(&mut draw);
        play(&mut machine, &round, &mut draw, tally);
        go_on(&mut machine, &round);
    }
    machine.ends_without_a_trace();
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    tally.in_hand += machine.in_hand();
}

fn seeds() -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    let first = number("JUMPGATE_KILL_FIRST").unwrap_or(0);
    first..first + number("JUMPGATE_KILL_SEEDS").unwrap_or(SEEDS)
}

#[test]
fn killed_at_any_point_the_next_call_works() {
    let (seeds, tally) = (seeds(), Mutex::default());
    let (next, failed) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let (tally, name) = (&tally, format!("seed {seed}"));
            let lived = std::thread::scope(|scope| {
                let thread = std::thread::Builder::new().name(name);
                let thread = thread.spawn_scoped(scope, || live(seed, tally)).unwrap();
                thread.join()
            });
            if lived.is_err() {
                failed.lock().unwrap().push(seed);
            }
        }
    };
    let at_once = std::thread::available_parallelism().map_or(2, |count| count.get().min(4));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(work);
        }
    });
    let said = format!("seeds {seeds:?}: {:?}\n", tally.into_inner().unwrap());
    let _nobody_reads = std::io::stderr().write_all(said.as_bytes());
    let failed = failed.into_inner().unwrap();
    let again = "again: JUMPGATE_KILL_SEEDS=1 JUMPGATE_KILL_FIRST=<seed> cargo nextest run -p jumpgate-tests kills";
    assert!(failed.is_empty(), "seeds {failed:?} failed; {again}");
}

/// What the agent's executable says where it cannot become the program that it was to be.
#[test]
fn a_program_that_does_not_come_to_be_says_why() {
    let agent = crate::built::programs().agent;
    let parent = std::process::id().to_string();
    for (parent, program, why) in [
        (parent.as_str(), "/no/such", "there is no such program"),
        (&parent, "/", "cannot be started: Permission denied"),
        ("1", "/bin/true", "cannot be started: the agent has ended"),
    ] {
        let mut command = std::process::Command::new(&agent);
        command.args(["--leashed", parent, program, "word"]);
        let ran = finish(command, "");
        assert_eq!(ran.code(), 127);
        assert!(ran.stderr.starts_with(why), "{}", ran.stderr);
    }
}
