//! Histories of asks, locks, time and trouble: all short ones, and random long ones, against what must always hold;
//! random ones, one event after the other, against a model that a reader can check.
//!
//! The agent has one thread, so what can happen between two of its steps is that an event comes: these tests put every
//! event at every place, also where tasks are half-way. A machine that is loaded otherwise cannot show another order.

use std::future::poll_fn;
use std::task::Poll;

use jumpgate_api::Timestamp;
use proptest::prelude::*;
use tokio::task::JoinHandle;

use super::*;
use crate::ports::TokenErrorKind;

/// How often tasks get a turn before they count as waiting.
const TURNS: usize = 60;

/// The same where each turn is one step of one task, for the largest crowd of callers. An ask takes eleven.
const STEPS: usize = 700;

/// What AWS calls a session's last seconds we hand out no more.
const LAST_SECONDS: i64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happens {
    /// Somebody asks.
    Ask,
    /// Who has waited longest goes away.
    Leave,
    /// STS takes its time with what it is asked.
    StsHolds,
    /// STS answers what it was asked.
    StsAnswers,
    /// STS cannot, from now on.
    StsFails,
    /// STS can again.
    StsWorks,
    /// The disk takes its time with the journal.
    JournalHolds,
    /// The journal has what it was given.
    JournalWrites,
    Lock,
    Unlock,
    /// Seconds pass.
    Pass(u64),
    /// The machine sleeps for so many seconds: timers stand still.
    Sleep(u64),
}

use Happens::{
    Ask, JournalHolds, JournalWrites, Leave, Lock, Pass, Sleep, StsAnswers, StsFails, StsHolds,
    StsWorks, Unlock,
};

const EVENTS: [Happens; 13] = [
    Ask,
    Leave,
    StsHolds,
    StsAnswers,
    StsFails,
    StsWorks,
    JournalHolds,
    JournalWrites,
    Lock,
    Unlock,
    Pass(4),
    Pass(31 * 60),
    Sleep(41 * 60),
];

fn plain() -> House {
    let mut settings = settings(vec![without_mfa()], vec![profile("dev")]);
    settings.agent.idle_lock = None;
    settings.agent.max_unlock = None;
    House::with(settings)
}

async fn turns(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// Does what it can at once, and leaves the rest to a task.
async fn begin(work: impl Future<Output = ()> + Send + 'static) {
    let mut work = Box::pin(work);
    let begun = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
    if begun.is_pending() {
        tokio::spawn(work);
    }
}

/// The number of the STS call that made a session.
fn call_of(leased: &Leased) -> usize {
    leased.session().access_key_id.as_str()[4..]
        .parse()
        .unwrap()
}

fn paused<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build();
    runtime.unwrap().block_on(test)
}

/// The same, but the test has its turn after each single step of a task, instead of when all of them wait.
fn step_by_step<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).event_interval(1);
    builder.build().unwrap().block_on(test)
}

/// A broker on which a history happens, and what has to be known to judge what comes out of it.
struct World {
    house: House,
    callers: Vec<JoinHandle<Result<Leased, Failure>>>,
    locked: bool,
    /// The calls to STS that came before the last lock.
    calls_before_lock: usize,
    /// How many turns it takes until everybody waits.
    rest: usize,
}

impl World {
    fn new(rest: usize) -> Self {
        Self {
            house: plain(),
            callers: Vec::new(),
            locked: false,
            calls_before_lock: 0,
            rest,
        }
    }

    async fn happens(&mut self, event: Happens) {
        self.happens_amid(event, self.rest).await;
    }

    /// The same, but the next event may come after so many steps, while callers and STS are half-way.
    async fn happens_amid(&mut self, event: Happens, steps: usize) {
        let (tokens, journal) = (&self.house.tokens, &self.house.journal);
        let broker = Arc::clone(&self.house.broker);
        match event {
            Ask => self.callers.push(self.house.asking("dev")),
            Leave if self.callers.is_empty() => {}
            Leave => self.callers.remove(0).abort(),
            StsHolds => tokens.roles.close(),
            StsAnswers => tokens.roles.open(),
            StsFails => tokens.deny(Some(TokenErrorKind::Unavailable)),
            StsWorks => tokens.deny(None),
            JournalHolds => journal.writes.close(),
            JournalWrites => journal.writes.open(),
            Lock => {
                begin(async move {
                    let _ = broker.lock(None, "for the test").await;
                })
                .await;
                self.locked = true;
                self.calls_before_lock = tokens.roles.count();
            }
            Unlock => {
                let person = peer();
                let unlock =
                    async move { drop(broker.unlock(&person, None, Answers::default()).await) };
                begin(unlock).await;
                self.locked = false;
            }
            Pass(seconds) => tokio::time::advance(Duration::from_secs(seconds)).await,
            Sleep(seconds) => self.house.clock.suspend(Duration::from_secs(seconds)),
        }
        turns(steps).await;
        self.hand_out().await;
        assert!(
            self.house.tokens.roles.waiting() <= 1,
            "one call for one question"
        );
    }

    /// Judges what callers got since.
    async fn hand_out(&mut self) {
        let (done, waiting) = self.callers.drain(..).partition(JoinHandle::is_finished);
        self.callers = waiting;
        let done: Vec<JoinHandle<_>> = done;
        for caller in done {
            if let Ok(leased) = caller.await.unwrap() {
                self.judge(&leased);
            }
        }
    }

    fn judge(&self, leased: &Leased) {
        assert!(!self.locked, "nothing is handed out while locked");
        let left = seconds_left(leased, self.house.broker.now());
        assert!(left > LAST_SECONDS, "{left} s left");
        let call = call_of(leased);
        assert!(call > self.calls_before_lock, "no session of before a lock");
        let key = leased.session().access_key_id.as_str();
        let records = self.house.journal.records();
        let told = |activity| {
            records.iter().filter(move |event| {
                event.activity == activity && event.facts.access_key_id.as_deref() == Some(key)
            })
        };
        assert_eq!(
            told(Activity::LeaseIssue).count(),
            1,
            "issued once, on record"
        );
        let lease = Some(&leased.lease.id);
        let recorded = records.iter().any(|event| event.lease.as_ref() == lease);
        assert!(recorded, "the hand-out is on record");
    }

    /// Whatever has happened: once the trouble is over, who asks gets a session, and nobody waits for ever.
    async fn recovers(&mut self) {
        for event in [StsWorks, StsAnswers, JournalWrites, Unlock, Pass(600)] {
            self.happens(event).await;
        }
        assert!(self.callers.is_empty(), "nobody waits for ever");
        let asking = self.house.asking("dev");
        turns(self.rest).await;
        assert!(asking.is_finished(), "a caller waits though STS works");
        self.judge(&asking.await.unwrap().unwrap());
    }
}

fn seconds_left(leased: &Leased, now: Timestamp) -> i64 {
    leased.session().expires_at.unix_seconds() - now.unix_seconds()
}

async fn run(begin: &[Happens], history: &[Happens]) {
    let mut world = World::new(TURNS);
    for event in begin.iter().chain(history) {
        world.happens(*event).await;
    }
    world.recovers().await;
}

/// All histories of this length: from nothing, from a session in the cache, from one that ages, and from a first
/// session and a refresh on their way.
#[test]
#[allow(
    clippy::print_stdout,
    reason = "the history that failed is the last one printed"
)]
fn every_short_history_keeps_the_promises() {
    const LENGTH: u32 = 3;
    let ages = Pass(31 * 60);
    let beginnings: [&[Happens]; 5] = [
        &[],
        &[Ask],
        &[Ask, ages],
        &[StsHolds, Ask],
        &[Ask, ages, StsHolds, Ask],
    ];
    for begin in beginnings {
        for number in 0..EVENTS.len().pow(LENGTH) {
            let digit = |place: u32| EVENTS[number / EVENTS.len().pow(place) % EVENTS.len()];
            let history: Vec<_> = (0..LENGTH).map(digit).collect();
            println!("{begin:?} {history:?}");
            paused(run(begin, &history));
        }
    }
}

/// Every two events, with every number of steps between the first two after which anything is still on its way.
#[test]
#[allow(
    clippy::print_stdout,
    reason = "the history that failed is the last one printed"
)]
fn every_event_at_every_step_of_another_keeps_the_promises() {
    /// More than an ask takes: behind them everybody waits for the next event.
    const LAST: usize = 12;
    let ages = Pass(31 * 60);
    let beginnings: [&[Happens]; 4] = [
        &[],
        &[Ask, ages],
        &[StsHolds, Ask],
        &[Ask, ages, StsHolds, Ask],
    ];
    for begin in beginnings {
        for (first, second) in EVENTS.iter().flat_map(|one| EVENTS.map(|two| (*one, two))) {
            for steps in 0..LAST {
                println!("{begin:?} {first:?} {steps} {second:?}");
                step_by_step(amid(TURNS, begin, &[(first, steps), (second, TURNS)]));
            }
        }
    }
}

async fn amid(rest: usize, begin: &[Happens], history: &[(Happens, usize)]) {
    let mut world = World::new(rest);
    for event in begin {
        world.happens(*event).await;
    }
    for (event, steps) in history {
        world.happens_amid(*event, *steps).await;
    }
    world.recovers().await;
}

fn events() -> impl Strategy<Value = Happens> {
    prop_oneof![
        8 => Just(Ask),
        8 => proptest::sample::select(&EVENTS[1..]),
        2 => (1_u64..4000).prop_map(Pass),
        1 => (1_u64..4000).prop_map(Sleep),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn long_histories_keep_the_promises(history in proptest::collection::vec(events(), 1..80)) {
        paused(run(&[], &history));
    }

    #[test]
    fn long_histories_of_half_finished_steps_keep_the_promises(
        history in proptest::collection::vec((events(), 0_usize..12), 1..80),
    ) {
        step_by_step(amid(STEPS, &[], &history));
    }

    #[test]
    fn one_event_after_the_other_the_broker_does_what_the_model_says(
        history in proptest::collection::vec(sequential(), 1..80),
    ) {
        paused(as_the_model_says(&history));
    }
}

/// What happens when STS answers at once and timers run.
fn sequential() -> impl Strategy<Value = Happens> {
    const TROUBLE: [Happens; 4] = [StsFails, StsWorks, Lock, Unlock];
    prop_oneof![
        6 => Just(Ask),
        3 => proptest::sample::select(&TROUBLE[..]),
        3 => (1_u64..40).prop_map(Pass),
        3 => (40_u64..2000).prop_map(Pass),
    ]
}

/// The broker with one profile of an hour, as one would explain it on a page.
#[derive(Default)]
struct Model {
    now: u64,
    locked: bool,
    fails: bool,
    calls: usize,
    /// The call that made the session, and when.
    session: Option<(usize, u64)>,
    refused_until: u64,
    failures: u32,
    next_refresh: u64,
}

impl Model {
    /// The call to STS that made what the caller gets.
    fn asked(&mut self) -> Option<usize> {
        if self.locked {
            return None;
        }
        let left = |made: u64| (made + 3600).saturating_sub(self.now);
        match self.session {
            Some((old, made)) if left(made) > 60 => {
                let left = left(made);
                let new = (left <= 30 * 60 && self.next_refresh <= self.now)
                    .then(|| self.called())
                    .flatten();
                // Below 20 minutes a caller waits for the new one.
                Some(if left < 20 * 60 {
                    new.unwrap_or(old)
                } else {
                    old
                })
            }
            _ if self.refused_until > self.now => None,
            _ => self.called(),
        }
    }

    fn called(&mut self) -> Option<usize> {
        self.calls += 1;
        if self.fails {
            self.failures += 1;
            let pause = 30 * 2_u64.pow(self.failures.min(10) - 1);
            self.next_refresh = self.now + pause.min(300);
            self.refused_until = self.now + 3;
            return None;
        }
        self.forget();
        self.session = Some((self.calls, self.now));
        Some(self.calls)
    }

    fn forget(&mut self) {
        self.session = None;
        (self.refused_until, self.failures, self.next_refresh) = (0, 0, 0);
    }

    fn happens(&mut self, event: Happens) {
        match event {
            StsFails => self.fails = true,
            StsWorks => self.fails = false,
            Lock => {
                self.locked = true;
                self.forget();
            }
            Unlock => {
                self.locked = false;
                self.refused_until = 0;
            }
            Pass(seconds) => self.now += seconds,
            Ask | Leave | StsHolds | StsAnswers | JournalHolds | JournalWrites | Sleep(_) => {
                unreachable!("not in these")
            }
        }
    }
}

async fn as_the_model_says(history: &[Happens]) {
    let (mut model, mut world) = (Model::default(), World::new(TURNS));
    for event in history {
        if *event == Ask {
            let got = world.house.ask("dev").await.ok();
            turns(TURNS).await;
            assert_eq!(got.as_ref().map(call_of), model.asked());
        } else {
            world.happens(*event).await;
            model.happens(*event);
        }
        assert_eq!(
            world.house.tokens.roles.count(),
            model.calls,
            "calls to STS"
        );
    }
}
