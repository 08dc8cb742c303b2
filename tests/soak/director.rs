//! What goes wrong when: faults of AWS, locks, reloads, one after another, by the seed.

use std::time::{Duration, Instant};

use jumpgate_tests::draw::Draw;
use jumpgate_tests::sts::{Fault, When};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::codes::Codes;
use super::doors::{GUARD, control};
use super::steps::{Door, Step, Want};
use super::under_load::{UnderLoad, signal};
use super::weather::Trouble;
use super::world::{BROKEN, READS, configuration};

/// One thing that goes on for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Episode {
    Calm,
    Fault(Kind),
    Lock(LockBy),
    Reload {
        by_signal: bool,
    },
    Broken,
    /// AWS says once that the base credentials have expired.
    ExpiredBase,
    /// The first call of an unlock is refused.
    RefusedUnlock,
    /// So many callers at once, of something that nobody has asked for lately.
    Storm(u64),
    /// The agent gets no processor for a while.
    Stopped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Refused,
    Throttled,
    Internal,
    Unavailable,
    Reset,
    Garbled,
    Truncated,
    TooLarge,
    OtherRole,
    Expired,
    Hang,
    Slow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LockBy {
    Client,
    Signal,
    Socket,
}

const KINDS: [Kind; 12] = [
    Kind::Refused,
    Kind::Throttled,
    Kind::Internal,
    Kind::Unavailable,
    Kind::Reset,
    Kind::Garbled,
    Kind::Truncated,
    Kind::TooLarge,
    Kind::OtherRole,
    Kind::Expired,
    Kind::Hang,
    Kind::Slow,
];

/// Where faults are met: calls that make sessions, and none with which the load tries what it was given.
const CALLS: [&str; 2] = ["AssumeRole", "GetScopedCredentials"];

impl Kind {
    fn fault(self, dice: &mut Draw) -> Fault {
        let refusal = |status, code: &str| Fault::Error {
            status,
            code: code.to_owned(),
            message: "as the soak wants it".to_owned(),
        };
        match self {
            Self::Refused => refusal(403, "AccessDenied"),
            Self::Throttled => Fault::Throttling,
            Self::Internal => Fault::InternalFailure,
            Self::Unavailable => Fault::ServiceUnavailable,
            Self::Reset => Fault::Reset,
            Self::Garbled => Fault::MalformedXml,
            Self::Truncated => Fault::TruncatedBody,
            Self::TooLarge => Fault::Oversized(8 << 20),
            Self::OtherRole => Fault::OtherRole,
            Self::Expired => Fault::AlreadyExpired,
            Self::Hang => Fault::Hang,
            Self::Slow => Fault::Delay(Duration::from_millis(dice.within(100..2_500))),
        }
    }

    const fn trouble(self) -> Trouble {
        match self {
            Self::Refused => Trouble::Refused,
            Self::Throttled => Trouble::Throttled,
            Self::Internal | Self::Unavailable | Self::Reset | Self::Truncated => {
                Trouble::Unavailable
            }
            Self::Garbled | Self::TooLarge | Self::OtherRole | Self::Expired => Trouble::Invalid,
            Self::Hang | Self::Slow => Trouble::Silent,
        }
    }
}

/// The one who makes things go wrong.
pub(crate) struct Director<'a> {
    pub(crate) load: &'a UnderLoad<'a>,
    pub(crate) dice: Draw,
    pub(crate) codes: Codes,
    pub(crate) ports: [u16; 2],
    pub(crate) edition: u64,
    pub(crate) until: Instant,
}

impl Director<'_> {
    /// Until the time is over; then nothing is wrong any more.
    pub(crate) fn direct(&mut self) {
        let mut number = 0;
        while self.goes_on() {
            let episode = self.next();
            number += 1;
            if let Err(what) = self.play(episode) {
                self.load
                    .found(format!("episode {number}, {episode:?}: {what}"));
            }
            let rest = self.dice.within(300..2_000);
            self.pause(rest);
        }
        self.load.lab.double.clear_faults();
    }

    fn goes_on(&self) -> bool {
        Instant::now() < self.until && !self.load.is_over()
    }

    fn next(&mut self) -> Episode {
        let kind = self.dice.one_of(&KINDS);
        let by = self
            .dice
            .one_of(&[LockBy::Client, LockBy::Signal, LockBy::Socket]);
        let by_signal = self.dice.once_in(2);
        let callers = self.dice.within(10..60);
        let episode = self.dice.weighted(&[
            (24, Episode::Calm),
            (40, Episode::Fault(kind)),
            (14, Episode::Lock(by)),
            (8, Episode::Reload { by_signal }),
            (6, Episode::Broken),
            (4, Episode::ExpiredBase),
            (4, Episode::RefusedUnlock),
            (6, Episode::Storm(callers)),
            (4, Episode::Stopped),
        ]);
        let takes_a_code = matches!(
            episode,
            Episode::Lock(_) | Episode::ExpiredBase | Episode::RefusedUnlock
        );
        match takes_a_code && !self.codes.is_ready() {
            true => Episode::Fault(kind),
            false => episode,
        }
    }

    fn pause(&self, millis: u64) {
        let until = Instant::now() + Duration::from_millis(millis);
        while Instant::now() < until && !self.load.is_over() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn play(&mut self, episode: Episode) -> Result<(), String> {
        let name = match episode {
            Episode::Storm(_) => "Storm".to_owned(),
            episode => format!("{episode:?}"),
        };
        self.load.count(format!("episodes: {name}"));
        match episode {
            Episode::Calm => {
                let millis = self.dice.within(2_000..7_000);
                self.pause(millis);
                Ok(())
            }
            Episode::Fault(kind) => {
                self.fault(kind);
                Ok(())
            }
            Episode::Lock(by) => self.lock(by, false),
            Episode::RefusedUnlock => self.lock(LockBy::Client, true),
            Episode::Reload { by_signal } => self.reload(by_signal),
            Episode::Broken => self.broken(),
            Episode::ExpiredBase => self.expired_base(),
            Episode::Storm(callers) => {
                self.storm(callers);
                Ok(())
            }
            Episode::Stopped => {
                self.stopped();
                Ok(())
            }
        }
    }

    fn fault(&mut self, kind: Kind) {
        let (load, trouble) = (self.load, kind.trouble());
        let fault = kind.fault(&mut self.dice);
        let millis = self.dice.within(1_500..6_000);
        load.weather.begin(trouble);
        for call in CALLS {
            load.lab.double.inject(fault.clone(), When::call(call));
        }
        self.pause(millis);
        load.lab.double.clear_faults();
        load.weather.end(trouble);
    }

    /// By the control socket and at an endpoint, half and half.
    fn storm(&mut self, callers: u64) {
        let load = self.load;
        let reading = Want::Reading(940 + self.dice.within(0..260));
        let container = Door::Container {
            kept: false,
            times: 1,
        };
        std::thread::scope(|scope| {
            for caller in 0..callers {
                let call = match caller % 2 {
                    0 => Step::Call(reading, Door::Control),
                    _ => Step::Call(Want::Short(20), container),
                };
                scope.spawn(move || load.step(0, call));
            }
        });
    }

    /// What was to be answered meanwhile comes late.
    fn stopped(&mut self) {
        let load = self.load;
        load.weather.begin(Trouble::Silent);
        signal(load.lab.agent_pid(), Signal::STOP);
        let millis = self.dice.within(300..3_000);
        self.pause(millis);
        signal(load.lab.agent_pid(), Signal::CONT);
        load.weather.end(Trouble::Silent);
    }

    fn lock(&mut self, by: LockBy, refused: bool) -> Result<(), String> {
        self.load.weather.begin(Trouble::Locked);
        match by {
            LockBy::Client => self.client(&["lock"], 0)?,
            LockBy::Signal => signal(self.load.lab.agent_pid(), Signal::USR1),
            LockBy::Socket => {
                control(self.load.lab, "POST /v1/lock", "")?;
            }
        }
        let asked = Instant::now();
        while !self.is_locked()? {
            if asked.elapsed() > GUARD {
                return Err("it is not locked".to_owned());
            }
        }
        let millis = self.dice.within(300..3_000);
        self.pause(millis);
        if refused {
            self.refused_unlock()?;
        }
        self.client(&["unlock"], 0)?;
        self.recovered()
    }

    /// STS refuses once: that is said, and the next code works.
    fn refused_unlock(&self) -> Result<(), String> {
        let denied = Fault::Error {
            status: 403,
            code: "AccessDenied".to_owned(),
            message: "as the soak wants it".to_owned(),
        };
        let double = &self.load.lab.double;
        double.inject(denied, When::call("GetSessionToken").times(1));
        let outcome = self.client(&["unlock"], 77);
        double.clear_faults();
        outcome
    }

    fn is_locked(&self) -> Result<bool, String> {
        let (_, body) = control(self.load.lab, "GET /v1/status", "")?;
        let status: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        Ok(status["locked"] == true)
    }

    /// Ends the trouble with the lock when a session is handed out again.
    fn recovered(&self) -> Result<(), String> {
        let began = Instant::now();
        loop {
            let ran = self.load.lab.run(&["credential-process", "plain"]);
            if ran.status.success() {
                break;
            }
            if began.elapsed() > 2 * GUARD {
                return Err(format!("nothing is handed out again: {}", ran.stderr));
            }
            self.pause(100);
        }
        self.load.weather.end(Trouble::Locked);
        Ok(())
    }

    fn client(&self, arguments: &[&str], exit: i32) -> Result<(), String> {
        let ran = self.load.lab.run(arguments);
        self.load.count(format!("client: {}", arguments[0]));
        match ran.code() == exit {
            true => Ok(()),
            false => Err(format!(
                "{arguments:?} ended with {}: {}",
                ran.code(),
                ran.stderr
            )),
        }
    }

    fn reload(&mut self, by_signal: bool) -> Result<(), String> {
        self.edition += 1;
        let text = configuration(self.edition, self.ports);
        self.load.lab.configure(&text);
        if by_signal {
            signal(self.load.lab.agent_pid(), Signal::HUP);
            Ok(())
        } else {
            self.client(&["reload"], 0)
        }
    }

    /// A broken file changes nothing; it is mended behind that.
    fn broken(&mut self) -> Result<(), String> {
        let broken = self.dice.one_of(&BROKEN);
        self.load.lab.configure(broken);
        let outcome = self.client(&["reload"], 64);
        let millis = self.dice.within(100..1_000);
        self.pause(millis);
        let text = configuration(self.edition, self.ports);
        self.load.lab.configure(&text);
        outcome
    }

    /// The session that MFA made is thrown away, and another one made with the next code.
    fn expired_base(&mut self) -> Result<(), String> {
        let load = self.load;
        for trouble in [Trouble::Locked, Trouble::Refused] {
            load.weather.begin(trouble);
        }
        let expired = Fault::Error {
            status: 400,
            code: "ExpiredToken".to_owned(),
            message: "The security token included in the request is expired".to_owned(),
        };
        let double = &load.lab.double;
        double.inject(expired, When::call("AssumeRole").times(1));
        // Hardly anybody has asked this before: it takes a call.
        let life = self.dice.within(940..1_200);
        let ask = json!({"profile": "wide", "interface": "process",
            "narrow": {"policy": READS, "duration_seconds": life}});
        let _any_answer = control(load.lab, "POST /v1/credentials", &ask.to_string())?;
        double.clear_faults();
        load.weather.end(Trouble::Refused);
        self.recovered()
    }
}
