//! An agent whose time the bench makes: it goes on when the agent has nothing to do but to wait for a timer, and then to
//! that timer or to what the bench wants to do next, whichever comes first. STS's time goes with it. See `clock.c`.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use jumpgate_tests::Lab;
use jumpgate_tests::sts::StsDouble;

/// The STS calls that may be under way behind everybody's back.
const CALLS: [&str; 2] = ["AssumeRole", "GetSessionToken"];

/// How often the agent has to say that it waits before it is believed: what it asks of others may be on its way.
const SURE: u32 = 2;

/// How often the clocks went ahead to a timer of the agent's.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Time {
    pub(crate) passed: Duration,
    pub(crate) timers: u64,
}

#[derive(Default)]
struct State {
    time: Time,
    /// Until then; time stands still while there is none.
    target: Option<Duration>,
    waits: u32,
}

/// The clock of one agent.
pub(crate) struct Clock {
    state: Mutex<State>,
    reached: Condvar,
    double: Arc<StsDouble>,
}

impl Clock {
    /// Makes the clock of the agent that a lab will start, or says why there is none.
    pub(crate) fn of(lab: &mut Lab) -> Result<Arc<Self>, String> {
        if !cfg!(target_arch = "x86_64") {
            return Err("a clock to set is made for x86-64 only".to_owned());
        }
        let library = lab.path("clock.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/clock.c");
        let compiler = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .status();
        if !compiler.is_ok_and(|status| status.success()) {
            return Err("cc is missing".to_owned());
        }
        let place = lab.path("clock.sock");
        let listener = UnixListener::bind(&place).map_err(|error| error.to_string())?;
        lab.set("LD_PRELOAD", &library.display().to_string());
        lab.set("BENCH_CLOCK", &place.display().to_string());
        let clock = Arc::new(Self {
            state: Mutex::default(),
            reached: Condvar::new(),
            double: Arc::clone(&lab.double),
        });
        let runs = Arc::clone(&clock);
        thread::spawn(move || runs.run(&listener));
        Ok(clock)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass until then; at once if it has.
    pub(crate) fn until(&self, target: Duration) -> Time {
        let mut state = self.state();
        state.target = Some(target);
        let reached = |state: &mut State| state.target.is_some();
        let state = self.reached.wait_while(state, reached);
        state.unwrap_or_else(PoisonError::into_inner).time
    }

    /// Answers an agent until it ends.
    fn run(&self, listener: &UnixListener) {
        let Ok((mut agent, _)) = listener.accept() else {
            return;
        };
        while self.answer(&mut agent).is_ok() {}
    }

    fn answer(&self, agent: &mut UnixStream) -> std::io::Result<()> {
        let mut patience = [0; 8];
        agent.read_exact(&mut patience)?;
        let patience = u64::try_from(i64::from_ne_bytes(patience)).ok();
        let step = self.step(patience.map(Duration::from_millis));
        let nanos = i64::try_from(step.as_nanos()).unwrap_or(i64::MAX);
        agent.write_all(&nanos.to_ne_bytes())
    }

    /// By how much the clocks of an agent go ahead that would wait so long, or for ever.
    fn step(&self, patience: Option<Duration>) -> Duration {
        let calling = CALLS.iter().any(|call| {
            let answered = self.double.count(call);
            self.double
                .wait_for_arrivals(call, answered + 1, Duration::ZERO)
        });
        let mut state = self.state();
        let Some(target) = state.target.filter(|_| !calling) else {
            state.waits = 0;
            return Duration::ZERO;
        };
        state.waits += 1;
        if state.waits < SURE {
            return Duration::ZERO;
        }
        state.waits = 0;
        let left = target.saturating_sub(state.time.passed);
        let step = patience.map_or(left, |patience| patience.min(left));
        state.time.passed += step;
        state.time.timers += u64::from(patience == Some(step));
        let seconds = i64::try_from(state.time.passed.as_secs()).unwrap_or(i64::MAX);
        self.double.set_clock_offset(seconds);
        if state.time.passed >= target {
            state.target = None;
            self.reached.notify_all();
        }
        step
    }
}
