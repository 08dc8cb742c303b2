//! The machine on which somebody is killed: an agent that its clients start, endpoints that stand, programs that answer
//! for a person when they are let, and what was handed out to whom.

use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jumpgate_tests::Lab;
use jumpgate_tests::draw::Draw;
use jumpgate_tests::kin::{self, Process};
use jumpgate_tests::lab::{DEV, PASSPHRASE, Ran, ended};
use jumpgate_tests::prompts::Prompt;
use jumpgate_tests::sts::{Fault, MFA_SERIAL, When};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::built::lab;
use crate::endpoints::{TOKEN, TTL, ask};
use crate::standing::free_port;
use crate::surroundings::PATIENCE;

/// What is asked of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Process,
    /// With a duration of its own, in minutes: a session that nobody else has.
    Narrow(usize),
    Container,
    Imds,
    Exec,
    Unlock,
    Status,
}

impl Call {
    pub(crate) fn drawn(draw: &mut Draw) -> Self {
        let minutes = 15 + draw.below(40);
        draw.one_of(&[
            Self::Process,
            Self::Process,
            Self::Narrow(minutes),
            Self::Container,
            Self::Imds,
            Self::Exec,
            Self::Unlock,
            Self::Status,
        ])
    }

    /// The client's words for it; none at an endpoint.
    fn words(self) -> Option<String> {
        match self {
            Self::Process => Some("credential-process dev".to_owned()),
            Self::Narrow(minutes) => Some(format!("credential-process dev --duration {minutes}m")),
            Self::Exec => Some("exec dev -- true".to_owned()),
            Self::Unlock => Some("unlock jump".to_owned()),
            Self::Status => Some("status --json".to_owned()),
            Self::Container | Self::Imds => None,
        }
    }
}

/// What goes no further until it is let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Nothing,
    Passphrase,
    Code,
    /// AWS, before it does what it is asked.
    Before(&'static str),
    /// AWS, once it has done it.
    Behind(&'static str),
}

impl Held {
    pub(crate) fn drawn(draw: &mut Draw) -> Self {
        draw.one_of(&[
            Self::Passphrase,
            Self::Code,
            Self::Before("GetSessionToken"),
            Self::Behind("GetSessionToken"),
            Self::Before("AssumeRole"),
            Self::Behind("AssumeRole"),
        ])
    }
}

/// Where a program waits that stands in for a person.
#[derive(Debug, Default)]
struct Gate {
    closed: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn set(&self, closed: bool) {
        *self.closed.lock().unwrap() = closed;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let closed = self.closed.lock().unwrap();
        drop(self.changed.wait_while(closed, |closed| *closed).unwrap());
    }
}

/// What somebody got: the key, where, and the process if it was one of its own.
#[derive(Debug)]
struct InHand {
    key: String,
    interface: &'static str,
    pid: Option<u32>,
}

/// A call under way.
pub(crate) enum Caller {
    Client(Call, Child),
    Endpoint(&'static str, JoinHandle<(u16, String)>),
}

impl Caller {
    fn is_over(&mut self) -> bool {
        match self {
            Self::Client(_, child) => child.try_wait().unwrap().is_some(),
            Self::Endpoint(_, thread) => thread.is_finished(),
        }
    }
}

/// Where an endpoint stands.
#[derive(Debug, Clone)]
struct Place {
    url: String,
    token: std::path::PathBuf,
}

impl Place {
    fn container(self) -> (u16, String) {
        // Before the first agent there is no token.
        let token = std::fs::read_to_string(self.token).unwrap_or_default();
        ask(&self.url, "GET", &[("Authorization", &token)])
    }

    fn imds(self) -> (u16, String) {
        match ask(&self.url, "PUT latest/api/token", &[(TTL, "60")]) {
            (200, token) => {
                let path = "GET latest/meta-data/iam/security-credentials/Developer";
                ask(&self.url, path, &[(TOKEN, &token)])
            }
            other => other,
        }
    }
}

/// Ends a process at once; false for one that is gone.
pub(crate) fn kill(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
}

pub(crate) struct Machine {
    pub(crate) lab: Lab,
    container: Place,
    imds: Place,
    passphrase: (Prompt, Arc<Gate>),
    code: (Prompt, Arc<Gate>),
    /// How often the two were asked before the calls under way.
    asked: (usize, usize),
    in_hand: Vec<InHand>,
}

impl Machine {
    /// With a stored identity, and no agent.
    pub(crate) fn new() -> Self {
        let (container, imds) = (free_port(), free_port());
        let lab = lab(&format!(
            "{DEV}\n[serve.box]\nprofile = \"dev\"\nkind = \"container\"\nport = {container}\n\
             \n[serve.meta]\nprofile = \"dev\"\nkind = \"imds\"\nport = {imds}\n"
        ));
        lab.seal_identity();
        let codes = Arc::clone(&lab.double);
        let code = move || {
            // AWS takes each code once, and three are good at a time.
            codes.advance(Duration::from_secs(30));
            codes.totp_code(MFA_SERIAL)
        };
        let place = |url: String| Place {
            url,
            token: lab.path("run/jumpgate/standing/box,dev"),
        };
        Self {
            container: place(format!("http://127.0.0.1:{container}/v1/box")),
            imds: place(format!("http://127.0.0.1:{imds}")),
            passphrase: gated(&lab, "passphrase", || PASSPHRASE.to_owned()),
            code: gated(&lab, "mfa-code", code),
            lab,
            asked: (0, 0),
            in_hand: Vec::new(),
        }
    }

    pub(crate) fn processes(&self) -> Vec<Process> {
        kin::of(self.lab.home())
    }

    /// How much was handed out.
    pub(crate) fn in_hand(&self) -> usize {
        self.in_hand.len()
    }

    /// From now on.
    pub(crate) fn hold(&mut self, held: Held) {
        self.lab.double.clear_events();
        self.asked = (self.passphrase.0.asked(), self.code.0.asked());
        let once = |action| When::call(action).times(1);
        match held {
            Held::Nothing => {}
            Held::Passphrase => self.passphrase.1.set(true),
            Held::Code => self.code.1.set(true),
            Held::Before(action) => self.lab.double.inject(Fault::Hold, once(action)),
            Held::Behind(action) => self.lab.double.inject(Fault::HoldAnswer, once(action)),
        }
    }

    pub(crate) fn let_go(&self) {
        self.passphrase.1.set(false);
        self.code.1.set(false);
        self.lab.double.clear_faults();
    }

    /// Starts all of them.
    pub(crate) fn call(&self, calls: &[Call]) -> Vec<Caller> {
        calls.iter().map(|call| self.caller(*call)).collect()
    }

    fn caller(&self, call: Call) -> Caller {
        let Some(words) = call.words() else {
            let (container, imds) = (self.container.clone(), self.imds.clone());
            return match call {
                Call::Imds => Caller::Endpoint("imds", std::thread::spawn(|| imds.imds())),
                _ => Caller::Endpoint("container", std::thread::spawn(|| container.container())),
            };
        };
        let words: Vec<&str> = words.split(' ').collect();
        let mut client = self.lab.client(&words);
        client.stdout(Stdio::piped()).stderr(Stdio::piped());
        Caller::Client(call, client.spawn().unwrap())
    }

    /// Waits until somebody has come to what is held, or all have come to their end without.
    pub(crate) fn reached(&self, held: Held, callers: &mut [Caller]) {
        let there = || match held {
            Held::Nothing => true,
            Held::Passphrase => self.passphrase.0.asked() > self.asked.0,
            Held::Code => self.code.0.asked() > self.asked.1,
            Held::Before(action) | Held::Behind(action) => {
                let a_look = Duration::from_millis(1);
                self.lab.double.wait_for_arrivals(action, 1, a_look)
            }
        };
        let patience = Instant::now() + PATIENCE;
        while !there() && !callers.iter_mut().all(Caller::is_over) {
            assert!(Instant::now() < patience, "neither there nor over");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits for all of them and keeps what they were given. `killed`: one of them was.
    pub(crate) fn collect(&mut self, callers: Vec<Caller>, killed: bool) {
        for caller in callers {
            match caller {
                Caller::Client(call, child) => {
                    let pid = child.id();
                    self.client_ended(call, pid, &ended(child), killed);
                }
                Caller::Endpoint(interface, thread) => {
                    let (status, body) = thread.join().unwrap();
                    self.endpoint_answered(interface, status, &body);
                }
            }
        }
    }

    fn client_ended(&mut self, call: Call, pid: u32, ran: &Ran, killed: bool) {
        // Who was killed may have printed it before.
        if ran.status.success() || killed && ran.stdout.ends_with("}\n") {
            if matches!(call, Call::Process | Call::Narrow(_)) {
                let key = ran.json()["AccessKeyId"].as_str().unwrap().to_owned();
                let (interface, pid) = ("process", Some(pid));
                self.in_hand.push(InHand {
                    key,
                    interface,
                    pid,
                });
            }
            return;
        }
        if killed && ran.status.code().is_none() {
            return;
        }
        let told = [69, 75, 77].contains(&ran.code()) && ran.stderr.starts_with("jumpgate: ");
        let said = format!("{call:?}: {}: {}", ran.status, ran.stderr);
        assert!(told, "{said}");
        assert_eq!(ran.stdout, "", "{said}");
    }

    fn endpoint_answered(&mut self, interface: &'static str, status: u16, body: &str) {
        match (status, serde_json::from_str::<Value>(body)) {
            (200, Ok(document)) => {
                let key = document["AccessKeyId"].as_str().unwrap().to_owned();
                let pid = None;
                self.in_hand.push(InHand {
                    key,
                    interface,
                    pid,
                });
            }
            // Cut off in its midst; or nobody was there; or not in time; or there is no token yet.
            (200, Err(_)) | (0 | 401 | 403 | 503, _) => {}
            other => panic!("{interface}: {other:?}"),
        }
    }

    /// A call succeeds, and the endpoints serve where they stood.
    pub(crate) fn serves_all(&mut self) {
        let caller = self.caller(Call::Process);
        let Caller::Client(call, child) = caller else {
            unreachable!("a client");
        };
        let (pid, ran) = (child.id(), ended(child).good());
        self.client_ended(call, pid, &ran, false);
        let container = self.container.clone().container();
        let imds = self.imds.clone().imds();
        for (interface, (status, body)) in [("container", container), ("imds", imds)] {
            assert_eq!(status, 200, "{interface}: {body}");
            self.endpoint_answered(interface, status, &body);
        }
    }

    /// For each key there is the record of its process, or of its endpoint.
    pub(crate) fn everything_is_recorded(&self) {
        let records = self.lab.journal_of(&["lease.issue", "lease.serve"]);
        for held in &self.in_hand {
            let fits = |record: &&Value| {
                let ours = &record["unmapped"]["jumpgate"];
                let process = record["actor"]["process"]["pid"].as_u64();
                ours["access_key_id"] == held.key.as_str()
                    && ours["interface"] == held.interface
                    && held.pid.is_none_or(|pid| process == Some(pid.into()))
            };
            assert!(records.iter().any(|one| fits(&one)), "unrecorded: {held:?}");
        }
    }

    /// The agent ends when it is told to, and nothing is left but what is meant to stay.
    pub(crate) fn ends_without_a_trace(&self) {
        self.lab.run(&["agent", "stop"]).good();
        let patience = Instant::now() + PATIENCE;
        loop {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            assert!(Instant::now() < patience, "left over: {left:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
        let entries = std::fs::read_dir(self.lab.path("run/jumpgate")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["agent.lock", "client.lock", "standing"]);
    }
}

/// In place of a program of the lab's: one that waits at a gate.
fn gated(
    lab: &Lab,
    name: &str,
    answer: impl Fn() -> String + Send + 'static,
) -> (Prompt, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let door = Arc::clone(&gate);
    let answer = move || {
        door.pass();
        answer()
    };
    (Prompt::new(&lab.path("bin"), name, answer), gate)
}
