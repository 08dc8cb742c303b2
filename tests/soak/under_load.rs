//! One step, made and judged.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jumpgate_api::Code;
use jumpgate_tests::Lab;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::doors::{
    Abandoned, Endpoint, GUARD, PATIENT, PROMPT, Seen, Told, abandoned, asking, by_control,
    control, exec, on_socket, printed, problem, started,
};
use super::ledger::Ledger;
use super::steps::{Bad, Door, Step, Via, Want};
use super::weather::Weather;

/// A client that runs: its step, since when, its process.
struct Running {
    what: String,
    since: Instant,
    pid: u32,
}

/// Everything that the threads share.
pub(crate) struct UnderLoad<'a> {
    pub(crate) lab: &'a Lab,
    pub(crate) weather: Weather,
    pub(crate) ledger: Ledger,
    pub(crate) containers: Vec<Endpoint>,
    pub(crate) imds: Vec<Endpoint>,
    /// Answers, and leases among them that no endpoint renews.
    pub(crate) calls: AtomicU64,
    pub(crate) leases: AtomicU64,
    pub(crate) over: AtomicBool,
    findings: Mutex<Vec<String>>,
    tallies: Mutex<BTreeMap<String, u64>>,
    longest: Mutex<BTreeMap<&'static str, Duration>>,
    running: Mutex<BTreeMap<u32, Running>>,
    held: Mutex<Vec<(Instant, Box<dyn Abandoned>)>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> UnderLoad<'a> {
    pub(crate) fn new(lab: &'a Lab, containers: Vec<Endpoint>, imds: Vec<Endpoint>) -> Self {
        Self {
            lab,
            weather: Weather::default(),
            ledger: Ledger::default(),
            containers,
            imds,
            calls: AtomicU64::new(0),
            leases: AtomicU64::new(0),
            over: AtomicBool::new(false),
            findings: Mutex::default(),
            tallies: Mutex::default(),
            longest: Mutex::default(),
            running: Mutex::default(),
            held: Mutex::default(),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Something that should not be: the run ends.
    pub(crate) fn found(&self, what: String) {
        locked(&self.findings).push(what);
        self.over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn findings(&self) -> Vec<String> {
        locked(&self.findings).clone()
    }

    pub(crate) fn count(&self, what: impl Into<String>) {
        *locked(&self.tallies).entry(what.into()).or_default() += 1;
    }

    pub(crate) fn tallies(&self) -> BTreeMap<String, u64> {
        locked(&self.tallies).clone()
    }

    pub(crate) fn longest(&self) -> BTreeMap<&'static str, Duration> {
        locked(&self.longest).clone()
    }

    /// Makes a step; what is wrong with its outcome is a finding.
    pub(crate) fn step(&self, number: u64, step: Step) {
        let made =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.made(number, step)));
        let made = made.unwrap_or_else(|_| Err("a panic of the load itself".to_owned()));
        if let Err(what) = made {
            let weather = self.weather.troubles(Instant::now());
            self.found(format!(
                "step {number}, {step:?}: {what} (then: {weather:?})"
            ));
        }
    }

    fn made(&self, number: u64, step: Step) -> Result<(), String> {
        match step {
            Step::Call(want, door) => self.call(number, want, door),
            Step::Killed(want, door, millis) => self.killed(want, door, millis),
            Step::Status => self.read("status", "GET /v1/status"),
            Step::Leases => self.read("leases", "GET /v1/leases"),
            Step::Profiles => self.read("profiles", "GET /v1/profiles"),
            Step::Journal => self.read("journal", "GET /v1/journal?last=5"),
            Step::Verify => self.verify(),
            Step::EndLease => self.end_lease(number),
            Step::Bad(bad) => self.bad(number, bad),
            Step::HalfOpen { control, seconds } => self.half_open(number, control, seconds),
        }
    }

    fn call(&self, number: u64, want: Want, door: Door) -> Result<(), String> {
        let (name, lab) = (name(door), self.lab);
        let client = |command| self.watched(format!("step {number}"), command);
        match door {
            Door::Process => {
                let command = asking(lab, want, &["credential-process"], &[]);
                self.asked(number, want, (name, "process"), || client(command))
            }
            Door::Export => {
                let command = asking(lab, want, &["export", "--format", "json"], &[]);
                self.asked(number, want, (name, "export"), || client(command))
            }
            Door::Control => self.asked(number, want, (name, "process"), || by_control(lab, want)),
            Door::Exec(via) => {
                let interface = match via {
                    Via::Container => "container",
                    Via::Imds => "imds",
                    Via::Env => "export",
                };
                let command = exec(lab, want, via);
                self.asked(number, want, (name, interface), || client(command))
            }
            Door::Container { kept, times } => {
                let endpoint = standing(&self.containers, want)?;
                self.again(times, || {
                    let ask = || Ok((endpoint.container(kept)?, std::process::id()));
                    self.asked(number, want, (name, "container"), ask)
                })
            }
            Door::Imds { kept, times } => {
                let endpoint = standing(&self.imds, want)?;
                self.again(times, || {
                    let ask = || Ok((endpoint.imds(kept)?, std::process::id()));
                    self.asked(number, want, (name, "imds"), ask)
                })
            }
        }
    }

    fn again(&self, times: u64, once: impl Fn() -> Result<(), String>) -> Result<(), String> {
        (0..times).try_for_each(|_| once())
    }

    /// Asks, and judges what came: credentials are entered, a refusal must be one of those that are due.
    fn asked(
        &self,
        number: u64,
        want: Want,
        (name, interface): (&'static str, &'static str),
        ask: impl FnOnce() -> Told,
    ) -> Result<(), String> {
        let since = Instant::now();
        let (seen, pid) = ask()?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        let took = since.elapsed();
        let mut longest = locked(&self.longest);
        let worst = longest.entry(name).or_default();
        *worst = took.max(*worst);
        drop(longest);
        match seen {
            Seen::Given(document) => {
                if matches!(interface, "process" | "export") {
                    self.leases.fetch_add(1, Ordering::Relaxed);
                }
                self.count(format!("{name}: credentials"));
                let entered = (number, want);
                self.ledger
                    .enter(self.lab, entered, (interface, pid), since, &document)
            }
            refused => self.refused(name, interface, want, since, &refused),
        }
    }

    fn refused(
        &self,
        name: &str,
        interface: &str,
        want: Want,
        since: Instant,
        seen: &Seen,
    ) -> Result<(), String> {
        let mut due = self.weather.codes(since);
        if matches!(want, Want::Short(_)) {
            // It may run out while it is recorded.
            due.push(Code::Busy);
        }
        let as_due = match seen {
            Seen::Given(_) => true,
            Seen::Code(code, _) => due.contains(code),
            Seen::Exit(exit, _) => due.iter().any(|code| code.exit_status() as i32 == *exit),
            Seen::Status(status) => due.iter().any(|code| imds_status(*code) == *status),
        };
        if as_due {
            self.count(format!("{name}: {}", told(seen)));
            return Ok(());
        }
        // An endpoint answers within 0.75 s whatever a slow machine makes of the call behind it.
        let late = match seen {
            Seen::Code(code, _) => *code == Code::UpstreamTimedOut,
            Seen::Status(status) => *status == 503,
            Seen::Exit(..) | Seen::Given(_) => false,
        };
        if late && matches!(interface, "container" | "imds") {
            self.count(format!("{name}: too late for an endpoint"));
            return Ok(());
        }
        let message = match seen {
            Seen::Code(_, message) | Seen::Exit(_, message) => message,
            Seen::Given(_) | Seen::Status(_) => "",
        };
        Err(format!(
            "{name} was told {} {message:?}, where {due:?} is due",
            told(seen)
        ))
    }

    fn watched(&self, what: String, command: std::process::Command) -> Told {
        let child = started(command)?;
        let pid = child.id();
        let since = Instant::now();
        locked(&self.running).insert(pid, Running { what, since, pid });
        let told = printed(child);
        locked(&self.running).remove(&pid);
        told
    }

    /// Ends clients that waited longer than is documented, each a finding; and connections that were held long enough.
    pub(crate) fn look_after(&self) {
        let now = Instant::now();
        locked(&self.held).retain(|(until, _)| *until > now);
        let mut overdue = Vec::new();
        for running in locked(&self.running).values_mut() {
            if running.since.elapsed() > PATIENT + GUARD {
                running.since = now;
                overdue.push(format!("{}: no answer within {PATIENT:?}", running.what));
                kill(running.pid);
            }
        }
        overdue.into_iter().for_each(|what| self.found(what));
    }

    pub(crate) fn part(&self) {
        locked(&self.held).clear();
        let endpoints = self.containers.iter().chain(&self.imds);
        endpoints.for_each(Endpoint::part);
    }

    fn killed(&self, want: Want, door: Door, millis: u64) -> Result<(), String> {
        let command = match door {
            Door::Export => asking(self.lab, want, &["export", "--format", "json"], &[]),
            Door::Exec(via) => exec(self.lab, want, via),
            _ => asking(self.lab, want, &["credential-process"], &[]),
        };
        let child = started(command)?;
        std::thread::sleep(Duration::from_millis(millis));
        kill(child.id());
        let _whatever = jumpgate_tests::lab::ended(child);
        self.count("clients killed");
        Ok(())
    }

    /// What is answered whatever goes on.
    fn read(&self, name: &str, line: &str) -> Result<(), String> {
        let (status, body) = control(self.lab, line, "")?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.count(format!("control: {name}"));
        let text = String::from_utf8_lossy(&body);
        // The journal comes in chunks, between lines with their sizes.
        let mut lines = text.lines().filter(|line| line.starts_with('{'));
        let whole = match name {
            "journal" => lines.all(|line| serde_json::from_str::<Value>(line).is_ok()),
            _ => serde_json::from_str::<Value>(&text).is_ok(),
        };
        match status == 200 && whole {
            true => Ok(()),
            false => Err(format!("{line} gave {status}: {text}")),
        }
    }

    fn verify(&self) -> Result<(), String> {
        let (status, body) = control(self.lab, "GET /v1/journal/verify", "")?;
        self.count("control: verify");
        let report: Value = serde_json::from_slice(&body).unwrap_or_default();
        let intact = report["damage"].as_array().is_none_or(Vec::is_empty);
        match status == 200 && report["head"].is_string() && intact {
            true => Ok(()),
            false => Err(format!("the journal: {status} {report}")),
        }
    }

    fn end_lease(&self, number: u64) -> Result<(), String> {
        let (_, body) = control(self.lab, "GET /v1/leases", "")?;
        let list: Value = serde_json::from_slice(&body).unwrap_or_default();
        let leases = list["leases"].as_array().cloned().unwrap_or_default();
        let ours =
            |lease: &&Value| lease["interface"] == "process" || lease["interface"] == "export";
        let ours: Vec<&Value> = leases.iter().filter(ours).collect();
        if ours.is_empty() {
            return Ok(());
        }
        let chosen = ours[usize::try_from(number).unwrap() % ours.len()];
        let id = chosen["id"].as_str().unwrap_or_default();
        let (status, body) = control(self.lab, &format!("DELETE /v1/leases/{id}"), "")?;
        self.count("control: lease end");
        match status {
            200 => Ok(()),
            _ => match problem(status, &body)? {
                Seen::Code(Code::LeaseNotFound, _) => Ok(()),
                other => Err(format!("lease end gave {}", told(&other))),
            },
        }
    }

    fn half_open(&self, number: u64, by_control: bool, seconds: u64) -> Result<(), String> {
        let half = number.is_multiple_of(2);
        let stream = if by_control {
            UnixStream::connect(self.lab.socket()).map(|stream| abandoned(stream, half))
        } else {
            let endpoints = if half { &self.containers } else { &self.imds };
            TcpStream::connect(endpoints[0].address()).map(|stream| abandoned(stream, half))
        };
        let stream = stream.map_err(|error| format!("a connection: {error}"))?;
        let until = Instant::now() + Duration::from_secs(seconds);
        locked(&self.held).push((until, stream));
        self.count("connections left half-open");
        Ok(())
    }

    fn bad(&self, number: u64, bad: Bad) -> Result<(), String> {
        let container = &self.containers[usize::try_from(number).unwrap() % self.containers.len()];
        let imds = &self.imds[usize::try_from(number).unwrap() % self.imds.len()];
        let since = Instant::now();
        let (status, expected): (u16, &[u16]) = match bad {
            Bad::ContainerToken => (
                container.misused("GET /@PATH@", None, "Authorization: wrong")?,
                &[403],
            ),
            Bad::ContainerHost => {
                let header = container.authorization();
                let host = Some("evil.example");
                (container.misused("GET /@PATH@", host, &header)?, &[403])
            }
            Bad::ContainerPath => {
                let header = container.authorization();
                (
                    container.misused("GET /elsewhere", None, &header)?,
                    &[403, 404],
                )
            }
            Bad::ContainerGarbage => (container.raw(b"\x16\x03\x01\x02\x00\r\n\r\n")?, &[0, 400]),
            Bad::ContainerHead => {
                let header = format!("X-Long: {}", "x".repeat(20_000));
                (container.misused("GET /@PATH@", None, &header)?, &[0, 431])
            }
            Bad::ImdsNoToken => (
                imds.misused("GET /latest/meta-data/", None, "X-A: b")?,
                &[401],
            ),
            Bad::ImdsLife => {
                let header = "X-aws-ec2-metadata-token-ttl-seconds: 0";
                let line = "PUT /latest/api/token";
                (imds.misused(line, None, header)?, &[400])
            }
            _ => return self.bad_control(bad, since),
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.count(format!("malformed: {bad:?}"));
        match expected.contains(&status) {
            true => Ok(()),
            false => Err(format!("{status}, where {expected:?} is due")),
        }
    }

    fn bad_control(&self, bad: Bad, since: Instant) -> Result<(), String> {
        let ask = "POST /v1/credentials";
        let (line, body, code) = match bad {
            Bad::ControlJson => (ask, "{\"profile\":", Code::InvalidRequest),
            Bad::ControlMember => (
                ask,
                r#"{"profile":"plain","interface":"process","narow":{}}"#,
                Code::InvalidRequest,
            ),
            Bad::ControlPath => ("GET /v1/elsewhere", "", Code::NotFound),
            Bad::ControlVersion => ("GET /v9/status", "", Code::UnsupportedVersion),
            Bad::ControlHidden => (
                ask,
                r#"{"profile":"ruled","interface":"process"}"#,
                Code::ProfileNotFound,
            ),
            Bad::ControlDuration => (
                ask,
                r#"{"profile":"plain","interface":"process","narrow":{"duration_seconds":86400}}"#,
                Code::AccessDenied,
            ),
            _ => (
                ask,
                r#"{"profile":"nobody","interface":"process"}"#,
                Code::ProfileNotFound,
            ),
        };
        let length = body.len();
        let text = format!("{line} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}");
        let reply = on_socket(self.lab, text.as_bytes())?.ok_or("closed without an answer")?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.count(format!("malformed: {bad:?}"));
        match problem(reply.status, &reply.body)? {
            Seen::Code(told, _) if told == code || self.weather.codes(since).contains(&told) => {
                Ok(())
            }
            other => Err(format!("{}, where {code} is due", told(&other))),
        }
    }
}

fn standing(endpoints: &[Endpoint], want: Want) -> Result<&Endpoint, String> {
    let found = endpoints.iter().find(|endpoint| endpoint.want == want);
    found.ok_or_else(|| format!("no endpoint for {want:?}"))
}

const fn name(door: Door) -> &'static str {
    match door {
        Door::Process => "credential-process",
        Door::Export => "export",
        Door::Control => "control socket",
        Door::Exec(Via::Container) => "exec --via container",
        Door::Exec(Via::Imds) => "exec --via imds",
        Door::Exec(Via::Env) => "exec --via env",
        Door::Container { .. } => "container endpoint",
        Door::Imds { .. } => "IMDS endpoint",
    }
}

/// How IMDS says it.
const fn imds_status(code: Code) -> u16 {
    match code {
        Code::UpstreamDenied | Code::AccessDenied => 404,
        _ => 503,
    }
}

fn told(seen: &Seen) -> String {
    match seen {
        Seen::Given(_) => "credentials".to_owned(),
        Seen::Code(code, _) => code.to_string(),
        Seen::Exit(exit, _) => format!("exit {exit}"),
        Seen::Status(status) => format!("status {status}"),
    }
}

pub(crate) fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _gone = kill_process(pid, signal);
    }
}

/// How long an answer of each door is waited for, documented.
pub(crate) const fn patience(name: &str) -> Duration {
    match name.as_bytes() {
        b"container endpoint" | b"IMDS endpoint" => PROMPT,
        _ => PATIENT,
    }
}
