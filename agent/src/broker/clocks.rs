//! The wall clock, held against the one that nobody can set: whether somebody set it since the last request.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Broker;
use crate::domain::clock::{Jump, Reading};
use crate::domain::event::{Activity, Event};
use crate::ports::Clock;

/// The last reading.
pub(super) struct Clocks(Mutex<Reading>);

impl Clocks {
    pub(super) fn new(clock: &dyn Clock) -> Self {
        Self(Mutex::new(read(clock)))
    }

    fn read(&self, clock: &dyn Clock) -> (Reading, Option<Jump>) {
        let now = read(clock);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (now, now.jump_since(std::mem::replace(&mut *last, now)))
    }
}

fn read(clock: &dyn Clock) -> Reading {
    Reading {
        wall: clock.now(),
        running: clock.running(),
    }
}

impl Broker {
    /// A wall clock that went ahead has every expiry judged by what it reads now. One that went back would have them all
    /// come too late: sessions are made anew, and base credentials count as ending sooner by as much.
    /// Returns what the latter reads.
    pub(super) async fn look_at_the_clocks(&self) -> Duration {
        let (now, jump) = self.clocks.read(self.ports.clock.as_ref());
        if let Some(jump) = jump {
            // Boxed, as all that is rare on a warm path: the future of a request is moved, and wiped, as large as its largest.
            Box::pin(self.judge_anew(jump)).await;
        }
        now.running
    }

    async fn judge_anew(&self, jump: Jump) {
        self.ports.tokens.forget_skew();
        let back = jump.back();
        let (by, way) = if back.is_zero() {
            (jump.ahead(), "ahead")
        } else {
            self.sessions.drop_made();
            self.identities.end_sooner(back);
            (back, "back")
        };
        let mut event = Event::new(Activity::ClockJump, jump.read);
        event.detail = Some(format!(
            "the wall clock went {way} by {} s: it reads {} instead of {}",
            by.as_secs(),
            jump.read.with_millis(),
            jump.expected.with_millis(),
        ));
        self.record_or_log(event).await;
    }
}
