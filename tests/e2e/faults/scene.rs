//! A lab in which each interface can be asked in each state: a profile for each pair, an endpoint for each that is asked
//! by one, a clock that can be moved on, and a person who answers when told to.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use jumpgate_tests::prompts::Prompt;
use jumpgate_tests::sts::MFA_SERIAL;
use jumpgate_tests::{Lab, Ran};
use serde_json::Value;

use super::cell::{Answer, Interface, Seen, State, profile};
use super::shape::Shape;
use crate::built::clock_to_set;
use crate::endpoints::authorized;
use crate::surroundings::PATIENCE;

/// What is left of a session that is about to be refreshed: less than any interface hands out without trying.
const LEFT: i64 = 19 * 60;
const LIFE: i64 = 3600;

/// What an endpoint says that gave up.
const TOO_LATE: &str = "no answer in 700 ms; jumpgate status says what is being waited for";

/// Between two tries of who waits for time to pass: no event tells when a refusal is forgotten.
const PAUSE: Duration = Duration::from_millis(250);

/// All states, one beside the other.
pub(crate) struct Scene {
    shape: Shape,
    pub(crate) lab: Lab,
    person: Person,
    endpoints: Vec<(State, Interface, Value)>,
    later: Mutex<i64>,
}

impl Scene {
    /// An agent that runs, with a key that is stored; nothing is unlocked. `prepare` sees the lab before the agent does.
    /// Nothing where no clock can be set; that is noted as a skip. `really`: the key is stored as it is on any day, in the
    /// keyring if the lab has one, and not in a file that costs nothing to open.
    pub(crate) fn new(shape: Shape, prepare: impl FnOnce(&mut Lab), really: bool) -> Option<Self> {
        let mut lab = shape.lab();
        if !clock_to_set(&mut lab) {
            return None;
        }
        let person = Person::at(&mut lab);
        prepare(&mut lab);
        lab.start_agent();
        if really {
            lab.add_identity();
        } else {
            lab.seal_identity();
        }
        let cells = State::ALL
            .into_iter()
            .flat_map(|state| [Interface::Container, Interface::Imds].map(|by| (state, by)));
        let endpoints = cells
            .map(|(state, by)| (state, by, shape.open(&lab, &profile(state, by), by)))
            .collect();
        Some(Self {
            shape,
            lab,
            person,
            endpoints,
            later: Mutex::default(),
        })
    }

    /// Moves the clocks of agent and AWS on.
    pub(crate) fn pass(&self, seconds: i64) {
        let mut later = self.later.lock().unwrap();
        *later += seconds;
        self.lab.double.set_clock_offset(*later);
        std::fs::write(self.lab.path("later"), later.to_string()).unwrap();
    }

    /// Until the device shows another code: AWS takes each once, and so does the agent.
    pub(crate) fn pass_to_the_next_code(&self) {
        self.pass(30);
    }

    /// A session for each profile of this state.
    pub(crate) fn make_sessions(&self, state: State) {
        for by in Interface::ALL {
            self.fetch(&profile(state, by)).good();
        }
    }

    /// What stands before a session of this state, where that is another session: so it is the last call that fails.
    pub(crate) fn make_what_comes_before(&self, state: State) {
        for by in Interface::ALL {
            if let Some(words) = self.shape.words_before(&profile(state, by)) {
                self.lab.run(&words.each_ref().map(String::as_str)).good();
            }
        }
    }

    /// Until those sessions are to be refreshed.
    pub(crate) fn pass_to_the_refresh(&self) {
        self.pass(LIFE - LEFT);
    }

    /// Has nothing in memory any more: an identity that is configured otherwise is another one. A call may unlock it.
    pub(crate) fn shut(&self) {
        let before = self.lab.configuration();
        let after = before.replace("mfa_serial", "mfa_session = \"7h\"\nmfa_serial");
        assert_ne!(before, after);
        self.lab.configure(&after);
        self.lab.run(&["reload"]).good();
    }

    /// `jumpgate unlock` that is refused.
    pub(crate) fn refused_unlock(&self) -> String {
        let ran = self.lab.run(&["unlock"]);
        let said = ran.stderr.trim_end().replace("\n  hint: ", "; ");
        assert!(!ran.status.success(), "{}", ran.stdout);
        format!("exit {}: {}", ran.code(), self.plain(&said))
    }

    /// Asks once.
    pub(crate) fn ask(&self, state: State, by: Interface) -> Seen {
        let began = Instant::now();
        let answer = match by {
            Interface::Process => self.by_process(&profile(state, by)),
            Interface::Container => {
                let (status, body) = authorized(self.endpoint(state, by));
                self.by_http(status, &body)
            }
            Interface::Imds => {
                let endpoint = self.endpoint(state, by);
                let (status, body) = self.shape.imds_document(endpoint);
                self.by_http(status, &body)
            }
        };
        let took = began.elapsed();
        Seen { answer, took }
    }

    /// Asks by all interfaces at once in all of these states, patiently or not.
    pub(crate) fn ask_all(&self, states: &[(State, bool)]) -> Vec<[Seen; 3]> {
        std::thread::scope(|scope| {
            let ask =
                |(state, patient), by| scope.spawn(move || self.ask_for_long(state, by, patient));
            let asking: Vec<_> = states
                .iter()
                .map(|state| Interface::ALL.map(|by| ask(*state, by)))
                .collect();
            let rows = asking.into_iter();
            rows.map(|row| row.map(|cell| cell.join().unwrap()))
                .collect()
        })
    }

    /// Asks by one interface after the other: what they ask for has one identity unlocked.
    pub(crate) fn ask_in_turn(&self, state: State, patient: bool) -> [Seen; 3] {
        Interface::ALL.map(|by| self.ask_for_long(state, by, patient))
    }

    /// `patient`: who comes too soon, since the answer to others comes later, comes again as an SDK does.
    fn ask_for_long(&self, state: State, by: Interface, patient: bool) -> Seen {
        let began = Instant::now();
        loop {
            let seen = self.ask(state, by);
            if !(patient && seen.is_late()) || began.elapsed() > PATIENCE {
                return seen;
            }
        }
    }

    /// Asks by all interfaces before the person gives the code, which they do once the endpoints have answered. Who
    /// waits for it is timed from there. The fault comes when the person has been asked.
    pub(crate) fn ask_while_prompting(&self, put: impl FnOnce()) -> [Seen; 3] {
        self.person.goes_away();
        std::thread::scope(|scope| {
            let ask = |by| scope.spawn(move || self.ask(State::Prompting, by));
            let process = ask(Interface::Process);
            self.person.is_asked();
            put();
            let endpoints = [Interface::Container, Interface::Imds].map(ask);
            let [container, imds] = endpoints.map(|one| one.join().unwrap());
            let began = Instant::now();
            self.person.comes_back();
            let process = Seen {
                answer: process.join().unwrap().answer,
                took: began.elapsed(),
            };
            [process, container, imds]
        })
    }

    /// Waits until each interface serves credentials in this state.
    #[track_caller]
    pub(crate) fn served_again(&self, state: State) {
        for by in Interface::ALL {
            let began = Instant::now();
            loop {
                let seen = self.ask(state, by);
                if seen.answer == Answer::Credentials {
                    break;
                }
                assert!(began.elapsed() < PATIENCE, "{state:?} {by:?}: {seen:?}");
                std::thread::sleep(PAUSE);
            }
        }
    }

    fn endpoint(&self, state: State, by: Interface) -> &Value {
        let mut all = self.endpoints.iter();
        &all.find(|one| one.0 == state && one.1 == by).unwrap().2
    }

    fn fetch(&self, profile: &str) -> Ran {
        let words = self.shape.words(&self.lab, profile);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.lab.run(&words)
    }

    fn by_process(&self, profile: &str) -> Answer {
        let ran = self.fetch(profile);
        if ran.status.success() {
            assert_eq!(ran.stderr, "");
            self.is_good(&ran.json());
            return Answer::Credentials;
        }
        assert_eq!(ran.stdout, "");
        let said = ran.stderr.trim_end().replace("\n  hint: ", "; ");
        Answer::Refused {
            how: format!("exit {}", ran.code()),
            said: self.plain(&said),
        }
    }

    fn by_http(&self, status: u16, body: &str) -> Answer {
        let document: Value = serde_json::from_str(body).unwrap_or_default();
        if status == 200 {
            self.is_good(&document);
            return Answer::Credentials;
        }
        let text = |key: &str| document[key].as_str().unwrap_or_default();
        let how = match text("code") {
            "" => status.to_string(),
            code => format!("{status} `{code}`"),
        };
        Answer::Refused {
            how,
            said: self.plain(text("message")),
        }
    }

    /// What is handed out was made by AWS, for this role, and has not expired.
    fn is_good(&self, document: &Value) {
        let key = document["AccessKeyId"].as_str().unwrap();
        let made = self.lab.double.events_of(self.shape.made_by()).into_iter();
        let mut issued = made.filter_map(|event| event.issued);
        assert!(
            issued.any(|issued| issued.access_key_id == key),
            "{document}"
        );
        let end = document.get("Expiration").and_then(Value::as_str).unwrap();
        let now = jumpgate_tests::sts::rfc3339(self.lab.double.now());
        assert!(end > now.as_str(), "it expired: {end} at {now}");
    }

    /// Without what differs from run to run.
    fn plain(&self, said: &str) -> String {
        let said = said.trim_start_matches("jumpgate: ");
        let said = said.replace(&self.lab.home().display().to_string(), "~");
        // The door's own limit is a moment later, for what hangs otherwise; on a busy machine it may be the first.
        let limits = ("no answer in time; try again", TOO_LATE);
        let said = said.replace(limits.0, limits.1);
        let said = with_any_bus(&said);
        // The journal's file is named by its day.
        let parts: Vec<&str> = said.split("/audit-").collect();
        let parts =
            parts
                .iter()
                .enumerate()
                .map(|(at, part)| match (at, part.split_once(".jsonl")) {
                    (1.., Some((_, rest))) => format!("/audit-DAY.jsonl{rest}"),
                    _ => (*part).to_owned(),
                });
        super::examine::without_ports(&parts.collect::<String>())
    }
}

/// A bus is somewhere else in each run.
fn with_any_bus(said: &str) -> String {
    let named = said.split_once("to socket /");
    let rest = named.and_then(|(before, rest)| Some((before, rest.split_once("/bus: ")?.1)));
    rest.map_or_else(
        || said.to_owned(),
        |(before, why)| format!("{before}to socket …/bus: {why}"),
    )
}

/// Who gives MFA codes, when told to.
struct Person(Arc<(Mutex<Attention>, Condvar)>);

#[derive(Default)]
struct Attention {
    asked: usize,
    away: bool,
}

impl Person {
    fn at(lab: &mut Lab) -> Self {
        let shared: Arc<(Mutex<Attention>, Condvar)> = Arc::default();
        let (double, seen) = (Arc::clone(&lab.double), Arc::clone(&shared));
        let answer = move || {
            let (attention, changed) = &*seen;
            let mut now = attention.lock().unwrap();
            now.asked += 1;
            changed.notify_all();
            drop(changed.wait_while(now, |now| now.away).unwrap());
            double.totp_code(MFA_SERIAL)
        };
        lab.mfa = Prompt::new(&lab.path("bin"), "mfa-code", answer);
        Self(shared)
    }

    /// Answers no more, until [`Person::comes_back`].
    fn goes_away(&self) {
        self.0.0.lock().unwrap().away = true;
    }

    /// Waits until a code is asked for.
    fn is_asked(&self) {
        let (attention, changed) = &*self.0;
        let waiting = attention.lock().unwrap();
        let waited = changed.wait_timeout_while(waiting, PATIENCE, |now| now.asked == 0);
        assert!(!waited.unwrap().1.timed_out(), "nobody was asked");
    }

    /// Answers what was asked, and at once from now on.
    fn comes_back(&self) {
        self.0.0.lock().unwrap().away = false;
        self.0.1.notify_all();
    }
}
